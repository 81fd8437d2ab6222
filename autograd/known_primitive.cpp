#include "xtgrad/autograd/known_primitive.h"

#include <mutex>

namespace xtgrad::inline v1::detail {
namespace {

// Both are there before any constructor runs: classes join while the program, or a library of its, is loaded.
constinit std::mutex guard;
constinit KnownPrimitive* first = nullptr;

}  // namespace

KnownPrimitive::KnownPrimitive(std::size_t bytes, Make maker) noexcept
    : bytes_(bytes), maker_(maker), next_(nullptr) {
  const std::lock_guard lock(guard);
  next_ = first;
  first = this;
}

/// Of a library that is unloaded.
KnownPrimitive::~KnownPrimitive() {
  const std::lock_guard lock(guard);
  KnownPrimitive** at = &first;
  while (*at != this) at = &(*at)->next_;
  *at = next_;
}

void KnownPrimitive::for_each(void (*f)(void* context, const KnownPrimitive& known), void* context) {
  const std::lock_guard lock(guard);
  for (const KnownPrimitive* known = first; known != nullptr; known = known->next_) f(context, *known);
}

}  // namespace xtgrad::v1::detail
