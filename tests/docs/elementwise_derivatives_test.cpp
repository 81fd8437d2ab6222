// The table of docs/operations/elementwise.md is made of elementwise_derivatives.def, whose derivatives are
// compiled and compared with those that the engine gives.
//
//   XTGRAD_UPDATE_DOCS=1 ctest --preset release -R docs/
#include <doctest/doctest.h>

#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <numbers>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "tests/support/program.h"
#include "xtgrad/autograd/core/op_id.h"
#include "xtgrad/xtgrad.h"

namespace xtgrad { namespace {

using testing::file_text;

constexpr double pi = std::numbers::pi;

struct Line {
  std::string value;
  std::vector<std::string> derivatives;  ///< in x, or in a and in b
};

/// A function's value and derivatives as the line writes them, at operands that want a gradient.
using Computed = std::function<std::vector<Tensor>(const std::vector<Tensor>&)>;
using OnLine = std::function<void(const Line&, double low, double high, const Computed&)>;

Tensor as_tensor(const Tensor& like, const Tensor& x) { return x.to(like.dtype()); }
Tensor as_tensor(const Tensor& like, double x) { return full_like(like, x); }

/// A line's own functions, and those of its names.
void for_each_line(const OnLine& line) {
#define OF_ONE(low, high, value, ...)                                                     \
  line(Line{#value, {#__VA_ARGS__}}, low, high, [](const std::vector<Tensor>& operands) { \
    const Tensor& x = operands[0];                                                        \
    const Tensor y = value;                                                               \
    return std::vector<Tensor>{y, as_tensor(x, __VA_ARGS__)};                             \
  });
#define OF_TWO(low, high, value, in_a, in_b)                                              \
  line(Line{#value, {#in_a, #in_b}}, low, high, [](const std::vector<Tensor>& operands) { \
    const Tensor &a = operands[0], &b = operands[1];                                      \
    const Tensor y = value;                                                               \
    return std::vector<Tensor>{y, as_tensor(a, in_a), as_tensor(b, in_b)};                \
  });
#include "tests/docs/elementwise_derivatives.def"
#undef OF_TWO
#undef OF_ONE
}

std::string function_in(const std::string& value) { return value.substr(0, value.find('(')); }

/// Largest difference of two tensors, of each element by its size where that is above 1.
double difference(const Tensor& a, const Tensor& b) {
  return amax(abs(a.detach() - b.detach()) / maximum(abs(b.detach()), 1.0)).item();
}

std::string as_cell(std::string text) {
  for (std::size_t at = 0; (at = text.find('|', at)) != std::string::npos; at += 2) text.insert(at, 1, '\\');
  return "`" + text + "`";
}

std::string table() {
  std::ostringstream page;
  std::size_t operands = 0;
  for_each_line([&](const Line& line, double, double, const Computed&) {
    if (operands != line.derivatives.size()) {
      operands = line.derivatives.size();
      page << (operands == 1 ? "| y | in x |\n|---|---|\n" : "\n| y | in a | in b |\n|---|---|---|\n");
    }
    page << "| " << as_cell(line.value) << " |";
    for (const std::string& derivative : line.derivatives) page << ' ' << as_cell(derivative) << " |";
    page << '\n';
  });
  return page.str();
}

TEST_CASE("docs/operations/elementwise.md: derivatives are those that grad gives") {
  std::size_t compared = 0;
  Random random(3);
  for_each_line([&](const Line& line, double low, double high, const Computed& compute) {
    CAPTURE(line.value);
    std::vector<Tensor> operands;
    for (std::size_t i = 0; i < line.derivatives.size(); ++i)
      operands.push_back(
          uniform({64}, {.low = low, .high = high}, random, {.dtype = float64, .requires_grad = true}));
    const std::vector<Tensor> computed = compute(operands);
    const std::vector<Tensor> gradients =
        computed[0].requires_grad() ? grad(std::span(computed).first(1), operands,
                                           {.cotangents = {ones_like(computed[0])}, .allow_unused = true})
                                    : std::vector<Tensor>(operands.size());
    for (std::size_t i = 0; i < operands.size(); ++i) {
      CAPTURE(line.derivatives[i]);
      const Tensor gradient = gradients[i].defined() ? gradients[i] : zeros_like(operands[i]);
      // What stands in a table is for reading: some differences lose digits, but not half of them.
      CHECK(difference(computed[i + 1], gradient) < 1e-10);
      ++compared;
    }
  });
  CHECK(compared > 100);
}

TEST_CASE("docs/operations/elementwise.md: each function of such a family has a line") {
  const std::set<std::string> families{"unary",  "exponential", "trigonometric", "hyperbolic", "rounding",
                                       "normal", "gamma",       "bessel",        "activation", "number",
                                       "binary", "polar",       "extremes",      "division",   "logarithmic"};
  std::set<std::string> found;
  for_each_line(
      [&](const Line& line, double, double, const Computed&) { found.insert(function_in(line.value)); });
  const auto check = [&](detail::OpId id, const std::string& family) {
    const std::string name(detail::function_name(id));
    if (families.contains(family)) CHECK_MESSAGE(found.contains(name), name, " has no line");
  };
#define XTGRAD_PRIMITIVE(name, family) check(detail::OpId::name, #family);
#define XTGRAD_COMPOSITE(name, family) check(detail::OpId::name, #family);
#define XTGRAD_CONSTANT(name, family)
#include "xtgrad/autograd/ops.def"
#undef XTGRAD_PRIMITIVE
#undef XTGRAD_COMPOSITE
#undef XTGRAD_CONSTANT
}

TEST_CASE("docs/operations/elementwise.md: the table is that of elementwise_derivatives.def") {
  const std::filesystem::path path =
      std::filesystem::path(XTGRAD_SOURCE_DIR) / "docs/operations/elementwise.md";
  const std::string page = file_text(path),
                    begin = "<!-- begin: tests/docs/elementwise_derivatives.def -->\n",
                    end = "\n<!-- end -->";
  const std::size_t first = page.find(begin), last = page.find(end);
  REQUIRE(first != std::string::npos);
  REQUIRE(last != std::string::npos);
  const std::string expected = page.substr(0, first + begin.size()) + table() + page.substr(last);
  if (std::getenv("XTGRAD_UPDATE_DOCS") != nullptr) std::ofstream(path) << expected;
  CHECK_MESSAGE(file_text(path) == expected,
                "the page is out of date: XTGRAD_UPDATE_DOCS=1 ctest --preset release -R docs/ writes it");
}

}}  // namespace xtgrad
