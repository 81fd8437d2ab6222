#include "xtgrad/nn/transformer_decoder.h"

#include <string>

#include "xtgrad/autograd/ops.h"

namespace xtgrad::inline v1::nn {

TransformerDecoderLayer::TransformerDecoderLayer(const TransformerLayerOptions& options)
    : self_attn(detail::transformer_attention(detail::checked("TransformerDecoderLayer", options))),
      multihead_attn(detail::transformer_attention(options)),
      linear1(
          {.in_features = options.d_model, .out_features = options.dim_feedforward, .bias = options.bias}),
      linear2(
          {.in_features = options.dim_feedforward, .out_features = options.d_model, .bias = options.bias}),
      norm1(detail::transformer_norm(options)),
      norm2(detail::transformer_norm(options)),
      norm3(detail::transformer_norm(options)),
      dropout({.p = options.dropout}),
      dropout1({.p = options.dropout}),
      dropout2({.p = options.dropout}),
      dropout3({.p = options.dropout}),
      activation_(options.activation),
      norm_first_(options.norm_first) {}

void TransformerDecoderLayer::members(Members& m) {
  m("self_attn", self_attn);
  m("multihead_attn", multihead_attn);
  m("linear1", linear1);
  m("dropout", dropout);
  m("linear2", linear2);
  m("norm1", norm1);
  m("norm2", norm2);
  m("norm3", norm3);
  m("dropout1", dropout1);
  m("dropout2", dropout2);
  m("dropout3", dropout3);
}

Tensor TransformerDecoderLayer::attend(const Tensor& x, const AttentionMasks& masks) {
  return dropout1(self_attn(x, x, x, {.masks = masks}).output);
}

Tensor TransformerDecoderLayer::look_up(const Tensor& x, const Tensor& memory, const AttentionMasks& masks) {
  return dropout2(multihead_attn(x, memory, memory, {.masks = masks}).output);
}

Tensor TransformerDecoderLayer::feed(const Tensor& x) {
  return dropout3(detail::FeedForward{linear1, linear2, dropout, activation_}(x));
}

Tensor TransformerDecoderLayer::forward(const Tensor& x, const Tensor& memory, const DecoderMasks& masks) {
  if (norm_first_) {
    const Tensor y = x + attend(norm1(x), masks.target);
    const Tensor z = y + look_up(norm2(y), memory, masks.memory);
    return z + feed(norm3(z));
  }
  const Tensor y = norm1(x + attend(x, masks.target));
  const Tensor z = norm2(y + look_up(y, memory, masks.memory));
  return norm3(z + feed(z));
}

TransformerDecoder::TransformerDecoder(const TransformerDecoderOptions& options) {
  detail::check_option("TransformerDecoder", "num_layers", options.num_layers, 1);
  for (std::int64_t i = 0; i < options.num_layers; ++i) layers.emplace_back(options.layer);
  if (options.norm) norm = detail::transformer_norm(options.layer);
}

void TransformerDecoder::members(Members& m) {
  for (std::size_t i = 0; i < layers.size(); ++i) m("layers." + std::to_string(i), layers[i]);
  if (norm) m("norm", *norm);
}

Tensor TransformerDecoder::forward(const Tensor& x, const Tensor& memory, const DecoderMasks& masks) {
  Tensor y = x;
  for (TransformerDecoderLayer& layer : layers) y = layer(y, memory, masks);
  return norm ? (*norm)(y) : y;
}

}  // namespace xtgrad::v1::nn
