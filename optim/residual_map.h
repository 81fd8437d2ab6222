#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "xtgrad/autograd/callable.h"
#include "xtgrad/autograd/tensor.h"
#include "xtgrad/nn/parameter.h"

namespace xtgrad::inline v1::optim::detail {

// What methods for sums of squares have in common: parameters as one vector, and residuals with their
// derivative. Vectors are float64, whatever the parameters are.

/// The parameters that are to change, as one long vector.
class FlatParameters {
 public:
  /// Those that are not frozen, each once. Throws ValueError in the name of `function` if there are none, or
  /// for an empty ref.
  FlatParameters(std::string_view function, std::span<const nn::ParameterRef> parameters);

  [[nodiscard]] const std::vector<nn::ParameterRef>& cells() const { return cells_; }
  /// As the graph has them; of the last `set_x`.
  [[nodiscard]] const std::vector<Tensor>& leaves() const { return leaves_; }
  [[nodiscard]] std::int64_t numel() const;
  /// The least precise of the parameters' dtypes.
  [[nodiscard]] Dtype narrowest_dtype() const;

  /// An empty handle stands for zeros.
  [[nodiscard]] Tensor flat(const std::vector<Tensor>& parts) const;
  /// The other way round, in the parameters' shapes and dtypes.
  [[nodiscard]] std::vector<Tensor> parts(const Tensor& flat) const;

  /// What the parameters hold.
  [[nodiscard]] Tensor x() const { return flat(leaves_); }
  void set_x(const Tensor& x);

 private:
  std::vector<nn::ParameterRef> cells_;
  std::vector<Tensor> leaves_;
};

/// Residuals at a point, r, and their Jacobian J as the linear map that it is.
class ResidualMap {
 public:
  /// Calls the function once, and records it. Throws GraphError, in the name of `function`, where it reaches
  /// a parameter that nobody looks after.
  ResidualMap(std::string_view function, const FlatParameters& parameters,
              const Callable<Tensor()>& residuals);

  [[nodiscard]] const Tensor& values() const { return values_; }  ///< r, [m]
  [[nodiscard]] double cost() const { return cost_; }             ///< |r|^2 / 2

  /// J v, [m]: by the derivative of J^T u in u, for which J^T u is recorded at the first call.
  [[nodiscard]] Tensor push(const Tensor& v);
  /// J^T u, [n].
  [[nodiscard]] Tensor pull(const Tensor& u) const;

 private:
  const FlatParameters* parameters_;
  std::vector<Tensor> leaves_;  // at this point
  Tensor output_;               // r, recorded, in its own shape and dtype
  Tensor values_;
  double cost_;
  Tensor dummy_;                // u
  std::vector<Tensor> pulled_;  // J^T u, those parts that depend on u
  std::vector<std::size_t> which_;
};

}  // namespace xtgrad::v1::optim::detail
