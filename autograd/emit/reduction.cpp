// Texts of sums, means and largest elements over axes.
#include <fmt/format.h>

#include <string>
#include <utility>
#include <vector>

#include "xtgrad/autograd/emit/float_types.h"
#include "xtgrad/autograd/emit/loops.h"

namespace xtgrad::inline v1::detail {
namespace {

/// The input's shape with 1 for each reduced dimension.
Shape kept_shape(const Shape& shape, const std::vector<std::int64_t>& axes) {
  Shape kept = shape;
  for (const std::int64_t axis : axes) kept[static_cast<std::size_t>(axis)] = 1;
  return kept;
}

/// The shape of sum_to's result, of the input's rank.
Shape aligned_shape(const Shape& small, const Shape& full) {
  Shape aligned = full;
  for (std::size_t d = 0; d < full.rank(); ++d) {
    const std::size_t lead = full.rank() - small.rank();
    aligned[d] = d < lead ? 1 : small[d - lead];
  }
  return aligned;
}

/// Adds `term` to a sum in double. Of doubles what the addition has rounded off goes to `rest`.
void add_term(Statements& code, Dtype dtype, const std::string& sum, const std::string& rest,
              const std::string& term) {
  if (is_narrow(dtype)) {
    code.line(fmt::format("{} += static_cast<double>({});", sum, term));
    return;
  }
  code.line(fmt::format("const double term = {};", term));
  code.line(fmt::format("const double before = {}, after = before + term, taken = after - before;", sum));
  code.line(fmt::format("{} += (before - (after - taken)) + (term - taken);", rest));
  code.line(fmt::format("{} = after;", sum));
}

/// A sum as an element, with the factor of a mean.
std::string total(Dtype dtype, const std::string& sum, const std::string& rest, double count) {
  // The rest of an infinite sum is NaN.
  const std::string text = is_narrow(dtype) ? fmt::format("static_cast<{}>({})", cpp_type(dtype), sum)
                                            : fmt::format("({1} - {1} == 0 ? {0} + {1} : {0})", sum, rest);
  return count == 0 ? text : fmt::format("{} / {}", text, literal_of(dtype, count));
}

/// A sum over those dimensions of which `kept` has 1, divided by `count` unless that is 0. In double where
/// elements are floats: their order then hardly counts.
void write_sum_of(const StepView& step, WholeText& text, const Shape& kept, double count) {
  Statements& code = text.code();
  const Spec& x = step.in(0);
  const std::string from = text.in(0), to = text.out(0);
  const std::int64_t n = kept.numel();
  const bool compensated = !is_narrow(x.dtype);
  BroadcastLoops loops(x.shape, {kept});
  if (n == 1) {
    code.open("");
    code.line("double sum = 0;");
    if (compensated) code.line("double rest = 0;");
    loops.open(code);
    add_term(code, x.dtype, "sum", "rest", fmt::format("{}[{}]", from, loops.index()));
    loops.close(code);
    code.line(fmt::format("{}[0] = {};", to, total(x.dtype, "sum", "rest", count)));
    code.close();
    return;
  }
  const std::string sums = text.scratch(Dtype::float64, n);
  const std::string rests = compensated ? text.scratch(Dtype::float64, n) : sums;
  const std::string i = code.fresh("i");
  code.line(fmt::format("for (int {0} = 0; {0} < {1}; ++{0}) {2}[{0}] = 0;", i, n, sums));
  if (compensated) code.line(fmt::format("for (int {0} = 0; {0} < {1}; ++{0}) {2}[{0}] = 0;", i, n, rests));
  loops.open(code);
  const std::string at = loops.index_of(0);
  add_term(code, x.dtype, fmt::format("{}[{}]", sums, at), fmt::format("{}[{}]", rests, at),
           fmt::format("{}[{}]", from, loops.index()));
  loops.close(code);
  code.line(
      fmt::format("for (int {0} = 0; {0} < {1}; ++{0}) {2}[{0}] = {3};", i, n, to,
                  total(x.dtype, fmt::format("{}[{}]", sums, i), fmt::format("{}[{}]", rests, i), count)));
}

void write_sum(const StepView& step, WholeText& text) {
  write_sum_of(step, text, kept_shape(step.in(0).shape, step.sizes("axes")), 0);
}

void write_sum_to(const StepView& step, WholeText& text) {
  write_sum_of(step, text, aligned_shape(step.out().shape, step.in(0).shape), 0);
}

void write_mean(const StepView& step, WholeText& text) {
  double count = 1;
  for (const std::int64_t axis : step.sizes("axes"))
    count *= static_cast<double>(step.in(0).shape[static_cast<std::size_t>(axis)]);
  if (count == 0) {  // the mean of nothing
    const std::string i = text.code().fresh("i");
    text.code().line(fmt::format("for (int {0} = 0; {0} < {1}; ++{0}) {2}[{0}] = static_cast<{3}>(NAN);", i,
                                 step.out().shape.numel(), text.out(0), cpp_type(step.out().dtype)));
    return;
  }
  write_sum_of(step, text, kept_shape(step.in(0).shape, step.sizes("axes")), count);
}

void write_amax(const StepView& step, WholeText& text) {
  Statements& code = text.code();
  const Spec& x = step.in(0);
  const Shape kept = kept_shape(x.shape, step.sizes("axes"));
  const std::string from = text.in(0), to = text.out(0), i = code.fresh("i");
  code.line(fmt::format("for (int {0} = 0; {0} < {1}; ++{0}) {2}[{0}] = static_cast<{3}>(-INFINITY);", i,
                        kept.numel(), to, cpp_type(x.dtype)));
  BroadcastLoops loops(x.shape, {kept});
  loops.open(code);
  const std::string element = code.let(cpp_type(x.dtype), fmt::format("{}[{}]", from, loops.index()));
  const std::string largest = fmt::format("{}[{}]", to, loops.index_of(0));
  code.line(fmt::format("if ({0} > {1} || {0} != {0}) {1} = {0};", element, largest));
  loops.close(code);
}

void write_argmax(const StepView& step, WholeText& text) {
  Statements& code = text.code();
  const Shape& shape = step.in(0).shape;
  const auto axis = static_cast<std::size_t>(step.integer("axis"));
  std::int64_t outer = 1, inner = 1;
  for (std::size_t d = 0; d < axis; ++d) outer *= shape[d];
  for (std::size_t d = axis + 1; d < shape.rank(); ++d) inner *= shape[d];
  const std::string o = code.fresh("i"), i = code.fresh("i"), a = code.fresh("i");
  code.open(fmt::format("for (int {0} = 0; {0} < {1}; ++{0})", o, outer));
  code.open(fmt::format("for (int {0} = 0; {0} < {1}; ++{0})", i, inner));
  code.line(fmt::format("const {}* const run = {} + {} * {} + {};", cpp_type(step.in(0).dtype), text.in(0), o,
                        shape[axis] * inner, i));
  code.line("int best = 0;");
  // The first of the largest, or the first NaN.
  code.open(fmt::format("for (int {0} = 1; {0} < {1}; ++{0})", a, shape[axis]));
  code.line(fmt::format("const {0} top = run[best * {1}], next = run[{2} * {1}];", cpp_type(step.in(0).dtype),
                        inner, a));
  code.line(fmt::format("if (top == top && (next > top || next != next)) best = {};", a));
  code.close();
  code.line(fmt::format("{}[{} * {} + {}] = best;", text.out(0), o, inner, i));
  code.close();
  code.close();
}

std::string refuse_integers(const StepView& step) {
  return is_floating(step.in(0).dtype) ? "" : "of " + std::string(to_string(step.in(0).dtype));
}

}  // namespace

std::vector<TextOf> reduction_texts() {
  return {{.name = "sum", .whole = write_sum, .refusal = refuse_integers},
          {.name = "sum_to", .whole = write_sum_to, .refusal = refuse_integers},
          {.name = "mean", .whole = write_mean},
          {.name = "amax", .whole = write_amax, .refusal = refuse_integers},
          {.name = "argmax", .whole = write_argmax, .refusal = refuse_integers}};
}

}  // namespace xtgrad::v1::detail
