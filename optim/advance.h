#pragma once

#include <array>
#include <cstddef>
#include <initializer_list>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "xtgrad/autograd/core/node.h"
#include "xtgrad/autograd/kernels/map.h"
#include "xtgrad/autograd/ops.h"
#include "xtgrad/optim/hyper_math.h"
#include "xtgrad/optim/state.h"

namespace xtgrad::inline v1::optim::detail {

// One formula, two evaluators (DESIGN, section 4), for updates. An optimizer writes its update once, as a
// callable (p, g, moments...) -> std::tuple(p, moments...) over generic values: on lanes it is one fused pass
// over memory, on tensors it records.

namespace core = xtgrad::detail;

/// True if a step must be recorded: on this thread, something that it is computed from wants a gradient.
[[nodiscard]] bool records(const Update& update, const State& state,
                           std::initializer_list<const Hyper*> hypers);

/// True if overwriting this tensor's elements cannot be seen by anyone else.
[[nodiscard]] inline bool is_private(const core::Node& node) {
  return node.values.load() == 1 && node.refs.load() == 1 && node.array.buffer.unique() &&
         !node.requires_grad();
}

/// Makes the first `count` moments tensors where they are empty.
void fill_moments(State& state, const Tensor& value, std::size_t count);

/// Where the next elements of a moment go: over the old ones if nobody else can see those, else into a fresh
/// array.
template <class T>
T* place_for_next(const Tensor& moment, core::Array& fresh) {
  core::Node& node = core::node_of(moment);
  if (is_private(node)) return node.array.mutable_data<T>();
  fresh = core::Array::uninitialized(node.array.shape, node.array.dtype);
  return fresh.mutable_data<T>();
}

/// The parameter after the step; moves the moments in `state` on. Writes in place what nobody else can see:
/// with fresh arrays, a step of Adam on a large parameter took 2.2 ns an element instead of 0.9. Nothing is
/// recorded.
template <std::size_t Moments, class Formula>
Tensor advance_on_lanes(const Formula& formula, const Update& update, State& state) {
  using core::Array;
  constexpr std::size_t inputs = 2 + Moments;
  constexpr std::size_t outputs = 1 + Moments;
  const Array& before = core::array_of(update.value);
  Array after = update.overwrite ? before : Array::uninitialized(before.shape, before.dtype);
  std::array<Array, Moments> fresh;  // stays empty where a moment is overwritten
  const auto run = [&]<std::size_t... K>(auto zero, std::index_sequence<K...>) {
    using T = decltype(zero);
    const std::array<const Array*, inputs> in{&before, &core::array_of(update.gradient),
                                              &core::array_of(state.moments[K])...};
    const std::array<T*, outputs> out{after.template mutable_data<T>(),
                                      place_for_next<T>(state.moments[K], fresh[K])...};
    core::map_same<T, Formula, inputs, outputs>(formula, in, out, before.numel());
    ((fresh[K].buffer ? void(state.moments[K] = core::make_constant(std::move(fresh[K]))) : void()), ...);
  };
  core::visit_floating(before.dtype, [&](auto zero) { run(zero, std::make_index_sequence<Moments>{}); });
  return core::make_constant(std::move(after));
}

/// As `advance_on_lanes`, recorded.
template <std::size_t Moments, class Formula>
Tensor advance_on_tensors(const Formula& formula, const Update& update, State& state) {
  const auto run = [&]<std::size_t... K>(std::index_sequence<K...>) {
    auto results = formula(update.value, update.gradient, state.moments[K]...);
    ((state.moments[K] = std::move(std::get<1 + K>(results))), ...);
    return std::move(std::get<0>(results));
  };
  return run(std::make_index_sequence<Moments>{});
}

/// Throws ValueError, ShapeError or DtypeError where they do not belong together.
void check_step(std::string_view optimizer, const std::vector<Tensor>& parameters,
                const std::vector<Tensor>& gradients, const std::vector<State>& states);

/// The pure form for a list of parameters: checks counts, shapes and dtypes, and calls
/// `advance(update, state)`, which returns the new value, for each parameter that has a gradient.
/// The others, and their states, stay as they are.
template <class Advance>
Stepped step_all(std::string_view optimizer, const Hyper& lr, const std::vector<Tensor>& parameters,
                 const std::vector<Tensor>& gradients, const std::vector<State>& states,
                 const Advance& advance) {
  check_step(optimizer, parameters, gradients, states);
  Stepped result{parameters, states};
  result.states.resize(parameters.size());
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    if (!gradients[i].defined()) continue;
    result.parameters[i] = advance(Update{lr, parameters[i], gradients[i]}, result.states[i]);
  }
  return result;
}

}  // namespace xtgrad::inline v1::optim::detail
