#include <doctest/doctest.h>

#include <algorithm>
#include <optional>
#include <stdexcept>
#include <string>

#include "examples/train/resume.h"
#include "tests/support/message_of.h"
#include "tests/support/program.h"
#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/io/safetensors.h"
#include "xtgrad/training/checkpoint.h"

using namespace xtgrad;
using testing::message_of;
using testing::TemporaryFolder;

namespace {

train::Resumable some_run() {
  train::Resumable run{.checkpoint_every = 40};
  run.gradient_check.worst_error = 1.0 / 3e10;
  run.gradient_check.smallest_detectable = 2e-9;
  run.gradient_check.evaluations = 1234567;
  return run;
}

/// A checkpoint of a run with these choices, beside what `some_run` notes.
void write(const std::string& file, training::Notes choices) {
  const training::Notes notes = train::notes_of(some_run());
  choices.insert(choices.end(), notes.begin(), notes.end());
  training::save_checkpoint(file, {.state = {}, .notes = choices});
}

}  // namespace

TEST_CASE("what a run notes for the one that goes on from it is read again, to the bit") {
  const TemporaryFolder folder;
  const std::string file = (folder.path() / "checkpoint.safetensors").string();
  CHECK(!train::look_into(file, {{"--seed", "3"}}));
  write(file, {{"--seed", "3"}});
  const auto found = train::look_into(file, {{"--seed", "3"}});
  REQUIRE(found);
  CHECK(found->checkpoint_every == 40);
  CHECK(found->gradient_check.worst_error == some_run().gradient_check.worst_error);
  CHECK(found->gradient_check.smallest_detectable == 2e-9);
  CHECK(found->gradient_check.evaluations == 1234567);
}

TEST_CASE("a checkpoint whose notes are no numbers is refused, naming the note") {
  const TemporaryFolder folder;
  const std::string file = (folder.path() / "checkpoint.safetensors").string();
  const auto refused = [&](std::size_t note, const std::optional<std::string>& text) {
    training::Notes notes = train::notes_of(some_run());
    if (text) {
      notes.at(note).text = *text;
    } else {
      notes.erase(notes.begin() + static_cast<std::ptrdiff_t>(note));
    }
    training::save_checkpoint(file, {.state = {}, .notes = notes});
    return message_of<IoError>([&] { return train::look_into(file, {}); });
  };
  CHECK(refused(0, "often") ==
        file + ": --checkpoint-every should be a number, is \"often\"; remove the file to begin anew");
  CHECK(refused(0, "-3") ==
        file + ": --checkpoint-every should be a number, is \"-3\"; remove the file to begin anew");
  CHECK(refused(1, "nan") ==
        file +
            ": gradient check's worst error should be a number, is \"nan\"; remove the file to begin anew");
  CHECK(refused(3, std::nullopt) ==
        file +
            ": gradient check's evaluations should be a number, is not there; remove the file to begin anew");
}

TEST_CASE("a checkpoint made with other choices is refused, naming both") {
  const TemporaryFolder folder;
  const std::string file = (folder.path() / "checkpoint.safetensors").string();
  write(file, {{"--seed", "3"}, {"--lr", "0.1"}});
  const auto refused = [&](const training::Notes& choices) {
    return message_of<std::runtime_error>([&] { return train::look_into(file, choices); });
  };
  CHECK(refused({{"--seed", "3"}, {"--lr", "0.2"}}) ==
        "--resume: " + file +
            " was made with --lr 0.1, not 0.2: go on with the same, or begin anew without --resume");
  CHECK(refused({{"--warmup", "5"}}) ==
        "--resume: " + file +
            " was made with --warmup absent, not 5: go on with the same, or begin anew without --resume");
}

TEST_CASE("a file of weights is no checkpoint, in words without the library's function") {
  const TemporaryFolder folder;
  const std::string file = (folder.path() / "checkpoint.safetensors").string();
  save_safetensors(file, {.tensors = {{"weight", tensor({1, 2})}}});
  CHECK(message_of<IoError>([&] { return train::look_into(file, {}); }) ==
        file + ": is no checkpoint: kind should be \"xtgrad checkpoint\", is not there");
}
