#include "xtgrad/nn/transformer_layer.h"

#include <fmt/format.h>

#include "xtgrad/autograd/errors.h"

namespace xtgrad::inline v1::nn::detail {

Tensor FeedForward::operator()(const Tensor& x) const {
  return linear2(dropout(activate(linear1(x), activation)));
}

const TransformerLayerOptions& checked(const char* layer, const TransformerLayerOptions& options) {
  check_option(layer, "d_model", options.d_model, 1);
  check_option(layer, "nhead", options.nhead, 1);
  check_option(layer, "dim_feedforward", options.dim_feedforward, 1);
  if (options.d_model % options.nhead != 0) {
    throw ValueError(fmt::format("{}: nhead must divide d_model: got {} heads for {} features", layer,
                                 options.nhead, options.d_model));
  }
  if (options.dropout >= 0 && options.dropout <= 1) return options;
  throw ValueError(fmt::format("{}: dropout must be in [0, 1]: got {}", layer, options.dropout));
}

LayerNorm transformer_norm(const TransformerLayerOptions& options) {
  return LayerNorm(
      {.normalized_shape = {options.d_model}, .eps = options.layer_norm_eps, .bias = options.bias});
}

MultiheadAttention transformer_attention(const TransformerLayerOptions& options) {
  return MultiheadAttention({.embed_dim = options.d_model,
                             .num_heads = options.nhead,
                             .dropout = options.dropout,
                             .bias = options.bias});
}

}  // namespace xtgrad::v1::nn::detail
