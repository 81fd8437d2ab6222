// Texts of softmax and its relatives, along one run of axes.
#include <fmt/format.h>

#include <cmath>
#include <string>
#include <string_view>

#include "xtgrad/autograd/emit/float_types.h"
#include "xtgrad/autograd/emit/text_table.h"
#include "xtgrad/autograd/formulas/reduction.h"
#include "xtgrad/autograd/kernels/levels/softmax_rules.h"
#include "xtgrad/autograd/kernels/reduce.h"

namespace xtgrad::inline v1::detail {
namespace {

/// Loops over the runs of an array that is seen as [outer, axis, inner].
class RunLoops {
 public:
  RunLoops(Statements& code, const AxisView& view)
      : code_(code), view_(view), o_(code.fresh("i")), i_(code.fresh("i")), a_(code.fresh("i")) {
    code_.open(fmt::format("for (int {0} = 0; {0} < {1}; ++{0})", o_, view.outer));
    code_.open(fmt::format("for (int {0} = 0; {0} < {1}; ++{0})", i_, view.inner));
  }
  /// A pointer to the first element of this run.
  void pointer(std::string_view name, std::string_view type, const std::string& array, bool is_const = true) {
    code_.define(name, fmt::format("{}{}* const {} = {} + {} * {} + {};", is_const ? "const " : "", type,
                                   name, array, o_, view_.axis * view_.inner, i_));
  }
  /// The number of this run.
  [[nodiscard]] std::string run() const { return fmt::format("{} * {} + {}", o_, view_.inner, i_); }
  /// One pass over the run; `{}` in the statement is the element's index behind the pointer.
  template <class... Arguments>
  void each(std::string_view statement, const Arguments&... arguments) {
    const std::string at = view_.inner == 1 ? a_ : fmt::format("{} * {}", a_, view_.inner);
    code_.line(fmt::format("for (int {0} = 0; {0} < {1}; ++{0}) {2}", a_, view_.axis,
                           fmt::format(fmt::runtime(statement), at, arguments...)));
  }
  void close() {
    code_.close();
    code_.close();
  }

 private:
  Statements& code_;
  AxisView view_;
  std::string o_, i_, a_;
};

AxisView view_of(const StepView& step, const Shape& shape) {
  return AxisView(shape, static_cast<std::size_t>(step.integer("axis")));
}

AxisMask mask_of(const StepView& step) {
  AxisMask mask = 0;
  for (const std::int64_t axis : step.sizes("axes")) mask |= AxisMask{1} << axis;
  return mask;
}

/// `top`: the largest element of the run at `x`; NaN wins.
void write_top(Statements& code, RunLoops& loops, std::string_view type) {
  code.line(fmt::format("{0} top = static_cast<{0}>(-INFINITY);", type));
  loops.each("if (x[{0}] > top || x[{0}] != x[{0}]) top = x[{0}];");
}

void write_softmax(const StepView& step, WholeText& text) {
  Statements& code = text.code();
  const std::string_view type = cpp_type(step.out().dtype);
  code.open("");
  code.line(fmt::format("using W = {};", wide_type_of(step.out().dtype)));
  RunLoops loops(code, view_of(step, step.in(0).shape));
  loops.pointer("x", type, text.in(0));
  loops.pointer("y", type, text.out(0), false);
  write_top(code, loops, type);
  code.line("W sum = 0;");
  loops.each("sum += static_cast<W>(y[{0}] = std::exp(x[{0}] - top));");
  loops.each("y[{0}] = static_cast<{1}>(static_cast<W>(y[{0}]) / sum);", type);
  loops.close();
  code.close();
}

/// `rest`: the sum of the exponentials but for one of the largest.
void write_rest(Statements& code, RunLoops& loops) {
  code.line("W rest = 0;");
  code.line("bool seen = false;");
  loops.each(
      "{{ if (x[{0}] == top && !seen) seen = true; else rest += static_cast<W>(std::exp(x[{0}] - top)); }}");
}

void write_log_softmax(const StepView& step, WholeText& text) {
  Statements& code = text.code();
  const std::string_view type = cpp_type(step.out().dtype);
  code.open("");
  code.line(fmt::format("using W = {};", wide_type_of(step.out().dtype)));
  RunLoops loops(code, view_of(step, step.in(0).shape));
  loops.pointer("x", type, text.in(0));
  loops.pointer("y", type, text.out(0), false);
  write_top(code, loops, type);
  write_rest(code, loops);
  code.line("const W log_sum = std::log1p(rest);");
  loops.each("y[{0}] = static_cast<{1}>(static_cast<W>(x[{0}] - top) - log_sum);", type);
  loops.close();
  code.close();
}

/// The axes of the first operand as one; over none, each element is a run.
AxisView run_of(const StepView& step) {
  const AxisMask mask = mask_of(step);
  return mask == 0 ? AxisView(step.in(0).shape.numel(), 1, 1) : *one_run(step.in(0).shape, mask);
}

void write_logsumexp(const StepView& step, WholeText& text) {
  Statements& code = text.code();
  const std::string_view type = cpp_type(step.out().dtype);
  code.open("");
  code.line(fmt::format("using W = {};", wide_type_of(step.out().dtype)));
  const AxisView view = run_of(step);
  RunLoops loops(code, view);
  loops.pointer("x", type, text.in(0));
  write_top(code, loops, type);
  write_rest(code, loops);
  const std::string run = loops.run();
  code.line(fmt::format("const bool endless = top - top != 0;  // infinite, or NaN"));
  code.line(fmt::format("{}[{}] = endless ? top : static_cast<{}>(static_cast<W>(top) + std::log1p(rest));",
                        text.out(0), run, type));
  if (step.has_out(1) && step.out(1).shape.numel() != 0) {
    code.line(fmt::format("{}[{}] = static_cast<double>(top);", text.out(1), run));
    code.line(fmt::format("{}[{} + {}] = static_cast<double>(1 + rest);", text.out(1),
                          view.outer * view.inner, run));
  }
  loops.close();
  code.close();
}

std::string refuse_several_runs(const StepView& step) {
  return mask_of(step) == 0 || one_run(step.in(0).shape, mask_of(step))
             ? ""
             : "over axes that are no neighbours, or of nothing";
}

/// The recorded rule is a formula of the softmax; the other one reads what the values have left.
void write_recorded_rule(const StepView& step, ElementText& text) {
  visit_floating(step.out().dtype, [&](auto zero) {
    using T = decltype(zero);
    text.set(0, formulas::LogSumExp::rule_a(text.term<T>(0), text.term<T>(1), text.term<T>(2)));
  });
}

/// g e^(x - largest) / sum, of the scales that logsumexp has left.
void write_logsumexp_rule(const StepView& step, WholeText& text) {
  Statements& code = text.code();
  const std::string_view type = cpp_type(step.out().dtype);
  code.open("");
  code.line(fmt::format("using W = {};", wide_type_of(step.out().dtype)));
  const AxisView view = *one_run(step.in(1).shape, mask_of(step));
  RunLoops loops(code, view);
  loops.pointer("x", type, text.in(1));
  loops.pointer("y", type, text.out(0), false);
  const std::string run = loops.run();
  code.line(fmt::format("const {0} top = static_cast<{0}>({1}[{2}]);", type, text.in(2), run));
  code.line(fmt::format("const W share = static_cast<W>({}[{}]) / {}[{} + {}];", text.in(0), run, text.in(2),
                        view.outer * view.inner, run));
  loops.each("y[{0}] = static_cast<{1}>(share * static_cast<W>(std::exp(x[{0}] - top)));", type);
  loops.close();
  code.close();
}

std::string refuse_other_runs(const StepView& step) {
  return one_run(step.in(1).shape, mask_of(step)) ? "" : "over axes that are no neighbours";
}

/// The probability that outweighs the others, if one does: their part of the cotangent is counted from its.
void write_softmax_rule(const StepView& step, WholeText& text) {
  Statements& code = text.code();
  const std::string_view type = cpp_type(step.out().dtype);
  code.open("");
  code.line(fmt::format("using W = {};", wide_type_of(step.out().dtype)));
  RunLoops loops(code, view_of(step, step.in(0).shape));
  loops.pointer("g", type, text.in(0));
  loops.pointer("p", type, text.in(1));
  loops.pointer("y", type, text.out(0), false);
  code.line("W first = 0, sum = 0;");
  loops.each("if (p[{0}] > {1}) first = static_cast<W>(g[{0}]);",
             literal(static_cast<float>(dominant_probability)));
  loops.each("sum += (static_cast<W>(g[{0}]) - first) * static_cast<W>(p[{0}]);");
  loops.each("y[{0}] = static_cast<{1}>(static_cast<W>(p[{0}]) * (static_cast<W>(g[{0}]) - first - sum));",
             type);
  loops.close();
  code.close();
}

/// g - p sum(g), where p is e^y; of a p near 1 what it lacks is the others' sum.
void write_log_softmax_rule(const StepView& step, WholeText& text) {
  Statements& code = text.code();
  const std::string_view type = cpp_type(step.out().dtype);
  code.open("");
  code.line(fmt::format("using W = {};", wide_type_of(step.out().dtype)));
  RunLoops loops(code, view_of(step, step.in(0).shape));
  loops.pointer("g", type, text.in(0));
  loops.pointer("x", type, text.in(1));
  loops.pointer("y", type, text.out(0), false);
  const std::string limit = literal(static_cast<float>(std::log(dominant_probability)));
  code.line("W sum = 0, others = 0, rest = 0;");
  loops.each("sum += static_cast<W>(g[{0}]);");
  loops.each(
      "if (!(x[{0}] > {1})) {{ others += static_cast<W>(g[{0}]); rest += std::exp(static_cast<W>(x[{0}])); "
      "}}",
      limit);
  loops.each(
      "{{ const W w = static_cast<W>(g[{0}]), p = std::exp(static_cast<W>(x[{0}])); "
      "y[{0}] = static_cast<{1}>(x[{0}] > {2} ? w * rest - p * others : w - p * sum); }}",
      type, limit);
  loops.close();
  code.close();
}

/// Of each run its class; the exponentials and their sum are what the rule reads.
void write_cross_entropy(const StepView& step, WholeText& text) {
  Statements& code = text.code();
  const std::string_view type = cpp_type(step.out().dtype);
  code.open("");
  code.line(fmt::format("using W = {};", wide_type_of(step.out().dtype)));
  const AxisView view = view_of(step, step.in(0).shape);
  RunLoops loops(code, view);
  const std::string run = loops.run();
  const bool keeps = step.has_out(1);
  loops.pointer("x", type, text.in(0));
  if (keeps) loops.pointer("e", type, text.out(1), false);
  code.line(fmt::format("const long long label = {}[{}];", text.in(1), run));
  text.refuse_if(fmt::format("label < 0 || label >= {}", view.axis));
  code.line(fmt::format("const int own = static_cast<int>(label) * {};", view.inner));
  write_top(code, loops, type);
  code.line("W others = 0;");
  if (keeps) {
    loops.each("{{ e[{0}] = std::exp(x[{0}] - top); if ({0} != own) others += static_cast<W>(e[{0}]); }}");
  } else {
    loops.each("if ({0} != own) others += static_cast<W>(std::exp(x[{0}] - top));");
  }
  code.line("const W below = static_cast<W>(top) - static_cast<W>(x[own]);");
  code.line("const W of_own = static_cast<W>(std::exp(x[own] - top));");
  // Where the class has the largest logit its loss is what the others add, however little that is.
  code.line(fmt::format(
      "{}[{}] = static_cast<{}>(below + (x[own] == top ? std::log1p(others) : std::log(others + of_own)));",
      text.out(0), run, type));
  if (keeps) {
    code.line(fmt::format("{}[{}] = static_cast<double>(others + of_own);", text.out(2), run));
    code.line(fmt::format("e[own] = static_cast<{}>(-others);", type));
  }
  loops.close();
  code.close();
}

void write_cross_entropy_rule(const StepView& step, WholeText& text) {
  Statements& code = text.code();
  const std::string_view type = cpp_type(step.out().dtype);
  code.open("");
  code.line(fmt::format("using W = {};", wide_type_of(step.out().dtype)));
  RunLoops loops(code, view_of(step, step.in(1).shape));
  const std::string run = loops.run();
  loops.pointer("e", type, text.in(1));
  loops.pointer("y", type, text.out(0), false);
  code.line(
      fmt::format("const W share = static_cast<W>({}[{}]) / {}[{}];", text.in(0), run, text.in(2), run));
  loops.each("y[{0}] = static_cast<{1}>(static_cast<W>(e[{0}]) * share);", type);
  loops.close();
  code.close();
}

}  // namespace

std::vector<TextOf> softmax_texts() {
  return {{.name = "softmax", .whole = write_softmax},
          {.name = "softmax.rule1", .whole = write_softmax_rule},
          {.name = "log_softmax", .whole = write_log_softmax},
          {.name = "log_softmax.rule1", .whole = write_log_softmax_rule},
          {.name = "logsumexp", .whole = write_logsumexp, .refusal = refuse_several_runs},
          {.name = "logsumexp.rule0", .element = write_recorded_rule},
          {.name = "logsumexp.row_rule0", .whole = write_logsumexp_rule, .refusal = refuse_other_runs},
          {.name = "softmax_cross_entropy", .whole = write_cross_entropy, .refuses = true},
          {.name = "softmax_cross_entropy.rule0", .whole = write_cross_entropy_rule}};
}

}  // namespace xtgrad::v1::detail
