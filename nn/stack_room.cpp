#include "xtgrad/nn/stack_room.h"

#include <fmt/format.h>
#include <pthread.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "xtgrad/autograd/errors.h"

namespace xtgrad::inline v1::nn::detail {
namespace {

/// What is left for the operations of the innermost module, and for an exception on its way out.
constexpr std::size_t reserve = std::size_t{1} << 20;

thread_local constinit std::uintptr_t lowest = 0;  // address that a recursion may come to; 0 if not known yet

/// 1, which no stack comes to, where the system does not say.
[[gnu::noinline, gnu::cold]] std::uintptr_t find_lowest() {
  std::uintptr_t result = 1;
  pthread_attr_t attributes;
  if (pthread_getattr_np(pthread_self(), &attributes) != 0) return result;
  void* begin = nullptr;
  std::size_t size = 0;
  if (pthread_attr_getstack(&attributes, &begin, &size) == 0) {
    result = reinterpret_cast<std::uintptr_t>(begin) + std::min(reserve, size / 4);
  }
  pthread_attr_destroy(&attributes);
  return result;
}

}  // namespace

void check_stack_room(std::string_view doing) {
  if (lowest == 0) lowest = find_lowest();
  // The frame's address, not that of a variable: sanitizers may keep variables elsewhere.
  if (reinterpret_cast<std::uintptr_t>(__builtin_frame_address(0)) >= lowest) return;
  ValueError error(
      fmt::format("{}: the modules are nested too deeply for this thread's stack; put them side by side into "
                  "one container",
                  doing));
  error.add_context("");  // to look for the module's path would take as much stack again
  throw error;
}

}  // namespace xtgrad::v1::nn::detail
