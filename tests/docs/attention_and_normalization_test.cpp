// The code of docs/operations/attention_and_normalization.md.
#include <doctest/doctest.h>

#include <cmath>

#include "tests/support/values.h"
#include "xtgrad/autograd/functions/attention.h"
#include "xtgrad/autograd/functions/normalization.h"
#include "xtgrad/nn/transformer_encoder.h"
#include "xtgrad/xtgrad.h"

using namespace xtgrad;

TEST_CASE("docs/operations/attention_and_normalization.md: norms") {
  Random random(1);
  const Tensor x = randn({8, 6, 5, 5}, random);
  const Tensor weight = ones({6}), bias = zeros({6});
  const Tensor y = group_norm(x, 3, weight, bias);  // of each image, 2 channels at a time
  const Tensor z = instance_norm(x);                // 1 channel at a time
  const Tensor u = rms_norm(randn({4, 16}, random), ones({16}));
  CHECK(amax(abs(mean(y, {.axes = {2, 3}}))).item() < 1);
  CHECK(amax(abs(mean(z, {.axes = {2, 3}}))).item() < 1e-5);
  CHECK(amax(abs(mean(square(u), {.axes = {1}}) - 1)).item() < 1e-5);
}

TEST_CASE("docs/operations/attention_and_normalization.md: a norm by statistics that are known") {
  Random random(4);
  const TensorOptions wanted{.dtype = float64, .requires_grad = true};
  const Tensor x = randn({5, 3, 2}, random, wanted), average = randn({3}, random, wanted);
  const Tensor scale = randn({3}, random, wanted), shift = randn({3}, random, wanted);
  const Tensor g = randn({5, 3, 2}, random, {.dtype = float64});
  const auto slopes = grad(sum(normalize_by(x, average, scale, shift) * g), {x, average, scale, shift});
  const auto channel = [](const Tensor& t) { return reshape(t, {3, 1}); };
  const auto total = [](const Tensor& t) { return sum(t, {.axes = {0, 2}}); };
  const std::vector<Tensor> expected{g * channel(scale), -scale * total(g), total(g * (x - channel(average))),
                                     total(g)};
  for (std::size_t i = 0; i < 4; ++i) CHECK(amax(abs(slopes[i] - expected[i])).item() < 1e-13);
}

TEST_CASE("docs/operations/attention_and_normalization.md: attention") {
  Random random(2);
  const Tensor q = randn({2, 8, 10, 16}, random), k = randn({2, 2, 12, 16}, random),
               v = randn({2, 2, 12, 16}, random);  // [batch, heads, length, d]
  const Tensor padded = tensor({0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1}) > 0;
  const Tensor y = scaled_dot_product_attention(q, k, v, {.mask = !padded, .enable_gqa = true});
  CHECK(y.shape() == Shape{2, 8, 10, 16});
  const Tensor cut = scaled_dot_product_attention(q, slice(k, {.axis = 2, .stop = 10}),
                                                  slice(v, {.axis = 2, .stop = 10}), {.enable_gqa = true});
  CHECK(amax(abs(y - cut)).item() < 1e-5);
}

TEST_CASE("docs/operations/attention_and_normalization.md: a transformer") {
  manual_seed(3);
  nn::TransformerEncoder encoder{
      {.layer = {.d_model = 16, .nhead = 4, .dim_feedforward = 32, .norm_first = true},
       .num_layers = 2,
       .norm = true}};
  const Tensor x = randn({3, 7, 16});  // [batch, length, d_model]
  const Tensor y = encoder(x, {.is_causal = true});
  auto [z, weights] = encoder.layers[0].self_attn(x, x, x, {.need_weights = true});
  CHECK(y.shape() == x.shape());
  CHECK(z.shape() == x.shape());
  CHECK(weights.shape() == Shape{3, 7, 7});
}
