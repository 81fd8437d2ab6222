// The examples of docs/examples: their gradients are right, and they find what they look for.
#include <doctest/doctest.h>

#include <filesystem>

#include "tests/examples/run_example.h"

using namespace xtgrad::testing;
namespace fs = std::filesystem;

namespace {

bool is_picture(const fs::path& path) { return fs::exists(path) && fs::file_size(path) > 2000; }

}  // namespace

TEST_CASE("scientific examples: check_grads confirms what they differentiate") {
  for (const char* name :
       {"gaussian_process", "kalman_filter", "normalizing_flow", "pca", "bundle_adjustment"}) {
    CHECK(run_example(name, {"--check"}).out == "gradients are right\n");
  }
}

TEST_CASE("gaussian_process finds the noise of its data") {
  const ProgramResult result = run_example("gaussian_process");
  CHECK(number_after(result, "log likelihood ") > 80);
  CHECK(number_after(result, "noise ") == doctest::Approx(0.2).epsilon(0.1));
}

TEST_CASE("kalman_filter learns a model that is likelier than the one the data is of") {
  const ProgramResult result = run_example("kalman_filter");
  CHECK(number_after(result, "log likelihood ", 2) > number_after(result, "log likelihood ", 3));
  CHECK(number_after(result, "angle ", 2) == doctest::Approx(0.3).epsilon(0.05));
}

TEST_CASE("normalizing_flow's log likelihood rises, and its samples are drawn") {
  const TemporaryFolder folder;
  const fs::path picture = folder.path() / "flow.png";
  const ProgramResult result = run_example("normalizing_flow", {picture.string()});
  CHECK(number_after(result, "new points ") < -2);
  CHECK(number_after(result, "new points ", 5) > -1);
  CHECK(is_picture(picture));
}

TEST_CASE("pca by gradients comes to the space of the svd") {
  const TemporaryFolder folder;
  const fs::path picture = folder.path() / "pca.png";
  const ProgramResult result = run_example("pca", {picture.string()});
  CHECK(number_after(result, "by gradients: ") == doctest::Approx(number_after(result, "by svd ")));
  CHECK(number_after(result, "both spaces: ") > 0.9999);
  CHECK(is_picture(picture));
}

TEST_CASE("bundle_adjustment comes to the noise, by a sparse Jacobian as by a dense one") {
  const ProgramResult result = run_example("bundle_adjustment");
  const double expected = number_after(result, "noise of 0.5 pixels: ");
  for (const int way : {1, 2, 3})
    CHECK(number_after(result, " -> ", way) == doctest::Approx(expected).epsilon(0.03));
}
