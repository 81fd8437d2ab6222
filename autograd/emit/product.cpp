// Text of products of matrices.
#include <fmt/format.h>

#include <string>
#include <vector>

#include "xtgrad/autograd/emit/loops.h"

namespace xtgrad::inline v1::detail {
namespace {

struct Sizes {
  std::int64_t m, n, k;
};

/// One product, of pointers that are expressions. Rows of the result are sums of rows of b, four at a time:
/// each element is summed in the order of k, and a compiler may take columns side by side.
void write_product(WholeText& text, const Sizes& size, std::string_view type, const std::string& a,
                   bool transpose_a, const std::string& b, const std::string& c) {
  Statements& code = text.code();
  const auto [m, n, k] = size;
  const std::string i = code.fresh("i"), j = code.fresh("j"), p = code.fresh("k");
  const auto a_at = [&](const std::string& row, const std::string& column) {
    return transpose_a ? fmt::format("{}[({}) * {} + {}]", a, column, m, row)
                       : fmt::format("{}[{} * {} + {}]", a, row, k, column);
  };
  code.open(fmt::format("for (int {0} = 0; {0} < {1}; ++{0})", i, m));
  const std::string row = code.fresh("row");
  code.line(fmt::format("{}* const {} = {} + {} * {};", type, row, c, i, n));
  code.line(fmt::format("for (int {0} = 0; {0} < {1}; ++{0}) {2}[{0}] = 0;", j, n, row));
  const std::int64_t whole = k - k % 4;
  if (whole > 0) {
    code.open(fmt::format("for (int {0} = 0; {0} < {1}; {0} += 4)", p, whole));
    for (int u = 0; u < 4; ++u) {
      const std::string at = u == 0 ? p : fmt::format("{} + {}", p, u);
      code.line(fmt::format("const {} a{} = {};", type, u, a_at(i, at)));
      code.line(fmt::format("const {}* const b{} = {} + ({}) * {};", type, u, b, at, n));
    }
    code.line(
        fmt::format("for (int {0} = 0; {0} < {1}; ++{0}) {2}[{0}] = {2}[{0}] + a0 * b0[{0}] + a1 * b1[{0}] "
                    "+ a2 * b2[{0}] + a3 * b3[{0}];",
                    j, n, row));
    code.close();
  }
  for (std::int64_t rest = whole; rest < k; ++rest) {
    code.open("");
    code.line(fmt::format("const {} a0 = {};", type, a_at(i, std::to_string(rest))));
    code.line(fmt::format("const {}* const b0 = {} + {};", type, b, rest * n));
    code.line(fmt::format("for (int {0} = 0; {0} < {1}; ++{0}) {2}[{0}] += a0 * b0[{0}];", j, n, row));
    code.close();
  }
  code.close();
}

/// The same where b is stored transposed and a has few rows: sums of products, four columns at a time.
void write_dots(WholeText& text, const Sizes& size, std::string_view type, const std::string& a,
                bool transpose_a, const std::string& b, const std::string& c) {
  Statements& code = text.code();
  const auto [m, n, k] = size;
  const std::string i = code.fresh("i"), p = code.fresh("k");
  code.open(fmt::format("for (int {0} = 0; {0} < {1}; ++{0})", i, m));
  const std::string a_at =
      transpose_a ? fmt::format("{}[{} * {} + {}]", a, p, m, i) : fmt::format("{}[{} * {} + {}]", a, i, k, p);
  const auto write = [&](const std::string& j, int columns) {
    for (int u = 0; u < columns; ++u) code.line(fmt::format("{} sum{} = 0;", type, u));
    code.open(fmt::format("for (int {0} = 0; {0} < {1}; ++{0})", p, k));
    code.line(fmt::format("const {} factor = {};", type, a_at));
    for (int u = 0; u < columns; ++u)
      code.line(fmt::format("sum{0} += factor * {1}[({2} + {0}) * {3} + {4}];", u, b, j, k, p));
    code.close();
    for (int u = 0; u < columns; ++u)
      code.line(fmt::format("{}[{} * {} + {} + {}] = sum{};", c, i, n, j, u, u));
  };
  const std::int64_t whole = n - n % 4;
  if (whole > 0) {
    const std::string j = code.fresh("j");
    code.open(fmt::format("for (int {0} = 0; {0} < {1}; {0} += 4)", j, whole));
    write(j, 4);
    code.close();
  }
  for (std::int64_t j = whole; j < n; ++j) {
    code.open("");
    write(std::to_string(j), 1);
    code.close();
  }
  code.close();
}

/// b as [k, n] in memory of its own, where it is stored as [n, k].
std::string write_transposed(WholeText& text, const Sizes& size, const Spec& b, const std::string& from) {
  Statements& code = text.code();
  const std::string to = text.scratch(b.dtype, size.n * size.k);
  const std::string j = code.fresh("j"), p = code.fresh("k");
  code.line(fmt::format("for (int {0} = 0; {0} < {1}; ++{0})", j, size.n));
  code.line(fmt::format("  for (int {0} = 0; {0} < {1}; ++{0}) {2}[{0} * {3} + {4}] = {5}[{4} * {1} + {0}];",
                        p, size.k, to, size.n, j, from));
  return to;
}

/// Below so many rows a transposed b is read as it lies.
constexpr std::int64_t few_rows = 4;

void write_matmul(const StepView& step, WholeText& text) {
  const bool transpose_a = step.flag("transpose_a"), transpose_b = step.flag("transpose_b");
  const Spec &a = step.in(0), &b = step.in(1), &c = step.out();
  const auto side = [](const Shape& shape, std::size_t from_end) { return shape[shape.rank() - from_end]; };
  Sizes size{side(c.shape, 2), side(c.shape, 1), side(a.shape, transpose_a ? 2 : 1)};
  const std::string_view type = cpp_type(c.dtype);
  Statements& code = text.code();
  const auto batch = [](const Shape& shape) { return Shape(std::span(shape.begin(), shape.rank() - 2)); };
  Shape batches = batch(c.shape);
  if (b.shape.numel() == side(b.shape, 1) * side(b.shape, 2) && !transpose_a) {
    size.m *= batches.numel();  // one large product
    batches = Shape{};
  }
  std::string from_a = text.in(0), from_b = text.in(1), to = text.out(0);
  BroadcastLoops loops(batches, batches.rank() == 0 ? std::vector<Shape>()
                                                    : std::vector<Shape>{batch(a.shape), batch(b.shape)});
  const bool is_batched = batches.numel() != 1;
  if (is_batched) {
    loops.open(code);
    const auto at = [&](std::string_view stem, std::string_view of, const std::string& pointer,
                        const std::string& index, std::int64_t elements) {
      std::string name = code.fresh(stem);
      code.line(fmt::format("{}* const {} = {} + ({}) * {};", of, name, pointer, index, elements));
      return name;
    };
    const std::string constant = fmt::format("const {}", type);
    from_a = at("a_at", constant, from_a, loops.index_of(0), side(a.shape, 1) * side(a.shape, 2));
    from_b = at("b_at", constant, from_b, loops.index_of(1), side(b.shape, 1) * side(b.shape, 2));
    to = at("c_at", type, to, loops.index(), side(c.shape, 1) * side(c.shape, 2));
  }
  if (transpose_b && size.m < few_rows && size.n != 1) {
    write_dots(text, size, type, from_a, transpose_a, from_b, to);
  } else {
    // A single row is a column as it lies.
    if (transpose_b && size.n != 1 && size.k != 1) from_b = write_transposed(text, size, b, from_b);
    write_product(text, size, type, from_a, transpose_a, from_b, to);
  }
  if (is_batched) loops.close(code);
}

}  // namespace

std::vector<TextOf> product_texts() { return {{.name = "matmul", .whole = write_matmul}}; }

}  // namespace xtgrad::v1::detail
