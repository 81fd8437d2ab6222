#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <initializer_list>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "xtgrad/autograd/core/apply.h"
#include "xtgrad/autograd/core/loaded_checks.h"
#include "xtgrad/autograd/core/number_parts.h"
#include "xtgrad/autograd/kernels/formula.h"
#include "xtgrad/autograd/ops.h"
#include "xtgrad/optim/hyper_math.h"
#include "xtgrad/optim/pending_step.h"
#include "xtgrad/optim/state.h"

namespace xtgrad::inline v1::optim::detail {

// One formula, two evaluators (docs/architecture.md), for updates. An optimizer writes its update once, as a
// callable (p, g, moments...) -> std::tuple(p, moments...) over generic values: on lanes it is one fused pass
// over memory, on tensors it records.

namespace core = xtgrad::detail;

/// A hyperparameter of a rule that is no learning rate: its name, and where its options hold it.
template <class Options>
struct NamedHyper {
  std::string_view name;
  Hyper Options::*field;
};

// A Rule is what an optimizer says of its update: `Options`; `hypers`, an array of NamedHyper; `Flags`, made
// of options, plain values that choose a branch of the formula; `coefficients`, a number;
// `coefficients_of<C>(options, lr, t)`, an array of as many C, which is double on lanes and Hyper on tensors;
// and `Formula<C>`, a callable (p, g, moments...) -> std::tuple(p, moments...) made of coefficients and
// flags. It derives from RuleBase.
//
// A rule may have `scalars`: the last of its moments are then 0-d float64 tensors, one number for all
// elements, on which coefficients depend. `coefficients_of<C>(options, lr, t, scalars)` gets an array of them
// and gives the next ones, after its coefficients.

struct RuleBase {
  static constexpr std::size_t scalars = 0;
  /// Options that coefficients depend on and that are no hyperparameters.
  static void describe_others(Attributes&, auto&) {}
};

/// A rule's coefficients, and its next scalars after them.
template <class Rule, class C>
using Coefficients = std::array<C, Rule::coefficients + Rule::scalars>;

template <class C, class Rule>
Coefficients<Rule, C> coefficients_and_scalars(const typename Rule::Options& options, const Hyper& lr,
                                               std::int64_t step,
                                               [[maybe_unused]] const std::array<C, Rule::scalars>& scalars) {
  if constexpr (Rule::scalars == 0) {
    return Rule::template coefficients_of<C>(options, lr, step);
  } else {
    return Rule::template coefficients_of<C>(options, lr, step, scalars);
  }
}

/// True if update or state want a gradient.
[[nodiscard]] bool wants_gradient(const Update& update, const State& state);

/// True if a step must be recorded: on this thread, something that it is computed from wants a gradient.
template <class Rule>
[[nodiscard]] bool records(const typename Rule::Options& options, const Update& update, const State& state) {
  if (!core::thread_state.records()) return false;
  bool wants = wants_gradient(update, state);
  for (const auto& hyper : Rule::hypers) wants = wants || (options.*hyper.field).requires_grad();
  return wants;
}

/// A 0-d float64 tensor of the value.
[[nodiscard]] Tensor as_float64(const Hyper& hyper);

/// True if the moment's next elements may take the place of its elements.
[[nodiscard]] inline bool can_give(const Tensor& moment) { return core::may_change(core::node_of(moment)); }

/// Makes `next` the moment's elements, unless they have taken the old ones' place.
inline void keep_moment(Tensor& moment, core::Array&& next) {
  if (next.buffer.get() != core::array_of(moment).buffer.get()) moment = core::make_constant(std::move(next));
}

/// Makes the first `count` moments tensors where they are empty, and the next `scalars`.
void fill_moments(State& state, const Tensor& value, std::size_t count, std::size_t scalars);

/// An optimizer's update as a primitive: of the parameter, its gradient, the rule's coefficients (float64
/// [n]) and moments come the next value and the next moments, in one pass. Each may take the place of the one
/// before: with fresh arrays, a step of Adam on a large parameter took 2.2 ns an element instead of 0.9.
template <class Rule, std::size_t Moments>
class StepOf final : public core::ConstantPrimitive<StepOf<Rule, Moments>> {
 public:
  using Flags = typename Rule::Flags;
  StepOf() : flags_(typename Rule::Options{}) {}
  explicit StepOf(const Flags& flags) : flags_(flags) {}

  [[nodiscard]] std::string_view name() const override { return Rule::step_name; }
  void describe(Attributes& a) override {
    flags_.describe(a);
    std::size_t moments = Moments;  // which is the class's, and not the object's
    a("moments", moments, Moments);
  }
  [[nodiscard]] core::Counts counts(core::InputSpecs) const override { return {.outputs = 1 + Moments}; }
  void infer(core::InputSpecs in, core::OutputSpecs out) const override {
    for (core::Spec* one : out) *one = *in[0];
  }
  void eval(core::Inputs in, core::Outputs out) const override {
    run(in, out, std::make_index_sequence<Moments>{});
  }
  [[nodiscard]] std::int64_t flops(core::InputSpecs in, core::InputSpecs) const override {
    return static_cast<std::int64_t>(1 + Moments) * in[0]->shape.numel();
  }
  [[nodiscard]] core::InputSet may_overwrite(int output) const override {
    return output == 0 ? 1U : core::InputSet{1} << (2 + output);
  }
  [[nodiscard]] bool cannot_fail() const override { return true; }
  void check_loaded(core::InputSpecs in, core::InputSpecs out) const override {
    this->require_call(in, out, 3 + Moments);
    require_floating(name(), in.first(1));
    core::require_spec(name(), "the gradient", *in[1], *in[0]);
    core::require_spec(name(), "the coefficients", *in[2],
                       {Shape{static_cast<std::int64_t>(Rule::coefficients)}, Dtype::float64, {}});
    for (const core::Spec* moment : in.subspan(3)) core::require_spec(name(), "a moment", *moment, *in[0]);
  }

 private:
  template <std::size_t... K>
  void run(core::Inputs in, core::Outputs out, std::index_sequence<K...>) const {
    std::array<double, Rule::coefficients> numbers;
    core::visit_floating(in[0]->dtype, [&](auto zero) {
      using T = decltype(zero);
      // An eps that elements would take for 0 still keeps divisors from being 0.
      std::transform(in[2]->data<double>(), in[2]->data<double>() + numbers.size(), numbers.begin(),
                     core::away_from_zero<T>);
      const typename Rule::template Formula<double> formula(numbers, flags_);
      const std::array<const void*, 2 + Moments> from{in[0]->buffer.data(), in[1]->buffer.data(),
                                                      in[3 + K]->buffer.data()...};
      const std::array<void*, 1 + Moments> to{out[0]->buffer.data(), out[1 + K]->buffer.data()...};
      core::run_flat(core::row_formula<T, core::Call, 2 + Moments, 1 + Moments>(formula), in[0]->numel(),
                     sizeof(T), from, to);
    });
  }

  Flags flags_;
};

/// The coefficients of a rule as a primitive of the step's number (int64 []), the learning rate, the scalars,
/// and those hyperparameters that are tensors; the others are attributes. Float64 [n], and the next scalars.
template <class Rule>
class CoefficientsOf final : public core::ConstantPrimitive<CoefficientsOf<Rule>> {
 public:
  using Options = typename Rule::Options;

  explicit CoefficientsOf(const Options& options = {}) : options_(options) {
    for (std::size_t k = 0; k < Rule::hypers.size(); ++k) {
      Hyper& hyper = options_.*Rule::hypers[k].field;
      if (!hyper.is_tensor()) continue;
      from_input_ |= std::int64_t{1} << k;
      hyper = Hyper(0.0);
    }
    options_.lr = Hyper(0.0);
  }

  [[nodiscard]] std::string_view name() const override { return Rule::coefficients_name; }
  void describe(Attributes& a) override {
    for (std::size_t k = 0; k < Rule::hypers.size(); ++k) {
      double number = (options_.*Rule::hypers[k].field).value();
      a(Rule::hypers[k].name, number);
      options_.*Rule::hypers[k].field = Hyper(number);
    }
    a("from_input", from_input_, 0);
    Rule::describe_others(a, options_);
  }
  [[nodiscard]] core::Counts counts(core::InputSpecs) const override {
    return {.outputs = 1 + Rule::scalars};
  }
  void infer(core::InputSpecs, core::OutputSpecs out) const override {
    *out[0] = {Shape{static_cast<std::int64_t>(Rule::coefficients)}, Dtype::float64};
    for (std::size_t k = 0; k < Rule::scalars; ++k) *out[1 + k] = {Shape{}, Dtype::float64};
  }
  void eval(core::Inputs in, core::Outputs out) const override {
    Options options = options_;
    std::array<double, Rule::scalars> scalars;
    for (std::size_t k = 0; k < Rule::scalars; ++k) scalars[k] = *in[2 + k]->data<double>();
    std::size_t next = 2 + Rule::scalars;
    for (std::size_t k = 0; k < Rule::hypers.size(); ++k) {
      if ((from_input_ >> k & 1) != 0) options.*Rule::hypers[k].field = Hyper(*in[next++]->data<double>());
    }
    const auto t = *in[0]->data<std::int64_t>();
    const auto numbers =
        coefficients_and_scalars<double, Rule>(options, Hyper(*in[1]->data<double>()), t, scalars);
    std::copy_n(numbers.begin(), Rule::coefficients, out[0]->mutable_data<double>());
    for (std::size_t k = 0; k < Rule::scalars; ++k) {
      *out[1 + k]->mutable_data<double>() = numbers[Rule::coefficients + k];
    }
  }
  void check_loaded(core::InputSpecs in, core::InputSpecs out) const override {
    core::require_attribute(from_input_ >= 0 && from_input_ >> Rule::hypers.size() == 0, name(), "from_input",
                            "a bit for each hyperparameter that is an input", from_input_);
    const auto tensors = static_cast<std::size_t>(std::popcount(static_cast<std::uint64_t>(from_input_)));
    this->require_call(in, out, 2 + Rule::scalars + tensors);
    core::require_spec(name(), "the step's number", *in[0], {Shape{}, Dtype::int64, {}});
    for (const core::Spec* number : in.subspan(1))
      core::require_spec(name(), "a number", *number, {Shape{}, Dtype::float64, {}});
  }

 private:
  Options options_;
  std::int64_t from_input_ = 0;  // bit k: hyperparameter k is an input
};

/// The coefficients, as an operand of StepOf; moves the rule's scalars, which are the moments from `first`
/// on. Where nobody watches they are computed on the spot.
template <class Rule>
core::Array coefficients_array(const typename Rule::Options& options, const Hyper& lr, State& state,
                               [[maybe_unused]] std::size_t first) {
  std::array<core::Array, 1 + Rule::scalars> results;
  if (core::thread_state.is_watched()) {
    std::vector<Tensor> inputs{state.step.state(), as_float64(lr)};
    for (std::size_t k = 0; k < Rule::scalars; ++k) inputs.push_back(state.moments[first + k]);
    for (const auto& hyper : Rule::hypers) {
      if ((options.*hyper.field).is_tensor()) inputs.push_back(as_float64(options.*hyper.field));
    }
    std::vector<const core::Array*> arrays;
    for (const Tensor& input : inputs) arrays.push_back(&core::array_of(input));
    std::array<core::Array*, 1 + Rule::scalars> out;
    for (std::size_t k = 0; k < out.size(); ++k) out[k] = &results[k];
    core::compute_any(CoefficientsOf<Rule>(options), arrays, out);
  } else {
    std::array<double, Rule::scalars> scalars;
    for (std::size_t k = 0; k < Rule::scalars; ++k) scalars[k] = state.moments[first + k].item();
    const auto numbers = coefficients_and_scalars<double, Rule>(options, lr, state.step, scalars);
    results[0] =
        core::Array::uninitialized(Shape{static_cast<std::int64_t>(Rule::coefficients)}, Dtype::float64);
    std::copy_n(numbers.begin(), Rule::coefficients, results[0].template mutable_data<double>());
    for (std::size_t k = 0; k < Rule::scalars; ++k) {
      results[1 + k] = core::Array::uninitialized(Shape{}, Dtype::float64);
      *results[1 + k].template mutable_data<double>() = numbers[Rule::coefficients + k];
    }
  }
  for (std::size_t k = 0; k < Rule::scalars; ++k) {
    state.moments[first + k] = core::make_constant(std::move(results[1 + k]));
  }
  return std::move(results[0]);
}

/// The parameter after the step; moves the moments in `state` on. Nothing is recorded.
template <class Rule, std::size_t Moments>
Tensor advance_on_lanes(const typename Rule::Options& options, const Update& update, State& state) {
  using core::Array;
  const Array coefficients = coefficients_array<Rule>(options, update.lr, state, Moments);
  const auto run = [&]<std::size_t... K>(std::index_sequence<K...>) {
    std::array<Array, 1 + Moments> results;
    core::InputSet given = update.overwrite ? 1U : 0U;
    ((given |= can_give(state.moments[K]) ? core::InputSet{1} << (3 + K) : 0U), ...);
    core::compute(StepOf<Rule, Moments>(typename Rule::Flags(options)),
                  std::array{&core::array_of(update.value), &core::array_of(update.gradient), &coefficients,
                             &core::array_of(state.moments[K])...},
                  std::array{&results[0], &results[1 + K]...}, given);
    (keep_moment(state.moments[K], std::move(results[1 + K])), ...);
    return core::make_constant(std::move(results[0]));
  };
  return run(std::make_index_sequence<Moments>{});
}

/// The second half of `prepare_on_lanes`: all memory is there.
template <class Rule, std::size_t Moments>
void fill_step(const PendingStep& step, const Update& update, const State& before, const void* options) {
  const typename Rule::Flags flags(*static_cast<const typename Rule::Options*>(options));
  [&]<std::size_t... K>(std::index_sequence<K...>) {
    const std::array<const core::Array*, 3 + Moments> in{&core::array_of(update.value),
                                                         &core::array_of(update.gradient), &step.coefficients,
                                                         &core::array_of(before.moments[K])...};
    const std::array<core::Array*, 1 + Moments> out{&core::node_of(step.value).array,
                                                    &core::node_of(step.state.moments[K]).array...};
    StepOf<Rule, Moments>(flags).eval(in, out);
  }
  (std::make_index_sequence<Moments>{});
}

/// True if the step before in the group has the same coefficients: as a rule all parameters of a group have
/// taken equally many steps. Two powers each, a third of Adam's step on a small parameter.
template <class Rule, std::size_t Moments>
[[nodiscard]] bool has_coefficients(const typename Rule::Options& options, const PendingStep& step) {
  return Rule::scalars == 0 && step.before != nullptr && step.before->fill == fill_step<Rule, Moments> &&
         step.before->options == &options &&
         static_cast<std::int64_t>(step.before->state.step) == static_cast<std::int64_t>(step.state.step);
}

/// Finds memory for what `advance_on_lanes` would compute, and leaves all as it is.
template <class Rule, std::size_t Moments>
void prepare_on_lanes(const typename Rule::Options& options, const Update& update, const State& state,
                      PendingStep& step) {
  const StepOf<Rule, Moments> primitive((typename Rule::Flags(options)));
  [&]<std::size_t... K>(std::index_sequence<K...>) {
    // Before there are further handles on the moments.
    core::InputSet given = update.overwrite ? 1U : 0U;
    ((given |= can_give(state.moments[K]) ? core::InputSet{1} << (3 + K) : 0U), ...);
    step.state = state;
    ++step.state.step;
    step.coefficients = has_coefficients<Rule, Moments>(options, step)
                            ? step.before->coefficients
                            : coefficients_array<Rule>(options, update.lr, step.state, Moments);
    const std::array<const core::Array*, 3 + Moments> in{&core::array_of(update.value),
                                                         &core::array_of(update.gradient), &step.coefficients,
                                                         &core::array_of(state.moments[K])...};
    std::array<core::Array, 1 + Moments> results;
    for (std::size_t k = 0; k < results.size(); ++k) {
      static_cast<core::Spec&>(results[k]) = *in[0];
      core::place_output(primitive, static_cast<int>(k), in, results[k], given);
    }
    (keep_moment(step.state.moments[K], std::move(results[1 + K])), ...);
    step.value = core::make_constant(std::move(results[0]));
  }
  (std::make_index_sequence<Moments>{});
  step.fill = fill_step<Rule, Moments>;
  step.options = &options;
}

/// As `advance_on_lanes`, recorded.
template <class Rule, std::size_t Moments>
Tensor advance_on_tensors(const typename Rule::Options& options, const Update& update, State& state) {
  std::array<Hyper, Rule::scalars> scalars;
  for (std::size_t k = 0; k < Rule::scalars; ++k) scalars[k] = Hyper(state.moments[Moments + k]);
  const auto numbers = coefficients_and_scalars<Hyper, Rule>(options, update.lr, state.step, scalars);
  std::array<Hyper, Rule::coefficients> coefficients;
  std::transform(numbers.begin(), numbers.begin() + Rule::coefficients, coefficients.begin(),
                 [&update](const Hyper& number) { return away_from_zero(number, update.value.dtype()); });
  const typename Rule::template Formula<Hyper> formula(coefficients, typename Rule::Flags(options));
  const auto run = [&]<std::size_t... K>(std::index_sequence<K...>) {
    auto results = formula(update.value, update.gradient, state.moments[K]...);
    ((state.moments[K] = std::move(std::get<1 + K>(results))), ...);
    return std::move(std::get<0>(results));
  };
  Tensor next = run(std::make_index_sequence<Moments>{});
  for (std::size_t k = 0; k < Rule::scalars; ++k) {
    state.moments[Moments + k] = as_float64(numbers[Rule::coefficients + k]);
  }
  return next;
}

/// One step of one parameter by a rule, recorded if something that it is computed from wants a gradient.
template <class Rule, std::size_t Moments>
Tensor advance_with(const typename Rule::Options& options, const Update& update, State& state) {
  fill_moments(state, update.value, Moments, Rule::scalars);
  // The formula takes moments over where it can, and then cannot fail; what has moved before is put back.
  const Counter step = state.step;
  std::array<Tensor, Rule::scalars> scalars;
  for (std::size_t k = 0; k < Rule::scalars; ++k) scalars[k] = state.moments[Moments + k];
  try {
    ++state.step;
    return records<Rule>(options, update, state) ? advance_on_tensors<Rule, Moments>(options, update, state)
                                                 : advance_on_lanes<Rule, Moments>(options, update, state);
  } catch (...) {
    state.step = step;
    for (std::size_t k = 0; k < Rule::scalars; ++k) state.moments[Moments + k] = scalars[k];
    throw;
  }
}

/// Throws ValueError, ShapeError or DtypeError where they do not belong together. The moments are of their
/// parameter's shape and dtype, but for `scalars` of them from `first` on, which are float64 [].
void check_step(std::string_view optimizer, const std::vector<Tensor>& parameters,
                const std::vector<Tensor>& gradients, const std::vector<State>& states, std::size_t first,
                std::size_t scalars);

}  // namespace xtgrad::v1::optim::detail
