#pragma once

#include <concepts>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "tests/support/values.h"
#include "xtgrad/autograd/core/op_id.h"
#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/tensor.h"
#include "xtgrad/autograd/testing.h"

namespace xtgrad::inline v1::testing {

// What the walk over ops.def (tests/autograd/ops) knows of an operation. Each line of ops.def needs one of
// these in tests/autograd/ops/samples/<family>.cpp; the walk adds shapes, dtypes and nasty values by itself:
//
//   const OpSamples tanh_samples(OpId::tanh, [](Op& op) {
//     op.accuracy = {.ulps = 2};
//     op.elementwise({.apply = [](const Tensor& x) { return tanh(x); },
//                     .reference = [](Real x) { return std::tanh(x); },
//                     .points = {{{0}, 0, {1}, {0}}, {{1e3}, 1, {0}, {0}}}});
//   });

using detail::OpId;

template <class F>
concept TensorCallable =
    std::invocable<F, const Tensor&> || std::invocable<F, const Tensor&, const Tensor&> ||
    std::invocable<F, const Tensor&, const Tensor&, const Tensor&> ||
    std::invocable<F, std::span<const Tensor>>;

/// An operation with its attributes bound: a lambda of one, two or three tensors, or of a span of them.
class Apply {
 public:
  Apply() = default;
  template <TensorCallable F>
  Apply(F f)  // NOLINT(google-explicit-constructor): samples write a plain lambda
      : call_([f](std::span<const Tensor> in) -> Tensor {
          if constexpr (std::invocable<F, std::span<const Tensor>>) {
            return f(in);
          } else if constexpr (std::invocable<F, const Tensor&>) {
            return f(in[0]);
          } else if constexpr (std::invocable<F, const Tensor&, const Tensor&>) {
            return f(in[0], in[1]);
          } else {
            return f(in[0], in[1], in[2]);
          }
        }) {}
  Tensor operator()(std::span<const Tensor> inputs) const { return call_(inputs); }

 private:
  std::function<Tensor(std::span<const Tensor>)> call_;
};

/// One element of an elementwise operation, computed independently.
class ScalarReference {
 public:
  ScalarReference() = default;
  template <class F>
  requires std::invocable<F, Real> || std::invocable<F, Real, Real> || std::invocable<F, Real, Real, Real>
  ScalarReference(F f)  // NOLINT(google-explicit-constructor)
      : call_([f](std::span<const Real> in) -> Real {
          if constexpr (std::invocable<F, Real>) {
            return f(in[0]);
          } else if constexpr (std::invocable<F, Real, Real>) {
            return f(in[0], in[1]);
          } else {
            return f(in[0], in[1], in[2]);
          }
        }) {}
  Real operator()(std::span<const Real> inputs) const { return call_(inputs); }

 private:
  std::function<Real(std::span<const Real>)> call_;
};

using SampleReference = std::function<Values(std::span<const Values>)>;

/// What the elements of a sample's inputs decide: values alone, or also which steps are made, or the shape of
/// the result, which no program can list.
enum class Decided { values, steps, shape };

/// One way of calling an operation: inputs to draw, attributes bound in `apply`, and the answer to expect.
struct Sample {
  std::string attributes = {};  ///< for messages: "axis=1"
  std::vector<Input> inputs = {};
  Apply apply = {};
  SampleReference reference = {};
  /// Inputs in which the operation is linear, apart from a constant: they get the exact adjoint test.
  std::vector<std::size_t> linear_in = {};
  /// False where the operation itself rounds (it divides by 3): the adjoint test then allows a few ulps.
  bool linear_exactly = true;
  bool integers = true;  ///< false where the attributes are no integers, so that int64 tensors are refused
  std::function<Dtype(Dtype)> result =
      {};                   ///< dtype of the result for that of the inputs; the same if absent
  bool derivatives = true;  ///< false for sizes at which numerical derivatives take too long
  bool nasty = true;        ///< false where the walk should not put in infinities and the like
  Decided decided = Decided::values;
  bool combined = false;  ///< true where `apply` goes on with the operation's outputs, all of them
};

/// An elementwise operation: the walk chooses shapes, broadcast pairs and nasty values, and combines.
struct Elementwise {
  std::string attributes = {};
  Apply apply = {};
  ScalarReference reference = {};
  std::vector<Input> inputs = {Input{}};  ///< their shapes are ignored
  std::vector<Point> points = {};
  std::vector<std::size_t> linear_in = {};
  bool linear_exactly = true;
  bool integers = true;
  std::function<Dtype(Dtype)> result = {};
};

/// Inputs with an exactly known value and gradient, for operations that are not elementwise.
struct ExactCall {
  std::string what;
  std::vector<Values> inputs;
  Apply apply;
  Values value;
  std::vector<Values> gradients = {};  ///< of the sum of the output, for each floating input
  std::vector<Role> roles = {};        ///< of the inputs; all floating if empty
};

/// The dtypes an operation takes: float32 and float64, also int64, or all. The others must be refused by the
/// promised text.
enum class Accepts { floating, numbers, everything };

/// The three kinds of line in ops.def.
enum class Kind { primitive, composite, constant };
Kind kind_of(OpId id);

/// Everything the walk knows of one operation.
class Op {
 public:
  explicit Op(OpId op) : id(op), kind(kind_of(op)) {}

  OpId id;
  Kind kind;
  std::size_t registrations = 0;  ///< 1 is right
  /// Another number draws other inputs; the limits hold for all of them.
  std::uint64_t salt = 0;
  /// Operations in whose name errors may come, too: of what a composite calls, or of other ways to call it.
  std::vector<OpId> parts = {};
  Accuracy accuracy = {};
  Accepts accepts = Accepts::floating;
  /// True if exchanging the gradients of neighbouring inputs changes nothing, because they are equal.
  bool equal_gradients = false;

  void sample(Sample sample) { samples.push_back(std::move(sample)); }
  void elementwise(const Elementwise& operation);
  void exact(ExactCall call) { exacts.push_back(std::move(call)); }

  /// `call` must throw an E whose message contains `text`.
  template <class E, class F>
  void throws(std::string text, F call) {
    bad_calls.push_back(xtgrad::testing::throws<E>(std::move(text), std::move(call)));
  }

  std::vector<Sample> samples;
  std::vector<Elementwise> elementwise_operations;
  std::vector<ExactCall> exacts;
  std::vector<BadCall> bad_calls;
};

/// Registers the samples of one operation; make one at namespace scope.
class OpSamples {
 public:
  using Describe = void (*)(Op&);
  OpSamples(OpId id, Describe describe);
};

/// What was registered for an operation; nothing at all if nothing was.
Op describe(OpId id);

}  // namespace xtgrad::v1::testing
