#include "xtgrad/nn/multihead_attention.h"

#include <fmt/format.h>

#include <limits>
#include <string>

#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/ops.h"
#include "xtgrad/autograd/ops/attention.h"
#include "xtgrad/nn/floating_input.h"
#include "xtgrad/nn/init.h"

namespace xtgrad::inline v1::nn {
namespace {

const MultiheadAttentionOptions& checked(const MultiheadAttentionOptions& options) {
  detail::check_option("MultiheadAttention", "embed_dim", options.embed_dim, 1);
  detail::check_option("MultiheadAttention", "num_heads", options.num_heads, 1);
  detail::check_option("MultiheadAttention", "kdim", options.kdim.value_or(1), 1);
  detail::check_option("MultiheadAttention", "vdim", options.vdim.value_or(1), 1);
  if (options.embed_dim % options.num_heads != 0) {
    throw ValueError(
        fmt::format("MultiheadAttention: num_heads must divide embed_dim: got {} heads for {} features",
                    options.num_heads, options.embed_dim));
  }
  if (!(options.dropout >= 0 && options.dropout <= 1)) {
    throw ValueError(fmt::format("MultiheadAttention: dropout must be in [0, 1]: got {}", options.dropout));
  }
  return options;
}

/// x [n, L, features] as heads [n, heads, L, features / heads].
Tensor in_heads(const Tensor& x, std::int64_t heads) {
  return permute(reshape(x, {x.size(0), x.size(1), heads, x.size(2) / heads}), {0, 2, 1, 3});
}

/// A mask as numbers to add: -inf where a bool one hides.
Tensor as_added(const Tensor& mask, Dtype dtype) {
  if (mask.dtype() != Dtype::boolean) return mask;
  return masked_fill(zeros(mask.shape(), {.dtype = dtype}), mask, -std::numeric_limits<double>::infinity());
}

/// The sizes of what is attended to.
struct Sizes {
  std::int64_t n, heads, queries, keys;
  Dtype dtype;
};

/// `who` is asked for the name in a message, which a module has to look up.
void check_mask(const auto& who, const char* name, const Tensor& mask, Dtype dtype) {
  if (mask.dtype() == Dtype::boolean || mask.dtype() == dtype) return;
  throw DtypeError(fmt::format("{}: {} must be bool or {}: got {}", who(), name, to_string(dtype),
                               to_string(mask.dtype())));
}

/// attn_mask as it broadcasts to [n, heads, L, S].
Tensor mask_of_scores(const auto& who, const Tensor& mask, const Sizes& at) {
  check_mask(who, "attn_mask", mask, at.dtype);
  const Shape scores{at.queries, at.keys}, each{at.n * at.heads, at.queries, at.keys};
  if (mask.shape() == scores) return mask;
  if (mask.shape() == each) return reshape(mask, {at.n, at.heads, at.queries, at.keys});
  throw ShapeError(fmt::format("{}: attn_mask must be {} or {}: got {}", who(), to_string(scores),
                               to_string(each), to_string(mask.shape())));
}

/// key_padding_mask as it broadcasts to [n, heads, L, S].
Tensor mask_of_keys(const auto& who, const Tensor& mask, const Sizes& at, bool is_single) {
  check_mask(who, "key_padding_mask", mask, at.dtype);
  const Shape want = is_single ? Shape{at.keys} : Shape{at.n, at.keys};
  if (mask.shape() == want) return reshape(mask, {at.n, 1, 1, at.keys});
  throw ShapeError(fmt::format("{}: key_padding_mask must be {}: got {}", who(), to_string(want),
                               to_string(mask.shape())));
}

/// Both masks as one, as `scaled_dot_product_attention` takes it; none if there is neither.
std::optional<Tensor> joined(const auto& who, const AttentionMasks& masks, const Sizes& at, bool is_single) {
  std::optional<Tensor> scores, keys;
  if (masks.attn_mask.defined()) scores = mask_of_scores(who, masks.attn_mask, at);
  if (masks.key_padding_mask.defined()) keys = mask_of_keys(who, masks.key_padding_mask, at, is_single);
  if (!scores && !keys) return std::nullopt;
  const auto is_bool = [](const std::optional<Tensor>& mask) {
    return !mask || mask->dtype() == Dtype::boolean;
  };
  if (is_bool(scores) && is_bool(keys)) {
    if (scores && keys) return logical_not(logical_or(*scores, *keys));
    return logical_not(scores ? *scores : *keys);
  }
  if (scores && keys) return as_added(*scores, at.dtype) + as_added(*keys, at.dtype);
  return scores ? scores : keys;
}

}  // namespace

MultiheadAttention::MultiheadAttention(const MultiheadAttentionOptions& options)
    : out_proj({.in_features = checked(options).embed_dim,
                .out_features = options.embed_dim,
                .bias = options.bias}),
      dropout({.p = options.dropout}),
      options_(options) {
  const std::int64_t size = options.embed_dim;
  const std::int64_t kdim = options.kdim.value_or(size), vdim = options.vdim.value_or(size);
  if (kdim == size && vdim == size) {
    in_proj_weight = Parameter(init::xavier_uniform({3 * size, size}));
  } else {
    q_proj_weight = Parameter(init::xavier_uniform({size, size}));
    k_proj_weight = Parameter(init::xavier_uniform({size, kdim}));
    v_proj_weight = Parameter(init::xavier_uniform({size, vdim}));
  }
  if (!options.bias) return;
  in_proj_bias = Parameter(zeros({3 * size}));
  out_proj.bias.set_value(zeros({size}));
}

void MultiheadAttention::members(Members& m) {
  m("in_proj_weight", in_proj_weight);
  m("q_proj_weight", q_proj_weight);
  m("k_proj_weight", k_proj_weight);
  m("v_proj_weight", v_proj_weight);
  m("in_proj_bias", in_proj_bias);
  m("out_proj", out_proj);
  m("dropout", dropout);
}

void MultiheadAttention::check_input(const char* name, const Tensor& x, std::int64_t features) const {
  const auto who = [this, name] { return fmt::format("{}: {}", label(), name); };
  detail::check_floating(who, x);
  if ((x.rank() != 2 && x.rank() != 3) || x.shape().back() != features) {
    throw ShapeError(fmt::format("{} must be [n, length, {}] or [length, {}]: got {}", who(), features,
                                 features, to_string(x.shape())));
  }
  const Dtype dtype = out_proj.weight.dtype();
  if (x.dtype() == dtype) return;
  throw DtypeError(fmt::format("{} is {}, the weights are {}; convert the input or the model with to()",
                               who(), to_string(x.dtype()), to_string(dtype)));
}

/// Query, key or value, parts 0 to 2, times its weights.
Tensor MultiheadAttention::project(const Tensor& x, std::int64_t part) const {
  const std::int64_t size = options_.embed_dim, features = x.size(-1);
  const auto rows = [&](const Tensor& all) {
    return slice(all, {.axis = 0, .start = part * size, .stop = (part + 1) * size});
  };
  const Parameter& own = part == 0 ? q_proj_weight : part == 1 ? k_proj_weight : v_proj_weight;
  const Tensor weight = in_proj_weight.defined() ? rows(in_proj_weight) : own.tensor();
  // All leading dimensions as one: a single large product, and the weight is not broadcast over batches.
  Tensor y = matmul(reshape(x, {x.size(0) * x.size(1), features}), weight, {.transpose_b = true});
  if (in_proj_bias.defined()) y = y + rows(in_proj_bias);
  return in_heads(reshape(y, {x.size(0), x.size(1), size}), options_.num_heads);
}

Attended MultiheadAttention::forward(const Tensor& query, const Tensor& key, const Tensor& value,
                                     const AttentionCall& call) {
  check_input("query", query, options_.embed_dim);
  check_input("key", key, options_.kdim.value_or(options_.embed_dim));
  check_input("value", value, options_.vdim.value_or(options_.embed_dim));
  const bool is_single = query.rank() == 2;
  const auto who = [this] { return label(); };
  if (key.rank() != query.rank() || value.rank() != query.rank() || key.size(-2) != value.size(-2) ||
      (!is_single && (key.size(0) != query.size(0) || value.size(0) != query.size(0)))) {
    throw ShapeError(
        fmt::format("{}: key and value must have as many sequences as query, and one length: "
                    "query is {}, key is {}, value is {}",
                    who(), to_string(query.shape()), to_string(key.shape()), to_string(value.shape())));
  }
  const auto batched = [&](const Tensor& x) { return is_single ? reshape(x, {1, x.size(0), x.size(1)}) : x; };
  const Tensor q = project(batched(query), 0), k = project(batched(key), 1), v = project(batched(value), 2);
  const Sizes at{q.size(0), options_.num_heads, q.size(2), k.size(2), q.dtype()};
  const AttentionOptions how{.mask = joined(who, call.masks, at, is_single),
                             .is_causal = call.masks.is_causal};
  Attended result;
  Tensor heads;  // [n, heads, L, embed_dim / heads]
  if (call.need_weights || (is_training() && options_.dropout > 0)) {
    const Tensor weights = xtgrad::detail::attention_weights(q, k, how);
    heads = matmul(dropout(weights), v);
    if (call.need_weights) result.weights = call.average_weights ? mean(weights, {.axes = {1}}) : weights;
  } else {
    heads = scaled_dot_product_attention(q, k, v, how);
  }
  const Tensor y = reshape(permute(heads, {0, 2, 1, 3}), {at.n, at.queries, options_.embed_dim});
  result.output = out_proj(y);
  if (!is_single) return result;
  result.output = reshape(result.output, query.shape());
  if (!result.weights.defined()) return result;
  const Shape& shape = result.weights.shape();
  result.weights = reshape(result.weights, Shape(std::span(shape.begin() + 1, shape.rank() - 1)));
  return result;
}

}  // namespace xtgrad::v1::nn
