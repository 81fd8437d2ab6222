#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "xtgrad/autograd/core/lookup.h"
#include "xtgrad/autograd/core/node.h"
#include "xtgrad/autograd/memory/pool_allocator.h"

namespace xtgrad::inline v1::detail {

/// A leaf's gradient in a sweep while nothing but lookups has come to it, in the order in which they came:
/// what they have read, and nothing of the leaf's size. They are added up as they would be in a sum of the
/// leaf's size, to the same bits.
class LookupSum {
 public:
  /// Below, a whole gradient costs less than the bookkeeping.
  static constexpr std::int64_t smallest_leaf = std::int64_t{1} << 15;

  /// False if the sum of all had better be whole, once a lookup along `axis` with a result of `shape` is
  /// there.
  [[nodiscard]] bool takes(const Array& leaf, std::size_t axis, const Shape& shape) const;
  void add(Lookup&& lookup);

  /// The sum, of the leaf's shape.
  [[nodiscard]] Tensor whole(const Array& leaf) const;
  /// The sum at the places that were read; without values if those are too many.
  [[nodiscard]] PlacedGradient placed(const Array& leaf) const;

 private:
  template <class T>
  using Vector = std::vector<T, PoolAllocator<T>>;

  Vector<Lookup> lookups_;
  std::int64_t cost_ = 0;  // of all of them, in elements
};

}  // namespace xtgrad::v1::detail
