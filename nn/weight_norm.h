#pragma once

#include <cstdint>
#include <optional>
#include <utility>

#include "xtgrad/autograd/export.h"
#include "xtgrad/nn/module.h"
#include "xtgrad/nn/reparametrized.h"

namespace xtgrad { inline namespace XTGRAD_PUBLIC v1 { namespace nn {

struct WeightNormOptions {
  /// The dimension of the weight along which lengths differ, that of the outputs; absent: one length for all.
  std::optional<std::int64_t> dim = 0;
};

namespace detail {
/// The length of v over all dimensions but one, which stays in its place.
[[nodiscard]] Tensor lengths_along(const Tensor& v, std::optional<std::int64_t> dim);
/// g v / |v|
[[nodiscard]] Tensor with_lengths(const Tensor& v, const Tensor& g, std::optional<std::int64_t> dim);
}  // namespace detail

/// A layer whose weight is g v / |v|: its length is learnt apart from its direction (Salimans and Kingma,
/// "Weight normalization", 2016). At first it is the layer's. Parameters, in PyTorch's names: weight_v, which
/// `layer.weight` holds, weight_g, its lengths, and the layer's bias. A v of 0 gives NaN.
///
///   nn::WeightNorm model{nn::Linear{4, 10}};
///   Tensor y = model(randn({8, 4}));  // [8, 10]
///
/// A forward puts the weight into the layer's place while it runs, so one thread at a time may run one model.
/// Throws ShapeError for a dimension that the weight has not, and what the layer throws.
///
/// A template, because only the caller knows the layer's type.
template <detail::HasWeight Layer>
class WeightNorm : public Module {
 public:
  explicit WeightNorm(Layer inner, const WeightNormOptions& options = {})
      : layer(std::move(inner)),
        weight_g(detail::lengths_along(layer.weight.tensor().detach(), options.dim)),
        dim_(options.dim) {}

  Tensor forward(const Tensor& x) override {
    return detail::run_with_weight(layer, detail::with_lengths(layer.weight, weight_g, dim_), x);
  }
  void members(Members& m) override {
    m("bias", layer.bias);
    m("weight_g", weight_g);
    m("weight_v", layer.weight);
  }

  Layer layer;         // its weight is v
  Parameter weight_g;  // of v's rank, 1 in all dimensions but dim

 private:
  std::optional<std::int64_t> dim_;
};

}}}  // namespace xtgrad::v1::nn
