#include "xtgrad/optim/flat.h"

#include <cstdint>

#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/ops.h"

namespace xtgrad::inline v1::optim::detail {

Tensor join_flat(std::span<const Tensor> parts, Dtype dtype) {
  if (parts.empty()) return zeros({0}, {.dtype = dtype});
  std::vector<Tensor> pieces;
  for (const Tensor& part : parts) pieces.push_back(reshape(part.to(dtype), {part.numel()}));
  return concat(pieces, 0);
}

std::vector<Tensor> split_flat(const Tensor& flat, std::span<const Tensor> like) {
  std::vector<Tensor> parts;
  std::int64_t begin = 0;
  for (const Tensor& one : like) {
    const std::int64_t end = begin + one.numel();
    parts.push_back(
        reshape(slice(flat, {.axis = 0, .start = begin, .stop = end}), one.shape()).to(one.dtype()));
    begin = end;
  }
  return parts;
}

Dtype widest_dtype(std::span<const Tensor> tensors) {
  Dtype widest = float32;
  for (const Tensor& tensor : tensors) {
    if (item_size(tensor.dtype()) > item_size(widest)) widest = tensor.dtype();
  }
  return widest;
}

}  // namespace xtgrad::v1::optim::detail
