#pragma once

#include <cstdint>
#include <optional>
#include <tuple>
#include <vector>

#include "xtgrad/autograd/export.h"
#include "xtgrad/nn/module.h"
#include "xtgrad/nn/transformer_layer.h"

namespace xtgrad { inline namespace XTGRAD_PUBLIC v1 { namespace nn {

/// What a decoder's attention leaves out: of the target, which it looks at first, and of the memory.
struct DecoderMasks {
  AttentionMasks target = {};
  AttentionMasks memory = {};

  friend auto tensors_of(DecoderMasks& masks) { return std::tie(masks.target, masks.memory); }
};

/// A layer of a transformer's decoder (Vaswani et al., "Attention is all you need", 2017), of a target [n, L,
/// d_model] and a memory [n, S, d_model], the encoder's result, to [n, L, d_model]: y = norm1(x +
/// self_attn(x)), z = norm2(y + multihead_attn(y, memory)), then norm3(z + linear2(activation(linear1(z))));
/// with `norm_first` each norm is of what goes into its part. Dropout as in TransformerEncoderLayer.
///
/// Parts, by PyTorch's names: self_attn, multihead_attn, linear1, linear2, norm1, norm2 and norm3.
///
///   nn::TransformerDecoderLayer layer{{.d_model = 16, .nhead = 4, .dim_feedforward = 32}};
///   Tensor memory = randn({8, 7, 16});
///   Tensor y = layer(randn({8, 5, 16}), memory, {.target = {.is_causal = true}});  // [8, 5, 16]
///
/// Throws ValueError for options that are missing or out of range, ShapeError or DtypeError for an input or a
/// mask that does not fit.
class TransformerDecoderLayer : public ModuleOf<Tensor(const Tensor&, const Tensor&, const DecoderMasks&)> {
 public:
  explicit TransformerDecoderLayer(const TransformerLayerOptions& options);
  Tensor forward(const Tensor& x, const Tensor& memory, const DecoderMasks& masks) override;
  void members(Members& m) override;
  using ModuleOf<Tensor(const Tensor&, const Tensor&, const DecoderMasks&)>::operator();
  Tensor operator()(const Tensor& x, const Tensor& memory) { return (*this)(x, memory, DecoderMasks{}); }

  MultiheadAttention self_attn;
  MultiheadAttention multihead_attn;
  Linear linear1;
  Linear linear2;
  LayerNorm norm1;
  LayerNorm norm2;
  LayerNorm norm3;
  Dropout dropout;   // of the hidden features
  Dropout dropout1;  // of what self_attn adds
  Dropout dropout2;  // of what multihead_attn adds
  Dropout dropout3;  // of what linear2 adds

 private:
  Tensor attend(const Tensor& x, const AttentionMasks& masks);
  Tensor look_up(const Tensor& x, const Tensor& memory, const AttentionMasks& masks);
  Tensor feed(const Tensor& x);

  ActivationKind activation_;
  bool norm_first_;
};

struct TransformerDecoderOptions {
  TransformerLayerOptions layer = {};  ///< all layers are alike
  std::int64_t num_layers = required;
  bool norm = false;  ///< normalise the last layer's result, as wants one that has `norm_first`
};

/// Layers of a transformer's decoder one after another, and a norm: layers.0, layers.1, ..., norm. Each layer
/// looks at the same memory, and draws parameters of its own, where PyTorch begins with copies of one.
///
///   nn::TransformerDecoder decoder{{.layer = {.d_model = 16, .nhead = 4}, .num_layers = 2}};
///   Tensor y = decoder(randn({8, 5, 16}), randn({8, 7, 16}), {.target = {.is_causal = true}});
class TransformerDecoder : public ModuleOf<Tensor(const Tensor&, const Tensor&, const DecoderMasks&)> {
 public:
  explicit TransformerDecoder(const TransformerDecoderOptions& options);
  Tensor forward(const Tensor& x, const Tensor& memory, const DecoderMasks& masks) override;
  void members(Members& m) override;
  using ModuleOf<Tensor(const Tensor&, const Tensor&, const DecoderMasks&)>::operator();
  Tensor operator()(const Tensor& x, const Tensor& memory) { return (*this)(x, memory, DecoderMasks{}); }

  std::vector<TransformerDecoderLayer> layers;
  std::optional<LayerNorm> norm;
};

}}}  // namespace xtgrad::v1::nn
