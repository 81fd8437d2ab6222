#pragma once

#include <array>
#include <cstdint>

#include "xtgrad/autograd/core/array.h"

namespace xtgrad::inline v1::detail {

/// How N row-major operands that broadcast to one shape are walked: as rows whose inner stride is 0 or 1 for
/// each operand. Neighbouring dimensions are merged wherever all operands allow it, so operands of one shape
/// are a single row.
template <std::size_t N>
struct BroadcastPlan {
  std::size_t rank = 0;                                                // of the outer dimensions
  std::array<std::int64_t, Shape::max_rank> sizes{};                   // outer, outermost first
  std::array<std::array<std::int64_t, Shape::max_rank>, N> strides{};  // outer, in elements
  std::int64_t inner = 1;                                              // elements of a row
  std::array<std::int64_t, N> inner_strides{};                         // 0 or 1
  std::int64_t rows = 1;
};

/// The general planner behind `plan_broadcast`: `shapes[k]` must broadcast to `out`.
void plan_broadcast(const Shape& out, const Shape* const* shapes, std::size_t n, std::size_t& rank,
                    std::int64_t* sizes, std::int64_t (*strides)[Shape::max_rank], std::int64_t& inner,
                    std::int64_t* inner_strides);

template <std::size_t N>
BroadcastPlan<N> plan_broadcast(const Shape& out, const std::array<const Array*, N>& operands) {
  BroadcastPlan<N> plan;
  std::array<const Shape*, N> shapes;
  for (std::size_t k = 0; k < N; ++k) shapes[k] = &operands[k]->shape;
  std::int64_t strides[N][Shape::max_rank];
  plan_broadcast(out, shapes.data(), N, plan.rank, plan.sizes.data(), strides, plan.inner,
                 plan.inner_strides.data());
  for (std::size_t d = 0; d < plan.rank; ++d) {
    plan.rows *= plan.sizes[d];
    for (std::size_t k = 0; k < N; ++k) plan.strides[k][d] = strides[k][d];
  }
  return plan;
}

/// Calls `body(row, offsets)` for the rows [first, last) of a plan; offsets in elements.
template <std::size_t N, class F>
void for_each_row(const BroadcastPlan<N>& plan, std::int64_t first, std::int64_t last, F&& body) {
  std::array<std::int64_t, Shape::max_rank> index{};
  std::array<std::int64_t, N> offsets{};
  std::int64_t rest = first;
  for (std::size_t d = plan.rank; d-- > 0;) {
    index[d] = rest % plan.sizes[d];
    rest /= plan.sizes[d];
    for (std::size_t k = 0; k < N; ++k) offsets[k] += index[d] * plan.strides[k][d];
  }
  for (std::int64_t row = first; row < last; ++row) {
    body(row, offsets);
    for (std::size_t d = plan.rank; d-- > 0;) {
      for (std::size_t k = 0; k < N; ++k) offsets[k] += plan.strides[k][d];
      if (++index[d] < plan.sizes[d]) break;
      for (std::size_t k = 0; k < N; ++k) offsets[k] -= index[d] * plan.strides[k][d];
      index[d] = 0;
    }
  }
}

/// Elements of one tile of an elementwise kernel: large enough to hide the cost of a thread's start, and a
/// whole number of lanes.
inline constexpr std::int64_t tile_elements = 1 << 15;

}  // namespace xtgrad::v1::detail
