#include "xtgrad/autograd/core/buffer.h"

namespace xtgrad::inline v1::detail {
namespace {

std::uint64_t next_number() {
  static constinit std::atomic<std::uint64_t> numbers{0};
  return numbers.fetch_add(1, std::memory_order_relaxed) + 1;
}

}  // namespace

template <>
std::uint64_t BufferRef::number() const {
  std::uint64_t known = buffer_->number.load(std::memory_order_relaxed);
  if (known != 0) return known;
  // Two threads may ask at once; the first to answer is right.
  const std::uint64_t fresh = next_number();
  return buffer_->number.compare_exchange_strong(known, fresh, std::memory_order_relaxed) ? fresh : known;
}

template <>
std::uint64_t BufferRef::renew_number() const {
  const std::uint64_t fresh = next_number();
  buffer_->number.store(fresh, std::memory_order_relaxed);
  return fresh;
}

}  // namespace xtgrad::v1::detail
