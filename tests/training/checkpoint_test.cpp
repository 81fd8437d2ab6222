#include "xtgrad/training/checkpoint.h"

#include <doctest/doctest.h>

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <atomic>
#include <cstddef>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include "tests/support/message_of.h"
#include "tests/support/program.h"
#include "xtgrad/autograd/cpu_capability.h"
#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/io/safetensors.h"
#include "xtgrad/autograd/ops.h"
#include "xtgrad/datasets/dataset.h"
#include "xtgrad/training/digest.h"
#include "xtgrad/training/environment.h"
#include "xtgrad/training/fingerprint.h"
#include "xtgrad/training/leftovers.h"

using namespace xtgrad;
using testing::file_text;
using testing::message_of;
using testing::TemporaryFolder;

namespace {

training::Checkpoint small_checkpoint() {
  training::Checkpoint checkpoint{.state = {}, .notes = {{"seed", "3"}}};
  checkpoint.state.add("weight", tensor({{1.5, -2}, {0, 4}}));
  checkpoint.state.add("step", tensor({7}, {.dtype = int64}));
  return checkpoint;
}

void write(const std::filesystem::path& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary) << bytes;
}

std::uint64_t digest_of(const std::string& text) {
  return training::detail::digest(std::as_bytes(std::span(text)));
}

}  // namespace

TEST_CASE("a checkpoint gives back state and notes, and nothing where there is none") {
  const TemporaryFolder folder;
  const std::string file = (folder.path() / "checkpoint.safetensors").string();
  CHECK(!training::load_checkpoint(file));
  training::save_checkpoint(file, small_checkpoint());
  const auto saved = training::load_checkpoint(file);
  REQUIRE(saved);
  CHECK(saved->state.size() == 2);
  CHECK(saved->state.at("weight").at({0, 1}) == -2);
  CHECK(saved->state.at("step").at({0}) == 7);
  REQUIRE(saved->notes.size() == 1);
  CHECK(saved->notes[0].key == "seed");
  CHECK(saved->notes[0].text == "3");
  // A file that every reader of the format reads.
  CHECK(load_safetensors(file).tensors.size() == 2);
}

TEST_CASE("a damaged checkpoint is an IoError, whichever byte it is") {
  const TemporaryFolder folder;
  const std::string file = (folder.path() / "checkpoint.safetensors").string();
  training::save_checkpoint(file, small_checkpoint());
  const std::string whole = file_text(file);
  for (std::size_t i = 0; i < whole.size(); ++i) {
    std::string damaged = whole;
    damaged[i] = static_cast<char>(damaged[i] ^ 1);
    write(file, damaged);
    CAPTURE(i);
    // Blanks that pad the header may change to no effect.
    try {
      const auto saved = training::load_checkpoint(file);
      REQUIRE(saved);
      CHECK(saved->state.at("weight").at({1, 1}) == 4);
      CHECK(saved->state.at("step").at({0}) == 7);
    } catch (const IoError& error) {
      CHECK(std::string(error.what()).find(file) != std::string::npos);
    }
  }
  for (const std::size_t length : {std::size_t{0}, std::size_t{7}, whole.size() / 2, whole.size() - 1}) {
    write(file, whole.substr(0, length));
    CHECK_THROWS_AS(static_cast<void>(training::load_checkpoint(file)), IoError);
  }
  std::string flipped = whole;
  flipped.back() = static_cast<char>(flipped.back() ^ 64);
  write(file, flipped);
  CHECK_THROWS_WITH_AS(static_cast<void>(training::load_checkpoint(file)),
                       doctest::Contains(": damaged: its checksum should be "), IoError);
}

TEST_CASE("a file of weights is no checkpoint") {
  const TemporaryFolder folder;
  const std::string file = (folder.path() / "checkpoint.safetensors").string();
  save_safetensors(file, {.tensors = {{"weight", tensor({1, 2})}}});
  CHECK(message_of<IoError>([&] { return training::load_checkpoint(file); }) ==
        "load_checkpoint: " + file +
            ": is no checkpoint: kind should be \"xtgrad checkpoint\", is not there");
}

TEST_CASE("a checkpoint takes no note of a name that it uses itself, and no name twice") {
  const TemporaryFolder folder;
  const std::string file = (folder.path() / "checkpoint.safetensors").string();
  for (const std::string key : {"kind", "checksum", "seed"}) {
    CAPTURE(key);
    training::Checkpoint checkpoint = small_checkpoint();
    checkpoint.notes.push_back({key, "4"});
    CHECK_THROWS_AS(training::save_checkpoint(file, checkpoint), ValueError);
    CHECK(!std::filesystem::exists(file));
  }
}

TEST_CASE("choices that were made otherwise are found, with both values") {
  const training::Notes then{{"seed", "3"}, {"lr", "0.1"}, {"else", ""}};
  CHECK(!training::first_difference(then, {{"lr", "0.1"}, {"seed", "3"}}));
  const auto other = training::first_difference(then, {{"seed", "3"}, {"lr", "0.2"}});
  REQUIRE(other);
  CHECK(other->key == "lr");
  CHECK(other->was == "0.1");
  CHECK(other->is == "0.2");
  const auto absent = training::first_difference(then, {{"warmup", "5"}});
  REQUIRE(absent);
  CHECK(absent->was == "absent");
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

TEST_CASE("data have another fingerprint if a bit of inputs or labels differs") {
  const auto points = [](double last, std::int64_t label, Dtype dtype = float32) {
    return training::fingerprint(datasets::Dataset({.inputs = tensor({{1, 2}, {3, last}}, {.dtype = dtype}),
                                                    .labels = tensor({0, label}, {.dtype = int64}),
                                                    .classes = 2}));
  };
  CHECK(points(4, 1) == points(4, 1));
  CHECK(points(4, 1) != points(4.0000005, 1));
  CHECK(points(4, 1) != points(4, 0));
  CHECK(points(4, 1) != points(4, 1, float64));
  const auto empty = datasets::Dataset({.inputs = zeros({0, 2}), .labels = zeros({0}, {.dtype = int64})});
  CHECK(training::fingerprint(empty) != points(4, 1));
  const datasets::Dataset bytes({.inputs = full({2, 2}, 51, {.dtype = uint8}),
                                 .labels = tensor({0, 1}, {.dtype = int64}),
                                 .classes = 2,
                                 .pixels = datasets::Pixels{}});
  const datasets::Dataset numbers(
      {.inputs = bytes.inputs(), .labels = tensor({0, 1}, {.dtype = int64}), .classes = 2});
  CHECK(training::fingerprint(bytes) == training::fingerprint(numbers));
}

TEST_CASE("what killed processes left behind of one's files is removed, and nothing else") {
  const TemporaryFolder folder;
  // No process has the first number. One lives with each of the others, and does not write them: in a
  // container every program that is started is number 1.
  const std::vector<std::string> gone{"a.json.999999999-0.tmp", "a.json.999999999.tmp", "a.json.1-0.tmp",
                                      "a.json.1.tmp", "a.json." + std::to_string(::getpid()) + "-0.tmp"};
  const std::vector<std::string> kept{"b.json.999999999-0.tmp",
                                      "a.json",
                                      "a.json.tmp",
                                      "a.json.x-0.tmp",
                                      "a.json.999999999-.tmp",
                                      "a.json.9999999999-0.tmp",
                                      ".999999999-0.tmp",
                                      "a.json.1-7.tmp",
                                      "a.json.999999999-7.tmp",
                                      "a.json.1-8.tmp"};
  for (const std::string& name : gone) write(folder.path() / name, "half");
  for (const std::string& name : kept) {
    if (name != "a.json.1-8.tmp") write(folder.path() / name, "half");
  }
  std::filesystem::create_directory(folder.path() / "a.json.1-8.tmp");
  // As a writer does; the other may be one of another container, or of another machine.
  std::vector<int> locked;
  for (const std::string name : {"a.json.1-7.tmp", "a.json.999999999-7.tmp"}) {
    locked.push_back(::open((folder.path() / name).c_str(), O_WRONLY));
    REQUIRE(::flock(locked.back(), LOCK_EX) == 0);
  }
  const std::vector<std::string_view> ours{"a.json"};
  training::remove_leftovers(folder.path().string(), ours);
  for (const int file : locked) ::close(file);
  for (const std::string& name : gone) CHECK_MESSAGE(!std::filesystem::exists(folder.path() / name), name);
  for (const std::string& name : kept) CHECK_MESSAGE(std::filesystem::exists(folder.path() / name), name);
  training::remove_leftovers((folder.path() / "none").string(), ours);
}

TEST_CASE("leftovers are removed beside a thread that writes the same file, which loses nothing") {
  const TemporaryFolder folder;
  const std::string file = (folder.path() / "a.json").string();
  const std::vector<std::string_view> ours{"a.json"};
  std::atomic<bool> ends = false;
  std::thread remover([&] {
    while (!ends) training::remove_leftovers(folder.path().string(), ours);
  });
  // A name that is taken away before the file is in place would be an IoError.
  for (int i = 0; i < 500; ++i) write_file_atomically(file, std::to_string(i));
  ends = true;
  remover.join();
  CHECK(xtgrad::testing::file_text(file) == "499");
  CHECK(std::distance(std::filesystem::directory_iterator(folder.path()), {}) == 1);
}

TEST_CASE("a training knows its build and its processor, and where others may give other bits") {
  const training::Notes here = training::build_and_processor();
  REQUIRE(here.size() == 3);
  CHECK(here[0].key == "build");
  CHECK(here[1].key == "processor");
  CHECK(here[2].key == "instructions");
  CHECK(here[2].text == cpu_capability());
  for (const Safetensors::Note& note : here) CHECK(!note.text.empty());
  const training::Notes again = training::build_and_processor();
  CHECK(again[0].text == here[0].text);
  CHECK(training::warning_of_other_bits(here, again).empty());

  const training::Notes one{{"build", "1"}, {"processor", "A"}};
  const std::string end =
      ": the result may differ in its last bits from that of a training never interrupted";
  CHECK(training::warning_of_other_bits(one, {{"build", "2"}, {"processor", "A"}}) ==
        "was written by another build of the program or its libraries, 1 and not 2" + end);
  CHECK(training::warning_of_other_bits(one, {{"build", "1"}, {"processor", "B"}}) ==
        "was written on another processor, A and not B" + end);
  CHECK(training::warning_of_other_bits(one, {{"build", "2"}, {"processor", "B"}}) ==
        "was written by another build of the program or its libraries, 1 and not 2, and on another "
        "processor, A and "
        "not B" +
            end);
  // Sums of rows meet in the order of a register's width, and not all instructions fuse.
  const auto by = [](const char* instructions) {
    return training::Notes{{"build", "1"}, {"processor", "A"}, {"instructions", instructions}};
  };
  CHECK(training::warning_of_other_bits(by("avx512"), by("avx512")).empty());
  CHECK(training::warning_of_other_bits(by("baseline"), by("baseline")).empty());
  CHECK(training::warning_of_other_bits(by("avx512"), by("avx2")) ==
        "was written with other instructions (XTGRAD_ISA), avx512 and not avx2" + end);
  CHECK(training::warning_of_other_bits(by("avx2"), by("baseline")) ==
        "was written with other instructions (XTGRAD_ISA), avx2 and not baseline" + end);
  CHECK(training::warning_of_other_bits(by("baseline"), by("avx512")) ==
        "was written with other instructions (XTGRAD_ISA), baseline and not avx512" + end);
  CHECK(training::warning_of_other_bits(one, by("baseline")).empty());
  CHECK(training::warning_of_other_bits(by("avx2"), one).empty());
  // Of what is not known nothing is said: a file of before has no such notes.
  CHECK(training::warning_of_other_bits({}, one).empty());
  CHECK(training::warning_of_other_bits(one, {{"build", "unknown"}, {"processor", "A"}}).empty());
}
