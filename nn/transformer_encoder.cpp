#include "xtgrad/nn/transformer_encoder.h"

#include <string>

#include "xtgrad/autograd/ops.h"

namespace xtgrad::inline v1::nn {

TransformerEncoderLayer::TransformerEncoderLayer(const TransformerLayerOptions& options)
    : self_attn(detail::transformer_attention(detail::checked("TransformerEncoderLayer", options))),
      linear1(
          {.in_features = options.d_model, .out_features = options.dim_feedforward, .bias = options.bias}),
      linear2(
          {.in_features = options.dim_feedforward, .out_features = options.d_model, .bias = options.bias}),
      norm1(detail::transformer_norm(options)),
      norm2(detail::transformer_norm(options)),
      dropout({.p = options.dropout}),
      dropout1({.p = options.dropout}),
      dropout2({.p = options.dropout}),
      activation_(options.activation),
      norm_first_(options.norm_first) {}

void TransformerEncoderLayer::members(Members& m) {
  m("self_attn", self_attn);
  m("linear1", linear1);
  m("dropout", dropout);
  m("linear2", linear2);
  m("norm1", norm1);
  m("norm2", norm2);
  m("dropout1", dropout1);
  m("dropout2", dropout2);
}

Tensor TransformerEncoderLayer::attend(const Tensor& x, const AttentionMasks& masks) {
  return dropout1(self_attn(x, x, x, {.masks = masks}).output);
}

Tensor TransformerEncoderLayer::feed(const Tensor& x) {
  return dropout2(detail::FeedForward{linear1, linear2, dropout, activation_}(x));
}

Tensor TransformerEncoderLayer::forward(const Tensor& x, const AttentionMasks& masks) {
  if (norm_first_) {
    const Tensor y = x + attend(norm1(x), masks);
    return y + feed(norm2(y));
  }
  const Tensor y = norm1(x + attend(x, masks));
  return norm2(y + feed(y));
}

TransformerEncoder::TransformerEncoder(const TransformerEncoderOptions& options) {
  detail::check_option("TransformerEncoder", "num_layers", options.num_layers, 1);
  for (std::int64_t i = 0; i < options.num_layers; ++i) layers.emplace_back(options.layer);
  if (options.norm) norm = detail::transformer_norm(options.layer);
}

void TransformerEncoder::members(Members& m) {
  for (std::size_t i = 0; i < layers.size(); ++i) m("layers." + std::to_string(i), layers[i]);
  if (norm) m("norm", *norm);
}

Tensor TransformerEncoder::forward(const Tensor& x, const AttentionMasks& masks) {
  Tensor y = x;
  for (TransformerEncoderLayer& layer : layers) y = layer(y, masks);
  return norm ? (*norm)(y) : y;
}

}  // namespace xtgrad::v1::nn
