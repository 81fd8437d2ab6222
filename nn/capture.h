#pragma once

#include <array>
#include <cstddef>
#include <memory>
#include <optional>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include "xtgrad/autograd/callable.h"
#include "xtgrad/autograd/counter.h"
#include "xtgrad/autograd/export.h"
#include "xtgrad/autograd/program.h"
#include "xtgrad/autograd/random.h"
#include "xtgrad/autograd/tensor.h"
#include "xtgrad/autograd/tensors_in.h"
#include "xtgrad/nn/parameter.h"
#include "xtgrad/nn/plain_values.h"
#include "xtgrad/nn/stateful.h"

namespace xtgrad { inline namespace XTGRAD_PUBLIC v1 {

/// Something that a captured function changes, or that changes between its calls: a model, an optimizer or
/// anything else with `members`, a random stream, a counter, a parameter, or a leaf that gets a gradient.
/// Refers to it: it must stay where it is for as long as the captured function lives.
class CapturedState {
 public:
  // NOLINTBEGIN(google-explicit-constructor): they are written as a list, {&model, &adam}
  CapturedState(nn::Stateful* object) : object_(object) {}
  CapturedState(Random* stream) : stream_(stream) {}
  CapturedState(Counter* counter) : counter_(counter) {}
  CapturedState(const nn::Parameter* parameter)
      : parameter_(parameter == nullptr ? nn::ParameterRef() : parameter->cell()) {}
  CapturedState(nn::ParameterRef parameter) : parameter_(std::move(parameter)) {}
  CapturedState(const Tensor& leaf) : leaf_(leaf) {}
  // NOLINTEND(google-explicit-constructor)

  // For the library alone; one of them is there.
  [[nodiscard]] nn::Stateful* object() const { return object_; }
  [[nodiscard]] Random* stream() const { return stream_; }
  [[nodiscard]] Counter* counter() const { return counter_; }
  [[nodiscard]] const nn::ParameterRef& parameter() const& { return parameter_; }
  [[nodiscard]] const Tensor& leaf() const& { return leaf_; }

 private:
  nn::Stateful* object_ = nullptr;
  Random* stream_ = nullptr;
  Counter* counter_ = nullptr;
  nn::ParameterRef parameter_ = nullptr;
  Tensor leaf_ = {};
};

namespace detail {
class XTGRAD_LOCAL CapturedRun;
}

/// What a Captured runs: a function's tensors by number, whatever its signature. For programs that know a
/// signature only when they run; for others `capture` finds the tensors in arguments and results.
class CapturedCall {
 public:
  /// Calls f three times, which reads the tensors that `inputs` points at and returns where it has put its
  /// results; both must stay where they are until this returns, and hold nothing then. Throws as `capture`.
  CapturedCall(const Callable<std::vector<Tensor*>()>& f, std::vector<Tensor*> inputs,
               const std::vector<CapturedState>& state);
  ~CapturedCall();
  CapturedCall(CapturedCall&&) noexcept;
  CapturedCall& operator=(CapturedCall&&) noexcept;

  [[nodiscard]] const Program& program() const&;
  /// The next input, in order, which must stay until the run. Throws ShapeError where it differs in shape or
  /// dtype from that of the capture, GraphError for one that wants a gradient where that one did not.
  void give(const Tensor& input);
  /// After all inputs: runs the program, and leaves the state as the function would.
  void run();
  /// A result of the last run, once.
  [[nodiscard]] Tensor result(std::size_t number);
  /// Throws ValueError: an argument that is no tensor has another value than when the function was captured.
  [[noreturn]] static void throw_other_value();

 private:
  std::unique_ptr<detail::CapturedRun> run_;
};

/// A function that was run once and is replayed; see `capture`.
template <class Result, class... Inputs>
class Captured {
 public:
  /// What the function would return, and do to the state, to the bit.
  Result operator()(const Inputs&... inputs) {
    if (!detail::same_plain_values(inputs_, std::tie(inputs...))) CapturedCall::throw_other_value();
    (detail::for_each_tensor(const_cast<Inputs&>(inputs), [&](const Tensor& tensor) { call_->give(tensor); }),
     ...);
    call_->run();
    if constexpr (!std::is_void_v<Result>) {
      Result result = *result_;
      std::size_t number = 0;
      detail::for_each_tensor(result, [&](Tensor& tensor) { tensor = call_->result(number++); });
      return result;
    }
  }

  /// What a replay runs.
  [[nodiscard]] const Program& program() const& { return call_->program(); }
  [[nodiscard]] Program program() const&& { return call_->program(); }

  /// For `capture`.
  template <class F>
  Captured(F& f, std::tuple<Inputs...> inputs, const std::vector<CapturedState>& state)
      : inputs_(std::move(inputs)) {
    std::vector<Tensor*> tensors;
    std::apply(
        [&](Inputs&... each) {
          (detail::for_each_tensor(each, [&](Tensor& tensor) { tensors.push_back(&tensor); }), ...);
        },
        inputs_);
    call_.emplace(
        [&] {
          std::vector<Tensor*> results;
          if constexpr (std::is_void_v<Result>) {
            std::apply(f, std::as_const(inputs_));
          } else {
            result_.emplace(std::apply(f, std::as_const(inputs_)));
            detail::for_each_tensor(*result_, [&](Tensor& tensor) { results.push_back(&tensor); });
          }
          return results;
        },
        std::move(tensors), state);
  }

 private:
  using Kept = std::conditional_t<std::is_void_v<Result>, char, Result>;

  std::tuple<Inputs...> inputs_;  // as they were: tensors of no elements to speak of, and everything else
  std::optional<Kept> result_;    // a handle where each tensor is to be
  std::optional<CapturedCall> call_;
};

namespace detail {

template <class F, class... Inputs>
using ResultOf = std::remove_cvref_t<std::invoke_result_t<F&, const Inputs&...>>;

template <class R>
inline constexpr bool can_be_captured = std::is_void_v<R> || TensorsIn<R>::supported;

template <class Sequence>
struct Tensors;
template <std::size_t... k>
struct Tensors<std::index_sequence<k...>> {
  template <std::size_t>
  using Each = Tensor;
  template <class F>
  using Result = ResultOf<F, Each<k>...>;
  template <class R>
  using Function = Captured<R, Each<k>...>;
  static auto tuple_of(const Tensor* tensors) { return std::tuple<Each<k>...>(tensors[k]...); }
};

}  // namespace detail

/// Runs f and lists what it computes; the function that comes back runs that list, without a graph, with the
/// bits of f. Inputs are a value that tensors are in (autograd/tensors_in.h): a tensor, tensors in braces, a
/// std::tuple of arguments, a struct. f may return any such value, or nothing, and may sweep, step optimizers
/// and draw random numbers.
///
///   auto step = capture([&](const Tensor& x, const Tensor& y) {
///     Tensor loss = nn::cross_entropy(model(x), y);
///     adam.zero_grad();
///     loss.backward();
///     adam.step();
///     return loss;
///   }, {x, y}, {&model, &adam});
///   for (const auto& batch : batches) Tensor loss = step(batch.x, batch.y);
///
/// f is called three times: to warm up, to be listed, and to be listed again, for comparison. Then the state
/// is put back to what it was. Whatever f changes beside the state, such as a C++ variable, it has changed
/// three times, and a replay does not. What f reads as C++ numbers, and tensors that are neither inputs nor
/// state, are constants of the program (`program().plan()` lists those tensors). Results have no history.
///
/// Throws GraphError if the two lists differ, naming the first step that does: f branches on something that
/// changes; if f reads the elements of what it computes, its inputs or the state as C++ numbers (`item`,
/// `at`, `data`); if it uses a leaf that wants a gradient, a random stream or a counter that is not in the
/// state; if it reads a tensor that the call before has left in a variable; if a gradient is there before f
/// and not after it, or the other way round; if one tensor that wants a gradient is given twice.
template <class F, std::size_t n>
requires detail::can_be_captured<
    typename detail::Tensors<std::make_index_sequence<n>>::template Result<F>> [[nodiscard]] auto
capture(F f, const Tensor (&inputs)[n], const std::vector<CapturedState>& state = {}) {
  using Tensors = detail::Tensors<std::make_index_sequence<n>>;
  using Function = typename Tensors::template Function<typename Tensors::template Result<F>>;
  return Function(f, Tensors::tuple_of(inputs), state);
}
template <class F, class... Inputs>
requires detail::can_be_captured<detail::ResultOf<F, Inputs...>>
[[nodiscard]] auto capture(F f, const std::tuple<Inputs...>& inputs,
                           const std::vector<CapturedState>& state = {}) {
  return Captured<detail::ResultOf<F, Inputs...>, Inputs...>(f, inputs, state);
}
template <class F, class Input>
requires(detail::TensorsIn<Input>::supported&& detail::can_be_captured<detail::ResultOf<F, Input>>)
    [[nodiscard]] auto capture(F f, const Input& input, const std::vector<CapturedState>& state = {}) {
  return Captured<detail::ResultOf<F, Input>, Input>(f, std::tuple<Input>(input), state);
}

}}  // namespace xtgrad::v1
