// The table of docs/from_pytorch.md is made of pytorch_names.def: every expression there is compiled, and
// gives something.
//
//   XTGRAD_UPDATE_DOCS=1 ctest --preset release -R docs/
#include <doctest/doctest.h>

#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <limits>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "tests/docs/pytorch_table.h"
#include "tests/support/program.h"
#include "tests/support/skip.h"
#include "xtgrad/xtgrad.h"

namespace xtgrad { namespace {

using testing::file_text;
using namespace pytorch_table;  // NOLINT(google-build-using-namespace)

/// Told of each operand.
using OnOperand = std::function<void(const std::string&, const Tensor&)>;

void for_each_row(const OnRow& row, const OnOperand& operand = {}) {
  const TensorOptions in_double{.dtype = float64};
  Random random(7);
  const UniformOptions inside{.low = 0.1, .high = 0.9};
  const Tensor x = uniform({2, 3}, inside, random, in_double), y = uniform({2, 3}, inside, random, in_double);
  const Tensor m = tensor({{1, 0, 1}, {1, 1, 0}}).to(boolean);
  const Tensor u = randn({3}, random, in_double), v = randn({3}, random, in_double);
  const Tensor root = randn({4, 3, 3}, random, in_double), b = randn({3, 2}, random, in_double);
  const Tensor t = matmul(root, root, {.transpose_b = true}) + eye(3, {}, in_double), a = t[0];
  const Tensor i = tensor({1, 0}, {.dtype = int64}), labels = tensor({2, 0}, {.dtype = int64});
  const Tensor k = tensor({{0, 2, 1}, {1, 0, 2}}, {.dtype = int64});
  const Tensor series = randn({2, 4, 8}, random, in_double), image = randn({2, 4, 6, 6}, random, in_double);
  const Tensor volume = randn({2, 4, 4, 4, 4}, random, in_double);
  const Tensor e = tensor({-1.5, 0, 1000, std::nan("")}, in_double);

  if (operand) {
    const std::vector<std::pair<std::string, Tensor>> all{
        {"x", x}, {"y", y},           {"m", m},         {"u", u},           {"v", v},
        {"a", a}, {"b", b},           {"t", t},         {"i", i},           {"labels", labels},
        {"k", k}, {"series", series}, {"image", image}, {"volume", volume}, {"e", e}};
    for (const auto& [name, tensor] : all) operand(name, tensor);
  }
#include "tests/docs/pytorch_names.def"
}

const Rows rows = [](const OnRow& row) { for_each_row(row); };

TEST_CASE("docs/from_pytorch.md: what stands beside PyTorch's names computes") {
  std::size_t ran = 0;
  for_each_row([&](const Row& row, const Expression& expression) {
    CAPTURE(row.names);
    Given gave{.is_there = false};
    CHECK_NOTHROW(gave = expression());
    CHECK(gave.is_there);
    ran += row.code.empty() ? 0 : 1;
  });
  CHECK(ran > 300);
}

TEST_CASE("docs/from_pytorch.md: the table is that of pytorch_names.def") {
  const std::filesystem::path path = std::filesystem::path(XTGRAD_SOURCE_DIR) / "docs/from_pytorch.md";
  const std::string expected = with_table(file_text(path), "pytorch_names.def", table(rows));
  REQUIRE_FALSE(expected.empty());
  if (std::getenv("XTGRAD_UPDATE_DOCS") != nullptr) std::ofstream(path) << expected;
  CHECK_MESSAGE(
      file_text(path) == expected,
      "docs/from_pytorch.md is out of date: XTGRAD_UPDATE_DOCS=1 ctest --preset release -R docs/ writes it");
}

TEST_CASE("docs/from_pytorch.md: each differentiable operation that PyTorch tests has its line") {
  const char* python = std::getenv("XTGRAD_PEERS_PYTHON");
  if (python == nullptr) return testing::skip("XTGRAD_PEERS_PYTHON names no Python that has torch");
  const testing::ProgramResult listed =
      testing::run_program(python, {"-c",
                                    "from torch.testing._internal.common_methods_invocations import op_db\n"
                                    "for op in op_db:\n"
                                    "    if op.supports_autograd: print(op.name)\n"});
  if (listed.exit_code != 0) return testing::skip("no registry of PyTorch's operations: " + listed.err);
  const std::set<std::string> here = names_of(rows);
  std::size_t seen = 0;
  for (const std::string& name : testing::lines_of(listed.out)) {
    CAPTURE(name);
    ++seen;
    // Said once for all of them: names that end so, or begin so.
    if (name.ends_with("_copy") || name.starts_with("fft.") || name.starts_with("torch.ops.")) continue;
    CHECK(here.contains(name));
  }
  CHECK(seen > 400);
}

TEST_CASE("docs/from_pytorch.md: what PyTorch gives for its names, the expressions beside them give") {
  const char* python = std::getenv("XTGRAD_PEERS_PYTHON");
  if (python == nullptr) return testing::skip("XTGRAD_PEERS_PYTHON names no Python that has torch");
  if (testing::run_program(python, {"-c", "import torch"}).exit_code != 0)
    return testing::skip("no torch here");
  const testing::TemporaryFolder folder;
  const std::string path = (folder.path() / "values.txt").string();
  {
    std::ofstream file(path);
    file.precision(17);
    for_each_row(
        [&](const Row& row, const Expression& expression) {
          if (!row.code.empty()) write(file, "result", row.names, expression());
        },
        [&](const std::string& name, const Tensor& tensor) { write(file, "operand", name, given(tensor)); });
  }
  const std::string script =
      (std::filesystem::path(XTGRAD_SOURCE_DIR) / "tests/docs/pytorch_names.py").string();
  const testing::ProgramResult compared = testing::run_program(python, {script, path});
  CHECK_MESSAGE(compared.exit_code == 0, compared.out << compared.err);
  CHECK(compared.out.find(" 0 differ") != std::string::npos);
  MESSAGE(compared.out);
}

}}  // namespace xtgrad
