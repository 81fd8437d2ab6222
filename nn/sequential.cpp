#include "xtgrad/nn/sequential.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/ops.h"

namespace xtgrad::inline v1::nn {

Sequential::Sequential(const Sequential& other) = default;

Sequential& Sequential::operator=(const Sequential& other) {
  Module::operator=(other);
  std::vector<std::string> names = other.names_;
  detail::assign_modules(layers_, other.layers_);
  names_ = std::move(names);
  return *this;
}

void Sequential::check_name(const std::string& name) const {
  if (name.empty() || name.find('.') != std::string::npos) {
    throw ValueError(
        fmt::format("Sequential: a layer's name must not be empty, nor have a dot: got \"{}\"", name));
  }
  if (std::find(names_.begin(), names_.end(), name) != names_.end())
    throw ValueError(fmt::format("Sequential: the name \"{}\" is there already", name));
}

std::size_t Sequential::index_of(std::string_view name) const {
  const auto place = std::find(names_.begin(), names_.end(), name);
  if (place != names_.end()) return static_cast<std::size_t>(place - names_.begin());
  throw ValueError(fmt::format("Sequential: no layer \"{}\"; there are: {}", name,
                               names_.empty() ? "none" : fmt::format("{}", fmt::join(names_, ", "))));
}

Module& Sequential::operator[](std::size_t i) & {
  if (i >= layers_.size())
    throw ValueError(fmt::format("Sequential: no layer {}: there are {}", i, layers_.size()));
  return *layers_[i];
}

void Sequential::members(Members& m) {
  for (std::size_t i = 0; i < layers_.size(); ++i) m(names_[i], *layers_[i]);
}

Tensor Sequential::forward(const Tensor& x) {
  if (layers_.empty()) return alias(x);
  Tensor y = x;
  for (const detail::OwnedModule& layer : layers_) y = (*layer)(y);
  return y;
}

}  // namespace xtgrad::v1::nn
