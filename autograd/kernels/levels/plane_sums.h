#pragma once

#include <algorithm>
#include <cstdint>

#include "xtgrad/autograd/kernels/levels/level.h"
#include "xtgrad/autograd/kernels/levels/scratch.h"
#include "xtgrad/autograd/kernels/long_sum.h"
#include "xtgrad/autograd/kernels/window.h"

namespace xtgrad::inline v1::detail::inline XTGRAD_LANES {

/// At how many of its places a window can meet one element of a side.
inline std::int64_t most_meetings(const WindowSide& side, std::int64_t places) {
  const std::int64_t elements =
      side.dilation == 1 ? side.kernel / side.stride + (side.kernel % side.stride != 0 ? 1 : 0) : side.kernel;
  return std::min(elements, places);
}

/// True if the windows that meet in one element are few, wherever it lies.
inline bool few_windows_meet(const WindowedPlanes& at) {
  const std::int64_t down = most_meetings(at.window.rows(), at.places.height);
  const std::int64_t across = most_meetings(at.window.columns(), at.places.width);
  return down == 0 || across <= few_terms / down;
}

template <class T>
void add_to(T& sum, T term) {
  sum += term;
}
template <class T>
void add_to(LongSum<T>& sum, T term) {
  sum.add(term);
}

/// Adds up the elements of planes: in the plane where few terms come to each, else in long sums beside it.
template <class T>
class PlaneSums {
 public:
  PlaneSums(std::int64_t plane_size, bool few)
      : plane_size_(plane_size), sums_(static_cast<std::size_t>(few ? 0 : plane_size)), few_(few) {}

  /// Calls `body` with a pointer to the plane's sums, which begin at 0; it adds by `add_to`.
  template <class F>
  void fill(T* plane, const F& body) {
    if (few_) {
      std::fill_n(plane, plane_size_, T(0));
      return body(plane);
    }
    LongSum<T> nothing;
    nothing.add(T(0));  // it begins at -0
    std::fill(sums_.begin(), sums_.end(), nothing);
    body(sums_.data());
    for (const LongSum<T>& sum : sums_) *plane++ = sum.value();
  }

 private:
  std::int64_t plane_size_;
  ScratchVector<LongSum<T>> sums_;
  bool few_;
};

}  // namespace xtgrad::v1::detail
