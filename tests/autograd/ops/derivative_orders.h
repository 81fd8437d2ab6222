#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "tests/autograd/ops/op_walk.h"
#include "xtgrad/autograd/random.h"
#include "xtgrad/autograd/transforms.h"

namespace xtgrad::inline v1::testing {

// The derivatives of a sample as functions: F_1 is the operation, F_k+1 takes one cotangent more for each
// output of F_k and gives J^T u, so F_k is a derivative of order k - 1. A reverse derivative of order k is
// the vjp of F_k, a forward one over reverse ones is its jvp.

inline constexpr int matrix_orders = 3;

/// F_k at one point, in one dtype.
class Derivative {
 public:
  /// The operation itself, as a function of the differentiable inputs alone.
  Derivative(const Sample& sample, std::span<const Values> values, Dtype dtype);

  /// Of one order more. `cotangents` are the values of the new inputs, one for each output.
  [[nodiscard]] Derivative next(std::span<const Values> cotangents) const;
  /// J^T w, one for each input.
  [[nodiscard]] std::vector<Tensor> reverse(std::span<const Values> w) const;
  /// J v, one for each output.
  [[nodiscard]] std::vector<Tensor> forward(std::span<const Values> v) const;

  [[nodiscard]] const std::vector<Shape>& output_shapes() const { return output_shapes_; }
  [[nodiscard]] const std::vector<Values>& inputs() const { return inputs_; }
  /// The same function at another point.
  [[nodiscard]] Derivative at(std::vector<Values> inputs) const;

 private:
  Derivative() = default;
  static std::vector<Tensor> tensors(std::span<const Values> values, std::span<const Dtype> dtypes);

  TensorFunction f_;
  std::vector<Values> inputs_;
  std::vector<Dtype> dtypes_;  // of the inputs
  std::vector<Shape> output_shapes_;
  std::vector<Dtype> output_dtypes_;  // those of `cast` are not the inputs'
};

/// One array for each shape, of sizes in [0.5, 1] and both signs: no element drowns.
std::vector<Values> draw_probes(std::span<const Shape> shapes, Random& random);
std::vector<Shape> shapes_of(std::span<const Values> values);

/// What is wrong with the forward derivative of F_k in float64: <w, J v> is <J^T w, v>, whose J^T is compared
/// with numbers elsewhere. Empty if nothing is.
std::string compare_forward_to_reverse(const Derivative& derivative, Random& random);
/// How exact derivatives in float32 have to be.
struct Float32Scale {
  double ulps = 8;
  Real floor = 0;    ///< errors are not measured against less than this
  Real largest = 0;  ///< derivative of those that were compared
};
/// What is wrong with the derivatives of F_k in float32, forward or reverse, as those in float64 say at the
/// same point.
std::string compare_float32_to_float64(const Derivative& in_float, const Derivative& in_double, bool forward,
                                       Float32Scale& limit, Random& random);

}  // namespace xtgrad::v1::testing
