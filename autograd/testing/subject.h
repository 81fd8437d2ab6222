#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "xtgrad/autograd/random.h"
#include "xtgrad/autograd/testing.h"
#include "xtgrad/autograd/testing/values.h"

namespace xtgrad::inline v1::detail::checks {

using testing::Check;
using testing::Operation;

/// An operation while one check is made of it: its inputs in every dtype, its gradients, what was found.
class Subject {
 public:
  Subject(const Operation& operation, Check check) : op(operation), check_(check) {}

  const Operation& op;

  void fail(std::string_view what);
  [[nodiscard]] std::vector<std::string> take_failures();

  /// A generator that depends on the operation's seed and the check alone.
  [[nodiscard]] Random random() const { return Random(1000 * op.seed + static_cast<std::uint64_t>(check_)); }
  [[nodiscard]] std::vector<Dtype> floating_dtypes() const;
  /// The others in which values are compared.
  [[nodiscard]] std::vector<Dtype> other_dtypes() const;
  [[nodiscard]] bool is_elementwise() const { return static_cast<bool>(op.element); }
  [[nodiscard]] bool has_reference() const { return op.reference || op.element; }

  /// True for inputs that take the dtype that a check is made in.
  [[nodiscard]] bool is_floating(std::size_t i) const { return xtgrad::is_floating(op.inputs[i].dtype()); }
  [[nodiscard]] std::vector<std::size_t> floating_inputs() const;

  /// The point, rounded to what a floating dtype holds.
  [[nodiscard]] std::vector<Values> point(Dtype dtype) const;
  /// Inputs of the point's shapes, the floating ones whole numbers from `low` to `high`.
  [[nodiscard]] std::vector<Values> whole_numbers(std::int64_t low, std::int64_t high, Random& random) const;
  /// As tensors: floating inputs in `dtype`, wanting a gradient if `recorded`, the others in their own.
  [[nodiscard]] std::vector<Tensor> tensors(std::span<const Values> values, Dtype dtype, bool recorded) const;
  /// The floating ones of these.
  [[nodiscard]] std::vector<Tensor> differentiable_of(std::span<const Tensor> inputs) const;

  [[nodiscard]] std::vector<Tensor> apply(std::span<const Tensor> inputs) const { return op.apply(inputs); }
  /// What the reference gives, broadcasting `element` if that is all there is; nothing without either.
  [[nodiscard]] std::vector<Values> reference(std::span<const Values> inputs) const;

  /// Gradients of the sum of <cotangent, output> in inputs that want one; empty handles where none arrives.
  /// Outputs without a history are left out. With `create_graph` the rule is recorded, the cotangents
  /// included.
  [[nodiscard]] std::vector<Tensor> gradients(std::span<const Tensor> inputs, std::span<const Tensor> wanted,
                                              std::span<const Values> cotangents, bool create_graph) const;

 private:
  Check check_;
  std::vector<std::string> failures_;
  std::size_t dropped_ = 0;
};

/// A cotangent for every output, of sizes from `low` to `high`; of either sign, unless they are all positive.
enum class Signs { both, positive };
std::vector<Values> draw_cotangents(std::span<const Tensor> outputs, double low, double high, Signs signs,
                                    Random& random);
/// Those of the outputs that have a history.
std::vector<Tensor> recorded_of(std::span<const Tensor> outputs);
/// "value", or "output 1: value" where there are several.
std::string of_output(std::size_t k, std::size_t count, std::string_view what);

/// How a comparison counts, and what it says when it fails.
struct Comparison {
  std::string what = {};  ///< "value, float32"
  double ulps = 0;
  bool signed_zeros = true;
  const Values* scale = nullptr;      ///< sizes that errors are measured against; the wanted values if null
  double floor = 0;                   ///< but none smaller than this
  const Values* more_ulps = nullptr;  ///< allowed on top of `ulps` at each element; none if null
};
/// Compares a tensor with wanted values, shape first.
void compare(Subject& subject, const Tensor& got, const Values& want, const Comparison& comparison);
/// Compares two gradients, either of which may be missing, at the scale of the largest element; without
/// regard to zeros' signs.
void compare_gradients(Subject& subject, const Tensor& got, const Tensor& want, Comparison comparison);
/// The largest finite size in an array, at every element: the scale of gradients that were summed and can
/// cancel.
Values largest_everywhere(const Values& values);
/// What Accuracy::gradient_floor comes to for these cotangents.
double gradient_floor(const Subject& subject, std::span<const Values> cotangents);

/// Compares all outputs at some inputs with the reference, with their dtypes and with `ulps`.
void compare_with_reference(Subject& subject, std::span<const Values> inputs, Dtype dtype,
                            std::string_view what, double ulps);

// The checks; each is in the file of its name.
void check_recorded(Subject& subject);
void check_values(Subject& subject);
void check_nasty(Subject& subject);
void check_exact(Subject& subject);
void check_derivatives(Subject& subject);
void check_evaluators(Subject& subject);
void check_adjoint(Subject& subject);
void check_sizes(Subject& subject);
void check_errors(Subject& subject);
void check_release(Subject& subject);
void check_again(Subject& subject);

}  // namespace xtgrad::v1::detail::checks
