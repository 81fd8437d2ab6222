#include "xtgrad/nn/sequential.h"

#include <fmt/format.h>

#include <string>

#include "xtgrad/autograd/errors.h"

namespace xtgrad::inline v1::nn {

Sequential::Sequential(const Sequential& other) = default;

Sequential& Sequential::operator=(const Sequential& other) {
  Module::operator=(other);
  detail::assign_modules(layers_, other.layers_);
  return *this;
}

Module& Sequential::operator[](std::size_t i) {
  if (i >= layers_.size())
    throw ValueError(fmt::format("Sequential: no layer {}: there are {}", i, layers_.size()));
  return *layers_[i];
}

void Sequential::members(Members& m) {
  for (std::size_t i = 0; i < layers_.size(); ++i) m(std::to_string(i), *layers_[i]);
}

Tensor Sequential::forward(const Tensor& x) {
  Tensor y = x;
  for (const detail::OwnedModule& layer : layers_) y = (*layer)(y);
  return y;
}

}  // namespace xtgrad::v1::nn
