#include "xtgrad/autograd/core/primitive.h"

#include "xtgrad/autograd/memory/pool.h"

namespace xtgrad::inline v1::detail {

PrimitiveCopy::PrimitiveCopy(const Primitive& primitive) {
  void* place = pool_allocate(primitive.block_bytes());
  try {
    primitive_ = primitive.copy_to(place);
  } catch (...) {
    pool_free(place);
    throw;
  }
}

PrimitiveCopy::~PrimitiveCopy() {
  if (primitive_ == nullptr) return;
  void* place = primitive_;
  primitive_->destroy();
  pool_free(place);
}

}  // namespace xtgrad::v1::detail
