#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "tests/support/op_samples.h"
#include "xtgrad/autograd/check_grads.h"
#include "xtgrad/autograd/core/node.h"

namespace xtgrad::testing {

/// What the walk asks of every operation in ops.def.
enum class Check {
  recorded,     ///< samples exist and create the operation's own node
  values,       ///< both dtypes agree with the reference, integers exactly
  nasty,        ///< so do zeros, the ends of the range, infinities, NaN and ties
  exact,        ///< values and gradients at the points that DEFINITIONS decides
  derivatives,  ///< orders 1 to 3 agree with numerical ones
  evaluators,   ///< gradients on lanes and on tensors agree
  adjoint,      ///< <Ax, y> = <x, A'y> in every input that it is linear in
  errors,       ///< bad calls throw the promised text
  release,      ///< nothing stays alive
  again,  ///< its steps, the rule's too, infer what they make, and run again to the same bits on poisoned
          ///< memory
};
inline constexpr Check all_checks[] = {Check::recorded,    Check::values,     Check::nasty,   Check::exact,
                                       Check::derivatives, Check::evaluators, Check::adjoint, Check::errors,
                                       Check::release,     Check::again};
std::string_view to_string(Check check);

/// Runs one check of one operation and returns what it found wrong; every finding begins with the operation's
/// name. Exceptions are findings, too.
std::vector<std::string> findings_of(const Op& op, Check check);

/// Collects findings; only the first few of each check are kept, for a broken kernel breaks everywhere.
class Findings {
 public:
  Findings(const Op& op, Check check) : op_(op), check_(check) {}
  void add(const Sample& sample, std::string_view what) { add(sample.attributes, what); }
  void add(std::string_view attributes, std::string_view what);
  [[nodiscard]] std::vector<std::string> take();

 private:
  const Op& op_;
  Check check_;
  std::vector<std::string> kept_;
  std::size_t dropped_ = 0;
};

// The checks, in walk_*.cpp.
void check_recorded(const Op& op, Findings& findings);
void check_values(const Op& op, Findings& findings);
void check_nasty(const Op& op, Findings& findings);
void check_exact(const Op& op, Findings& findings);
void check_derivatives(const Op& op, Findings& findings);
void check_evaluators(const Op& op, Findings& findings);
void check_adjoint(const Op& op, Findings& findings);
void check_errors(const Op& op, Findings& findings);
void check_release(const Op& op, Findings& findings);
void check_again(const Op& op, Findings& findings);

/// Compares the derivatives of one sample, up to an order, with numerical ones.
CheckGradsReport check_sample(const Op& op, const Sample& sample, int order);

// What they share.

/// How a comparison counts, and what it says when it fails.
struct Comparison {
  const Sample& sample;
  std::string what;  ///< "value, float32"
  double ulps = 0;
  bool signed_zeros = true;
  const Values* scale = nullptr;      ///< sizes that errors are measured against; the wanted values if null
  double floor = 0;                   ///< but none smaller than this
  const Values* more_ulps = nullptr;  ///< allowed on top of `ulps` at each element; none if null
};
/// Compares a tensor with wanted values, shape first.
void compare(Findings& findings, const Tensor& got, const Values& want, const Comparison& comparison);

/// The largest finite size in an array, at every element: the scale of gradients that were summed and can
/// cancel.
Values largest_everywhere(const Values& values);
/// What Accuracy::gradient_floor comes to for a cotangent.
double gradient_floor(const Op& op, const Values& cotangent);

/// The inputs of a sample as tensors: masks as bool, indices as int64, the others in `dtype`. With
/// `recorded`, the differentiable ones want a gradient.
std::vector<Tensor> make_inputs(const Sample& sample, std::span<const Values> values, Dtype dtype,
                                bool recorded);
/// The node of the operation that made y: y's own, or the one that it is a part of.
const detail::Node& operation_node(const Tensor& y);
/// The differentiable ones of these.
std::vector<Tensor> differentiable_of(const Sample& sample, std::span<const Tensor> inputs);
/// Drawn inputs of a sample, rounded to what `dtype` holds.
std::vector<Values> draw_inputs(const Sample& sample, Dtype dtype, Random& random);
/// The sample with its inputs drawn from small integers, on which sums and products are exact.
Sample with_integers(Sample sample);
/// A number that follows from the operation's name and its salt alone: a new line in ops.def, wherever it
/// stands, leaves what the others draw as it was.
std::uint64_t seed_of(const Op& op);
/// A generator that depends on seed_of and the check alone.
Random random_for(const Op& op, Check check);

struct GradientOptions {
  bool create_graph = false;  ///< record the rule itself, cotangent included
};
/// Gradients of <cotangent, y> in all differentiable inputs; empty handles where none arrives.
std::vector<Tensor> gradients_of(const Sample& sample, std::span<const Tensor> inputs,
                                 const Values& cotangent, const GradientOptions& options = {});

}  // namespace xtgrad::testing
