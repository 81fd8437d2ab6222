// MultiheadAttention; what it computes is compared with PyTorch in pytorch_transformers_test.cpp.
#include "xtgrad/nn/multihead_attention.h"

#include <doctest/doctest.h>

#include <limits>

#include "tests/nn/module_checks.h"
#include "tests/support/message_of.h"

using namespace xtgrad;
using namespace nn_test;
using xtgrad::testing::message_of;

namespace {

/// Of one tensor, for the checks of modules.
struct SelfAttention : nn::Module {
  nn::MultiheadAttention attention{{.embed_dim = 4, .num_heads = 2}};
  void members(nn::Members& m) override { m("attention", attention); }
  Tensor forward(const Tensor& x) override {
    return attention(x, x, x, {.masks = {.is_causal = true}}).output;
  }
};

}  // namespace

TEST_CASE("MultiheadAttention keeps what every module keeps, and begins as PyTorch's") {
  SelfAttention module, other;
  CHECK(module.state_dict().contains("attention.in_proj_weight"));
  CHECK(module.attention.in_proj_weight.shape() == Shape{12, 4});
  CHECK(elements(module.attention.in_proj_bias) == Numbers(12, 0));
  CHECK(elements(module.attention.out_proj.bias) == Numbers(4, 0));
  module.to(float64);
  other.to(float64);
  fill_with_ramps(module);
  check_module(module, other, ramp({2, 3, 4}, float64));
  CHECK(module(zeros({0, 3, 4}, {.dtype = float64})).shape() == Shape{0, 3, 4});
  nn::MultiheadAttention bare{{.embed_dim = 4, .num_heads = 1, .bias = false, .kdim = 3}};
  CHECK(bare.parameters().size() == 4);
  CHECK(bare.k_proj_weight.shape() == Shape{4, 3});
  CHECK(bare.v_proj_weight.shape() == Shape{4, 4});
}

TEST_CASE("masks of MultiheadAttention: bool ones hide, floating ones are added, and they join") {
  nn::MultiheadAttention attention{{.embed_dim = 4, .num_heads = 2}};
  fill_with_ramps(attention);
  const Tensor x = ramp({2, 3, 4});
  const Tensor hidden = tensor({{0, 1, 0}, {0, 0, 1}, {0, 0, 0}}) > 0;
  const Tensor padding = tensor({{0, 0, 1}, {0, 0, 0}}) > 0;
  const auto added = [](const Tensor& mask) {
    return masked_fill(zeros(mask.shape()), mask, -std::numeric_limits<double>::infinity());
  };
  const auto run = [&](const Tensor& of_scores, const Tensor& of_keys) {
    return elements(
        attention(x, x, x, {.masks = {.attn_mask = of_scores, .key_padding_mask = of_keys}}).output);
  };
  const Numbers want = run(hidden, padding);
  check_numbers(run(added(hidden), padding), want, 1e-6, 1);
  check_numbers(run(hidden, added(padding)), want, 1e-6, 1);
  check_numbers(run(added(hidden), added(padding)), want, 1e-6, 1);
  CHECK(run(hidden, Tensor()) != want);
  CHECK(run(Tensor(), padding) != want);
  // Of each head of each sequence.
  check_numbers(
      run(concat({unsqueeze(hidden, 0), unsqueeze(hidden, 0), unsqueeze(hidden, 0), unsqueeze(hidden, 0)}),
          padding),
      want, 1e-6, 1);
  const Tensor after = tensor({{0, 1, 1}, {0, 0, 1}, {0, 0, 0}}) > 0;
  check_numbers(run(after, Tensor()), elements(attention(x, x, x, {.masks = {.is_causal = true}}).output),
                1e-6, 1);
  // All keys hidden: what values of 0 give.
  const Tensor all = ones({2, 3}) > 0;
  CHECK(run(Tensor(), all)[0] == elements(attention.out_proj(zeros({4})))[0]);
}

TEST_CASE("MultiheadAttention of one sequence is that of a batch of one") {
  nn::MultiheadAttention attention{{.embed_dim = 4, .num_heads = 2}};
  const Tensor x = ramp({3, 4}), y = ramp({5, 4});
  const nn::AttentionCall call{.masks = {.key_padding_mask = tensor({0, 0, 1, 0, 0}) > 0},
                               .need_weights = true};
  const nn::Attended one = attention(x, y, y, call);
  CHECK(one.output.shape() == Shape{3, 4});
  CHECK(one.weights.shape() == Shape{3, 5});
  nn::AttentionCall of_batch = call;
  of_batch.masks.key_padding_mask = reshape(call.masks.key_padding_mask, {1, 5});
  const Tensor keys = reshape(y, {1, 5, 4});
  CHECK(elements(attention(reshape(x, {1, 3, 4}), keys, keys, of_batch).output) == elements(one.output));
  CHECK(one.weights.at({0, 2}) == 0);
  check_numbers(elements(sum(one.weights, {.axes = {1}})), {1, 1, 1}, 1e-6);
}

TEST_CASE("MultiheadAttention drops weights in training alone") {
  manual_seed(3);
  nn::MultiheadAttention attention{{.embed_dim = 4, .num_heads = 2, .dropout = 0.5}};
  const Tensor x = ramp({2, 3, 4});
  CHECK(elements(attention(x, x, x).output) != elements(attention(x, x, x).output));
  attention.eval();
  const Numbers want = elements(attention(x, x, x).output);
  check_numbers(elements(attention(x, x, x, {.need_weights = true}).output), want, 1e-6, 1);
}

TEST_CASE("MultiheadAttention says what does not fit") {
  CHECK(message_of<ValueError>([] { return nn::MultiheadAttention({.embed_dim = 4}).parameters(); }) ==
        "MultiheadAttention: num_heads is required, and was not given");
  CHECK(message_of<ValueError>([] {
          return nn::MultiheadAttention({.embed_dim = 4, .num_heads = 3}).parameters();
        }) == "MultiheadAttention: num_heads must divide embed_dim: got 3 heads for 4 features");
  CHECK(message_of<ValueError>([] {
          return nn::MultiheadAttention({.embed_dim = 4, .num_heads = 2, .dropout = 2}).parameters();
        }) == "MultiheadAttention: dropout must be in [0, 1]: got 2");
  nn::MultiheadAttention attention{{.embed_dim = 4, .num_heads = 2}};
  const Tensor x = ramp({2, 3, 4});
  const auto message = [&](const Tensor& key, const nn::AttentionMasks& masks) {
    return message_of<Error>([&] { return attention(x, key, key, {.masks = masks}).output; });
  };
  CHECK(message(ramp({2, 3, 5}), {}) ==
        "MultiheadAttention: key must be [n, length, 4] or [length, 4]: got [2, 3, 5]");
  CHECK(
      message(ramp({3, 3, 4}), {}) ==
      "MultiheadAttention: key and value must have as many sequences as query, and one length: query is [2, "
      "3, 4], key is [3, 3, 4], value is [3, 3, 4]");
  CHECK(message(x.to(float64), {}) ==
        "MultiheadAttention: key is float64, the weights are float32; convert the input or the model with "
        "to()");
  CHECK(message(x, {.attn_mask = ones({2, 3}) > 0}) ==
        "MultiheadAttention: attn_mask must be [3, 3] or [4, 3, 3]: got [2, 3]");
  CHECK(message(x, {.key_padding_mask = ones({3}) > 0}) ==
        "MultiheadAttention: key_padding_mask must be [2, 3]: got [3]");
  CHECK(message(x, {.attn_mask = ones({3, 3}, {.dtype = int64})}) ==
        "MultiheadAttention: attn_mask must be bool or float32: got int64");
}
