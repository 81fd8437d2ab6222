#pragma once

#include <cstddef>
#include <initializer_list>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "xtgrad/autograd/export.h"
#include "xtgrad/autograd/program.h"
#include "xtgrad/autograd/spread.h"
#include "xtgrad/autograd/tensor.h"
#include "xtgrad/autograd/transforms.h"

namespace xtgrad { inline namespace XTGRAD_PUBLIC v1 {

namespace detail {
class XTGRAD_LOCAL LinearizationState;
}

/// The derivative of a function at a point, as the linear map that it is: J v for tangents, J^T u for
/// cotangents. Each direction is recorded when it is first asked for, and run again without a graph after
/// that; all that does not depend on tangents or cotangents is computed once. Results are those of `jvp` and
/// `vjp`, to the bit, and have no history. Used by one thread at a time.
///
/// A rule that cannot be listed, since it reads elements as C++ numbers or draws random numbers, or a
/// function that hangs on a tensor, is run by a sweep each time; so is all where somebody watches, as a
/// Profile does.
class Linearization {
 public:
  ~Linearization();
  Linearization(Linearization&&) noexcept;
  Linearization& operator=(Linearization&&) noexcept;

  /// The function's values at the point.
  [[nodiscard]] const std::vector<Tensor>& outputs() const&;
  [[nodiscard]] std::vector<Tensor> outputs() const&&;

  /// J v: how each output changes when input i moves along `tangents[i]`, which has its shape and dtype; an
  /// empty handle stands for an input that does not move. Empty for outputs that are not floating. Throws
  /// ValueError for a wrong number of tangents, ShapeError or DtypeError for one that does not fit.
  [[nodiscard]] std::vector<Tensor> operator()(std::span<const Tensor> tangents);
  /// Of one tensor to one tensor; throws ValueError for another function.
  [[nodiscard]] Tensor operator()(const Tensor& tangent);
  [[nodiscard]] std::vector<Tensor> operator()(std::initializer_list<Tensor> tangents) {
    return (*this)(std::span(tangents.begin(), tangents.size()));
  }

  /// J^T u, as a Pullback gives it: of each input's shape.
  [[nodiscard]] std::vector<Tensor> transposed(std::span<const Tensor> cotangents);
  [[nodiscard]] Tensor transposed(const Tensor& cotangent);
  [[nodiscard]] std::vector<Tensor> transposed(std::initializer_list<Tensor> cotangents) {
    return transposed(std::span(cotangents.begin(), cotangents.size()));
  }

  /// Of a function whose pullback there is, for the library alone.
  Linearization(Pullback pullback, std::span<const Tensor> inputs);

  /// What runs, for reading; null before it is recorded, and where it cannot be.
  [[nodiscard]] const Program* program() const&;
  [[nodiscard]] const Program* transposed_program() const&;

 private:
  std::unique_ptr<detail::LinearizationState> state_;
};

/// Calls f once at the inputs. What f captures is a constant, as it is now. Throws what `vjp` throws.
///
///   Linearization map = linearize(f, x);
///   for (const Tensor& v : directions) Tensor changed = map(v);
[[nodiscard]] Linearization linearize(const TensorFunction& f, std::span<const Tensor> inputs);
/// The same for one tensor to one tensor; throws DtypeError unless x and f(x) are float32 or float64.
[[nodiscard]] Linearization linearize(const UnaryTensorFunction& f, const Tensor& x);
/// The same for inputs in braces, of which f takes as many, as `vjp` does.
template <class F, std::size_t n>
requires(!detail::NamesInputs<F>) [[nodiscard]] Linearization linearize(F f, const Tensor (&inputs)[n]) {
  return linearize(TensorFunction(detail::spread<n>(std::move(f))), std::span<const Tensor>(inputs));
}

}}  // namespace xtgrad::v1
