// The loss of connectionist temporal classification.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <limits>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "xtgrad/autograd/core/apply.h"
#include "xtgrad/autograd/core/loaded_checks.h"
#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/functions/sequence.h"
#include "xtgrad/autograd/kernels/ctc.h"
#include "xtgrad/autograd/ops.h"
#include "xtgrad/autograd/ops/batching.h"
#include "xtgrad/autograd/ops/cast.h"
#include "xtgrad/autograd/ops/checks.h"
#include "xtgrad/autograd/ops/index_range.h"
#include "xtgrad/autograd/ops/rule.h"
#include "xtgrad/autograd/ops/shape.h"

namespace xtgrad::inline v1 {
namespace detail { namespace {

constexpr OpId op_id = OpId::ctc_loss;

/// How many states there are, of all items; see CtcTargets.
std::int64_t states_of(const Shape& targets, std::int64_t items) { return 2 * targets.numel() + items; }

void check_shapes(const Shape& log_p, const Spec& targets, const Spec& input_lengths,
                  const Spec& target_lengths, std::int64_t blank) {
  const std::string_view name = to_string(op_id);
  if (log_p.rank() != 3) {
    throw ShapeError(
        fmt::format("{}: log_probabilities must be [steps, n, classes]: got {}", name, to_string(log_p)));
  }
  const std::int64_t items = log_p[1];
  for (const auto& [what, lengths] : {std::pair{"input_lengths", &input_lengths.shape},
                                      std::pair{"target_lengths", &target_lengths.shape}}) {
    if (*lengths == Shape{items}) continue;
    throw ShapeError(fmt::format("{}: {} must be [{}], one for each item of log_probabilities: got {}", name,
                                 what, items, to_string(*lengths)));
  }
  const Shape& labels = targets.shape;
  if (labels.rank() != 1 && !(labels.rank() == 2 && labels[0] == items)) {
    throw ShapeError(
        fmt::format("{}: targets must be [{}, most], padded, or one after the other in one dimension: got {}",
                    name, items, to_string(labels)));
  }
  if (blank < 0 || blank >= log_p[2]) {
    throw ValueError(fmt::format("{}: blank must be one of the {} classes: got {}", name, log_p[2], blank));
  }
}

void check_lengths(std::string_view what, const Array& lengths, std::int64_t most) {
  const auto* values = lengths.data<std::int64_t>();
  for (std::int64_t i = 0; i < lengths.numel(); ++i) {
    if (values[i] >= 0 && values[i] <= most) continue;
    throw ValueError(fmt::format("{}: {} must be from 0 to {}: got {} at [{}]", to_string(op_id), what, most,
                                 values[i], i));
  }
}

/// What the kernels are given, of arrays in the order of the inputs; checked.
CtcTargets checked_targets(Inputs in, std::int64_t blank) {
  const Shape& log_p = in[0]->shape;
  const Array& labels = *in[1];
  const bool padded = labels.shape.rank() == 2;
  check_lengths("input_lengths", *in[2], log_p[0]);
  check_lengths("target_lengths", *in[3], padded ? labels.shape[1] : labels.numel());
  const CtcTargets targets{.blank = blank,
                           .items = log_p[1],
                           .row = padded ? labels.shape[1] : -1,
                           .labels = labels.data<std::int64_t>(),
                           .input_lengths = in[2]->data<std::int64_t>(),
                           .target_lengths = in[3]->data<std::int64_t>()};
  std::int64_t total = 0;
  for (std::int64_t i = 0; i < targets.items; ++i) total += targets.target_lengths[i];
  if (!padded && total != labels.numel()) {
    throw ValueError(fmt::format("{}: the sum of target_lengths must be the number of targets: {} and {}",
                                 to_string(op_id), total, labels.numel()));
  }
  targets.for_each_item([&](std::int64_t item, const std::int64_t* label, std::int64_t) {
    for (std::int64_t k = 0; k < targets.target_lengths[item]; ++k) {
      if (label[k] >= 0 && label[k] < log_p[2] && label[k] != blank) continue;
      throw ValueError(
          fmt::format("{}: a label must be one of the {} classes, and not blank, which is {}: label {} of "
                      "item {} is {}",
                      to_string(op_id), log_p[2], blank, k, item, label[k]));
    }
  });
  return targets;
}

/// The states of all items in one row, as indices to compute with: what a rule that is recorded is made of.
/// Place m + 1 of a row with another element in front is state m, and place 0 is no state.
class CtcStates final : public ConstantPrimitive<CtcStates> {
 public:
  enum Output : std::size_t { emissions, before, behind, items, last, first, ends, outputs };

  explicit CtcStates(std::int64_t blank = 0) : blank_(blank) {}

  [[nodiscard]] std::string_view name() const override { return "ctc_loss.states"; }
  void describe(Attributes& a) override { a("blank", blank_); }
  [[nodiscard]] Counts counts(InputSpecs) const override { return {outputs, 0}; }
  void infer(InputSpecs in, OutputSpecs out) const override {
    const std::int64_t n = in[0]->shape[1], states = states_of(in[1]->shape, n);
    *out[emissions] = {Shape{states}, Dtype::int64};  // of its class, in a row of [n, classes]
    *out[before] = {Shape{3 * states}, Dtype::int64};
    *out[behind] = {Shape{3 * states}, Dtype::int64};
    *out[items] = {Shape{states}, Dtype::int64};
    *out[last] = {Shape{2 * n}, Dtype::int64};      // the two that paths may end in
    *out[first] = {Shape{states}, Dtype::float64};  // log of 1 where paths begin, of 0 elsewhere
    *out[ends] = {Shape{states}, Dtype::float64};   // the same where they end
  }
  void eval(Inputs in, Outputs out) const override {
    const CtcTargets targets = checked_targets(in, blank_);
    const std::int64_t states = out[items]->numel(), classes = in[0]->shape[2];
    for (const Output each : {emissions, before, behind, items, last})
      std::fill_n(out[each]->mutable_data<std::int64_t>(), out[each]->numel(), 0);
    for (const Output each : {first, ends})
      std::fill_n(out[each]->mutable_data<double>(), states, -std::numeric_limits<double>::infinity());
    const auto ints = [&](Output each) { return out[each]->mutable_data<std::int64_t>(); };
    targets.for_each_item([&](std::int64_t item, const std::int64_t* labels, std::int64_t start) {
      const std::int64_t count = 2 * targets.target_lengths[item] + 1;
      out[first]->mutable_data<double>()[start] = 0;
      for (std::int64_t s = 0; s < count; ++s) {
        const std::int64_t m = start + s;
        const bool is_label = s % 2 == 1;
        ints(items)[m] = item;
        ints(emissions)[m] = item * classes + (is_label ? labels[s / 2] : blank_);
        ints(before)[m] = ints(behind)[m] = m + 1;
        if (s > 0) connect(ints(before), ints(behind), states, m - 1, m);
        if (is_label && s > 1 && labels[s / 2] != labels[s / 2 - 1])
          connect(ints(before) + states, ints(behind) + states, states, m - 2, m);
        if (s < count - 2) continue;
        out[ends]->mutable_data<double>()[m] = 0;
        ints(last)[(count - 1 - s) * targets.items + item] = m + 1;
      }
    });
  }
  void check_loaded(InputSpecs in, InputSpecs out) const override {
    require_call(in, out, 4, true);
    for (std::size_t i = 1; i < 4; ++i) require_dtype(name(), "a target", *in[i], Dtype::int64);
    check_shapes(in[0]->shape, *in[1], *in[2], *in[3], blank_);
  }

 private:
  static void connect(std::int64_t* before, std::int64_t* behind, std::int64_t states, std::int64_t from,
                      std::int64_t to) {
    before[states + to] = from + 1;
    behind[states + from] = to + 1;
  }

  std::int64_t blank_;
};

/// Sums over paths in log space, state by state, made of operations that have derivatives.
class RecordedPaths {
 public:
  RecordedPaths(const Tensor& log_p, std::span<const Tensor> parts, const Tensor& input_lengths)
      : steps_(log_p.size(0)), states_(parts[CtcStates::items].numel()), parts_(parts) {
    const Tensor rows = reshaped(cast(log_p, Dtype::float64), {steps_, log_p.size(1) * log_p.size(2)});
    emissions_ = unbind(index_select(rows, 1, parts[CtcStates::emissions]));
    const Tensor lengths = index_select(input_lengths, 0, parts[CtcStates::items]);
    active_ = reshaped(arange(steps_), {steps_, 1}) < reshaped(lengths, {1, states_});
    active_rows_ = unbind(active_);
  }

  /// The share of each state's paths in the item's probability, [steps, states].
  [[nodiscard]] Tensor shares() const {
    std::vector<Tensor> alphas(static_cast<std::size_t>(steps_)), betas = alphas;
    Tensor row = parts_[CtcStates::first];
    for (std::size_t t = 0; t < alphas.size(); ++t) {
      row = where(active_rows_[t], sum_of(row, parts_[CtcStates::before]) + emissions_[t], row);
      alphas[t] = row;
    }
    const Tensor total = logsumexp(reshaped(index_select(with_none(row), 0, parts_[CtcStates::last]),
                                            {2, parts_[CtcStates::last].numel() / 2}),
                                   {.axes = 0});
    row = parts_[CtcStates::ends];
    for (std::size_t t = betas.size(); t-- > 0;) {
      betas[t] = row;
      row = where(active_rows_[t], sum_of(row + emissions_[t], parts_[CtcStates::behind]), row);
    }
    // Of no path each share is 0.
    const Tensor some = where(total == impossible, 0, total);
    const Tensor log_share = stack(alphas) + stack(betas) - index_select(some, 0, parts_[CtcStates::items]);
    return where(active_, exp(log_share), 0);
  }

 private:
  static constexpr double impossible = -std::numeric_limits<double>::infinity();

  static Tensor with_none(const Tensor& row) {
    return concat({full({1}, impossible, {.dtype = Dtype::float64}), row});
  }
  /// Of the three neighbours that `places` has for each state.
  [[nodiscard]] Tensor sum_of(const Tensor& row, const Tensor& places) const {
    return logsumexp(reshaped(index_select(with_none(row), 0, places), {3, states_}), {.axes = 0});
  }

  std::int64_t steps_, states_;
  std::span<const Tensor> parts_;
  std::vector<Tensor> emissions_, active_rows_;
  Tensor active_;
};

/// The gradient in one pass over the steps, backwards, of g, the loss's inputs and its sums.
class CtcRule final : public ConstantPrimitive<CtcRule> {
 public:
  explicit CtcRule(std::int64_t blank = 0) : blank_(blank) {}

  [[nodiscard]] std::string_view name() const override { return "ctc_loss.rule0"; }
  void describe(Attributes& a) override { a("blank", blank_); }
  void infer(InputSpecs in, OutputSpecs out) const override { *out[0] = *in[1]; }
  void eval(Inputs in, Outputs out) const override {
    ctc_gradient(*in[0], *in[1], checked_targets(in.subspan(1, 4), blank_), *in[5], *out[0]);
  }
  /// As the loss, and an exponential and two sums for each state.
  [[nodiscard]] std::int64_t flops(InputSpecs in, InputSpecs) const override {
    return 12 * in[5]->shape.numel();
  }
  void check_loaded(InputSpecs in, InputSpecs out) const override {
    require_call(in, out, 6);
    require_floating(name(), in.first(2));
    for (std::size_t i = 2; i < 5; ++i) require_dtype(name(), "a target", *in[i], Dtype::int64);
    const Shape& log_p = in[1]->shape;
    check_shapes(log_p, *in[2], *in[3], *in[4], blank_);
    require_spec(name(), "g", *in[0], {Shape{log_p[1]}, in[1]->dtype, {}});
    require_spec(name(), "sums", *in[5],
                 {Shape{log_p[0] * states_of(in[2]->shape, log_p[1])}, Dtype::float64, {}});
  }

 private:
  std::int64_t blank_;
};

/// Inputs: log probabilities, targets, input_lengths, target_lengths. Its auxiliary are the sums over the
/// beginnings of paths. Two rules: where nothing records, one kernel goes over the steps backwards; the
/// recorded rule makes all sums functions of the log probabilities again.
class CtcLoss final : public PrimitiveOf<CtcLoss, op_id> {
 public:
  static constexpr std::size_t auxiliaries = 1;
  explicit CtcLoss(std::int64_t blank = 0) : blank_(blank) {}

  void describe(Attributes& a) override { a("blank", blank_); }
  [[nodiscard]] Reads reads(Wanted) const override {
    return input_bit(0) | input_bit(1) | input_bit(2) | input_bit(3);
  }
  void infer(InputSpecs in, OutputSpecs out) const override {
    check_floating(op, *in[0]);
    for (std::size_t i = 1; i < 4; ++i) check_index_dtype(op, *in[i]);
    const Shape& log_p = in[0]->shape;
    check_shapes(log_p, *in[1], *in[2], *in[3], blank_);
    *out[0] = {Shape{log_p[1]}, in[0]->dtype};
    *out[1] = {Shape{log_p[0] * states_of(in[1]->shape, log_p[1])}, Dtype::float64};
  }
  void eval(Inputs in, Outputs out) const override {
    ctc_losses(*in[0], checked_targets(in, blank_), *out[0], out[1]);
  }
  /// A largest, two differences, two exponentials, a logarithm and two sums for each state.
  [[nodiscard]] std::int64_t flops(InputSpecs in, InputSpecs) const override {
    return 8 * in[0]->shape[0] * states_of(in[1]->shape, in[0]->shape[1]);
  }
  /// Examples' items are items like any others; not of labels one after the other, of which each example has
  /// its own number.
  [[nodiscard]] bool batch(BatchContext& context) const override {
    if (example_rank(context.input(1)) != 2) return false;
    return batch_by_merging(*this, context, {1, 0, 0, 0}, {0});
  }
  void check_loaded(InputSpecs in, InputSpecs out) const override { require_call(in, out, 4); }

  void vjp(VjpContext& context) const override {
    if (!context.wanted(0)) return;
    const Tensor& g = context.g();
    if (!thread_state.records() || !(wants_gradient(g) || wants_gradient(context.input(0)))) {
      Array gradient;
      compute(CtcRule(blank_),
              std::array{&array_of(g), &context.input(0).array(), &context.input(1).array(),
                         &context.input(2).array(), &context.input(3).array(), &context.auxiliary()},
              std::array{&gradient});
      context.set(0, make_constant(std::move(gradient)));
      return;
    }
    const Tensor log_p = context.input(0), lengths = context.input(2);
    const Shape& shape = log_p.shape();
    if (shape.numel() == 0) return context.set(0, zeros(shape, {.dtype = g.dtype()}));
    const std::vector<Tensor> parts =
        run_all(CtcStates(blank_), {log_p.detach(), context.input(1), lengths, context.input(3)});
    const Tensor shares = RecordedPaths(log_p, parts, lengths).shares();
    const Tensor factors = index_select(cast(neg(g), Dtype::float64), 0, parts[CtcStates::items]);
    const Tensor none = zeros({shape[0], shape[1] * shape[2]}, {.dtype = Dtype::float64});
    const Tensor gradient = index_add(none, 1, parts[CtcStates::emissions], shares * factors);
    context.set(0, cast(reshaped(gradient, shape), g.dtype()));
  }

 private:
  std::int64_t blank_;
};

}}  // namespace detail

Tensor ctc_loss(const Tensor& log_probabilities, const Tensor& targets, const Tensor& input_lengths,
                const Tensor& target_lengths, const CtcOptions& options) {
  return detail::apply(detail::CtcLoss(options.blank), log_probabilities, detail::widened(targets),
                       detail::widened(input_lengths), detail::widened(target_lengths));
}

}  // namespace xtgrad::v1
