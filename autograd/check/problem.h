#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "xtgrad/autograd/check_grads.h"
#include "xtgrad/autograd/random.h"

namespace xtgrad::inline v1::detail {

/// One order of a gradient check: a function of float64 tensors to float64 tensors, and the point.
struct CheckProblem {
  TensorFunction f;
  std::vector<Tensor> inputs;  // constants
  std::vector<std::string> input_names;
  std::vector<std::string> output_names;
  int order = 1;
  // What each output's size would be if derivatives were as large as the values they come from; at least 0.
  std::vector<double> natural_sizes;
  std::size_t new_cotangents = 0;  // the last inputs, in which f is linear by construction
};

/// What the user's function becomes: only its floating inputs and outputs, in float64, with its state put
/// back before each call. `evaluations` counts the calls and must outlive the problem.
CheckProblem first_order(const TensorFunction& f, std::span<const Tensor> inputs,
                         const CheckGradsOptions& options, std::int64_t& evaluations);

/// (x, u) -> J(x)^T u at a random u, one part of u for each of `output_shapes`; `size` is that of all
/// outputs.
CheckProblem next_order(const CheckProblem& problem, const std::vector<Shape>& output_shapes, double size,
                        Random& random);

/// Random signs and sizes in [0.5, 1]. Equal sizes would let equal errors cancel: exchanging two
/// elements goes unseen by one in four sets of three +-1 probes.
std::vector<double> random_probe(std::size_t size, Random& random);

/// Root mean square of the elements, 1 if that is zero: the scale on which a function may change.
double scale_of(const Tensor& x);

/// Index of an element in row-major order.
std::vector<std::int64_t> index_of(const Shape& shape, std::size_t offset);

}  // namespace xtgrad::v1::detail
