#include "xtgrad/autograd/kernels/usable_cores.h"

#include <algorithm>
#include <thread>

#if defined(__linux__)
#include <sched.h>

#include <array>
#endif

namespace xtgrad::inline v1::detail {

int usable_cores() {
#if defined(__linux__)
  // Those that `taskset` or a container leaves; of more cores than fit here the call is refused.
  std::array<cpu_set_t, 8> mine{};
  if (::sched_getaffinity(0, sizeof(mine), mine.data()) == 0) {
    return std::max(CPU_COUNT_S(sizeof(mine), mine.data()), 1);
  }
#endif
  return static_cast<int>(std::max(std::thread::hardware_concurrency(), 1U));
}

}  // namespace xtgrad::v1::detail
