// examples/own_images.cpp on a folder of digits.
#include <doctest/doctest.h>

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
  CHECK(result.out.find("200 images of 10 classes: 140 to train on, 30 to choose the epoch, 30 to test") ==
        0);
  const std::string before = "accuracy on the test images: ";
  const std::size_t at = result.out.find(before);
  REQUIRE(at != std::string::npos);
  CHECK(std::stod(result.out.substr(at + before.size())) > 0.85);
  const std::size_t none = result.out.find("no picture of the mistakes");
  if (none == std::string::npos) {
    CHECK(fs::file_size(picture) > 1000);
  } else {
    CHECK(result.out.find("without Cairo", none) != std::string::npos);
  }
}

TEST_CASE("own_images says what is wrong with a folder") {
  const TemporaryFolder temporary;
  const ProgramResult result = run_own_images(temporary.path() / "none", "x.png");
  CHECK(result.exit_code == 1);
  CHECK(result.err == "ImageFolder: " + (temporary.path() / "none").string() + ": there is no such folder\n");
}
