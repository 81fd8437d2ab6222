#pragma once

#include <concepts>
#include <vector>

#include "xtgrad/autograd/export.h"
#include "xtgrad/nn/module.h"

namespace xtgrad { inline namespace XTGRAD_PUBLIC v1 { namespace nn { namespace detail {

/// A layer of one tensor, with a weight and a bias and no other state: Linear, the convolutions.
template <class T>
concept HasWeight = std::derived_from<T, Module> && std::copy_constructible<T> && requires(T& layer) {
  { layer.weight } -> std::same_as<Parameter&>;
  { layer.bias } -> std::same_as<Parameter&>;
};

/// Runs a layer with another tensor, and its history, in the place of its weight.
template <HasWeight Layer>
Tensor run_with_weight(Layer& layer, const Tensor& weight, const Tensor& x) {
  const std::vector<Tensor> values{weight};
  const WithParameters scope({layer.weight.cell()}, values);
  return layer.forward(x);
}

}}}}  // namespace xtgrad::v1::nn::detail
