#pragma once

#include <cstdint>

#include "xtgrad/autograd/export.h"
#include "xtgrad/nn/activations.h"
#include "xtgrad/nn/dropout.h"
#include "xtgrad/nn/layer_norm.h"
#include "xtgrad/nn/linear.h"
#include "xtgrad/nn/multihead_attention.h"
#include "xtgrad/nn/options.h"

namespace xtgrad { inline namespace XTGRAD_PUBLIC v1 { namespace nn {

/// Of TransformerEncoderLayer and TransformerDecoderLayer.
struct TransformerLayerOptions {
  std::int64_t d_model = required;      ///< features of each place of a sequence
  std::int64_t nhead = required;        ///< heads of the attention; must divide d_model
  std::int64_t dim_feedforward = 2048;  ///< features between the two linear layers
  double dropout = 0.1;                 ///< of attention weights and of the results of each part
  ActivationKind activation = ActivationKind::relu;
  double layer_norm_eps = 1e-5;
  bool norm_first = false;  ///< normalise what goes into each part, not the sum of it and of what comes out
  bool bias = true;         ///< of the linear layers, the attention and the norms
};

namespace detail {

/// The part of a transformer's layer that sees each place of a sequence alone: linear2(dropout(activation(
/// linear1(x)))).
struct FeedForward {
  Linear& linear1;
  Linear& linear2;
  Dropout& dropout;
  ActivationKind activation;

  [[nodiscard]] Tensor operator()(const Tensor& x) const;
};

/// Throws ValueError in the name of the layer for an option that is missing or out of range; what the parts
/// check is left to them.
XTGRAD_LOCAL const TransformerLayerOptions& checked(const char* layer,
                                                    const TransformerLayerOptions& options);
[[nodiscard]] XTGRAD_LOCAL LayerNorm transformer_norm(const TransformerLayerOptions& options);
[[nodiscard]] XTGRAD_LOCAL MultiheadAttention transformer_attention(const TransformerLayerOptions& options);

}  // namespace detail
}}}  // namespace xtgrad::v1::nn
