// Samples of attention.
#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "tests/support/op_samples.h"
#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/functions/attention.h"
#include "xtgrad/autograd/ops.h"

namespace xtgrad::inline v1::testing { namespace {

/// What a sample asks for: shapes, and the options without the mask, which is the fourth input.
struct Case {
  std::string name;
  Shape q, k, v;
  Shape mask = {};
  Role mask_role = Role::floating;
  bool has_mask = false;
  AttentionOptions options = {};
  bool derivatives = true;
};

/// The element at an index of the result's shape, of an operand that broadcasts: its leading dimensions are
/// those of `at`, its last two are given.
Real element(const Values& x, const std::vector<std::int64_t>& lead, std::int64_t i, std::int64_t j) {
  const Shape& shape = x.shape;
  const auto inside = [](std::int64_t place, std::int64_t size) { return size == 1 ? 0 : place; };
  std::int64_t at = 0;
  for (std::size_t d = 0; d + 2 < shape.rank(); ++d) {
    const std::size_t from_end = shape.rank() - 2 - d;
    at = at * shape[d] + inside(lead[lead.size() - from_end], shape[d]);
  }
  at = at * shape[shape.rank() - 2] + inside(i, shape[shape.rank() - 2]);
  return x.data[static_cast<std::size_t>(at * shape.back() + inside(j, shape.back()))];
}

/// Score by score. k and v of grouped heads have been repeated before.
Values attend(const Values& q, const Values& k, const Values& v, const Values* mask, bool mask_is_bool,
              const AttentionOptions& options, const Shape& result) {
  const std::int64_t queries = q.shape[q.shape.rank() - 2], keys = k.shape[k.shape.rank() - 2];
  const std::int64_t depth = q.shape.back(), width = result.back();
  const Real scale =
      options.scale.has_value() ? static_cast<Real>(*options.scale) : 1 / std::sqrt(static_cast<Real>(depth));
  Values y{result, std::vector<Real>(static_cast<std::size_t>(result.numel()), 0)};
  const auto batches = result.numel() == 0 ? 0 : result.numel() / (queries * width);
  for (std::int64_t batch = 0; batch < batches; ++batch) {
    std::vector<std::int64_t> lead(result.rank() - 2);
    for (std::size_t d = lead.size(), rest = static_cast<std::size_t>(batch); d-- > 0;) {
      lead[d] = static_cast<std::int64_t>(rest) % result[d];
      rest /= static_cast<std::size_t>(result[d]);
    }
    for (std::int64_t i = 0; i < queries; ++i) {
      std::vector<Real> scores;
      Real largest = -std::numeric_limits<Real>::infinity();
      for (std::int64_t j = 0; j < keys; ++j) {
        Real s = 0;
        for (std::int64_t p = 0; p < depth; ++p) s += element(q, lead, i, p) * element(k, lead, j, p);
        s *= scale;
        bool visible = !options.is_causal || j <= i;
        if (mask != nullptr) {
          const Real m = element(*mask, lead, i, j);
          if (mask_is_bool) visible = visible && m != 0;
          if (!mask_is_bool) s += m;
        }
        scores.push_back(visible ? s : -std::numeric_limits<Real>::infinity());
        largest = std::max(largest, scores.back());
      }
      if (std::isinf(largest)) continue;
      Real sum = 0;
      for (const Real s : scores) sum += std::exp(s - largest);
      for (std::int64_t c = 0; c < width; ++c) {
        Real total = 0;
        for (std::int64_t j = 0; j < keys; ++j)
          total += std::exp(scores[static_cast<std::size_t>(j)] - largest) / sum * element(v, lead, j, c);
        y.data[static_cast<std::size_t>((batch * queries + i) * width + c)] = total;
      }
    }
  }
  return y;
}

/// Each head `times` times.
Values repeated_heads(const Values& x, std::int64_t times) {
  Shape shape = x.shape;
  const std::size_t heads = shape.rank() - 3;
  const std::int64_t size = shape[shape.rank() - 2] * shape.back();
  Values y{};
  shape[heads] *= times;
  y.shape = shape;
  for (std::size_t first = 0; first < x.data.size(); first += static_cast<std::size_t>(size)) {
    for (std::int64_t k = 0; k < times; ++k)
      y.data.insert(y.data.end(), x.data.begin() + static_cast<std::ptrdiff_t>(first),
                    x.data.begin() + static_cast<std::ptrdiff_t>(first + static_cast<std::size_t>(size)));
  }
  return y;
}

Sample sample_of(const Case& c) {
  Sample sample{.attributes = c.name,
                .inputs = {{.shape = c.q}, {.shape = c.k}, {.shape = c.v}},
                .derivatives = c.derivatives,
                .nasty = false};
  if (c.has_mask) {
    sample.inputs.push_back(c.mask_role == Role::mask ? mask_input(c.mask) : Input{.shape = c.mask});
  }
  sample.apply = [c](std::span<const Tensor> in) {
    AttentionOptions options = c.options;
    if (c.has_mask) options.mask = in[3];
    return scaled_dot_product_attention(in[0], in[1], in[2], options);
  };
  sample.reference = [c](std::span<const Values> in) {
    const std::int64_t times = c.options.enable_gqa ? c.q[c.q.rank() - 3] / c.k[c.k.rank() - 3] : 1;
    const Values k = times == 1 ? in[1] : repeated_heads(in[1], times);
    const Values v = times == 1 ? in[2] : repeated_heads(in[2], times);
    const auto lead = [](const Shape& x) { return Shape(std::span(x.begin(), x.rank() - 2)); };
    Shape result =
        broadcast_shapes("lead", broadcast_shapes("lead", lead(in[0].shape), lead(k.shape)), lead(v.shape));
    if (c.has_mask && c.mask.rank() > 2) result = broadcast_shapes("lead", result, lead(c.mask));
    result.push_back(c.q[c.q.rank() - 2]);
    result.push_back(c.v.back());
    Values mask;
    if (c.has_mask) mask = in[3];
    while (c.has_mask && mask.shape.rank() < 2) {
      Shape wider{1};
      for (const std::int64_t size : mask.shape) wider.push_back(size);
      mask.shape = wider;
    }
    return attend(in[0], k, v, c.has_mask ? &mask : nullptr, c.mask_role == Role::mask, c.options, result);
  };
  return sample;
}

const OpSamples attention_samples(OpId::scaled_dot_product_attention, [](Op& op) {
  // A score is a sum of products of size 4, rounded at that size, and an exponential makes of an absolute
  // error a relative one; results are means of v, whose size is 2, and may cancel.
  op.accuracy = {
      .ulps = 32, .floor = 2, .gradient_ulps = 64, .gradient_floor = 1, .float32_gradient_ulps = 64};
  op.sample(sample_of({.name = "one matrix", .q = {2, 3}, .k = {4, 3}, .v = {4, 2}}));
  op.sample(sample_of({.name = "causal, scale",
                       .q = {1, 3, 2},
                       .k = {2, 3, 2},
                       .v = {2, 3, 2},
                       .options = {.is_causal = true, .scale = 0.5}}));
  op.sample(sample_of({.name = "added mask that broadcasts",
                       .q = {2, 2, 2},
                       .k = {1, 3, 2},
                       .v = {3, 1},
                       .mask = {2, 1, 3},
                       .has_mask = true}));
  op.sample(sample_of({.name = "mask of keys",
                       .q = {2, 2},
                       .k = {3, 2},
                       .v = {3, 2},
                       .mask = {3},
                       .mask_role = Role::mask,
                       .has_mask = true}));
  op.sample(sample_of({.name = "grouped heads",
                       .q = {4, 2, 2},
                       .k = {2, 2, 2},
                       .v = {2, 2, 1},
                       .mask = {4, 2, 1},
                       .mask_role = Role::mask,
                       .has_mask = true,
                       .options = {.enable_gqa = true}}));
  op.sample(sample_of({.name = "no keys", .q = {2, 3}, .k = {0, 3}, .v = {0, 2}}));
  op.sample(sample_of({.name = "no queries", .q = {2, 0, 3}, .k = {2, 2, 3}, .v = {2, 2, 2}}));
  op.sample(sample_of({.name = "several blocks, causal",
                       .q = {140, 5},
                       .k = {300, 5},
                       .v = {300, 3},
                       .options = {.is_causal = true},
                       .derivatives = false}));
  op.sample(sample_of({.name = "several blocks, masked",
                       .q = {2, 140, 5},
                       .k = {300, 5},
                       .v = {300, 3},
                       .mask = {140, 300},
                       .mask_role = Role::mask,
                       .has_mask = true,
                       .derivatives = false}));
  const auto causal = [](const Tensor& q, const Tensor& k, const Tensor& v) {
    return scaled_dot_product_attention(q, k, v, {.is_causal = true});
  };
  op.exact({"the first query sees the first key alone",
            {row({1, 2}), row({1, 2}), row({3, 7})},
            [=](const Tensor& q, const Tensor& k, const Tensor& v) {
              const Shape shape{2, 1};
              return slice(causal(reshape(q, shape), reshape(k, shape), reshape(v, shape)),
                           {.axis = 0, .stop = 1});
            },
            Values{{1, 1}, {3}},
            {row({0, 0}), row({0, 0}), row({1, 0})}});
  const Tensor q = ones({2, 3}), v = ones({4, 2});
  op.throws<ShapeError>("operands need at least 2 dimensions: q is [3], k is [2, 3], v is [2, 3]",
                        [=] { return scaled_dot_product_attention(ones({3}), q, q); });
  op.throws<ShapeError>("q and k must have one last dimension: q is [2, 3], k is [4, 2], v is [4, 2]",
                        [=] { return scaled_dot_product_attention(q, v, v); });
  op.throws<ShapeError>("k and v must have as many rows: q is [2, 3], k is [2, 3], v is [4, 2]",
                        [=] { return scaled_dot_product_attention(q, q, v); });
  op.throws<ShapeError>("mask must broadcast to the scores [2, 2]: mask is [2, 3]",
                        [=] { return scaled_dot_product_attention(q, q, q, {.mask = q}); });
  op.throws<DtypeError>("mask must be bool, or of q's dtype: mask is int64, q is float32", [=] {
    return scaled_dot_product_attention(q, q, q, {.mask = ones({2, 2}, {.dtype = int64})});
  });
  op.throws<ValueError>("scale must be finite, got inf",
                        [=] { return scaled_dot_product_attention(q, q, q, {.scale = infinity}); });
  op.throws<ShapeError>("grouped heads need at least 3 dimensions: q is [2, 3], k is [2, 3], v is [2, 3]",
                        [=] { return scaled_dot_product_attention(q, q, q, {.enable_gqa = true}); });
  op.throws<ShapeError>("the heads of k must divide those of q: q is [3, 2, 3], k is [2, 2, 3]", [] {
    return scaled_dot_product_attention(ones({3, 2, 3}), ones({2, 2, 3}), ones({2, 2, 3}),
                                        {.enable_gqa = true});
  });
  op.throws<ShapeError>("k and v must have as many heads", [] {
    return scaled_dot_product_attention(ones({2, 2, 3}), ones({2, 2, 3}), ones({1, 2, 3}),
                                        {.enable_gqa = true});
  });
});

}}  // namespace xtgrad::v1::testing
