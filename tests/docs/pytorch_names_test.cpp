// The table of docs/from_pytorch.md is made of pytorch_names.def: every expression there is compiled, and
// gives something.
//
//   XTGRAD_UPDATE_DOCS=1 ctest --preset release -R docs/
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <limits>
#include <set>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "tests/support/program.h"
#include "tests/support/skip.h"
#include "xtgrad/xtgrad.h"

namespace xtgrad { namespace {

using testing::file_text;

/// A line of the table, or the head of a part of it.
struct Row {
  std::string names;
  std::string code;    ///< empty where the names are lacking
  std::string reason;  ///< why they are
};

/// What an expression gave.
struct Given {
  bool is_there = true;
  std::vector<double> elements = {};  ///< of one tensor
};

Given given(const Tensor& tensor) {
  const Tensor numbers = tensor.detach().to(float64);
  const auto elements = numbers.data<double>();
  return {tensor.defined(), {elements.begin(), elements.end()}};
}
Given given(const std::pair<Tensor, Tensor>& pair) { return {pair.first.defined() && pair.second.defined()}; }
Given given(const std::vector<Tensor>& tensors) {
  return {!tensors.empty() &&
          std::all_of(tensors.begin(), tensors.end(), [](const Tensor& t) { return t.defined(); })};
}

using Expression = std::function<Given()>;
using OnRow = std::function<void(const Row&, const Expression&)>;
/// Told of each operand.
using OnOperand = std::function<void(const std::string&, const Tensor&)>;

/// Tells `row` of each line, with what computes its expression and says whether it gave something.
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

  if (operand) {
    const std::vector<std::pair<std::string, Tensor>> all{
        {"x", x}, {"y", y},           {"m", m},         {"u", u},          {"v", v},
        {"a", a}, {"b", b},           {"t", t},         {"i", i},          {"labels", labels},
        {"k", k}, {"series", series}, {"image", image}, {"volume", volume}};
    for (const auto& [name, tensor] : all) operand(name, tensor);
  }
#define PYTORCH_FAMILY(title) row(Row{title, {}, {}}, [] { return Given{}; });
#define PYTORCH_NAME(names, ...) row(Row{names, #__VA_ARGS__, {}}, [&] { return given(__VA_ARGS__); });
#define PYTORCH_LACKS(names, reason) row(Row{names, {}, reason}, [] { return Given{}; });
#include "tests/docs/pytorch_names.def"
#undef PYTORCH_LACKS
#undef PYTORCH_NAME
#undef PYTORCH_FAMILY
}

std::string as_cell(std::string text) {
  for (std::size_t at = 0; (at = text.find('|', at)) != std::string::npos; at += 2) text.insert(at, 1, '\\');
  return text;
}

/// "relu" of "nn.functional.relu", as the page says at its head.
std::string shortened(std::string names) {
  const std::string long_prefix = "nn.functional.";
  for (std::size_t at = 0; (at = names.find(long_prefix, at)) != std::string::npos;)
    names.replace(at, long_prefix.size(), "F.");
  return names;
}

std::string table() {
  std::ostringstream page;
  for_each_row([&](const Row& row, const Expression&) {
    if (!row.code.empty()) {
      page << "| " << shortened(row.names) << " | `" << as_cell(row.code) << "` |\n";
    } else if (!row.reason.empty()) {
      page << "| " << shortened(row.names) << " | not here: " << as_cell(row.reason) << " |\n";
    } else {
      page << "\n### " << row.names << "\n\n| PyTorch | xtgrad |\n|---|---|\n";
    }
  });
  return page.str();
}

/// What stands between commas.
std::set<std::string> names_of_all_rows() {
  std::set<std::string> all;
  for_each_row([&](const Row& row, const Expression&) {
    std::istringstream names(row.names);
    for (std::string name; std::getline(names >> std::ws, name, ',');) all.insert(name);
  });
  return all;
}

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
  const std::string page = file_text(path), begin = "<!-- begin: tests/docs/pytorch_names.def -->\n",
                    end = "\n<!-- end -->";
  const std::size_t first = page.find(begin), last = page.find(end);
  REQUIRE(first != std::string::npos);
  REQUIRE(last != std::string::npos);
  const std::string expected = page.substr(0, first + begin.size()) + table() + page.substr(last);
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
  const std::set<std::string> here = names_of_all_rows();
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
    const auto write = [&](const std::vector<double>& elements) {
      file << " :";
      for (const double element : elements) file << ' ' << element;
      file << '\n';
    };
    for_each_row(
        [&](const Row& row, const Expression& expression) {
          if (row.code.empty()) return;
          const Given gave = expression();
          if (gave.elements.empty()) return;
          file << "result " << row.names;
          write(gave.elements);
        },
        [&](const std::string& name, const Tensor& tensor) {
          file << "operand " << name;
          for (const std::int64_t size : tensor.shape()) file << ' ' << size;
          write(given(tensor).elements);
        });
  }
  const std::string script =
      (std::filesystem::path(XTGRAD_SOURCE_DIR) / "tests/docs/pytorch_names.py").string();
  const testing::ProgramResult compared = testing::run_program(python, {script, path});
  CHECK_MESSAGE(compared.exit_code == 0, compared.out << compared.err);
  CHECK(compared.out.find(" 0 differ") != std::string::npos);
  MESSAGE(compared.out);
}

}}  // namespace xtgrad
