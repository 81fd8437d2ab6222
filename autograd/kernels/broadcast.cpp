#include "xtgrad/autograd/kernels/broadcast.h"

namespace xtgrad::inline v1::detail {

namespace {

/// Strides of `shape` seen as `out`: 0 along dimensions that broadcasting stretches.
void broadcast_strides(const Shape& out, const Shape& shape, std::int64_t* strides) {
  std::int64_t stride = 1;
  const std::size_t lead = out.rank() - shape.rank();
  for (std::size_t d = out.rank(); d-- > 0;) {
    if (d < lead) {
      strides[d] = 0;
      continue;
    }
    const std::int64_t size = shape[d - lead];
    strides[d] = size == 1 ? 0 : stride;
    stride *= size;
  }
}

}  // namespace

void plan_broadcast(const Shape& out, const Shape* const* shapes, std::size_t n, std::size_t& rank,
                    std::int64_t* sizes, std::int64_t (*strides)[Shape::max_rank], std::int64_t& inner,
                    std::int64_t* inner_strides) {
  for (std::size_t k = 0; k < n; ++k) broadcast_strides(out, *shapes[k], strides[k]);
  // Merge from the inside: dimension d joins the group inside it if, for every operand, a step along d is as
  // long as the whole group.
  std::size_t groups = 0;  // kept at the end of the arrays: group g is at out.rank() - 1 - g
  std::int64_t group_sizes[Shape::max_rank];
  std::int64_t group_strides[Shape::max_rank][Shape::max_rank];  // [group][operand]; n never exceeds max_rank
  for (std::size_t d = out.rank(); d-- > 0;) {
    if (out[d] == 1) continue;
    bool joins = groups > 0;
    for (std::size_t k = 0; k < n && joins; ++k) {
      joins = strides[k][d] == group_strides[groups - 1][k] * group_sizes[groups - 1];
    }
    if (joins) {
      group_sizes[groups - 1] *= out[d];
      continue;
    }
    group_sizes[groups] = out[d];
    for (std::size_t k = 0; k < n; ++k) group_strides[groups][k] = strides[k][d];
    ++groups;
  }
  inner = groups == 0 ? 1 : group_sizes[0];
  for (std::size_t k = 0; k < n; ++k) inner_strides[k] = groups == 0 ? 0 : group_strides[0][k];
  rank = groups == 0 ? 0 : groups - 1;
  for (std::size_t g = 1; g < groups; ++g) {
    sizes[groups - 1 - g] = group_sizes[g];
    for (std::size_t k = 0; k < n; ++k) strides[k][groups - 1 - g] = group_strides[g][k];
  }
}

}  // namespace xtgrad::v1::detail
