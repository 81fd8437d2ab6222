#pragma once

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <functional>
#include <span>
#include <vector>

#include "tests/nn/support.h"
#include "xtgrad/autograd/check_grads.h"
#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/grad.h"
#include "xtgrad/autograd/ops.h"
#include "xtgrad/nn/reduction.h"

namespace nn_test {

using Numbers = std::vector<double>;

/// Numbers as a tensor of a shape and dtype.
inline xtgrad::Tensor shaped(const Numbers& numbers, const xtgrad::Shape& shape,
                             xtgrad::Dtype dtype = xtgrad::float64) {
  return xtgrad::reshape(xtgrad::from_vector(numbers).to(dtype), shape);
}

/// Equal, both NaN, or within `tolerance` of the wanted size, for which numbers below `floor` count as that.
inline bool agrees(double got, double want, double tolerance, double floor = 1e-3) {
  if (std::isnan(want)) return std::isnan(got);
  if (std::isinf(want)) return got == want;
  return std::abs(got - want) <= tolerance * std::max(std::abs(want), floor);
}

inline void check_numbers(const Numbers& got, const Numbers& want, double tolerance, double floor = 1e-3) {
  REQUIRE(got.size() == want.size());
  for (std::size_t i = 0; i < got.size(); ++i) {
    CAPTURE(i);
    CAPTURE(got[i]);
    CAPTURE(want[i]);
    CHECK(agrees(got[i], want[i], tolerance, floor));
  }
}

/// A loss in both dtypes and with every reduction, against its items as plain loops have found them.
inline void check_items(const std::function<xtgrad::Tensor(xtgrad::Dtype, xtgrad::nn::Reduction)>& loss,
                        const xtgrad::Shape& shape, const Numbers& items) {
  using xtgrad::nn::Reduction;
  double total = 0;
  for (const double item : items) total += item;
  for (const xtgrad::Dtype dtype : {xtgrad::float32, xtgrad::float64}) {
    const double tolerance = dtype == xtgrad::float64 ? 1e-13 : 2e-5;
    const xtgrad::Tensor each = loss(dtype, Reduction::none);
    CHECK(each.shape() == shape);
    CHECK(each.dtype() == dtype);
    check_numbers(elements(each), items, tolerance);
    const xtgrad::Tensor sum = loss(dtype, Reduction::sum);
    CHECK(sum.shape() == xtgrad::Shape{});
    CHECK(agrees(sum.item(), total, tolerance));
    const xtgrad::Tensor mean = loss(dtype, Reduction::mean);
    CHECK(mean.shape() == xtgrad::Shape{});
    CHECK(agrees(mean.item(), total / static_cast<double>(items.size()), tolerance));
  }
}

/// First and second derivative of a loss of one tensor, element by element: for losses whose items do not mix
/// their elements.
struct Slopes {
  Numbers first, second;
};
inline Slopes slopes(const std::function<xtgrad::Tensor(const xtgrad::Tensor&)>& loss,
                     const xtgrad::Tensor& at) {
  const xtgrad::Tensor x = at.detach().set_requires_grad();
  const xtgrad::Tensor first = xtgrad::grad({loss(x)}, {x}, {.create_graph = true})[0];
  const xtgrad::Tensor flat = xtgrad::zeros_like(x);  // where the slope does not depend on x at all
  if (!first.requires_grad()) return {elements(first), elements(flat)};
  const xtgrad::Tensor second = xtgrad::grad({xtgrad::sum(first)}, {x}, {.allow_unused = true})[0];
  return {elements(first), elements(second.defined() ? second : flat)};
}

/// Derivatives of orders 1 and 2 at a smooth point, against numerical ones, entry by entry.
inline void check_smooth(const std::function<xtgrad::Tensor(std::span<const xtgrad::Tensor>)>& f,
                         const std::vector<xtgrad::Tensor>& at) {
  const xtgrad::TensorFunction listed = [&](std::span<const xtgrad::Tensor> x) {
    return std::vector<xtgrad::Tensor>{f(x)};
  };
  const auto report = xtgrad::check_grads(listed, at, {.order = 2, .full_jacobian = true});
  CHECK_MESSAGE(report.ok(), report.message);
}

}  // namespace nn_test
