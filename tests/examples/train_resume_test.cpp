// A run that was killed and resumed ends with the bits of one that was not.
#include <doctest/doctest.h>

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "tests/examples/train_program.h"
#include "xtgrad/autograd/random.h"

using namespace xtgrad::testing;
namespace fs = std::filesystem;
using Arguments = std::vector<std::string>;

namespace {

// The dot program is none of this test's business.
const ProgramOptions no_dot{.environment = {"PATH="}};

Arguments joined(Arguments first, const Arguments& second) {
  first.insert(first.end(), second.begin(), second.end());
  return first;
}

/// A training of the conv net that lasts long enough, after its first epochs, for a signal to reach it; with
/// all that has a state: augmentation, dropout, batch normalisation, a schedule and a last batch that is not
/// full.
const Arguments training{"--data",       "digits", "--model",   "convnet", "--epochs", "8", "--augment",
                         "--batch-size", "100",    "--threads", "1",       "--warmup", "4"};

struct Files {
  std::string weights;
  std::string report;
  friend bool operator==(const Files&, const Files&) = default;
};

Files files_in(const fs::path& folder) {
  return {.weights = file_text(folder / "weights.safetensors"), .report = file_text(folder / "report.json")};
}

/// Files of a run that was never stopped, and how long it took.
struct Uninterrupted {
  Files files;
  std::chrono::milliseconds took;
};

Uninterrupted run_uninterrupted(const Arguments& arguments) {
  const TemporaryFolder folder;
  const auto start = std::chrono::steady_clock::now();
  const ProgramResult result = train_into(folder.path(), arguments, no_dot);
  REQUIRE_MESSAGE(result.exit_code == 0, result.err);
  const auto took = std::chrono::steady_clock::now() - start;
  return {.files = files_in(folder.path()),
          .took = std::chrono::duration_cast<std::chrono::milliseconds>(took)};
}

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

bool goes_on(const std::string& out) { return contains(out, "going on from "); }

/// Runs the training until it is stopped by `how.signal`. A run that ends first would test nothing.
ProgramResult train_until_stopped(const fs::path& folder, const Arguments& arguments,
                                  const ProgramOptions& how) {
  const ProgramResult result = train_into(folder, arguments, how);
  REQUIRE_MESSAGE(result.exit_code == -how.signal, "the run ended with exit code ", result.exit_code,
                  " and not by the signal: ", result.out, result.err);
  return result;
}

}  // namespace

TEST_CASE("train killed after each epoch and resumed ends with the same bits") {
  const Files expected = run_uninterrupted(training).files;
  for (const std::string workers : {"0", "2"}) {
    CAPTURE(workers);
    const TemporaryFolder folder;
    const Arguments arguments =
        joined(training, {"--checkpoint-every", "5", "--workers", workers, "--resume"});
    for (const std::string epoch : {"1", "2"}) {
      ProgramOptions killed = no_dot;
      killed.signal = SIGKILL;
      killed.signal_after = "epoch " + epoch + "/8";
      const ProgramResult result = train_until_stopped(folder.path(), arguments, killed);
      CHECK(goes_on(result.out) == (epoch != "1"));
      CHECK(contains(result.out, "checkpoint.safetensors: beginning anew") == (epoch == "1"));
    }
    const ProgramResult last = train_into(folder.path(), arguments, no_dot);
    REQUIRE_MESSAGE(last.exit_code == 0, last.err);
    CHECK(goes_on(last.out));
    CHECK(files_in(folder.path()) == expected);
    // Once more: all is done.
    const ProgramResult again = train_into(folder.path(), arguments, no_dot);
    CHECK(again.exit_code == 0);
    CHECK(contains(again.out, ": 104 of 104 steps done\n"));
    CHECK(!contains(again.out, "epoch "));
    CHECK(lines_of(again.out).back() == lines_of(last.out).back());
    CHECK(files_in(folder.path()) == expected);
  }
}

TEST_CASE("train killed at random moments and resumed ends with the same bits") {
  const Uninterrupted expected = run_uninterrupted(training);
  xtgrad::Random random(20240601);
  for (const std::string workers : {"0", "2"}) {
    CAPTURE(workers);
    const TemporaryFolder folder;
    // With a checkpoint a step, most of the time goes into writing them, and most kills fall into it.
    const Arguments arguments =
        joined(training, {"--checkpoint-every", "1", "--resume", "--workers", workers});
    ProgramOptions killed = no_dot;
    killed.signal = SIGKILL;
    // The first kill is sure to leave a training half done, which the others go on from.
    killed.signal_after = "epoch 1/8";
    train_until_stopped(folder.path(), arguments, killed);
    killed.signal_after = "graph of one training step";  // now it trains
    int kills = 0;
    for (bool ended = false; kills < 15 && !ended;) {
      const double share = 0.25 * random.next_uniform();
      killed.signal_delay = std::chrono::milliseconds(
          static_cast<std::int64_t>(share * static_cast<double>(expected.took.count())));
      const ProgramResult result = train_into(folder.path(), arguments, killed);
      ended = result.exit_code == 0;
      CHECK(goes_on(result.out));
      if (!ended) {
        REQUIRE_MESSAGE(result.exit_code == -SIGKILL, result.err);
        ++kills;
      }
    }
    MESSAGE("killed ", kills, " times at random moments");
    CHECK(kills > 0);
    const ProgramResult last = train_into(folder.path(), arguments, no_dot);
    REQUIRE_MESSAGE(last.exit_code == 0, last.err);
    CHECK(files_in(folder.path()) == expected.files);
    // What killed runs left half-written was swept up.
    for (const auto& entry : fs::directory_iterator(folder.path())) {
      CHECK_MESSAGE(entry.path().extension() != ".tmp", entry.path().string());
    }
  }
}

TEST_CASE("train interrupted by Ctrl-C writes a checkpoint where it writes any") {
  const Files expected = run_uninterrupted(training).files;
  const TemporaryFolder folder;
  const Arguments arguments = joined(training, {"--checkpoint-every", "1000000"});
  ProgramOptions interrupted = no_dot;
  interrupted.signal = SIGINT;
  interrupted.signal_after = "epoch 1/8";
  const ProgramResult result = train_until_stopped(folder.path(), arguments, interrupted);
  CHECK(result.err == "train: interrupted, --resume goes on from " +
                          (folder.path() / "checkpoint.safetensors").string() + "\n");
  CHECK(!fs::exists(folder.path() / "weights.safetensors"));
  const ProgramResult last = train_into(folder.path(), joined(arguments, {"--resume"}), no_dot);
  REQUIRE_MESSAGE(last.exit_code == 0, last.err);
  CHECK(goes_on(last.out));
  CHECK(files_in(folder.path()) == expected);
}

TEST_CASE("train that begins anew keeps an earlier run's checkpoint until it has one, and others' files") {
  const TemporaryFolder folder;
  const Arguments arguments{"--data", "spirals", "--epochs", "2", "--checkpoint-every", "7"};
  REQUIRE(train_into(folder.path(), arguments, no_dot).exit_code == 0);
  const fs::path checkpoint = folder.path() / "checkpoint.safetensors";
  const std::string earlier = file_text(checkpoint);
  std::ofstream(folder.path() / "best.safetensors") << "another's";
  ProgramOptions killed = no_dot;
  killed.signal = SIGKILL;
  killed.signal_after = "epoch 1/8";
  train_until_stopped(folder.path(), joined(training, {"--checkpoint-every", "1000000"}), killed);
  CHECK(file_text(checkpoint) == earlier);
  REQUIRE(train_into(folder.path(), joined(arguments, {"--seed", "5"}), no_dot).exit_code == 0);
  CHECK(file_text(checkpoint) != earlier);
  CHECK(file_text(folder.path() / "best.safetensors") == "another's");
}

TEST_CASE("train resumed without --checkpoint-every goes on writing checkpoints, as often as before") {
  const Files expected = run_uninterrupted(training).files;
  const TemporaryFolder folder;
  const Arguments resumed = joined(training, {"--resume"});
  const auto interval = [&] {
    return nlohmann::json::parse(file_text(folder.path() / "timing.json")).at("checkpoint_every");
  };
  ProgramOptions killed = no_dot;
  killed.signal = SIGKILL;
  killed.signal_after = "epoch 1/8";
  train_until_stopped(folder.path(), joined(training, {"--checkpoint-every", "5"}), killed);
  const ProgramResult last = train_into(folder.path(), resumed, no_dot);
  REQUIRE_MESSAGE(last.exit_code == 0, last.err);
  CHECK(goes_on(last.out));
  CHECK(interval() == 5);
  CHECK(files_in(folder.path()) == expected);
  // So there is nothing left to do.
  const ProgramResult again = train_into(folder.path(), resumed, no_dot);
  REQUIRE_MESSAGE(again.exit_code == 0, again.err);
  CHECK(contains(again.out, ": 104 of 104 steps done\n"));
  CHECK(!contains(again.out, "epoch "));
  CHECK(files_in(folder.path()) == expected);
  // What is given counts.
  REQUIRE(train_into(folder.path(), joined(resumed, {"--checkpoint-every", "7"}), no_dot).exit_code == 0);
  CHECK(interval() == 7);
}

TEST_CASE("train checks its gradients once: a resumed run says so, and reports what was found") {
  const TemporaryFolder folder;
  const Arguments arguments{"--data", "spirals", "--epochs", "2", "--checkpoint-every", "7"};
  const ProgramResult first = train_into(folder.path(), arguments, no_dot);
  REQUIRE_MESSAGE(first.exit_code == 0, first.err);
  const std::string found = "gradients checked to order 2: worst error ";
  const std::size_t place = first.out.find(found);
  REQUIRE(place != std::string::npos);
  const std::string error = first.out.substr(place + found.size(), std::string("1.0e-10").size());
  const nlohmann::json check = report_in(folder.path()).at("gradient_check");
  const ProgramResult resumed = train_into(folder.path(), joined(arguments, {"--resume"}), no_dot);
  REQUIRE_MESSAGE(resumed.exit_code == 0, resumed.err);
  CHECK(contains(resumed.out,
                 "\ngradients were checked to order 2 before the first step: worst error " + error + "\n"));
  CHECK(!contains(resumed.out, "gradients checked"));
  CHECK(report_in(folder.path()).at("gradient_check") == check);
}

TEST_CASE("train resumes in a folder with what a killed process left, and leaves others' files alone") {
  const TemporaryFolder folder;
  const Arguments arguments{"--data", "spirals", "--epochs", "2", "--checkpoint-every", "7"};
  REQUIRE(train_into(folder.path(), arguments, no_dot).exit_code == 0);
  const Files expected = files_in(folder.path());
  // No process has the first number, the second is this test's own; the third is locked, as by one that
  // writes it.
  const fs::path dead = folder.path() / "checkpoint.safetensors.999999999-0.tmp";
  const fs::path reused = folder.path() / ("checkpoint.safetensors." + std::to_string(::getpid()) + "-0.tmp");
  const fs::path alive = folder.path() / "checkpoint.safetensors.1-0.tmp";
  const fs::path foreign = folder.path() / "notes.999999999-0.tmp";
  std::vector<fs::path> leftovers{dead, reused};
  for (const std::string name :
       {"weights.safetensors", "report.json", "timing.json", "graph.dot", "graph.svg", "learning_curves.png",
        "filters.png", "feature_maps.png", "confusion_matrix.png", "mistakes.png"}) {
    leftovers.push_back(folder.path() / (name + ".999999999.tmp"));
    leftovers.push_back(folder.path() / (name + ".999999999-3.tmp"));
  }
  for (const fs::path& path : leftovers) std::ofstream(path) << "half";
  for (const fs::path& path : {alive, foreign}) std::ofstream(path) << "half";
  const int writer = ::open(alive.c_str(), O_WRONLY | O_CLOEXEC);
  REQUIRE(::flock(writer, LOCK_EX) == 0);
  const ProgramResult result = train_into(folder.path(), joined(arguments, {"--resume"}), no_dot);
  REQUIRE_MESSAGE(result.exit_code == 0, result.err);
  CHECK(files_in(folder.path()) == expected);
  for (const fs::path& path : leftovers) CHECK_MESSAGE(!fs::exists(path), path.string());
  CHECK(file_text(alive) == "half");
  ::close(writer);
  CHECK(file_text(foreign) == "half");
}

TEST_CASE("train refuses to resume with other options, naming both values") {
  const TemporaryFolder folder;
  const Arguments arguments{"--epochs", "1", "--batch-size", "400", "--checkpoint-every", "2"};
  REQUIRE(train_into(folder.path(), arguments, no_dot).exit_code == 0);
  const std::string file = (folder.path() / "checkpoint.safetensors").string();
  struct Expected {
    Arguments options;
    std::string made_with;
  };
  for (const Expected& expected :
       std::vector<Expected>{{{"--data", "spirals"}, "--data digits, not spirals"},
                             {{"--model", "linear"}, "--model mlp, not linear"},
                             {{"--augment"}, "--augment no, not yes"},
                             {{"--optimizer", "sgd"}, "--optimizer adam, not sgd"},
                             {{"--lr", "0.5"}, "--lr 0.004, not 0.5"},
                             {{"--schedule", "step"}, "--schedule constant, not step"},
                             {{"--warmup", "1"}, "--warmup 0, not 1"},
                             {{"--epochs", "2"}, "--epochs 1, not 2"},
                             {{"--batch-size", "300"}, "--batch-size 400, not 300"},
                             {{"--seed", "4"}, "--seed 0, not 4"},
                             {{"--dtype", "float64"}, "--dtype float32, not float64"}}) {
    const ProgramResult result =
        train_into(folder.path(), joined(joined(arguments, expected.options), {"--resume"}), no_dot);
    CHECK(result.exit_code == 1);
    CHECK(result.err == "train: --resume: " + file + " was made with " + expected.made_with +
                            ": go on with the same, or begin anew without --resume\n");
  }
  // What changes no bit may change.
  CHECK(train_into(
            folder.path(),
            joined(arguments, {"--resume", "--threads", "3", "--workers", "1", "--checkpoint-every", "0"}),
            no_dot)
            .exit_code == 0);
}

TEST_CASE("train refuses to resume from a damaged checkpoint") {
  const TemporaryFolder folder;
  const Arguments arguments{"--epochs", "1", "--batch-size", "400", "--checkpoint-every", "2", "--resume"};
  const ProgramResult first = train_into(folder.path(), arguments, no_dot);
  REQUIRE(first.exit_code == 0);
  CHECK(contains(first.out, "no checkpoint " + (folder.path() / "checkpoint.safetensors").string() +
                                ": beginning anew\n"));
  const fs::path file = folder.path() / "checkpoint.safetensors";
  std::string bytes = file_text(file);
  bytes[bytes.size() - 100] = static_cast<char>(bytes[bytes.size() - 100] ^ 8);
  std::ofstream(file, std::ios::binary) << bytes;
  const ProgramResult result = train_into(folder.path(), arguments, no_dot);
  CHECK(result.exit_code == 1);
  CHECK(result.err.find("train: " + file.string() + ": damaged: its checksum should be ") == 0);
  CHECK(lines_of(result.err).size() == 1);
}
