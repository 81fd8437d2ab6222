// The examples that draw: digits, and actions. Their gradients are right, and they learn.
#include <doctest/doctest.h>

#include <cstddef>
#include <filesystem>
#include <string>
#include <vector>

#include "tests/support/program.h"

using namespace xtgrad::testing;
namespace fs = std::filesystem;

namespace {

std::string printed_by(const std::string& name, const std::vector<std::string>& arguments) {
  const ProgramResult result =
      run_program(fs::path(XTGRAD_EXAMPLES) / name, arguments, {.environment = {"OMP_NUM_THREADS=1"}});
  CAPTURE(name);
  CHECK_MESSAGE(result.exit_code == 0, result.err);
  return result.out;
}

/// The number behind the `count`-th appearance of `text`.
double number_after(const std::string& out, const std::string& text, int count = 1) {
  std::size_t at = 0;
  for (int i = 0; i < count; ++i) {
    at = out.find(text, at);
    REQUIRE_MESSAGE(at != std::string::npos, "not found: " << text << " in " << out);
    at += text.size();
  }
  return std::stod(out.substr(at));
}

bool is_picture(const fs::path& path) { return fs::exists(path) && fs::file_size(path) > 2000; }

}  // namespace

TEST_CASE("generative examples: check_grads confirms what they differentiate") {
  for (const char* name : {"vae", "ddpm", "policy_gradient"})
    CHECK(printed_by(name, {"--check"}) == "gradients are right\n");
}

TEST_CASE("vae's bound for held-out digits rises far above what single pixels tell") {
  const TemporaryFolder folder;
  const fs::path picture = folder.path() / "vae.png";
  const std::string out = printed_by("vae", {"--epochs", "12", "--seed", "1", picture.string()});
  CHECK(number_after(out, "held-out ones ") < -400);
  CHECK(number_after(out, "held-out ones ", 5) > -160);
  // 100 weights tell more than one, and both more than none.
  CHECK(number_after(out, "with 100 weights: ") > number_after(out, "held-out ones ", 5));
  CHECK(number_after(out, "for each pixel: ") < -240);
  CHECK(is_picture(picture));
}

TEST_CASE("ddpm's loss falls, and its samples are more like digits than noise is") {
  const TemporaryFolder folder;
  const fs::path picture = folder.path() / "ddpm.png";
  const std::string out = printed_by("ddpm", {"--steps", "300", "--seed", "1", picture.string()});
  CHECK(number_after(out, "loss ") > 0.38);
  CHECK(number_after(out, "loss ", 5) < 0.28);
  CHECK(number_after(out, "held-out digits") > 85);
  CHECK(number_after(out, "samples") > number_after(out, "noise"));
  CHECK(is_picture(picture));
}

TEST_CASE("policy_gradient balances the pole, the same way for the same seed") {
  const TemporaryFolder folder;
  const fs::path picture = folder.path() / "policy_gradient.png";
  const std::string out = printed_by("policy_gradient", {"--seed", "1"});
  CHECK(number_after(out, "update   0: ") < 40);
  CHECK(number_after(out, "likeliest actions: ") > 400);
  CHECK(printed_by("policy_gradient", {"--seed", "1", picture.string()}).starts_with(out));
  CHECK(is_picture(picture));
  // The number of updates is bounded.
  CHECK(printed_by("policy_gradient", {"--updates", "3"}).find("update   2") != std::string::npos);
}
