// examples/own_images.cpp on a folder of digits.
#include <doctest/doctest.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>

#include "tests/support/program.h"
#include "tests/support/skip.h"
#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/ops.h"
#include "xtgrad/datasets/digits.h"
#include "xtgrad/datasets/image_file.h"

using namespace xtgrad;
using namespace xtgrad::testing;
namespace fs = std::filesystem;

namespace {

/// `count` digits, a sub-folder for each class.
void write_digits(const fs::path& root, std::int64_t count) {
  const datasets::Dataset digits = datasets::digits({.image = true});
  for (std::int64_t i = 0; i < count; ++i) {
    const fs::path folder = root / std::to_string(digits.labels().to(int64).at_int64({i}));
    fs::create_directories(folder);
    const Tensor image = digits.subset({i}).inputs();  // [1, 1, 8, 8] of 0 .. 16
    datasets::write_png((folder / (std::to_string(i) + ".png")).string(), reshape(image, {8, 8}) / 16);
  }
}

ProgramResult run_own_images(const fs::path& root, const fs::path& picture) {
  return run_program(fs::path(XTGRAD_EXAMPLES) / "own_images", {root.string(), picture.string()},
                     {.environment = {"OMP_NUM_THREADS=1"}});
}

double accuracy_in(const ProgramResult& result) {
  const std::string before = "accuracy on the test images: ";
  const std::size_t at = result.out.find(before);
  REQUIRE(at != std::string::npos);
  return std::stod(result.out.substr(at + before.size()));
}

/// `count` even digits, from the `first` one on, in one folder, and so many odd ones in the other.
void write_two_kinds(const fs::path& root, std::int64_t first, std::array<std::int64_t, 2> counts) {
  const datasets::Dataset digits = datasets::digits({.image = true});
  const Tensor labels = digits.labels().to(int64);
  for (const std::int64_t kind : {0, 1}) {
    const std::int64_t count = counts.at(static_cast<std::size_t>(kind));
    if (count == 0) continue;
    const fs::path folder = root / (kind == 0 ? "even" : "odd");
    fs::create_directories(folder);
    std::int64_t seen = 0;
    for (std::int64_t i = 0; i < digits.size() && seen < first + count; ++i) {
      if (labels.at_int64({i}) % 2 != kind || seen++ < first) continue;
      datasets::write_png((folder / (std::to_string(i) + ".png")).string(),
                          reshape(digits.subset({i}).inputs(), {8, 8}) / 16);
    }
  }
}

}  // namespace

TEST_CASE("own_images learns 200 digits in a folder, above 0.85, and draws the mistakes") {
  const TemporaryFolder temporary;
  const fs::path picture = temporary.path() / "mistakes.png";
  try {
    write_digits(temporary.path() / "digits", 200);
  } catch (const IoError& error) {
    skip(error.what());
    return;
  }
  const ProgramResult result = run_own_images(temporary.path() / "digits", picture);
  REQUIRE_MESSAGE(result.exit_code == 0, result.err);
  CHECK(result.out.find("200 images of 10 classes: 140 to train on, 30 to judge by, 30 to test") == 0);
  CHECK(accuracy_in(result) > 0.85);
  const std::size_t none = result.out.find("no picture of the mistakes");
  if (none == std::string::npos) {
    CHECK(fs::file_size(picture) > 1000);
  } else {
    CHECK(result.out.find("without Cairo", none) != std::string::npos);
  }
}

TEST_CASE("own_images learns from thirty images of each of two kinds, whichever they are") {
  double sum = 0;
  for (const std::int64_t first : {0, 30, 60, 90}) {
    const TemporaryFolder temporary;
    try {
      write_two_kinds(temporary.path() / "digits", first, {30, 30});
    } catch (const IoError& error) {
      skip(error.what());
      return;
    }
    const ProgramResult result = run_own_images(temporary.path() / "digits", temporary.path() / "m.png");
    REQUIRE_MESSAGE(result.exit_code == 0, result.err);
    const double accuracy = accuracy_in(result);
    CAPTURE(first);
    CHECK(accuracy > 0.6);  // of 9 images
    sum += accuracy;
  }
  MESSAGE("mean accuracy: " << sum / 4);
  CHECK(sum / 4 > 0.8);
}

TEST_CASE("own_images says what is wrong with a folder") {
  const TemporaryFolder temporary;
  const ProgramResult result = run_own_images(temporary.path() / "none", "x.png");
  CHECK(result.exit_code == 1);
  CHECK(result.err == "ImageFolder: " + (temporary.path() / "none").string() + ": there is no such folder\n");
}

TEST_CASE("own_images says before it trains that there are too few images or kinds") {
  const TemporaryFolder temporary;
  const fs::path root = temporary.path() / "few";
  try {
    write_two_kinds(root, 0, {30, 0});
  } catch (const IoError& error) {
    skip(error.what());
    return;
  }
  const ProgramResult one = run_own_images(root, "x.png");
  CHECK(one.exit_code == 1);
  CHECK(one.out.empty());
  CHECK(one.err ==
        "own_images: " + root.string() +
            " has one sub-folder with images, even: there must be one for each of two or more kinds\n");
  write_two_kinds(root, 0, {0, 6});
  const ProgramResult six = run_own_images(root, "x.png");
  CHECK(six.exit_code == 1);
  CHECK(six.out.empty());
  CHECK(six.err == "own_images: " + (root / "odd").string() +
                       " must have 7 images or more, to train on, to judge by and to test on: got 6\n");
  write_two_kinds(root, 6, {0, 1});
  CHECK(run_own_images(root, (temporary.path() / "x.png").string()).exit_code == 0);
}
