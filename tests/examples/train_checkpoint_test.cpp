#include "examples/train/checkpoint.h"

#include <doctest/doctest.h>

#include <fstream>
#include <stdexcept>
#include <string>

#include "examples/train/digest.h"
#include "examples/train/trainer.h"
#include "tests/support/program.h"
#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/io/safetensors.h"

using namespace xtgrad;
using xtgrad::testing::file_text;
using xtgrad::testing::TemporaryFolder;

namespace {

nn::StateDict small_state() {
  nn::StateDict state;
  state.add("weight", tensor({{1.5, -2}, {0, 4}}));
  state.add("step", tensor({7}, {.dtype = int64}));
  return state;
}

void write(const std::filesystem::path& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary) << bytes;
}

std::uint64_t digest_of(const std::string& text) { return train::digest(std::as_bytes(std::span(text))); }

}  // namespace

TEST_CASE("a checkpoint gives back the state, and nothing where there is none") {
  const TemporaryFolder folder;
  const train::Checkpoint checkpoint(folder.path() / "checkpoint.safetensors", {{"--seed", "3"}});
  CHECK(!checkpoint.load());
  checkpoint.save({small_state(), 40});
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
  checkpoint.save({small_state(), 0});
  CHECK_THROWS_WITH_AS(
      static_cast<void>(checkpoint.load()),
      (file.string() + ": --checkpoint-every should be a number of steps, is \"0\"; remove it to begin anew")
          .c_str(),
      IoError);
}

TEST_CASE("a checkpoint made with other choices is refused, naming both") {
  const TemporaryFolder folder;
  const std::filesystem::path file = folder.path() / "checkpoint.safetensors";
  train::Checkpoint(file, {{"--seed", "3"}, {"--lr", "0.1"}}).save({small_state(), 1});
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

TEST_CASE("a damaged checkpoint is an IoError, whichever byte it is") {
  const TemporaryFolder folder;
  const std::filesystem::path file = folder.path() / "checkpoint.safetensors";
  const train::Checkpoint checkpoint(file, {{"--seed", "3"}});
  checkpoint.save({small_state(), 1});
  const std::string whole = file_text(file);
  for (std::size_t i = 0; i < whole.size(); ++i) {
    std::string damaged = whole;
    damaged[i] = static_cast<char>(damaged[i] ^ 1);
    write(file, damaged);
    CAPTURE(i);
    // In the text of the choices it is another choice; blanks that pad the header may change to no effect.
    try {
      const auto saved = checkpoint.load();
      REQUIRE(saved);
      CHECK(saved->state.at("weight").at({1, 1}) == 4);
      CHECK(saved->state.at("step").at({0}) == 7);
    } catch (const IoError& error) {
      CHECK(std::string(error.what()).find(file.string()) != std::string::npos);
    }
  }
  for (const std::size_t length : {std::size_t{0}, std::size_t{7}, whole.size() / 2, whole.size() - 1}) {
    write(file, whole.substr(0, length));
    CHECK_THROWS_AS(static_cast<void>(checkpoint.load()), IoError);
  }
  std::string flipped = whole;
  flipped.back() = static_cast<char>(flipped.back() ^ 64);
  write(file, flipped);
  CHECK_THROWS_WITH_AS(static_cast<void>(checkpoint.load()),
                       doctest::Contains(": damaged: its checksum should be "), IoError);
}

TEST_CASE("a file of weights is no checkpoint") {
  const TemporaryFolder folder;
  const std::filesystem::path file = folder.path() / "checkpoint.safetensors";
  save_safetensors(file.string(), {.tensors = {{"weight", tensor({1, 2})}}});
  CHECK_THROWS_WITH_AS(
      static_cast<void>(train::Checkpoint(file, {}).load()),
      (file.string() + ": is no checkpoint: program should be \"xtgrad train, checkpoint\", is not there")
          .c_str(),
      IoError);
}

TEST_CASE("digests tell lengths, places and bits") {
  CHECK(digest_of("") != digest_of(std::string(1, '\0')));
  CHECK(digest_of("12345678") != digest_of(std::string("12345678") + '\0'));
  CHECK(digest_of("12345678abcdefgh") != digest_of("abcdefgh12345678"));
  CHECK(digest_of("1234567") == digest_of("1234567"));
  for (std::size_t i = 0; i < 24; ++i) {
    for (int bit = 0; bit < 8; ++bit) {
      std::string text = "three words of 8 bytes..";
      text[i] = static_cast<char>(text[i] ^ (1 << bit));
      CHECK(digest_of(text) != digest_of("three words of 8 bytes.."));
    }
  }
}
