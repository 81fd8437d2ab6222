#pragma once

#include <cstdint>
#include <optional>
#include <tuple>

#include "xtgrad/autograd/export.h"
#include "xtgrad/nn/dropout.h"
#include "xtgrad/nn/linear.h"
#include "xtgrad/nn/module.h"
#include "xtgrad/nn/options.h"

namespace xtgrad { inline namespace XTGRAD_PUBLIC v1 { namespace nn {

/// What attention leaves out, for n sequences of L queries and S keys. As in PyTorch's modules a bool mask is
/// true where a key is hidden, which is the opposite of `scaled_dot_product_attention`'s; a floating one is
/// added to the scores. Each is an empty handle if there is none.
struct AttentionMasks {
  Tensor attn_mask = {};         ///< [L, S] for all, or [n * heads, L, S]
  Tensor key_padding_mask = {};  ///< [n, S]; [S] for one sequence alone
  bool is_causal = false;        ///< query i may look at keys 0 to i alone, beside what the masks say

  friend auto tensors_of(AttentionMasks& masks) { return std::tie(masks.attn_mask, masks.key_padding_mask); }
};

/// How MultiheadAttention is called, besides query, key and value.
struct AttentionCall {
  AttentionMasks masks = {};
  bool need_weights = false;    ///< give the weights, too, which then are stored
  bool average_weights = true;  ///< over the heads

  friend auto tensors_of(AttentionCall& call) { return std::tie(call.masks); }
};

/// What it gives.
struct Attended {
  Tensor output;   ///< [n, L, embed_dim]
  Tensor weights;  ///< [n, L, S], or [n, heads, L, S] if not averaged; an empty handle if not asked for

  friend auto tensors_of(Attended& attended) { return std::tie(attended.output, attended.weights); }
};

struct MultiheadAttentionOptions {
  std::int64_t embed_dim = required;  ///< features of the query and of the output
  std::int64_t num_heads = required;  ///< must divide embed_dim
  double dropout = 0;                 ///< of the weights, while training; in [0, 1]
  bool bias = true;
  std::optional<std::int64_t> kdim = std::nullopt;  ///< features of the key; embed_dim if absent
  std::optional<std::int64_t> vdim = std::nullopt;  ///< and of the value
};

/// Attention of several heads (Vaswani et al., "Attention is all you need", 2017): query [n, L, embed_dim],
/// key [n, S, kdim] and value [n, S, vdim], or each without n, are projected, cut into heads, attended to by
/// `scaled_dot_product_attention`, joined and projected again. The batch comes first, always: no tensor here
/// has another order for it.
///
/// The scores are never stored, unless weights are asked for, or dropped out in training. A query whose keys
/// are all hidden gets what a value of zeros would give, where PyTorch gives NaN.
///
/// Parameters, by PyTorch's names: in_proj_weight [3 embed_dim, embed_dim] for query, key and value, or
/// q_proj_weight, k_proj_weight and v_proj_weight where kdim or vdim differ from embed_dim, all
/// xavier_uniform at first; in_proj_bias [3 embed_dim] and out_proj.bias, zeros; out_proj.weight as Linear's.
///
///   nn::MultiheadAttention attention{{.embed_dim = 16, .num_heads = 4}};
///   Tensor x = randn({8, 5, 16});
///   Tensor y = attention(x, x, x).output;  // [8, 5, 16]
///   auto [z, weights] = attention(x, x, x, {.masks = {.is_causal = true}, .need_weights = true});
///
/// Throws ValueError for options that are missing or out of range, ShapeError or DtypeError for an input or a
/// mask that does not fit.
class MultiheadAttention
    : public ModuleOf<Attended(const Tensor&, const Tensor&, const Tensor&, const AttentionCall&)> {
 public:
  explicit MultiheadAttention(const MultiheadAttentionOptions& options);
  Attended forward(const Tensor& query, const Tensor& key, const Tensor& value,
                   const AttentionCall& call) override;
  void members(Members& m) override;
  using ModuleOf<Attended(const Tensor&, const Tensor&, const Tensor&, const AttentionCall&)>::operator();
  Attended operator()(const Tensor& query, const Tensor& key, const Tensor& value) {
    return (*this)(query, key, value, AttentionCall{});
  }
  [[nodiscard]] const MultiheadAttentionOptions& options() const& { return options_; }
  [[nodiscard]] MultiheadAttentionOptions options() const&& { return options_; }

  Parameter in_proj_weight;  // [3 embed_dim, embed_dim]; or these three:
  Parameter q_proj_weight;   // [embed_dim, embed_dim]
  Parameter k_proj_weight;   // [embed_dim, kdim]
  Parameter v_proj_weight;   // [embed_dim, vdim]
  Parameter in_proj_bias;    // [3 embed_dim]; not defined without bias
  Linear out_proj;
  Dropout dropout;

 private:
  [[nodiscard]] Tensor project(const Tensor& x, std::int64_t part) const;
  void check_input(const char* name, const Tensor& x, std::int64_t features) const;

  MultiheadAttentionOptions options_;
};

}}}  // namespace xtgrad::v1::nn
