// docs/derivatives.md says which derivatives are checked, how, and at what shapes. Each operation's line is
// made anew by making the checks, and has to be the page's:
//   XTGRAD_UPDATE_DOCS=1 ctest --preset release -R "autograd/derivatives: the page"
#include <doctest/doctest.h>
#include <fmt/format.h>

#include <array>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "tests/autograd/ops/derivative_matrix.h"
#include "tests/autograd/ops/matrix_page.h"
#include "tests/autograd/ops/matrix_reasons.h"
#include "tests/autograd/ops/mutations.h"
#include "tests/support/share.h"
#include "tests/support/skip.h"
#include "xtgrad/autograd/custom_vjp.h"
#include "xtgrad/autograd/ops.h"

namespace xtgrad::inline v1::testing { namespace {

const std::filesystem::path path = std::filesystem::path(XTGRAD_SOURCE_DIR) / "docs" / "derivatives.md";

bool updates_docs() { return std::getenv("XTGRAD_UPDATE_DOCS") != nullptr; }

std::string page_as_it_is() {
  std::ifstream in(path);
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

/// Makes the checks of an operation, and returns its line.
std::string checked_line(OpId id) {
  const Op op = describe(id);
  const MatrixRow row = matrix_row(op);
  for (const std::string& fault : faults_of(op, row)) FAIL_CHECK(fault);
  return line_of(op, row);
}

void compare_line(OpId id) {
  if (!share().has(static_cast<std::size_t>(id))) return skip("not of this share: XTGRAD_SHARE");
  const std::string line = checked_line(id);
  if (updates_docs()) return;  // the page is being written
  CHECK_MESSAGE(page_as_it_is().find(line + "\n") != std::string::npos,
                "docs/derivatives.md does not have this line, see the head of this file: " << line);
}

#define XTGRAD_PRIMITIVE(name, family) \
  TEST_CASE("derivatives of " #name) { compare_line(OpId::name); }
#define XTGRAD_COMPOSITE(name, family) XTGRAD_PRIMITIVE(name, family)
#define XTGRAD_CONSTANT(name, family) XTGRAD_PRIMITIVE(name, family)
#include "xtgrad/autograd/ops.def"
#undef XTGRAD_PRIMITIVE
#undef XTGRAD_COMPOSITE
#undef XTGRAD_CONSTANT

TEST_CASE("derivatives: the page is made of the operations' lines") {
  std::vector<std::string> lines;
  const std::string mutations = mutation_text();
  if (updates_docs()) {
    for (std::size_t i = 0; i < static_cast<std::size_t>(OpId::count_); ++i)
      lines.push_back(checked_line(static_cast<OpId>(i)));
    std::ofstream(path) << matrix_page(lines, mutations);
  } else {
    lines = matrix_lines(page_as_it_is());
  }
  // One for each line of ops.def, in that order.
  REQUIRE(lines.size() == static_cast<std::size_t>(OpId::count_));
  for (std::size_t i = 0; i < lines.size(); ++i) {
    const std::string begin = fmt::format("| `{}` |", detail::to_string(static_cast<OpId>(i)));
    CHECK_MESSAGE(lines[i].starts_with(begin), begin);
  }
  CHECK(page_as_it_is() == matrix_page(lines, mutations));
}

TEST_CASE("derivatives: a cell that is neither checked nor explained is found, and a reason that is none") {
  const Op op = describe(OpId::matmul);
  MatrixRow row;  // nothing was checked
  std::string all;
  for (const std::string& fault : faults_of(op, row)) all += fault + "\n";
  CHECK(
      all.find(
          "matmul, plain: neither checked nor explained: order 1, reverse; order 1, forward over reverse") !=
      std::string::npos);
  CHECK(all.find("matmul, 0-d: neither checked nor explained") != std::string::npos);
  CHECK(all.find("matmul, nasty values: neither") != std::string::npos);
  CHECK(all.find("matmul, kinks") == std::string::npos);
  row.kinks = 1;
  row.refusals[static_cast<std::size_t>(Shapes::zero_d)] = "no";
  row.cells[static_cast<std::size_t>(Shapes::zero_d)][0][0] = 1;
  all.clear();
  for (const std::string& fault : faults_of(op, row)) all += fault + "\n";
  CHECK(all.find("matmul, kinks: is checked, reason o is none") != std::string::npos);
  CHECK(all.find("matmul, 0-d: is checked, reason d is none") != std::string::npos);
}

TEST_CASE("derivatives: the checks of the matrix find wrong ones") {
  // A float32 that is another function.
  Sample sample{.inputs = {{.shape = {3}}},
                .apply = [](const Tensor& x) { return x.dtype() == float32 ? x * x * 1.001 : x * x; }};
  Random random(1);
  const std::vector<Values> values = draw(sample.inputs, random);
  const Derivative in_double(sample, values, float64), in_float(sample, values, float32);
  for (const bool forward : {false, true}) {
    Float32Scale limit;
    CHECK(compare_float32_to_float64(in_float, in_double, forward, limit, random)
              .find("in float32, number 0") != std::string::npos);
    Float32Scale again;
    CHECK(compare_float32_to_float64(in_double, in_double, forward, again, random).empty());
  }
  CHECK(compare_forward_to_reverse(in_double, random).empty());
  // Right in reverse, but a constant to what differentiates the rule.
  sample.apply = [](const Tensor& x) {
    return custom_vjp([](const Tensor& t) { return t * t; },
                      [](const Tensor& t, const Tensor&, const Tensor& g) { return g.detach() * t * 2; }, x);
  };
  CHECK(compare_forward_to_reverse(Derivative(sample, values, float64), random)
            .starts_with("forward over reverse: <w, J v> is 0"));
}

}}  // namespace xtgrad::testing
