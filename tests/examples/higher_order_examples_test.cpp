// The examples that differentiate derivatives, steps, simulations and solutions of equations: their gradients
// are right, and they come to what their pages say.
#include <doctest/doctest.h>

#include <filesystem>
#include <sstream>
#include <string>

#include "tests/examples/run_example.h"

using namespace xtgrad::testing;
namespace fs = std::filesystem;

namespace {

bool is_picture(const fs::path& path) { return fs::exists(path) && fs::file_size(path) > 2000; }

}  // namespace

TEST_CASE("higher-order examples: check_grads confirms what they differentiate") {
  for (const char* name : {"hypergradients", "maml", "pinn", "pendulum", "deep_equilibrium"})
    CHECK(run_example(name, {"--check"}).out == "gradients are right\n");
}

TEST_CASE("hypergradients: unrolled steps and the equation of their end agree, and both teach") {
  const TemporaryFolder folder;
  const fs::path picture = folder.path() / "hypergradients.png";
  const ProgramResult result = run_example("hypergradients", {"--updates", "60", picture.string()});
  CHECK(number_after(result, "differs by ") > 0.1);
  CHECK(number_after(result, "differs by ", 6) < 1e-12);
  CHECK(number_after(result, "test ", 2) < 0.8 * number_after(result, "test "));
  CHECK(number_after(result, "the objective is ", 2) < 0.5 * number_after(result, "the objective is "));
  CHECK(is_picture(picture));
}

TEST_CASE("maml: one step from its weights is better than ten from others") {
  const TemporaryFolder folder;
  const fs::path picture = folder.path() / "maml.png";
  const ProgramResult result = run_example("maml", {"--updates", "250", picture.string()});
  // The columns are the errors after 0, 1, 2, 5, 10 and 50 steps.
  const auto column = [&](const char* row, int which) {
    std::istringstream numbers(result.out.substr(result.out.rfind(row) + std::string(row).size()));
    double number = 0;
    for (int i = 0; i <= which; ++i) numbers >> number;
    return number;
  };
  CHECK(column("MAML ", 1) < 0.5 * column("MAML ", 0));
  CHECK(column("MAML ", 1) < column("all waves at once ", 4));
  CHECK(column("MAML ", 1) < column("from scratch ", 4));
  CHECK(is_picture(picture));
}

TEST_CASE("pinn comes to the exact solution, by L-BFGS closer than by Adam") {
  const TemporaryFolder folder;
  const fs::path picture = folder.path() / "pinn.png";
  const ProgramResult result = run_example("pinn", {"--iterations", "200", picture.string()});
  const double adam = number_after(result, "error ", 4), lbfgs = number_after(result, "error ", 8);
  CHECK(lbfgs < adam);
  CHECK(lbfgs < 0.05);
  CHECK(is_picture(picture));
}

TEST_CASE("pendulum swings up, and the fit finds what was measured") {
  const TemporaryFolder folder;
  const fs::path picture = folder.path() / "pendulum.png";
  const ProgramResult result = run_example("pendulum", {"--updates", "1000", picture.string()});
  CHECK(number_after(result, "in the end: angle ") == doctest::Approx(3.1416).epsilon(0.05));
  CHECK(number_after(result, "length ") == doctest::Approx(1.3).epsilon(0.02));
  CHECK(number_after(result, "friction ") == doctest::Approx(0.15).epsilon(0.1));
  CHECK(is_picture(picture));
}

TEST_CASE("deep_equilibrium: unrolled iterations come to the gradient of the equation, at more memory") {
  const TemporaryFolder folder;
  const fs::path picture = folder.path() / "deep_equilibrium.png";
  const ProgramResult result = run_example("deep_equilibrium", {"--steps", "60", picture.string()});
  CHECK(number_after(result, "differ by ") > 1e-4);
  CHECK(number_after(result, "differ by ", 6) < 1e-9);
  CHECK(number_after(result, "unrolled:", 6) > 50 * number_after(result, "implicit:"));
  CHECK(number_after(result, "fixed point:") > number_after(result, "one iteration:"));
  CHECK(is_picture(picture));
}
