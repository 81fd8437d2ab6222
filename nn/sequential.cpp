#include "xtgrad/nn/sequential.h"

#include <fmt/format.h>

#include <algorithm>
#include <string>

#include "xtgrad/autograd/errors.h"

namespace xtgrad::inline v1::nn {

Sequential::Sequential(const Sequential& other) : Module(other) {
  layers_.reserve(other.layers_.size());
  for (const Entry& layer : other.layers_)
    layers_.push_back({layer.clone(*layer.module), layer.clone, layer.assign});
}

Sequential& Sequential::operator=(const Sequential& other) {
  const bool assignable = std::equal(layers_.begin(), layers_.end(), other.layers_.begin(),
                                     other.layers_.end(), [](const Entry& a, const Entry& b) {
                                       const Module& from = *b.module;
                                       const Module& to = *a.module;
                                       return a.assign != nullptr && typeid(to) == typeid(from);
                                     });
  if (!assignable) return *this = Sequential(other);
  Module::operator=(other);
  for (std::size_t i = 0; i < layers_.size(); ++i)
    layers_[i].assign(*layers_[i].module, *other.layers_[i].module);
  return *this;
}

Module& Sequential::operator[](std::size_t i) {
  if (i >= layers_.size())
    throw ValueError(fmt::format("Sequential: no layer {}: there are {}", i, layers_.size()));
  return *layers_[i].module;
}

void Sequential::members(Members& m) {
  for (std::size_t i = 0; i < layers_.size(); ++i) m(std::to_string(i), *layers_[i].module);
}

Tensor Sequential::forward(const Tensor& x) {
  Tensor y = x;
  for (const Entry& layer : layers_) y = (*layer.module)(y);
  return y;
}

}  // namespace xtgrad::v1::nn
