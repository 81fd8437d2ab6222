#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "xtgrad/autograd/export.h"
#include "xtgrad/nn/module.h"
#include "xtgrad/nn/transformer_layer.h"

namespace xtgrad { inline namespace XTGRAD_PUBLIC v1 { namespace nn {

/// A layer of a transformer's encoder (Vaswani et al., "Attention is all you need", 2017), [n, length,
/// d_model] to the same: y = norm1(x + self_attn(x)), then norm2(y + linear2(activation(linear1(y)))); with
/// `norm_first` y = x + self_attn(norm1(x)), then y + linear2(activation(linear1(norm2(y)))). While training,
/// dropout takes its part of attention weights, of the hidden features and of what each part adds.
///
/// Parts, by PyTorch's names: self_attn, linear1, linear2, norm1 and norm2, which draw their parameters as
/// those modules do.
///
///   nn::TransformerEncoderLayer layer{{.d_model = 16, .nhead = 4, .dim_feedforward = 32}};
///   Tensor y = layer(randn({8, 5, 16}));                         // [8, 5, 16]
///   Tensor z = layer(randn({8, 5, 16}), {.is_causal = true});
///
/// Throws ValueError for options that are missing or out of range, ShapeError or DtypeError for an input or a
/// mask that does not fit.
class TransformerEncoderLayer : public ModuleOf<Tensor(const Tensor&, const AttentionMasks&)> {
 public:
  explicit TransformerEncoderLayer(const TransformerLayerOptions& options);
  Tensor forward(const Tensor& x, const AttentionMasks& masks) override;
  void members(Members& m) override;
  using ModuleOf<Tensor(const Tensor&, const AttentionMasks&)>::operator();
  Tensor operator()(const Tensor& x) { return (*this)(x, AttentionMasks{}); }

  MultiheadAttention self_attn;
  Linear linear1;
  Linear linear2;
  LayerNorm norm1;
  LayerNorm norm2;
  Dropout dropout;   // of the hidden features
  Dropout dropout1;  // of what self_attn adds
  Dropout dropout2;  // of what linear2 adds

 private:
  Tensor attend(const Tensor& x, const AttentionMasks& masks);
  Tensor feed(const Tensor& x);

  ActivationKind activation_;
  bool norm_first_;
};

struct TransformerEncoderOptions {
  TransformerLayerOptions layer = {};  ///< all layers are alike
  std::int64_t num_layers = required;
  bool norm = false;  ///< normalise the last layer's result, as wants one that has `norm_first`
};

/// Layers of a transformer's encoder one after another, and a norm: layers.0, layers.1, ..., norm. Each layer
/// draws parameters of its own, where PyTorch begins with copies of one.
///
///   nn::TransformerEncoder encoder{{.layer = {.d_model = 16, .nhead = 4}, .num_layers = 2}};
///   Tensor padded(zeros({8, 5}, {.dtype = boolean}));
///   Tensor y = encoder(randn({8, 5, 16}), {.key_padding_mask = padded});
class TransformerEncoder : public ModuleOf<Tensor(const Tensor&, const AttentionMasks&)> {
 public:
  explicit TransformerEncoder(const TransformerEncoderOptions& options);
  Tensor forward(const Tensor& x, const AttentionMasks& masks) override;
  void members(Members& m) override;
  using ModuleOf<Tensor(const Tensor&, const AttentionMasks&)>::operator();
  Tensor operator()(const Tensor& x) { return (*this)(x, AttentionMasks{}); }

  std::vector<TransformerEncoderLayer> layers;
  std::optional<LayerNorm> norm;
};

}}}  // namespace xtgrad::v1::nn
