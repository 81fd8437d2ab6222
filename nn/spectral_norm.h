#pragma once

#include <cstdint>
#include <utility>

#include "xtgrad/autograd/export.h"
#include "xtgrad/nn/module.h"
#include "xtgrad/nn/reparametrized.h"

namespace xtgrad { inline namespace XTGRAD_PUBLIC v1 { namespace nn {

struct SpectralNormOptions {
  std::int64_t n_power_iterations = 1;  ///< in each forward in training
  double eps = 1e-12;                   ///< the least length that u and v are divided by
  std::int64_t dim = 0;                 ///< of the weight, that of the outputs; 1 in a ConvTranspose2d
};

namespace detail {

/// The vectors of a weight's largest singular value, as far as power iteration has come: u of the dimension
/// `dim`, v of all others.
struct SingularVectors {
  Tensor u, v;
};
/// Random ones, of length 1. Throws ValueError or ShapeError for options that do not fit.
[[nodiscard]] SingularVectors first_vectors(const Tensor& weight, const SpectralNormOptions& options);
/// Those after power iteration, constants.
[[nodiscard]] SingularVectors iterate(const Tensor& weight, const SingularVectors& before,
                                      const SpectralNormOptions& options);
/// weight / (u' weight v)
[[nodiscard]] Tensor over_sigma(const Tensor& weight, const SingularVectors& vectors,
                                const SpectralNormOptions& options);

}  // namespace detail

/// A layer whose weight is divided by its largest singular value, as a matrix of outputs by all else (Miyato
/// et al., "Spectral normalization for generative adversarial networks", 2018). That value is u' W v with
/// vectors that each forward in training takes a step of power iteration further, without a gradient; the
/// gradient goes through W alone. Parameters, in PyTorch's names: weight_orig, which `layer.weight` holds,
/// and the layer's bias. Buffers: weight_u and weight_v, random at first.
///
///   nn::SpectralNorm model{nn::Conv2d{{.in_channels = 3, .out_channels = 8, .kernel = 3}}};
///   Tensor y = model(randn({2, 3, 8, 8}));  // [2, 8, 6, 6]
///
/// A forward puts the weight into the layer's place while it runs, so one thread at a time may run one model.
/// Throws ValueError or ShapeError for options that do not fit, and what the layer throws.
///
/// A template, because only the caller knows the layer's type.
template <detail::HasWeight Layer>
class SpectralNorm : public Module {
 public:
  explicit SpectralNorm(Layer inner, const SpectralNormOptions& options = {})
      : layer(std::move(inner)), options_(options) {
    auto [u, v] = detail::first_vectors(layer.weight.tensor().detach(), options_);
    weight_u = std::move(u);
    weight_v = std::move(v);
  }

  Tensor forward(const Tensor& x) override {
    const Tensor weight = layer.weight;
    detail::SingularVectors vectors{weight_u, weight_v};
    if (is_training()) {
      vectors = detail::iterate(weight, vectors, options_);
      weight_u = vectors.u;
      weight_v = vectors.v;
    }
    return detail::run_with_weight(layer, detail::over_sigma(weight, vectors, options_), x);
  }
  void members(Members& m) override {
    m("bias", layer.bias);
    m("weight_orig", layer.weight);
    m("weight_u", weight_u);
    m("weight_v", weight_v);
  }

  Layer layer;      // its weight is the one before the division
  Tensor weight_u;  // [outputs]
  Tensor weight_v;  // [all else]

 private:
  SpectralNormOptions options_;
};

}}}  // namespace xtgrad::v1::nn
