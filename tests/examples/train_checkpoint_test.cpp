#include "examples/train/checkpoint.h"

#include <doctest/doctest.h>

#include <stdexcept>
#include <string>

#include "tests/support/program.h"
#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/io/safetensors.h"
#include "xtgrad/training/checkpoint.h"

using namespace xtgrad;
using xtgrad::testing::TemporaryFolder;

namespace {

nn::StateDict small_state() {
  nn::StateDict state;
  state.add("weight", tensor({{1.5, -2}, {0, 4}}));
  state.add("step", tensor({7}, {.dtype = int64}));
  return state;
}

}  // namespace

TEST_CASE("a checkpoint gives back the state, and nothing where there is none") {
  const TemporaryFolder folder;
  train::Checkpoint checkpoint(folder.path() / "checkpoint.safetensors", {{"--seed", "3"}});
  CHECK(!checkpoint.load());
  checkpoint.write_every(40, {});
  checkpoint.save(small_state());
  const auto saved = checkpoint.load();
  REQUIRE(saved);
  CHECK(saved->every == 40);
  CHECK(saved->state.size() == 2);
  CHECK(saved->state.at("weight").at({0, 1}) == -2);
  CHECK(saved->state.at("step").at({0}) == 7);
}

TEST_CASE("a checkpoint says how often the next ones are written") {
  const TemporaryFolder folder;
  const std::filesystem::path file = folder.path() / "checkpoint.safetensors";
  const train::Checkpoint checkpoint(file, {});
  checkpoint.save(small_state());
  CHECK_THROWS_WITH_AS(
      static_cast<void>(checkpoint.load()),
      (file.string() + ": --checkpoint-every should be a number of steps, is \"0\"; remove it to begin anew")
          .c_str(),
      IoError);
}

TEST_CASE("a checkpoint made with other choices is refused, naming both") {
  const TemporaryFolder folder;
  const std::filesystem::path file = folder.path() / "checkpoint.safetensors";
  train::Checkpoint(file, {{"--seed", "3"}, {"--lr", "0.1"}}).save(small_state());
  CHECK_THROWS_WITH_AS(
      static_cast<void>(train::Checkpoint(file, {{"--seed", "3"}, {"--lr", "0.2"}}).load()),
      ("--resume: " + file.string() +
       " was made with --lr 0.1, not 0.2: go on with the same, or begin anew without --resume")
          .c_str(),
      std::runtime_error);
  CHECK_THROWS_WITH_AS(static_cast<void>(train::Checkpoint(file, {{"--warmup", "5"}}).load()),
                       ("--resume: " + file.string() +
                        " was made with --warmup absent, not 5: go on with the same, or begin anew without "
                        "--resume")
                           .c_str(),
                       std::runtime_error);
}

TEST_CASE("a file of weights is no checkpoint, in words without the library's function") {
  const TemporaryFolder folder;
  const std::filesystem::path file = folder.path() / "checkpoint.safetensors";
  save_safetensors(file.string(), {.tensors = {{"weight", tensor({1, 2})}}});
  CHECK_THROWS_WITH_AS(
      static_cast<void>(train::Checkpoint(file, {}).load()),
      (file.string() + ": is no checkpoint: kind should be \"xtgrad checkpoint\", is not there").c_str(),
      IoError);
}

TEST_CASE("a checkpoint of another build or processor is gone on from, with a warning") {
  const TemporaryFolder folder;
  const std::filesystem::path file = folder.path() / "checkpoint.safetensors";
  train::Checkpoint checkpoint(file, {{"--seed", "3"}});
  checkpoint.write_every(40, {});
  checkpoint.save(small_state());
  CHECK(checkpoint.load()->warning.empty());
  training::Checkpoint forged = training::load_checkpoint(file.string()).value();
  for (Safetensors::Note& note : forged.notes) {
    if (note.key == "processor") note.text = "Z80";
  }
  training::save_checkpoint(file.string(), forged);
  const auto saved = checkpoint.load();
  REQUIRE(saved);
  CHECK(saved->state.size() == 2);
  CHECK(saved->warning.find("was written on another processor, Z80 and not ") == 0);
}
