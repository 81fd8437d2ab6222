#pragma once

#include "xtgrad/autograd/kernels/levels/lanes.h"
#include "xtgrad/autograd/kernels/levels/level.h"

namespace xtgrad::inline v1::detail::inline XTGRAD_LANES {

/// For a lane that was loaded and has several uses. g++ would make the load a part of each of them, and a
/// loop of multiply-adds would wait for loads: here the lane seems to be changed, so that it is loaded once.
template <LaneFloat T>
[[gnu::always_inline]] inline void keep_in_register([[maybe_unused]] Lane<T>& x) {
#if defined(__x86_64__)
  asm("" : "+v"(x.raw.data));
#endif
}

}  // namespace xtgrad::v1::detail
