// The examples that learn to write a text: their gradients are right, they learn, and replays make no
// difference.
#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "tests/examples/run_example.h"

using namespace xtgrad::testing;
namespace fs = std::filesystem;

namespace {

/// What a run prints, without the times.
std::string without_times(const std::string& out) {
  std::string kept;
  for (const std::string& line : lines_of(out))
    if (!line.starts_with("a step takes ")) kept += line + "\n";
  return kept;
}

constexpr const char* both[] = {"char_gpt", "gru_text"};

}  // namespace

TEST_CASE("examples of text: check_grads confirms what they differentiate") {
  for (const char* name : both) CHECK(run_example(name, {"--check"}).out == "gradients are right\n");
}

TEST_CASE("examples of text learn, and a replayed step is the step, to the bit") {
  for (const char* name : both) {
    const ProgramResult result = run_example(name, {"--steps", "12", "--seed", "3"});
    CHECK(number_after(result, "bits a character: ") == doctest::Approx(5.75).epsilon(0.01));
    const double before = number_after(result, "validation "), after = number_after(result, "validation ", 2);
    CHECK(after < before - 0.3);
    const ProgramResult replayed = run_example(name, {"--steps", "12", "--seed", "3", "--replay"});
    CHECK(replayed.out.find(", replayed ") != std::string::npos);
    CHECK(without_times(replayed.out) == without_times(result.out));
  }
}

TEST_CASE("examples of text learn one's own, and refuse one that is too short") {
  const TemporaryFolder folder;
  const fs::path file = folder.path() / "own.txt";
  const auto write = [&](int lines) {
    std::ofstream out(file);
    for (int i = 0; i < lines; ++i) out << "tick, tock, tick, tock; and again, and again.\n";
  };
  write(60);
  for (const char* name : both) {
    const ProgramResult result = run_example(name, {"--steps", "2", "--text", file.string()});
    CHECK(result.out.starts_with("2760 characters of "));
  }
  write(1);
  for (const char* name : both) {
    const ProgramResult result =
        run_program(fs::path(XTGRAD_EXAMPLES) / name, {"--steps", "2", "--text", file.string()});
    CHECK(result.exit_code == 1);
    CHECK(result.err.starts_with("text: needs at least "));
  }
}
