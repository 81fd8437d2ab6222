#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "xtgrad/autograd/callable.h"
#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/export.h"
#include "xtgrad/autograd/tensor.h"
#include "xtgrad/autograd/transforms.h"

namespace xtgrad { inline namespace XTGRAD_PUBLIC v1 {

/// A gradient that `require_grads` could not confirm.
class GradientError : public Error {
 public:
  using Error::Error;
};

struct CheckGradsOptions {
  /// Highest order of derivative that is checked, from 1.
  int order = 2;
  /// Seed of the random directions and cotangents; the same seed repeats a check exactly.
  std::uint64_t seed = 0;
  /// Random directions for each input, and cotangents for each output; every pair is compared.
  int probes = 3;
  /// Compares every entry of the Jacobian, and of its derivatives, instead of random projections. For small
  /// inputs: the cost grows with their size.
  bool full_jacobian = false;
  /// Relative error that is still accepted, where numerical differentiation can see as much.
  double tolerance = 1e-7;
  /// A check that could not have noticed a relative error of this size is a failure, not a success.
  double coarsest = 1e-4;
  /// Where f has a kink or a jump at x, check it at a point beside x instead (1/1000 away) of reporting it.
  bool avoid_kinks = false;
  /// What messages call the function.
  std::string name = "f";
  /// What messages call the inputs; "input 0" and so on if empty.
  std::vector<std::string> input_names = {};
  /// Called before each evaluation of f: puts back whatever state f changes, such as running averages. This
  /// thread's default random generator is put back in any case.
  Callable<void()> before_evaluation = {};
};

struct CheckGradsReport {
  enum class Result {
    passed,
    wrong,          ///< the rule's derivative is not the function's
    not_linear,     ///< a rule treats a zero cotangent unlike others, which spoils forward mode
    inconclusive,   ///< the values of f are too noisy to tell
    kink,           ///< f has no derivative at x
    not_finite,     ///< a value or a gradient is infinite or NaN
    not_repeatable  ///< f gave different values for the same input
  };

  Result result = Result::passed;
  [[nodiscard]] bool ok() const { return result == Result::passed; }
  explicit operator bool() const { return ok(); }

  /// What was found, in full sentences; says what was checked, and how well, if nothing was wrong.
  std::string message;
  /// Largest difference seen, of what was compared: the derivative along one random direction, or one entry
  /// with `full_jacobian`; relative to its natural size. Other seeds give other numbers.
  double worst_error = 0;
  /// Smallest relative error of a whole input's derivative that would have been noticed, at the worst input;
  /// relative to a millionth of f's values where the derivative is smaller than that.
  double smallest_detectable = 0;
  /// Calls of f.
  std::int64_t evaluations = 0;

  // Where it went wrong; meaningful unless `ok()`.
  int order = 0;
  std::string input;   ///< the input, or the cotangent that is an input at higher orders
  std::string output;  ///< the output, or the gradient that is an output at higher orders
  std::vector<std::int64_t> input_element;  ///< index of the element
  std::vector<std::int64_t> output_element;
  double numeric = 0;   ///< d output element / d input element from values of f
  double analytic = 0;  ///< the same from the rules
  double step = 0;      ///< how far the input element was moved
};

/// Checks the derivatives of f, of every order up to `options.order`, against numerical ones. The first tool
/// to reach for when training goes wrong, and for a test of any function of one's own.
///
/// Inputs are converted to float64 and tensors made inside f are float64 by default, so a float32 model is
/// checked in double as it stands. Other dtypes are passed on as they are. Order 1 compares <u, (f(x
/// + hv) - f(x - hv)) / 2h> with <J^T u, v> for random u and v, input by input and output by output; the next
/// order does the same with the function (x, u) -> J(x)^T u, which also shows that the rules are linear in u.
/// Entries of u and v have random signs and sizes in [0.5, 1]: no single entry drowns, and two equal errors
/// do not cancel as they would for +-1. The step, the order of extrapolation and the accepted error follow
/// from the values of f, see check/line_derivative.h. About 9 evaluations of f for each input, probe and
/// order, whatever the sizes, if f is smooth near x.
///
/// Throws ValueError for options out of range and for an f without floating inputs or outputs; a wrong
/// gradient is no exception but a report. What f throws passes through.
///
///   Tensor x = tensor({0.5, -1, 2});
///   auto report = check_grads([](const Tensor& t) { return sum(tanh(t)); }, x);
///   if (!report) std::cout << report.message << '\n';
[[nodiscard]] CheckGradsReport check_grads(const TensorFunction& f, std::span<const Tensor> inputs,
                                           const CheckGradsOptions& options = {});
/// The same for one tensor to one tensor; throws DtypeError unless x is float32 or float64.
[[nodiscard]] CheckGradsReport check_grads(const UnaryTensorFunction& f, const Tensor& x,
                                           const CheckGradsOptions& options = {});

/// The same for inputs in braces, of which f takes as many, as `vjp` does.
template <class F, std::size_t n>
requires(!detail::NamesInputs<F>) [[nodiscard]] CheckGradsReport
    check_grads(F f, const Tensor (&inputs)[n], const CheckGradsOptions& options = {}) {
  return check_grads(TensorFunction(detail::spread<n>(std::move(f))), std::span<const Tensor>(inputs),
                     options);
}

/// As `check_grads`, and throws GradientError with the report's message unless the check passed.
void require_grads(const TensorFunction& f, std::span<const Tensor> inputs,
                   const CheckGradsOptions& options = {});
void require_grads(const UnaryTensorFunction& f, const Tensor& x, const CheckGradsOptions& options = {});
template <class F, std::size_t n>
requires(!detail::NamesInputs<F>) void require_grads(F f, const Tensor (&inputs)[n],
                                                     const CheckGradsOptions& options = {}) {
  require_grads(TensorFunction(detail::spread<n>(std::move(f))), std::span<const Tensor>(inputs), options);
}

}}  // namespace xtgrad::v1
