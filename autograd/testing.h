#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "xtgrad/autograd/callable.h"
#include "xtgrad/autograd/dtype.h"
#include "xtgrad/autograd/export.h"
#include "xtgrad/autograd/tensor.h"
#include "xtgrad/autograd/transforms.h"

namespace xtgrad { inline namespace XTGRAD_PUBLIC v1 { namespace testing {

// The checks that the library's own operations pass, for anybody's. Describe one way of calling an operation,
// with its attributes bound, and look at what `check` found:
//
//   const testing::Operation operation{
//       .name = "cube",
//       .apply = [](std::span<const Tensor> in) { return std::vector{cube(in[0])}; },
//       .inputs = {tensor({0.5, -2, 1.25}, {.dtype = float64})},
//       .element = [](std::span<const testing::Real> x) { return std::vector{x[0] * x[0] * x[0]}; },
//       .accuracy = {.ulps = 1},
//       .points = {{{0}, 0, {0}, {0}}}};
//   const testing::Report report = testing::check_operation(operation);
//   if (!report) std::cerr << report.text();

/// What references compute in: with more digits than a dtype has, so that half a unit in its last place can
/// be told, and a range that no product of two doubles leaves.
using Real = long double;
using Index = std::vector<std::int64_t>;

/// A row-major array for references: plain loops over it share no code with what they check.
struct Values {
  Shape shape = {};
  std::vector<Real> data = {};

  /// Throws std::logic_error for an index that is none of the array's.
  [[nodiscard]] Real at(const Index& index) const;
  [[nodiscard]] Real& at(const Index& index);
  [[nodiscard]] std::int64_t size(std::size_t dim) const { return shape[dim]; }
};

/// The outputs, from the inputs, computed in another way.
using Reference = Callable<std::vector<Values>(std::span<const Values>)>;
/// An element of each output, from an element of each input.
using ElementReference = Callable<std::vector<Real>(std::span<const Real>)>;

/// Half a unit in the last place, and a little for the reference, which is rounded, too.
inline constexpr double correctly_rounded = 0.501;

/// How far results may be from what is wanted, in units in the last place (ulps) of their own dtype.
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
  double gradient_ulps = 1;  ///< between gradients whose rule is recorded and gradients whose rule is not
  /// These errors are not measured against values smaller than this share of the largest cotangent: where
  /// terms of that size cancel.
  double gradient_floor = 0;
  /// Between gradients in float32 and in float64, in ulps of float32 at the size of the largest of them or,
  /// where that is more, in what such an ulp in every input makes of them.
  double float32_gradient_ulps = 8;
};

/// A point of an elementwise operation at which value and derivatives are known exactly, or were decided: a
/// kink, an end of the range.
struct Point {
  std::vector<double> at;             ///< an element of each input
  double value;                       ///< of the output
  std::vector<double> gradient = {};  ///< derivative in each floating input; NaN where it is NaN
  std::vector<double> hessian = {};   ///< second derivatives, row-major; not checked if empty
  std::size_t output = 0;             ///< which one, of several
};

/// Inputs with an exactly known output and gradients, for operations that are not elementwise.
struct Exact {
  std::vector<Tensor> inputs;          ///< floating ones of float64
  Values value;                        ///< of the output
  std::vector<Values> gradients = {};  ///< of the sum of the output, in each floating input
  std::size_t output = 0;              ///< which one, of several
};

/// A call that must be refused.
struct BadCall {
  std::string text;                 ///< that the message must contain, after a name
  Callable<std::string()> attempt;  ///< gives the message, or what went wrong instead
};

/// `call` must throw an E whose message contains `text`.
template <class E, class F>
[[nodiscard]] BadCall throws(std::string text, F call) {
  return {std::move(text), [call]() -> std::string {
            try {
              static_cast<void>(call());
            } catch (const E& error) {
              return error.what();
            } catch (const std::exception& error) {
              return std::string("an error of another class: ") + error.what();
            }
            return "no error";
          }};
}

/// Which node an operation leaves behind.
enum class Recorded {
  own,     ///< one of its name, whose outputs are the results
  inner,   ///< one of its name; `apply` goes on with the outputs
  others,  ///< those of the operations that it is composed of, and none of its name
};

/// What the checks need to know of an operation. What is left out is not checked, or as it is for most.
struct Operation {
  std::string name;             ///< of its primitive; errors begin with it
  std::string attributes = {};  ///< for messages: "axis=1"
  TensorFunction apply;         ///< its outputs, from its inputs
  /// A point where it is smooth. Inputs of float64 are converted to each of `dtypes`, others are passed on.
  std::vector<Tensor> inputs = {};

  /// Its outputs, computed in another way. For an elementwise operation `element` says as much, and more: the
  /// checks then try other shapes, and combine nasty values.
  Reference reference = {};
  ElementReference element = {};
  bool broadcasts = false;  ///< an elementwise one of several inputs takes them in different shapes
  Accuracy accuracy = {.ulps = 4};

  /// What its float64 inputs may be converted to; others it refuses. Derivatives can be checked in float64
  /// alone.
  std::vector<Dtype> dtypes = {float32, float64};
  /// False where values are not compared for those of `dtypes` that are not floating.
  bool integers = true;
  /// Dtype of an output, for that of the inputs; the same if absent.
  Callable<Dtype(Dtype, std::size_t)> result = {};

  int order = 3;  ///< highest order of derivative that it has; 0 for constants
  Recorded recorded = Recorded::own;
  /// Inputs in which it is linear, apart from a constant.
  std::vector<std::size_t> linear_in = {};
  /// False where it rounds as it computes that (it divides by 3): a few ulps are then allowed.
  bool linear_exactly = true;
  std::vector<Point> points = {};
  std::vector<Exact> exacts = {};

  /// Which nasty values it is asked at: those for which this is true; all if absent.
  Callable<bool(double)> takes = {};
  std::vector<BadCall> bad_calls = {};
  /// Operations in whose name errors may come, too.
  std::vector<std::string> other_names = {};
  /// False where the handle itself refuses, in the name of Tensor, because `apply` looks at it before the
  /// operation does.
  bool names_empty_handles = true;
  std::uint64_t seed = 0;  ///< of cotangents, directions and whole numbers that are drawn
};

/// What is asked of every operation.
enum class Check {
  recorded,  ///< it makes the node that it says, and nothing under NoGrad
  values,    ///< agree with the reference in every dtype, integers exactly
  nasty,     ///< so do zeros of both signs, the ends of the range, infinities and NaN; gradients at them are
             ///< the same whether the rule is recorded or not
  exact,     ///< values, gradients and second derivatives at `points` and `exacts`
  derivatives,  ///< of orders 1 to `order`, in the inputs and the cotangent, agree with numerical ones; those
                ///< in float32 with those in float64
  evaluators,   ///< gradients are the same whether the rule is recorded or not, and one at a time or together
  adjoint,      ///< <Ax, y> = <x, A'y> in every input that it is linear in, and the tangent of x is Ax
  sizes,        ///< an element has the same bits, and gradient, wherever it is in a tensor of any size
  errors,       ///< other dtypes, mixed ones, empty handles, shapes that do not fit and `bad_calls` are
                ///< refused, in messages that begin with a name
  release,      ///< nothing stays alive
  again,        ///< all steps, the rule's too, infer what they make, and run again to the same bits on memory
                ///< that was overwritten before; tile by tile, too, where a primitive has a kernel for that,
                ///< and over the inputs that it may overwrite
};
inline constexpr Check all_checks[] = {Check::recorded,    Check::values,     Check::nasty,   Check::exact,
                                       Check::derivatives, Check::evaluators, Check::adjoint, Check::sizes,
                                       Check::errors,      Check::release,    Check::again};
[[nodiscard]] std::string_view to_string(Check check);

struct Report {
  /// Each begins with the operation's name and the check's, and says where, what it is, and what is wanted.
  /// The first few of each check: a broken kernel breaks everywhere.
  std::vector<std::string> failures;

  [[nodiscard]] bool ok() const { return failures.empty(); }
  explicit operator bool() const { return ok(); }
  /// One failure a line.
  [[nodiscard]] std::string text() const;
};

/// Makes all the checks. What an operation throws is a failure, too. Throws ValueError for a description that
/// lacks a name, `apply` or a floating dtype, and for an input that is an empty handle or of float32.
[[nodiscard]] Report check_operation(const Operation& operation);
/// Makes one of them.
[[nodiscard]] Report check_operation(const Operation& operation, Check which);

/// Values that break kernels: zeros, the smallest and the largest numbers of both signs, infinities, NaN, and
/// a few ordinary ones, so that pairs of them tie. Each is exactly a value of the dtype.
[[nodiscard]] std::vector<double> nasty_values(Dtype dtype);

}}}  // namespace xtgrad::v1::testing
