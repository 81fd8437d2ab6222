// Every module and every loss, captured: values, gradients and what the module remembers, to the bit.
#include <doctest/doctest.h>

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "tests/nn/captured.h"
#include "tests/support/thread_count.h"
#include "xtgrad/nn/capture.h"
#include "xtgrad/nn/instance_norm.h"
#include "xtgrad/nn/nn.h"
#include "xtgrad/nn/rms_norm.h"
#include "xtgrad/nn/transformer_encoder.h"
#include "xtgrad/xtgrad.h"

namespace xtgrad { namespace {

using nn::ActivationKind;
using testing::check_same;
using testing::same_bits;

/// Attention with masks, of one tensor to one.
struct Encoder : nn::Module {
  nn::TransformerEncoder encoder{
      {.layer = {.d_model = 4, .nhead = 2, .dim_feedforward = 3, .dropout = 0.2}, .num_layers = 1}};
  Tensor hidden = tensor({{0, 0, 1}, {0, 0, 0}}) > 0;
  void members(nn::Members& m) override { m("encoder", encoder); }
  Tensor forward(const Tensor& x) override {
    return encoder(x, {.key_padding_mask = hidden, .is_causal = true});
  }
};

/// A module's step in training and in use: its output, its gradients, and those of the input.
template <class M>
void check_replays(const M& module, const Shape& shape) {
  for (const Dtype dtype : {float32, float64}) {
    for (const bool trains : {true, false}) {
      for (const int threads : {1, 2}) {
        const testing::ThreadCount scope(threads);
        M eager(module), replayed(module);
        for (M* each : {&eager, &replayed}) {
          each->to(dtype);
          trains ? each->train() : each->eval();
        }
        const auto step = [](M& model, const Tensor& x) {
          model.zero_grad();
          const Tensor variable = x.detach().set_requires_grad();
          const Tensor y = model(variable);
          sum(square(y)).backward();
          return std::vector<Tensor>{y.detach(), variable.grad()};
        };
        Random random(3);
        const auto draw = [&] { return randn(shape, random, {.dtype = dtype}); };
        auto replay = capture([&](const Tensor& x) { return step(replayed, x); }, draw(), {&replayed});
        for (int round = 0; round < 3; ++round) {
          const Tensor x = draw();
          const std::vector<Tensor> expected = step(eager, x);
          const std::vector<Tensor> found = replay(x);
          for (std::size_t k = 0; k < expected.size(); ++k) CHECK(same_bits(found[k], expected[k]));
          check_same(eager, replayed);
        }
      }
    }
  }
}

TEST_CASE("every module has its bits in a replay") {
  manual_seed(1);
  check_replays(nn::Linear(3, 2), {4, 3});
  check_replays(nn::Linear({.in_features = 3, .out_features = 2, .bias = false}), {1, 3});
  check_replays(nn::Linear(3, 2), {0, 3});
  check_replays(nn::Neuron({.in_features = 3}), {4, 3});
  for (const ActivationKind kind : {ActivationKind::identity, ActivationKind::relu, ActivationKind::tanh,
                                    ActivationKind::sigmoid, ActivationKind::softplus})
    check_replays(nn::Activation(kind), {4, 3});
  check_replays(nn::LeakyReLU(0.1), {4, 3});
  check_replays(nn::ELU(0.5), {4, 3});
  check_replays(nn::GELU(), {4, 3});
  check_replays(nn::GELUTanh(), {4, 3});
  check_replays(nn::SiLU(), {4, 3});
  check_replays(nn::Flatten(), {2, 3, 2});
  check_replays(nn::Dropout({.p = 0.4}), {4, 5});
  check_replays(nn::LayerNorm({.normalized_shape = {5}}), {4, 5});
  check_replays(nn::MLP({.sizes = {3, 4, 4, 2}, .activation = ActivationKind::tanh, .dropout = 0.3}), {2, 3});
  check_replays(nn::Perceptron({.in_features = 3, .out_features = 2, .activation = ActivationKind::sigmoid}),
                {2, 3});
  check_replays(nn::Sequential{nn::Linear{3, 4}, nn::Softplus{}, nn::Dropout{}, nn::Linear{4, 2}}, {2, 3});
}

TEST_CASE("every module for images has its bits in a replay") {
  manual_seed(2);
  const Shape images{2, 2, 5, 4};
  check_replays(nn::Conv2d({.in_channels = 2, .out_channels = 3, .kernel = 3, .padding = 1}), images);
  check_replays(nn::Conv2d({.in_channels = 2,
                            .out_channels = 4,
                            .kernel = {3, 2},
                            .stride = 2,
                            .dilation = {1, 2},
                            .groups = 2,
                            .bias = false}),
                images);
  check_replays(nn::ConvTranspose2d({.in_channels = 2, .out_channels = 3, .kernel = 3, .stride = 2}), images);
  check_replays(nn::MaxPool2d({.kernel = 2}), images);
  check_replays(nn::AvgPool2d({.kernel = {3, 2}, .stride = Size2d(1), .padding = 1}), images);
  check_replays(nn::AdaptiveAvgPool2d({.output = {2, 3}}), images);
  check_replays(nn::Dropout2d({.p = 0.4}), images);
  check_replays(nn::GroupNorm({.num_groups = 2, .num_channels = 2}), images);
  check_replays(nn::RMSNorm({.normalized_shape = {3}}), {4, 3});
  check_replays(nn::InstanceNorm1d({.num_features = 2, .affine = true, .track_running_stats = true}),
                {2, 2, 3});
  check_replays(Encoder(), {2, 3, 4});
  check_replays(nn::BatchNorm2d({.num_features = 2}), images);
  check_replays(nn::BatchNorm2d({.num_features = 2, .momentum = std::nullopt, .affine = false}), images);
  check_replays(nn::BatchNorm1d({.num_features = 3}), {2, 3, 4});
  check_replays(
      nn::ConvNet(
          {.image = 4, .channels = {2, 3}, .hidden = {4}, .classes = 2, .batch_norm = true, .dropout = 0.3}),
      {3, 1, 4, 4});
}

TEST_CASE("an embedding's indices are an input") {
  manual_seed(3);
  nn::Embedding eager({.num_embeddings = 5, .embedding_dim = 3});
  nn::Embedding replayed(eager);
  const auto step = [](nn::Embedding& model, const Tensor& x) {
    model.zero_grad();
    Tensor y = model(x);
    sum(square(y)).backward();
    return y.detach();
  };
  const auto indices = [](const NestedNumbers& numbers) { return tensor(numbers, {.dtype = int64}); };
  auto replay = capture([&](const Tensor& x) { return step(replayed, x); }, indices({0, 0, 0}), {&replayed});
  for (const Tensor& x : {indices({4, 1, 4}), indices({2, 3, 0})}) {
    CHECK(same_bits(replay(x), step(eager, x)));
    check_same(eager, replayed);
  }
  CHECK_THROWS_AS(replay(indices({1, 5, 0})), Error);
  check_same(eager, replayed);
}

/// A loss of some tensors, captured with other elements than it is replayed with.
template <class F>
void check_loss(const F& loss, const std::vector<Shape>& shapes, double low, double high,
                const std::vector<Tensor>& targets = {}) {
  for (const Dtype dtype : {float32, float64}) {
    const auto f = [&](const std::vector<Tensor>& in) {
      const Tensor y = loss(in);
      std::vector<Tensor> variables;
      for (const Tensor& each : in) {
        if (each.requires_grad()) variables.push_back(each);
      }
      std::vector<Tensor> all = grad({sum(y)}, variables, {.allow_unused = true});
      std::erase_if(all, [](const Tensor& each) { return !each.defined(); });
      all.push_back(y.detach());
      return all;
    };
    Random random(5);
    const auto draw = [&] {
      std::vector<Tensor> in;
      for (const Shape& shape : shapes)
        in.push_back(
            uniform(shape, {.low = low, .high = high}, random, {.dtype = dtype}).set_requires_grad());
      for (const Tensor& target : targets)
        in.push_back(is_floating(target.dtype()) ? target.to(dtype) : target);
      return in;
    };
    auto replay = capture(f, draw());
    for (int round = 0; round < 2; ++round) {
      const std::vector<Tensor> in = draw();
      std::vector<Tensor> own;
      for (const Tensor& each : in) {
        own.push_back(each.detach());
        if (each.requires_grad()) own.back().set_requires_grad();
      }
      const std::vector<Tensor> expected = f(own), found = replay(in);
      REQUIRE(found.size() == expected.size());
      for (std::size_t k = 0; k < found.size(); ++k) CHECK(same_bits(found[k], expected[k]));
    }
  }
}

TEST_CASE("every loss has its bits in a replay") {
  const Tensor labels = tensor({2, 0, 1, 1}, {.dtype = int64});
  const Tensor signs = tensor({1, -1, -1, 1});
  using In = std::vector<Tensor>;
  for (const nn::Reduction reduction : {nn::Reduction::mean, nn::Reduction::sum, nn::Reduction::none}) {
    CAPTURE(static_cast<int>(reduction));
    const std::vector<Shape> two{{4, 3}, {4, 3}};
    check_loss([&](const In& in) { return nn::mse_loss(in[0], in[1], {.reduction = reduction}); }, two, -1,
               1);
    check_loss([&](const In& in) { return nn::l1_loss(in[0], in[1], {.reduction = reduction}); }, two, -1, 1);
    check_loss([&](const In& in) { return nn::huber_loss(in[0], in[1], {.reduction = reduction}); }, two, -3,
               3);
    check_loss([&](const In& in) { return nn::smooth_l1_loss(in[0], in[1], {.reduction = reduction}); }, two,
               -3, 3);
    check_loss([&](const In& in) { return nn::bce_with_logits(in[0], in[1], {.reduction = reduction}); }, two,
               0.1, 0.9);
    check_loss([&](const In& in) { return nn::bce(in[0], in[1], {.reduction = reduction}); }, two, 0.1, 0.9);
    check_loss([&](const In& in) { return nn::poisson_nll_loss(in[0], in[1], {.reduction = reduction}); },
               two, 0.1, 2);
    check_loss(
        [&](const In& in) { return nn::gaussian_nll_loss(in[0], in[1], in[2], {.reduction = reduction}); },
        {{4, 3}, {4, 3}, {4, 3}}, 0.1, 2);
    check_loss(
        [&](const In& in) {
          return nn::cross_entropy(in[0], in[2], {.weight = in[1], .reduction = reduction});
        },
        {{4, 3}, {3}}, 0.1, 2, {labels});
    check_loss(
        [&](const In& in) {
          return nn::cross_entropy(in[0], softmax(in[1], 1),
                                   {.label_smoothing = 0.1, .reduction = reduction});
        },
        two, -1, 1);
    check_loss(
        [&](const In& in) { return nn::nll_loss(log_softmax(in[0], 1), in[1], {.reduction = reduction}); },
        {{4, 3}}, -1, 1, {labels});
    check_loss([&](const In& in) { return nn::hinge_loss(in[0], in[1], {.reduction = reduction}); }, {{4, 3}},
               -2, 2, {labels});
    check_loss([&](const In& in) { return nn::hinge_embedding_loss(in[0], in[1], {.reduction = reduction}); },
               {{4}}, -2, 2, {signs});
    check_loss(
        [&](const In& in) { return nn::margin_ranking_loss(in[0], in[1], in[2], {.reduction = reduction}); },
        {{4}, {4}}, -2, 2, {signs});
    check_loss(
        [&](const In& in) {
          return nn::cosine_embedding_loss(in[0], in[1], in[2], {.reduction = reduction});
        },
        two, -1, 1, {signs});
    check_loss(
        [&](const In& in) { return nn::triplet_margin_loss(in[0], in[1], in[2], {.reduction = reduction}); },
        {{4, 3}, {4, 3}, {4, 3}}, -1, 1);
  }
  for (const nn::KlDivReduction reduction : {nn::KlDivReduction::mean, nn::KlDivReduction::batchmean})
    check_loss([&](const In& in) { return nn::kl_div(log(in[0]), in[1], {.reduction = reduction}); },
               {{4, 3}, {4, 3}}, 0.1, 0.9);
  check_loss([](const In& in) { return nn::cosine_similarity(in[0], in[1]); }, {{4, 3}, {4, 3}}, -1, 1);
  check_loss([](const In& in) { return nn::pairwise_distance(in[0], in[1]); }, {{4, 3}, {4, 3}}, -1, 1);
}

}}  // namespace xtgrad
