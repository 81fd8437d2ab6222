// Texts of what moves elements, and of what makes equal ones.
#include <fmt/format.h>

#include <algorithm>

#include <string>
#include <vector>

#include "xtgrad/autograd/emit/float_types.h"
#include "xtgrad/autograd/emit/loops.h"

namespace xtgrad::inline v1::detail {
namespace {

struct View {
  std::int64_t outer = 1, axis = 1, inner = 1;
};

View view_of(const Shape& shape, std::int64_t axis) {
  View view;
  const auto dim = static_cast<std::size_t>(axis);
  for (std::size_t d = 0; d < dim; ++d) view.outer *= shape[d];
  for (std::size_t d = dim + 1; d < shape.rank(); ++d) view.inner *= shape[d];
  view.axis = shape[dim];
  return view;
}

/// Runs of elements, from one stride to another: `to[o * to_step + to_first + i] op from[...]`.
struct Runs {
  std::int64_t outer, from_first, from_step, to_first, to_step, length;
};

void write_runs(Statements& code, const Runs& runs, const std::string& to, std::string_view assign,
                const std::string& from) {
  if (runs.outer * runs.length == 0) return;
  const std::string o = code.fresh("i"), i = code.fresh("i");
  code.line(fmt::format("for (int {0} = 0; {0} < {1}; ++{0})", o, runs.outer));
  const auto offset = [](std::int64_t first) {
    return first == 0 ? std::string() : fmt::format(" + {}", first);
  };
  code.line(fmt::format(
      "  for (int {0} = 0; {0} < {1}; ++{0}) {2}[{3} * {4} + {0}{5}] {6} {7}[{3} * {8} + {0}{9}];", i,
      runs.length, to, o, runs.to_step, offset(runs.to_first), assign, from, runs.from_step,
      offset(runs.from_first)));
}

void write_fill(Statements& code, const std::string& to, std::int64_t n, const std::string& value) {
  const std::string i = code.fresh("i");
  code.line(fmt::format("for (int {0} = 0; {0} < {1}; ++{0}) {2}[{0}] = {3};", i, n, to, value));
}

void write_permute(const StepView& step, WholeText& text) {
  Statements& code = text.code();
  const std::vector<std::int64_t> order = step.sizes("order");
  const Shape &from = step.in(0).shape, &to = step.out().shape;
  std::vector<std::int64_t> strides(from.rank(), 1), steps;
  for (std::size_t d = from.rank(); d-- > 1;) strides[d - 1] = strides[d] * from[d];
  std::vector<std::string> names;
  std::vector<std::int64_t> out_steps(to.rank(), 1);
  for (std::size_t d = to.rank(); d-- > 1;) out_steps[d - 1] = out_steps[d] * to[d];
  for (std::size_t d = 0; d < to.rank(); ++d) {
    steps.push_back(strides[static_cast<std::size_t>(order[d])]);
    names.push_back(code.fresh("i"));
    code.open(fmt::format("for (int {0} = 0; {0} < {1}; ++{0})", names.back(), to[d]));
  }
  code.line(fmt::format("{}[{}] = {}[{}];", text.out(0), index_text(names, out_steps), text.in(0),
                        index_text(names, steps)));
  for (std::size_t d = 0; d < to.rank(); ++d) code.close();
}

void write_broadcast(const StepView&, ElementText& text) { text.set(0, text.in(0)); }

/// Along an axis: places of the larger array that the smaller one's rows are at.
void write_strided(const StepView& step, WholeText& text, bool adds) {
  const Shape& large = step.in(0).shape;
  const View view = view_of(large, step.integer("axis"));
  const std::int64_t start = step.integer("start"), by = step.integer("step"), count = step.integer("count");
  const std::string small = adds ? text.in(1) : text.out(0), whole = adds ? text.out(0) : text.in(0);
  for (std::int64_t k = 0; k < (by == 1 ? (count == 0 ? 0 : 1) : count); ++k) {
    const std::int64_t length = by == 1 ? count * view.inner : view.inner;
    const Runs runs = adds ? Runs{view.outer,
                                  k * view.inner,
                                  count * view.inner,
                                  (start + k * by) * view.inner,
                                  view.axis * view.inner,
                                  length}
                           : Runs{view.outer,
                                  (start + k * by) * view.inner,
                                  view.axis * view.inner,
                                  k * view.inner,
                                  count * view.inner,
                                  length};
    write_runs(text.code(), runs, adds ? whole : small, adds ? "+=" : "=", adds ? small : whole);
  }
}

void write_slice(const StepView& step, WholeText& text) { write_strided(step, text, false); }

void write_slice_add(const StepView& step, WholeText& text) {
  const std::int64_t n = step.in(0).shape.numel();
  write_runs(text.code(), {1, 0, 0, 0, 0, n}, text.out(0), "=", text.in(0));
  write_strided(step, text, true);
}

/// More places than this are a loop in the file, not a line each.
std::string refuse_many_strides(const StepView& step) {
  constexpr std::int64_t most = 64;
  return step.integer("step") == 1 || step.integer("count") <= most ? "" : "of so many places with a step";
}

void write_pad(const StepView& step, WholeText& text) {
  const View view = view_of(step.in(0).shape, step.integer("axis"));
  const View padded = view_of(step.out().shape, step.integer("axis"));
  write_fill(text.code(), text.out(0), step.out().shape.numel(), "0");
  const std::int64_t low = step.integer("low"), first = std::max<std::int64_t>(0, -low);
  const std::int64_t length = std::min(view.axis - first, padded.axis - std::max<std::int64_t>(0, low));
  if (length <= 0) return;
  write_runs(text.code(),
             {view.outer, first * view.inner, view.axis * view.inner, (low + first) * view.inner,
              padded.axis * view.inner, length * view.inner},
             text.out(0), "=", text.in(0));
}

std::string refuse_interior(const StepView& step) { return step.integer("interior") == 0 ? "" : "with gaps"; }

void write_concat(const StepView& step, WholeText& text) {
  const View whole = view_of(step.out().shape, step.integer("axis"));
  std::int64_t place = 0;
  for (std::size_t k = 0; k < step.inputs(); ++k) {
    const std::int64_t row = view_of(step.in(k).shape, step.integer("axis")).axis * whole.inner;
    write_runs(text.code(), {whole.outer, 0, row, place, whole.axis * whole.inner, row}, text.out(0), "=",
               text.in(k));
    place += row;
  }
  if (!step.has_out(1)) return;
  // Where each begins and ends along the axis.
  std::int64_t end = 0;
  for (std::size_t k = 0; k <= step.inputs(); ++k) {
    text.code().line(fmt::format("{}[{}] = {};", text.out(1), k, end));
    if (k < step.inputs()) end += step.in(k).shape[static_cast<std::size_t>(step.integer("axis"))];
  }
}

void write_pieces(const StepView& step, WholeText& text, const std::vector<std::int64_t>& sizes) {
  const View whole = view_of(step.in(0).shape, step.integer("axis"));
  std::int64_t place = 0;
  for (std::size_t k = 0; k < sizes.size(); ++k) {
    const std::int64_t row = sizes[k] * whole.inner;
    if (step.has_out(k)) {
      write_runs(text.code(), {whole.outer, place, whole.axis * whole.inner, 0, row, row}, text.out(k), "=",
                 text.in(0));
    }
    place += row;
  }
}

void write_split(const StepView& step, WholeText& text) { write_pieces(step, text, step.sizes("sizes")); }

void write_unbind(const StepView& step, WholeText& text) {
  write_pieces(step, text, std::vector<std::int64_t>(step.outputs(), 1));
}

void write_full(const StepView& step, ElementText& text) {
  const double value = step.number("value");
  const Dtype dtype = step.out().dtype;
  if (is_floating(dtype)) return text.set(0, literal_of(dtype, value));
  if (dtype == Dtype::boolean) return text.set(0, literal(value != 0));
  text.set(0, fmt::format("{}", static_cast<long long>(value)));
}

}  // namespace

std::vector<TextOf> shape_texts() {
  std::vector<TextOf> texts{
      {.name = "permute", .whole = write_permute},
      {.name = "transpose", .whole = write_permute},
      {.name = "broadcast_to", .element = write_broadcast},
      {.name = "slice", .whole = write_slice, .refusal = refuse_many_strides},
      {.name = "slice_add", .whole = write_slice_add, .refusal = refuse_many_strides},
      {.name = "pad", .whole = write_pad, .refusal = refuse_interior},
      {.name = "concat", .whole = write_concat},
      {.name = "stack", .whole = write_concat},
      {.name = "split", .whole = write_split},
      {.name = "chunk", .whole = write_split},
      {.name = "unbind", .whole = write_unbind},
  };
  for (const char* name : {"full", "zeros", "ones", "full_like", "zeros_like", "ones_like"})
    texts.push_back({.name = name, .element = write_full});
  return texts;
}

}  // namespace xtgrad::v1::detail
