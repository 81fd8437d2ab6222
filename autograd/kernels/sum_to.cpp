#include "xtgrad/autograd/kernels/sum_to.h"

#include <array>
#include <cstring>

#include "xtgrad/autograd/kernels/levels/sum.h"

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

void sum_over(const Array& in, std::int64_t outer, std::int64_t axis, std::int64_t inner, Array& out) {
  sum_axis(in, outer, axis, inner, out);
}
void sum_over(const ComputedTerms& in, std::int64_t outer, std::int64_t axis, std::int64_t inner,
              Array& out) {
  sum_computed(in, outer, axis, inner, out);
}

/// Sums x, `Array` or `ComputedTerms`, over the largest summed group, and what is left of it over the next
/// ones. False if there is none.
template <class Terms>
bool sum_groups(const Terms& x, const Groups& groups, Array& out) {
  const std::size_t g = groups.largest_summed();
  if (g == groups.count) return false;
  const std::int64_t outer = groups.product(0, g);
  const std::int64_t inner = groups.product(g + 1, groups.count);
  Groups rest;
  for (std::size_t i = 0; i < groups.count; ++i) {
    if (i != g) rest.append(groups.items[i]);
  }
  if (rest.largest_summed() == rest.count) {
    sum_over(x, outer, groups.items[g].size, inner, out);
  } else {
    Array next = Array::uninitialized({outer, inner}, x.dtype);
    sum_over(x, outer, groups.items[g].size, inner, next);
    sum_groups(next, rest, out);
  }
  return true;
}

}  // namespace

void sum_to_shape(const Array& x, Array& out) {
  if (sum_groups(x, group_dimensions(x.shape, out.shape), out)) return;
  std::memcpy(out.buffer.data(), x.buffer.data(), x.buffer.bytes());  // nothing is summed
}

void sum_to_shape(const ComputedTerms& terms, const Shape& x, Array& out) {
  sum_groups(terms, group_dimensions(x, out.shape), out);
}

}  // namespace xtgrad::v1::detail
