#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "xtgrad/autograd/callable.h"
#include "xtgrad/autograd/tensor.h"

namespace xtgrad::inline v1::detail {

/// Which parameters each residual, or each element of another function, depends on, and from that a colouring
/// of the parameters: no residual depends on two of one colour, so a single product with the Jacobian, along
/// all of a colour, gives a column of each (Curtis, Powell and Reid, "On the estimation of sparse Jacobian
/// matrices", 1974). The first colour that is free is taken, parameter by parameter.
class JacobianPattern {
 public:
  /// `columns`, int64 [m, k], has the parameters of residual i in row i, counted in the joined vector; -1
  /// stands for none. Throws DtypeError, ShapeError or ValueError in the name of `function` where that does
  /// not fit m residuals of n parameters.
  JacobianPattern(std::string_view function, const Tensor& columns, std::int64_t m, std::int64_t n);

  [[nodiscard]] std::int64_t colors() const { return colors_; }
  /// For each colour the vector of ones at its parameters, [colors, n].
  [[nodiscard]] Tensor directions(Dtype dtype) const;
  /// The Jacobian's elements, [m, k], of its products with these, [colors, m]; 0 where there is none.
  [[nodiscard]] Tensor elements(const Tensor& products) const;
  /// The same, of what `push` gives for a vector v [n]: J v. In float64.
  [[nodiscard]] Tensor values(const Callable<Tensor(const Tensor&)>& push) const;

  // Of such elements, with vectors v [n] and u [m].
  [[nodiscard]] Tensor push(const Tensor& values, const Tensor& v) const;  ///< J v
  [[nodiscard]] Tensor pull(const Tensor& values, const Tensor& u) const;  ///< J^T u
  [[nodiscard]] Tensor normal_matrix(const Tensor& values) const;          ///< J^T J, [n, n]
  [[nodiscard]] Tensor dense(const Tensor& values) const;                  ///< J, [m, n]

 private:
  void color(const Tensor& columns);

  std::int64_t m_, n_, colors_ = 0;
  Tensor columns_;                       // [m, k], 0 in place of -1
  Tensor is_there_;                      // bool [m, k]
  Tensor color_of_;                      // int64 [m, k], of the parameters in `columns_`
  std::vector<std::int64_t> colors_of_;  // [n], -1 of a parameter that no residual depends on
};

}  // namespace xtgrad::v1::detail
