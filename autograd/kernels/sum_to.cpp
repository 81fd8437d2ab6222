#include "xtgrad/autograd/kernels/sum_to.h"

#include <array>
#include <cstring>

#include "xtgrad/autograd/kernels/sum.h"

namespace xtgrad::inline v1::detail {
namespace {

/// Neighbouring dimensions that are summed, or kept, together.
struct Group {
  std::int64_t size;
  bool summed;
};

struct Groups {
  std::array<Group, Shape::max_rank> items;
  std::size_t count = 0;

  void append(const Group& group) {
    if (count > 0 && items[count - 1].summed == group.summed) {
      items[count - 1].size *= group.size;
    } else {
      items[count++] = group;
    }
  }

  /// Index of the largest summed group, or `count` if none is left.
  [[nodiscard]] std::size_t largest_summed() const {
    std::size_t best = count;
    for (std::size_t i = 0; i < count; ++i) {
      if (items[i].summed && (best == count || items[i].size > items[best].size)) best = i;
    }
    return best;
  }

  [[nodiscard]] std::int64_t product(std::size_t first, std::size_t last) const {
    std::int64_t product = 1;
    for (std::size_t i = first; i < last; ++i) product *= items[i].size;
    return product;
  }
};

Groups group_dimensions(const Shape& from, const Shape& to) {
  Groups groups;
  const std::size_t lead = from.rank() - to.rank();
  for (std::size_t d = 0; d < from.rank(); ++d) {
    if (from[d] != 1) groups.append({from[d], d < lead || to[d - lead] == 1});
  }
  return groups;
}

}  // namespace

void sum_to_shape(const Array& x, Array& out) {
  Groups groups = group_dimensions(x.shape, out.shape);
  Array sum = x;
  for (std::size_t g = groups.largest_summed(); g != groups.count; g = groups.largest_summed()) {
    const std::int64_t outer = groups.product(0, g);
    const std::int64_t inner = groups.product(g + 1, groups.count);
    Groups rest;
    for (std::size_t i = 0; i < groups.count; ++i) {
      if (i != g) rest.append(groups.items[i]);
    }
    if (rest.largest_summed() == rest.count) {
      sum_axis(sum, outer, groups.items[g].size, inner, out);
      return;
    }
    Array next = Array::uninitialized({outer, inner}, x.dtype);
    sum_axis(sum, outer, groups.items[g].size, inner, next);
    sum = std::move(next);
    groups = rest;
  }
  std::memcpy(out.buffer.data(), x.buffer.data(), x.buffer.bytes());  // nothing is summed
}

}  // namespace xtgrad::v1::detail
