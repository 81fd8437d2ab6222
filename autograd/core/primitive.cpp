#include "xtgrad/autograd/core/primitive.h"

#include "xtgrad/autograd/memory/pool.h"

namespace xtgrad::inline v1::detail {
namespace {

/// What `make` puts into so many bytes.
template <class F>
Primitive* placed(std::size_t bytes, const F& make) {
  void* place = pool_allocate(bytes);
  try {
    return make(place);
  } catch (...) {
    pool_free(place);
    throw;
  }
}

}  // namespace

PrimitiveCopy::PrimitiveCopy(const Primitive& primitive)
    : primitive_(placed(primitive.block_bytes(), [&](void* place) { return primitive.copy_to(place); })) {}

PrimitiveCopy::PrimitiveCopy(const KnownPrimitive& known)
    : primitive_(placed(known.bytes(), [&](void* place) { return known.make(place); })) {}

PrimitiveCopy::~PrimitiveCopy() {
  if (primitive_ == nullptr) return;
  void* place = primitive_;
  primitive_->destroy();
  pool_free(place);
}

}  // namespace xtgrad::v1::detail
