#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include "xtgrad/autograd/callable.h"
#include "xtgrad/autograd/counter.h"
#include "xtgrad/autograd/export.h"
#include "xtgrad/autograd/io/named_tensor.h"
#include "xtgrad/autograd/program.h"
#include "xtgrad/autograd/program_profile.h"
#include "xtgrad/autograd/program_run.h"
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
class XTGRAD_LOCAL CapturedPrograms;
}

/// What a captured function does with inputs of other shapes or dtypes than it was captured with.
enum class OtherShapes {
  refuse,   ///< throws
  capture,  ///< captures the function for these, too, and keeps a program for each combination
};

struct CaptureOptions {
  OtherShapes other_shapes = OtherShapes::refuse;
  /// In so many calls, the first ones of each program, the function itself is called, too, and GraphError
  /// thrown where the replay has other bits, before anything is changed.
  std::int64_t verify = 0;
};

/// What a Captured runs: a function's tensors by number, whatever its signature. For programs that know a
/// signature only when they run; for others `capture` finds the tensors in arguments and results.
class CapturedCall {
 public:
  /// Calls f three times, which reads the tensors that `inputs` points at and returns where it has put its
  /// results; both must stay where they are, and hold nothing between calls. Throws as `capture`.
  CapturedCall(Callable<std::vector<Tensor*>()> f, std::vector<Tensor*> inputs,
               const std::vector<CapturedState>& state, const CaptureOptions& options = {});
  /// The same programs with memory of their own, of the same state; f and inputs as above. Throws GraphError
  /// where the state is not as it was captured.
  CapturedCall(const CapturedCall& other, Callable<std::vector<Tensor*>()> f, std::vector<Tensor*> inputs);
  ~CapturedCall();
  CapturedCall(CapturedCall&&) noexcept;
  CapturedCall& operator=(CapturedCall&&) noexcept;

  [[nodiscard]] const Program& program() const&;
  /// Number of the program of the last run, counted in the order of their capture.
  [[nodiscard]] std::size_t program_number() const;
  /// The next input, in order, which must stay until the run.
  void give(const Tensor& input);
  /// After all inputs: runs the program, and leaves the state as the function would. Throws ShapeError where
  /// an input differs in shape or dtype from that of the capture, GraphError for one that wants a gradient
  /// where that one did not, unless the function is captured for it now.
  void run();
  /// A result of the last run, once.
  [[nodiscard]] Tensor result(std::size_t number);
  /// Throws ValueError: an argument that is no tensor has another value than when the function was captured.
  [[noreturn]] static void throw_other_value();

  /// See Captured::save.
  void save(const std::string& path) const;

  /// See Captured::state.
  [[nodiscard]] std::vector<NamedTensor> state() const;

  // After all inputs: runs that change nothing.
  [[nodiscard]] ProgramRun watch();
  [[nodiscard]] ProgramProfile profile(std::size_t runs);

 private:
  std::unique_ptr<detail::CapturedPrograms> programs_;
};

/// A function that was run once and is replayed; see `capture`. A copy has memory of its own for what it
/// computes; the state is the same.
template <class Result, class... Inputs>
class Captured {
 public:
  /// What the function would return, and do to the state, to the bit.
  Result operator()(const Inputs&... inputs) {
    give(inputs...);
    call_->run();
    if constexpr (!std::is_void_v<Result>) {
      const std::size_t program = call_->program_number();
      if (program == results_.size()) results_.push_back(*function_->result);
      Result result = results_[program];
      std::size_t number = 0;
      detail::for_each_tensor(result, [&](Tensor& tensor) { tensor = call_->result(number++); });
      return result;
    }
  }

  /// What a replay runs, that of the last call where there are several.
  [[nodiscard]] const Program& program() const& { return call_->program(); }
  [[nodiscard]] Program program() const&& { return call_->program(); }

  /// Writes that program to a file, with the state as it is now: `load_program` (autograd/loaded_program.h)
  /// makes a function of it in a program that has none of f's code. Throws ValueError, which names the step,
  /// for a primitive from outside of the library that cannot be loaded, and what `save_safetensors` throws.
  void save(const std::string& path) const { call_->save(path); }

  /// What the next replay reads of the state, by the names that the program's text has for it: copies of
  /// parameters, gradients, moments, counters and streams as they are now.
  [[nodiscard]] std::vector<NamedTensor> state() const { return call_->state(); }

  /// One run, step by step, which changes nothing.
  [[nodiscard]] ProgramRun watch(const Inputs&... inputs) {
    give(inputs...);
    return call_->watch();
  }
  /// What steps cost: medians of `runs` runs, which change nothing.
  [[nodiscard]] ProgramProfile profile(const Inputs&... inputs, std::size_t runs = 15) {
    give(inputs...);
    return call_->profile(runs);
  }

  /// For `capture`.
  template <class F>
  Captured(F f, std::tuple<Inputs...> inputs, const std::vector<CapturedState>& state,
           const CaptureOptions& options)
      : function_(std::make_unique<Function>(
            Function{.f = [held = std::make_shared<F>(std::move(f))](const Inputs&... each) -> Result {
                       return (*held)(each...);
                     },
                     .inputs = std::move(inputs),
                     .result = {}})) {
    call_.emplace(function_->call(), function_->tensors(), state, options);
    if constexpr (!std::is_void_v<Result>) results_.push_back(*function_->result);
  }

  Captured(const Captured& other)
      : function_(std::make_unique<Function>(*other.function_)), results_(other.results_) {
    call_.emplace(*other.call_, function_->call(), function_->tensors());
  }
  Captured& operator=(const Captured& other) {
    *this = Captured(other);
    return *this;
  }
  Captured(Captured&&) noexcept = default;
  Captured& operator=(Captured&&) noexcept = default;
  ~Captured() = default;

 private:
  using Kept = std::conditional_t<std::is_void_v<Result>, char, Result>;

  /// The function, and where it finds its arguments and leaves its results.
  struct Function {
    Callable<Result(const Inputs&...)> f;
    std::tuple<Inputs...> inputs;  // as they were: tensors of no elements to speak of, and everything else
    std::optional<Kept> result;    // a handle where each tensor is to be

    [[nodiscard]] std::vector<Tensor*> tensors() {
      std::vector<Tensor*> tensors;
      std::apply(
          [&](Inputs&... each) {
            (detail::for_each_tensor(each, [&](Tensor& tensor) { tensors.push_back(&tensor); }), ...);
          },
          inputs);
      return tensors;
    }
    [[nodiscard]] Callable<std::vector<Tensor*>()> call() {
      return [this] {
        std::vector<Tensor*> results;
        if constexpr (std::is_void_v<Result>) {
          std::apply(f, std::as_const(inputs));
        } else {
          result.emplace(std::apply(f, std::as_const(inputs)));
          detail::for_each_tensor(*result, [&](Tensor& tensor) { results.push_back(&tensor); });
        }
        return results;
      };
    }
  };

  void give(const Inputs&... inputs) {
    if (!detail::same_plain_values(function_->inputs, std::tie(inputs...))) CapturedCall::throw_other_value();
    (detail::for_each_tensor(const_cast<Inputs&>(inputs), [&](const Tensor& tensor) { call_->give(tensor); }),
     ...);
  }

  std::unique_ptr<Function> function_;
  std::vector<Kept> results_;  // of each program
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
capture(F f, const Tensor (&inputs)[n], const std::vector<CapturedState>& state = {},
        const CaptureOptions& options = {}) {
  using Tensors = detail::Tensors<std::make_index_sequence<n>>;
  using Function = typename Tensors::template Function<typename Tensors::template Result<F>>;
  return Function(std::move(f), Tensors::tuple_of(inputs), state, options);
}
template <class F, class... Inputs>
requires detail::can_be_captured<detail::ResultOf<F, Inputs...>>
[[nodiscard]] auto capture(F f, const std::tuple<Inputs...>& inputs,
                           const std::vector<CapturedState>& state = {}, const CaptureOptions& options = {}) {
  return Captured<detail::ResultOf<F, Inputs...>, Inputs...>(std::move(f), inputs, state, options);
}
template <class F, class Input>
requires(detail::TensorsIn<Input>::supported&& detail::can_be_captured<detail::ResultOf<F, Input>>)
    [[nodiscard]] auto capture(F f, const Input& input, const std::vector<CapturedState>& state = {},
                               const CaptureOptions& options = {}) {
  return Captured<detail::ResultOf<F, Input>, Input>(std::move(f), std::tuple<Input>(input), state, options);
}

}}  // namespace xtgrad::v1
