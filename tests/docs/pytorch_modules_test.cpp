// The second table of docs/from_pytorch.md is made of pytorch_modules.def: every expression there is
// compiled, and gives something.
//
//   XTGRAD_UPDATE_DOCS=1 ctest --preset release -R docs/
#include <doctest/doctest.h>

#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <limits>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "tests/docs/pytorch_table.h"
#include "tests/support/program.h"
#include "tests/support/skip.h"
#include "xtgrad/autograd/checkpoint.h"
#include "xtgrad/autograd/jacobians.h"
#include "xtgrad/autograd/multinomial.h"
#include "xtgrad/autograd/observe.h"
#include "xtgrad/autograd/vmap.h"
#include "xtgrad/datasets/combine.h"
#include "xtgrad/datasets/samplers.h"
#include "xtgrad/datasets/source.h"
#include "xtgrad/nn/capture.h"
#include "xtgrad/optim/lbfgs.h"
#include "xtgrad/xtgrad.h"

namespace xtgrad { namespace {

using testing::file_text;
using namespace pytorch_table;  // NOLINT(google-build-using-namespace)

/// What the expressions are of.
struct Operands {
  Random random{7};
  UniformOptions inside{.low = 0.1, .high = 0.9};
  Tensor x = uniform({2, 3}, inside, random), y = uniform({2, 3}, inside, random);
  Tensor m = tensor({{1, 0, 1}, {1, 1, 0}}).to(boolean);
  Tensor v = uniform({3}, inside, random);
  Tensor a = tensor({{4, 1, 0}, {1, 3, 1}, {0, 1, 2}});
  Tensor n = tensor({5, 9, 2}, {.dtype = int64}), p = tensor({1, 2, 3}, {.dtype = int64});
  Tensor labels = tensor({2, 1}, {.dtype = int64});
  Tensor series = randn({2, 4, 8}, random), image = randn({2, 4, 6, 6}, random);
  Tensor volume = randn({2, 4, 4, 4, 4}, random);

  [[nodiscard]] std::vector<std::pair<std::string, Tensor>> all() const {
    return {{"x", x}, {"y", y},           {"m", m},           {"v", v},         {"a", a},          {"n", n},
            {"p", p}, {"labels", labels}, {"series", series}, {"image", image}, {"volume", volume}};
  }
};

void for_each_row(const OnRow& row) {
  const Operands operands;
  const auto &x = operands.x, &y = operands.y, &m = operands.m, &v = operands.v, &a = operands.a;
  const auto &n = operands.n, &p = operands.p, &labels = operands.labels;
  const auto &series = operands.series, &image = operands.image, &volume = operands.volume;
  nn::Linear model(3, 2);
  optim::Adam adam(model.parameters());
  const auto f = [](const Tensor& z) { return sum(z * z * z); };
  const datasets::Dataset data({.inputs = x, .labels = labels, .classes = 3});
#include "tests/docs/pytorch_modules.def"
}

TEST_CASE("docs/from_pytorch.md: modules and other names compute") {
  std::size_t ran = 0;
  for_each_row([&](const Row& row, const Expression& expression) {
    CAPTURE(row.names);
    Given gave{.is_there = false};
    CHECK_NOTHROW(gave = expression());
    CHECK(gave.is_there);
    ran += row.code.empty() ? 0 : 1;
  });
  CHECK(ran > 200);
}

TEST_CASE("docs/from_pytorch.md: the second table is that of pytorch_modules.def") {
  const std::filesystem::path path = std::filesystem::path(XTGRAD_SOURCE_DIR) / "docs/from_pytorch.md";
  const std::string expected = with_table(file_text(path), "pytorch_modules.def", table(for_each_row));
  REQUIRE_FALSE(expected.empty());
  if (std::getenv("XTGRAD_UPDATE_DOCS") != nullptr) std::ofstream(path) << expected;
  CHECK_MESSAGE(
      file_text(path) == expected,
      "docs/from_pytorch.md is out of date: XTGRAD_UPDATE_DOCS=1 ctest --preset release -R docs/ writes it");
}

// Each function without a derivative and each class of these modules; transforms of distributions are said
// once.
constexpr const char* names_of_torch = R"(
import inspect, torch
from torch.testing._internal.common_methods_invocations import op_db
with_derivative = {op.name for op in op_db if op.supports_autograd}
print(*sorted({op.name for op in op_db} - with_derivative), sep="\n")
for prefix, of in [("nn", torch.nn), ("distributions", torch.distributions), ("optim", torch.optim),
                   ("utils.data", torch.utils.data)]:
    for name in dir(of):
        if inspect.isclass(getattr(of, name)) and name[0].isupper() and not name.endswith("Transform"):
            print(prefix + "." + name)
for name, thing in vars(torch.optim.lr_scheduler).items():
    if inspect.isclass(thing) and issubclass(thing, torch.optim.lr_scheduler.LRScheduler) and name[0] != "_":
        print("optim.lr_scheduler." + name)
for name in dir(torch.nn.init):
    if name.endswith("_") and name[0] != "_": print("nn.init." + name)
for name, thing in vars(torch.autograd.functional).items():
    if inspect.isfunction(thing) and name[0] != "_": print("autograd.functional." + name)
for name in dir(torch.func):
    if name[0] != "_" and name != "debug_unwrap": print("func." + name)
)";

TEST_CASE("docs/from_pytorch.md: each module and function without a derivative has its line") {
  const char* python = std::getenv("XTGRAD_PEERS_PYTHON");
  if (python == nullptr) return testing::skip("XTGRAD_PEERS_PYTHON names no Python that has torch");
  const testing::ProgramResult listed = testing::run_program(python, {"-c", names_of_torch});
  if (listed.exit_code != 0) return testing::skip("no list of PyTorch's names: " + listed.err);
  const std::set<std::string> here = names_of(for_each_row);
  std::size_t seen = 0;
  for (const std::string& name : testing::lines_of(listed.out)) {
    CAPTURE(name);
    ++seen;
    CHECK(here.contains(name));
  }
  CHECK(seen > 300);
}

TEST_CASE("docs/from_pytorch.md: what PyTorch gives for modules and other names, the expressions give") {
  const char* python = std::getenv("XTGRAD_PEERS_PYTHON");
  if (python == nullptr) return testing::skip("XTGRAD_PEERS_PYTHON names no Python that has torch");
  if (testing::run_program(python, {"-c", "import torch"}).exit_code != 0)
    return testing::skip("no torch here");
  const testing::TemporaryFolder folder;
  const std::string path = (folder.path() / "values.txt").string();
  {
    std::ofstream file(path);
    file.precision(17);
    for (const auto& [name, tensor] : Operands().all()) write(file, "operand", name, given(tensor));
    for_each_row([&](const Row& row, const Expression& expression) {
      if (!row.code.empty()) write(file, "result", row.names, expression());
    });
  }
  const std::string script =
      (std::filesystem::path(XTGRAD_SOURCE_DIR) / "tests/docs/pytorch_modules.py").string();
  const testing::ProgramResult compared = testing::run_program(python, {script, path});
  CHECK_MESSAGE(compared.exit_code == 0, compared.out << compared.err);
  CHECK(compared.out.find(" 0 differ") != std::string::npos);
  MESSAGE(compared.out);
}

}}  // namespace xtgrad
