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

namespace xtgrad::testing {

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

using Reference = std::function<Values(std::span<const Values>)>;

/// One way of calling an operation: inputs to draw, attributes bound in `apply`, and the answer to expect.
struct Sample {
  std::string attributes = {};  ///< for messages: "axis=1"
  std::vector<Input> inputs = {};
  Apply apply = {};
  Reference reference = {};
  /// Inputs in which the operation is linear, apart from a constant: they get the exact adjoint test.
  std::vector<std::size_t> linear_in = {};
  /// False where the operation itself rounds (it divides by 3): the adjoint test then allows a few ulps.
  bool linear_exactly = true;
  bool integers = true;  ///< false where the attributes are no integers, so that int64 tensors are refused
  std::function<Dtype(Dtype)> result =
      {};                   ///< dtype of the result for that of the inputs; the same if absent
  bool derivatives = true;  ///< false for sizes at which numerical derivatives take too long
  bool nasty = true;        ///< false where the walk should not put in infinities and the like
  bool combined = false;    ///< true where `apply` goes on with the operation's outputs, all of them
};

/// A point with derivatives that are known exactly (DEFINITIONS, section 0).
struct Point {
  std::vector<double> at;  ///< an element of each input
  double value;
  std::vector<double> gradient = {};  ///< derivative in each differentiable input; NaN where it is NaN
  std::vector<double> hessian = {};   ///< second derivatives, row-major; not checked if empty
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
struct Exact {
  std::string what;
  std::vector<Values> inputs;
  Apply apply;
  Values value;
  std::vector<Values> gradients = {};  ///< of the sum of the output, for each floating input
  std::vector<Role> roles = {};        ///< of the inputs; all floating if empty
};

/// A call that must throw; `attempt` returns the message, or what went wrong instead.
struct BadCall {
  std::string text;
  std::function<std::string()> attempt;
};

/// Half an ulp, and a little for the reference, which is rounded, too.
inline constexpr double correctly_rounded = 0.501;

struct Accuracy {
  double ulps = 0;        ///< of values, in both dtypes; 0 for operations that only move or choose elements
  double nasty_ulps = 0;  ///< the same for nasty values, if larger
  double floor = 0;       ///< errors are not measured against values smaller than this
  /// Errors count against the reference of the inputs' magnitudes: for sums, which can cancel.
  bool by_magnitudes = false;
  /// More ulps for every term of an element's sum but the first, where terms are added one after the other:
  /// half a one each, for the roundings add up where all terms are alike. A reference of ones counts the
  /// terms.
  double ulps_per_addition = 0;
  bool signed_zeros = true;  ///< false where the sign of a zero follows from the order of a sum
  double gradient_ulps = 1;  ///< between a gradient computed on lanes and one recorded on tensors
  /// These errors are not measured against values smaller than this share of the largest cotangent: where
  /// terms of that size cancel.
  double gradient_floor = 0;
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
  /// Operations that a composite lets report errors in their own name.
  std::vector<OpId> parts = {};
  Accuracy accuracy = {};
  Accepts accepts = Accepts::floating;
  /// True if exchanging the gradients of neighbouring inputs changes nothing, because they are equal.
  bool equal_gradients = false;

  void sample(Sample sample) { samples.push_back(std::move(sample)); }
  void elementwise(const Elementwise& operation);
  void exact(Exact exact) { exacts.push_back(std::move(exact)); }

  /// `call` must throw an E whose message contains `text`.
  template <class E, class F>
  void throws(std::string text, F call) {
    bad_calls.push_back({std::move(text), [call]() -> std::string {
                           try {
                             static_cast<void>(call());
                           } catch (const E& error) {
                             return error.what();
                           } catch (const std::exception& error) {
                             return std::string("an error of another class: ") + error.what();
                           }
                           return "no error";
                         }});
  }

  std::vector<Sample> samples;
  std::vector<Elementwise> elementwise_operations;
  std::vector<Exact> exacts;
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

}  // namespace xtgrad::testing
