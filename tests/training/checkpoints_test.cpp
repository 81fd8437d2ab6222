#include "xtgrad/training/checkpoints.h"

#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <limits>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "tests/support/message_of.h"
#include "tests/support/program.h"
#include "tests/support/skip.h"
#include "tests/support/unwritable_folder.h"
#include "tests/training/small_run.h"
#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/ops.h"
#include "xtgrad/nn/files.h"
#include "xtgrad/training/checkpoint.h"
#include "xtgrad/training/early_stopping.h"
#include "xtgrad/training/writable_folder.h"

using namespace xtgrad;
using testing::file_text;
using testing::message_of;
using testing::TemporaryFolder;
using training::Checkpoints;
using training_test::SmallRun;
using training_test::StopAfter;

namespace {

std::set<std::string> names_in(const std::filesystem::path& folder) {
  std::set<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) names.insert(entry.path().filename());
  return names;
}

std::shared_ptr<Checkpoints> in(const std::filesystem::path& folder,
                                training::CheckpointsOptions options = {}) {
  return std::make_shared<Checkpoints>(folder.string(), std::move(options));
}

bool same_weights(const nn::MLP& a, const nn::MLP& b) {
  const nn::StateDict other = b.state_dict();
  for (const auto& [name, value] : a.state_dict()) {
    if (sum(not_equal(value, other.at(name)).to(int64)).item_int64() != 0) return false;
  }
  return true;
}

/// True if the models in two files of checkpoints are the same.
bool same_models(const std::string& a, const std::string& b) {
  const auto first = training::load_checkpoint(a);
  const auto second = training::load_checkpoint(b);
  REQUIRE((first && second));
  for (const auto& [name, value] : first->state) {
    const bool is_model = name.starts_with("model.") || name == "epoch";
    if (is_model && sum(not_equal(value, second->state.at(name)).to(int64)).item_int64() != 0) return false;
  }
  return true;
}

}  // namespace

TEST_CASE("the last checkpoints stay, one after each epoch or after so many steps and at the end") {
  const TemporaryFolder epochs;
  SmallRun({in(epochs.path(), {.keep_last = 2})}).trainer.fit();
  CHECK(names_in(epochs.path()) ==
        std::set<std::string>{"step-00000009.safetensors", "step-00000012.safetensors"});
  const TemporaryFolder steps;
  const auto checkpoints = in(steps.path() / "made" / "here", {.every_steps = 5, .keep_last = 10});
  SmallRun({checkpoints}).trainer.fit();
  CHECK(checkpoints->steps() == std::vector<std::int64_t>{5, 10, 12});
  CHECK(checkpoints->newest() == (steps.path() / "made" / "here" / "step-00000012.safetensors").string());
  CHECK(checkpoints->best().empty());
}

TEST_CASE("the best epoch's checkpoint stays, whatever comes later") {
  for (const bool maximize : {false, true}) {
    const std::string by = maximize ? "validation_accuracy" : "loss";
    const TemporaryFolder folder;
    const auto checkpoints = in(folder.path(), {.keep_last = 1, .best_by = by, .maximize = maximize});
    SmallRun run({checkpoints}, 8);
    run.trainer.fit();
    std::int64_t best = 0;
    double value = maximize ? -1 : std::numeric_limits<double>::infinity();
    for (const auto& record : run.trainer.records()) {
      const bool better = maximize ? record.at(by) > value : record.at(by) < value;
      if (better) best = record.epoch;
      if (better) value = record.at(by);
    }
    SmallRun from({in(folder.path(), {.best_by = by, .maximize = maximize})}, 8);
    CHECK(Checkpoints(folder.path().string()).resume_best(from.trainer));
    CHECK(from.trainer.epoch() == best);
    CHECK(from.trainer.records().back().at(by) == value);
  }
}

TEST_CASE("a folder that takes no files is found out before the first step") {
  const auto folder = testing::unwritable_folder();
  if (folder.empty()) return testing::skip("every folder takes files here");
  SmallRun run({in(folder)});
  const std::string message = message_of<IoError>([&] { return run.trainer.fit(); });
  CHECK(message.find("Checkpoints: cannot write to the folder " + folder.string() + ": ") == 0);
  CHECK(run.trainer.step() == 0);
}

TEST_CASE("looking whether a folder takes files leaves none, and takes away what a killed look has left") {
  const TemporaryFolder folder;
  std::ofstream(folder.path() / "mine.txt") << "stays";
  std::ofstream(folder.path() / "writable.999999999-0.tmp") << "x";
  training::check_writable_folder("here", folder.path().string());
  CHECK(names_in(folder.path()) == std::set<std::string>{"mine.txt"});
  const std::string absent = (folder.path() / "absent").string();
  CHECK(message_of<IoError>([&] {
          training::check_writable_folder("here", absent);
          return 0;
        }) == "here: cannot write to the folder " + absent + ": No such file or directory");
}

TEST_CASE("a training stopped after any step goes on from its folder, to the same bits and the same files") {
  const training::CheckpointsOptions options{.every_steps = 2, .best_by = "validation_loss"};
  const TemporaryFolder whole_folder;
  const auto all = in(whole_folder.path(), options);
  SmallRun whole({all});
  CHECK_FALSE(all->resume(whole.trainer));
  whole.trainer.fit();
  for (std::int64_t stop = 1; stop < 12; ++stop) {
    CAPTURE(stop);
    const TemporaryFolder folder;
    const auto before = in(folder.path(), options);
    SmallRun first({before, std::make_shared<StopAfter>(stop)});
    CHECK_THROWS_AS(first.trainer.fit(), std::runtime_error);
    const auto after = in(folder.path(), options);
    SmallRun second({after});
    CHECK(after->resume(second.trainer) == (stop >= 2));
    CHECK(second.trainer.step() == stop / 2 * 2);
    second.trainer.fit();
    CHECK(same_weights(second.model, whole.model));
    CHECK(names_in(folder.path()) == names_in(whole_folder.path()));
    CHECK(same_models(after->best(), all->best()));
  }
}

TEST_CASE("a run that was killed before its first step's file goes on from the best one, or begins anew") {
  for (const std::int64_t every : {100, 0}) {
    const training::CheckpointsOptions options{.every_steps = every, .best_by = "validation_loss"};
    SmallRun whole({});
    whole.trainer.fit();
    for (std::int64_t stop = 0; stop < 12; ++stop) {
      CAPTURE(every);
      CAPTURE(stop);
      const TemporaryFolder folder;
      SmallRun first({in(folder.path(), options), std::make_shared<StopAfter>(stop)});
      CHECK_THROWS_AS(first.trainer.fit(), std::runtime_error);
      // As if it had been killed between the best one and the step's own.
      for (const std::string& name : names_in(folder.path())) {
        if (name.starts_with("step-")) std::filesystem::remove(folder.path() / name);
      }
      const auto after = in(folder.path(), options);
      SmallRun second({after});
      CHECK(after->resume(second.trainer) == (stop >= 3));
      CHECK(second.trainer.step() % 3 == 0);
      second.trainer.fit();
      CHECK(same_weights(second.model, whole.model));
    }
  }
}

TEST_CASE("the last checkpoint has the last step's state, though the best weights are put back after it") {
  const TemporaryFolder folder;
  const training::CheckpointsOptions options{.every_steps = 6, .keep_last = 10};
  SmallRun whole({}, 8);
  whole.trainer.fit();
  // "loss" rises at no epoch by enough: the first one stays the best.
  const auto checkpoints = in(folder.path(), options);
  SmallRun first({checkpoints}, 4,
                 [](nn::MLP& model) -> std::vector<std::shared_ptr<training::StoppingRule>> {
                   return {std::make_shared<training::EarlyStopping>(
                       model, training::EarlyStoppingOptions{.min_delta = 100, .watch = "loss"})};
                 });
  first.trainer.fit();
  first.trainer.fit();  // it is over, and says so again
  CHECK(checkpoints->steps() == std::vector<std::int64_t>{6, 12});
  const auto last = training::load_checkpoint(checkpoints->newest());
  REQUIRE(last);
  SmallRun at_twelve({std::make_shared<StopAfter>(12)}, 8);
  CHECK_THROWS_AS(at_twelve.trainer.fit(), std::runtime_error);
  CHECK_FALSE(same_weights(first.model, at_twelve.model));
  for (const auto& [name, value] : at_twelve.trainer.state_dict()) {
    if (!name.starts_with("model.") && !name.starts_with("optimizer.")) continue;
    const auto& shown_name = name;
    CAPTURE(shown_name);
    CHECK(sum(not_equal(value, last->state.at(name)).to(int64)).item_int64() == 0);
  }
}

TEST_CASE("a damaged best checkpoint is an error before the trainer has changed") {
  const TemporaryFolder folder;
  SmallRun({in(folder.path(), {.best_by = "loss"})}).trainer.fit();
  std::ofstream(folder.path() / "best.safetensors", std::ios::binary) << "short";
  SmallRun run({});
  CHECK_THROWS_AS(in(folder.path(), {.best_by = "loss"})->resume(run.trainer), IoError);
  CHECK(run.trainer.step() == 0);
  CHECK(in(folder.path())->resume(run.trainer));  // who asks for no best one needs none
}

TEST_CASE("notes have names of their own, and files of other names are no checkpoints") {
  const TemporaryFolder folder;
  const std::string path = (folder.path() / "a.safetensors").string();
  const auto refused = [&](training::Notes notes) {
    return message_of<ValueError>([&] {
      training::save_checkpoint(path, {.state = {}, .notes = std::move(notes)});
      return 0;
    });
  };
  CHECK(refused({{"checksum", "1"}}) ==
        "save_checkpoint: " + path + ": a note cannot be called \"checksum\", as one of the file's own is");
  CHECK(refused({{"seed", "1"}, {"lr", "1"}, {"seed", "2"}}) ==
        "save_checkpoint: " + path + ": two notes are called \"seed\"");
  CHECK_FALSE(std::filesystem::exists(path));
  std::ofstream(folder.path() / "step-5.safetensors") << "not one of ours";
  CHECK(in(folder.path())->steps().empty());
}

TEST_CASE("a resumed training knows the best value of before") {
  const TemporaryFolder folder;
  const training::CheckpointsOptions options{.best_by = "loss", .maximize = true};  // the first epoch's
  SmallRun first({in(folder.path(), options), std::make_shared<StopAfter>(7)});
  CHECK_THROWS_AS(first.trainer.fit(), std::runtime_error);
  const std::string best = file_text(folder.path() / "best.safetensors");
  const auto checkpoints = in(folder.path(), options);
  SmallRun second({checkpoints});
  CHECK(checkpoints->resume(second.trainer));
  second.trainer.fit();
  CHECK(file_text(folder.path() / "best.safetensors") == best);
}

TEST_CASE("a training that begins anew touches no checkpoints of another, unless they are cleared") {
  const TemporaryFolder folder;
  SmallRun({in(folder.path(), {.best_by = "loss"})}).trainer.fit();
  const auto names = names_in(folder.path());
  const auto checkpoints = in(folder.path());
  SmallRun anew({checkpoints});
  CHECK(message_of<ValueError>([&] { return anew.trainer.fit(); }) ==
        "Checkpoints: " + folder.path().string() +
            " has checkpoints of an earlier training: go on from them by resume, or clear() them");
  CHECK(names_in(folder.path()) == names);
  checkpoints->clear();
  CHECK(names_in(folder.path()).empty());
  anew.trainer.fit();
  CHECK(checkpoints->steps() == std::vector<std::int64_t>{6, 9, 12});
}

TEST_CASE("a checkpoint that was made otherwise, or of another training, is refused by name") {
  const TemporaryFolder folder;
  SmallRun({in(folder.path(), {.keep_last = 1, .made_with = {{"seed", "3"}}})}).trainer.fit();
  const std::string file = (folder.path() / "step-00000012.safetensors").string();
  SmallRun run({});
  CHECK(message_of<ValueError>([&] {
          return in(folder.path(), {.made_with = {{"seed", "4"}}})->resume(run.trainer);
        }) == "Checkpoints: " + file + " was made with seed 3, not 4");
  SmallRun shorter({}, 2);
  CHECK(message_of<ValueError>([&] { return in(folder.path())->resume(shorter.trainer); }) ==
        file + ": Trainer: epoch must be from 0 to 2: got 4");
  CHECK(shorter.trainer.epoch() == 0);
  std::ofstream(file, std::ios::binary) << "short";
  CHECK_THROWS_AS(in(folder.path())->resume(run.trainer), IoError);
}

TEST_CASE(
    "a folder of checkpoints is swept of what killed processes left half-written, and of nothing else") {
  const TemporaryFolder folder;
  // No process has this number.
  const std::vector<std::string> gone{"step-00000003.safetensors.999999999-0.tmp",
                                      "best.safetensors.999999999-1.tmp"};
  const std::set<std::string> kept{"notes.safetensors.999999999-0.tmp", "step-x.safetensors", "notes"};
  for (const std::string& name : gone) std::ofstream(folder.path() / name) << "half";
  for (const std::string& name : kept) std::ofstream(folder.path() / name) << "whole";
  const auto checkpoints = in(folder.path());
  CHECK(names_in(folder.path()) == kept);
  CHECK(checkpoints->steps().empty());
  CHECK(checkpoints->newest().empty());
  checkpoints->clear();
  CHECK(names_in(folder.path()) == kept);
}

TEST_CASE("checkpoints refuse options out of range, and a folder that cannot be") {
  const TemporaryFolder folder;
  CHECK(message_of<ValueError>([&] { return in(folder.path(), {.every_steps = -1}); }) ==
        "Checkpoints: every_steps must be at least 0: got -1");
  CHECK(message_of<ValueError>([&] { return in(folder.path(), {.keep_last = 0}); }) ==
        "Checkpoints: keep_last must be at least 1: got 0");
  std::ofstream(folder.path() / "file") << "";
  CHECK(message_of<IoError>([&] { return in(folder.path() / "file" / "deeper"); }) ==
        "Checkpoints: cannot create the folder " + (folder.path() / "file" / "deeper").string() +
            ": Not a directory");
  SmallRun run({in(folder.path(), {.best_by = "f1"})});
  CHECK(message_of<ValueError>([&] { return run.trainer.fit(); }) ==
        "Checkpoints: no value \"f1\"; there are: loss, accuracy, validation_loss, validation_accuracy");
}

TEST_CASE("one file of a name of its own is replaced each time, and is what a training goes on from") {
  const TemporaryFolder folder;
  const training::CheckpointsOptions options{.every_steps = 5, .file = "state.safetensors"};
  std::ofstream(folder.path() / "state.safetensors.999999999-0.tmp") << "half";
  const auto checkpoints = in(folder.path(), options);
  CHECK(names_in(folder.path()).empty());
  CHECK(checkpoints->newest().empty());
  std::vector<std::string> saved;
  checkpoints->on_save([&](const std::string& path) { saved.push_back(path); });
  SmallRun whole({checkpoints});
  whole.trainer.fit();
  const std::string path = (folder.path() / "state.safetensors").string();
  CHECK(names_in(folder.path()) == std::set<std::string>{"state.safetensors"});
  CHECK(checkpoints->newest() == path);
  CHECK(checkpoints->steps().empty());
  CHECK(saved == std::vector<std::string>{path, path, path});  // after steps 5 and 10, and at the end

  const TemporaryFolder again;
  SmallRun first({in(again.path(), options), std::make_shared<StopAfter>(11)});
  CHECK_THROWS_AS(first.trainer.fit(), std::runtime_error);
  const auto after = in(again.path(), options);
  SmallRun second({after});
  REQUIRE(after->resume(second.trainer));
  CHECK(second.trainer.step() == 10);
  CHECK(after->warning().empty());
  second.trainer.fit();
  CHECK(same_weights(second.model, whole.model));
  CHECK(same_models(after->newest(), path));

  SmallRun anew({in(folder.path(), options)});
  CHECK(message_of<ValueError>([&] {
          return anew.trainer.fit();
        }).find(" has checkpoints of an earlier training") != std::string::npos);
  checkpoints->clear();
  CHECK(names_in(folder.path()).empty());
}

TEST_CASE("a file's name is one in the folder, and not the best one's") {
  const TemporaryFolder folder;
  for (const std::string name : {"", ".", "..", "a/b", "/a", "best.safetensors"}) {
    CAPTURE(name);
    CHECK(message_of<ValueError>([&] { return in(folder.path(), {.file = name}); }) ==
          "Checkpoints: file must be the name of a file in the folder, and not best.safetensors: got \"" +
              name + "\"");
  }
}

TEST_CASE(
    "a checkpoint notes what it was made with, remarks, and where, and says so where that is another place") {
  const TemporaryFolder folder;
  int remarks = 0;
  const training::CheckpointsOptions options{
      .keep_last = 1, .made_with = {{"seed", "3"}, {"build", "mine"}}, .remarks = [&] {
        return training::Notes{{"remark", std::to_string(++remarks)}, {"seed", "another"}};
      }};
  SmallRun({in(folder.path(), options)}).trainer.fit();
  CHECK(remarks == 4);  // one an epoch
  const std::string path = (folder.path() / "step-00000012.safetensors").string();
  training::Checkpoint checkpoint = training::load_checkpoint(path).value();
  const auto note = [&](const std::string& key) {
    std::string text;
    for (const Safetensors::Note& each : checkpoint.notes) {
      if (each.key == key) text += each.text + ";";
    }
    return text;
  };
  // What decides about the bits comes first, and a name is there once.
  CHECK(note("seed") == "3;");
  CHECK(note("build") == "mine;");
  CHECK(note("remark") == "4;");
  CHECK_FALSE(note("processor").empty());
  for (Safetensors::Note& each : checkpoint.notes) {
    if (each.key == "processor") each.text = "Z80";
  }
  training::save_checkpoint(path, checkpoint);
  SmallRun run({});
  const auto checkpoints = in(folder.path(), options);
  REQUIRE(checkpoints->resume(run.trainer));
  CHECK(checkpoints->warning().find("on another processor, Z80 and not ") != std::string::npos);
}

TEST_CASE("the last checkpoint has the last epoch's validation, though it was written after the last step") {
  const TemporaryFolder folder;
  const auto checkpoints = in(folder.path(), {.every_steps = 6});
  SmallRun run({checkpoints});
  run.trainer.fit();
  REQUIRE(run.trainer.step() == 12);
  SmallRun resumed({});
  REQUIRE(in(folder.path(), {.every_steps = 6})->resume(resumed.trainer));
  CHECK(resumed.trainer.records().size() == 4);
}

TEST_CASE(
    "a training that may overwrite keeps an earlier one's file until its own first, and touches no other") {
  const TemporaryFolder folder;
  const std::string path = (folder.path() / "state.safetensors").string();
  const training::CheckpointsOptions options{
      .every_steps = 5, .file = "state.safetensors", .overwrite = true};
  SmallRun({in(folder.path(), options)}).trainer.fit();
  const std::string earlier = file_text(path);
  std::ofstream(folder.path() / "best.safetensors") << "another's";
  SmallRun stopped({in(folder.path(), options), std::make_shared<StopAfter>(4)});
  CHECK_THROWS_AS(stopped.trainer.fit(), std::runtime_error);
  CHECK(file_text(path) == earlier);
  SmallRun first({in(folder.path(), options), std::make_shared<StopAfter>(6)});
  CHECK_THROWS_AS(first.trainer.fit(), std::runtime_error);
  CHECK(file_text(path) != earlier);
  CHECK(file_text(folder.path() / "best.safetensors") == "another's");
  CHECK(message_of<ValueError>([&] { return in(folder.path(), {.overwrite = true}); }) ==
        "Checkpoints: overwrite is for one file, and file is not set; clear() removes several");
}
