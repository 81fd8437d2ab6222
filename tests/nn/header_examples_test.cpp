// The examples in the headers' comments, as they stand there.

#include <doctest/doctest.h>

#include <cmath>
#include <iostream>
#include <span>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "tests/nn/support.h"
#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/grad.h"
#include "xtgrad/autograd/ops.h"
#include "xtgrad/nn/nn.h"

using namespace xtgrad;
using nn_test::elements;

namespace {

struct Classifier : nn::Module {
  nn::Linear hidden{4, 16};
  nn::Linear head{16, 3};
  void members(nn::Members& m) override {
    m("hidden", hidden);
    m("head", head);
  }
  Tensor forward(const Tensor& x) override { return head(relu(hidden(x))); }
};

struct Cell : nn::ModuleOf<std::pair<Tensor, Tensor>(const Tensor&, const Tensor&)> {
  nn::Linear in{3, 4};
  nn::Linear back{4, 4};
  void members(nn::Members& m) override {
    m("in", in);
    m("back", back);
  }
  std::pair<Tensor, Tensor> forward(const Tensor& x, const Tensor& h) override {
    Tensor next = tanh(in(x) + back(h));
    return {relu(next), next};
  }
};

struct State {
  Tensor h, c;
  friend auto tensors_of(State& s) { return std::tie(s.h, s.c); }
};

}  // namespace

TEST_CASE("module.h, on_forward.h, tensors_in.h") {
  Cell cell;
  auto [y, h] = cell(randn({8, 3}), zeros({8, 4}));
  CHECK(y.shape() == Shape{8, 4});
  CHECK(elements(relu(h)) == elements(y));
  std::vector<std::string> seen;
  {
    nn::OnForward look([&](const nn::ForwardCall& call) { seen.push_back(call.path()); });
    static_cast<void>(cell(randn({8, 3}), zeros({8, 4})));
  }
  CHECK(seen.size() == 3);
  CHECK(seen.back().empty());
  struct Step : nn::ModuleOf<State(const State&)> {
    State forward(const State& state) override { return {state.c, state.h}; }
  };
  CHECK(Step()({ones({1}), zeros({1})}).c.item() == 1);
  auto both = check_grads(cell, {randn({2, 3}), randn({2, 4})}, {.order = 1});
  CHECK(both.ok());
}

TEST_CASE("module.h: one tensor to one tensor") {
  Classifier model;
  Tensor scores = model(randn({8, 4}));
  CHECK(scores.shape() == Shape{8, 3});
  std::vector<Tensor> hidden;
  nn::OnForward look([&](nn::Module&, const Tensor&, const Tensor& output) { hidden.push_back(output); });
  static_cast<void>(model(randn({8, 4})));
  CHECK(hidden.size() == 3);
}

TEST_CASE("parameter.h") {
  const Tensor x = ones({2, 4});
  nn::Parameter weight(randn({10, 4}));
  Tensor loss = sum(square(matmul(x, weight, {.transpose_b = true})));
  const double before = loss.item();
  loss.backward();
  weight.set_value(weight.tensor() - 0.01 * weight.grad());
  CHECK(sum(square(matmul(x, weight, {.transpose_b = true}))).item() < before);
}

TEST_CASE("parameter.h: a gradient with respect to the learning rate, against differences") {
  const DefaultDtype in_double(float64);
  manual_seed(1);
  Classifier model;
  const Tensor x = randn({8, 4});
  const Tensor labels = tensor({0, 1, 2, 0, 1, 2, 0, 1}, {.dtype = int64});
  const auto loss_after = [&](const Tensor& lr) {
    std::vector<Tensor> values;
    for (const nn::ParameterRef& parameter : model.parameters()) values.push_back(parameter->tensor());
    const std::vector<Tensor> outputs{nn::cross_entropy(model(x), labels)};
    const std::vector<Tensor> gradients = grad(outputs, values, {.create_graph = true});
    std::vector<Tensor> stepped;
    for (std::size_t i = 0; i < values.size(); ++i) stepped.push_back(values[i] - lr * gradients[i]);
    nn::WithParameters scope(model.parameters(), stepped);
    return nn::cross_entropy(model(x), labels);
  };
  const Tensor lr = tensor(0.1, {.requires_grad = true});
  const double slope = grad({loss_after(lr)}, {lr})[0].item();
  const double h = 1e-5;
  const double differences =
      (loss_after(tensor(0.1 + h)).item() - loss_after(tensor(0.1 - h)).item()) / (2 * h);
  CHECK(slope < 0);
  CHECK(nn_test::close(slope, differences, 1e-7));
}

TEST_CASE("linear.h, dropout.h, mlp.h, sequential.h") {
  nn::Linear layer{4, 10};
  Tensor y = layer(randn({8, 4}));
  CHECK(y.shape() == Shape{8, 10});
  nn::Dropout drop{{.p = 0.2}};
  CHECK(drop(y).shape() == y.shape());
  nn::MLP mlp{{.sizes = {64, 128, 10}, .activation = nn::ActivationKind::tanh, .dropout = 0.1}};
  CHECK(mlp(randn({2, 64})).shape() == Shape{2, 10});
  nn::Sequential model{nn::Linear{4, 16}, nn::Tanh{}, nn::Linear{16, 3}};
  model.add(nn::Dropout{{.p = 0.1}});
  CHECK(model(randn({2, 4})).shape() == Shape{2, 3});
}

TEST_CASE("conv.h, pool.h, batch_norm.h, conv_net.h") {
  nn::Conv2d conv{{.in_channels = 1, .out_channels = 16, .kernel = 3, .padding = 1}};
  Tensor y = conv(randn({8, 1, 28, 28}));
  CHECK(y.shape() == Shape{8, 16, 28, 28});
  nn::MaxPool2d pool{{.kernel = 2}};
  CHECK(pool(y).shape() == Shape{8, 16, 14, 14});
  nn::BatchNorm2d norm{{.num_features = 16}};
  Tensor z = norm(y);
  CHECK(z.shape() == y.shape());
  for (const double m : elements(mean(z, {.axes = {0, 2, 3}}))) CHECK(std::abs(m) < 1e-5);
  for (const double v : elements(mean(square(z), {.axes = {0, 2, 3}}))) CHECK(std::abs(v - 1) < 1e-3);
  nn::ConvNet model{{.image = {8, 8}, .channels = {8, 16}, .hidden = {32}, .batch_norm = true}};
  Tensor scores = model(randn({4, 1, 8, 8}));
  CHECK(scores.shape() == Shape{4, 10});
  Tensor maps = model.feature_maps(randn({4, 1, 8, 8}), 0);
  CHECK(maps.shape() == Shape{4, 8, 4, 4});
}

TEST_CASE("layer_norm.h, embedding.h, conv.h, pool.h: the other examples") {
  nn::LayerNorm layer{{.normalized_shape = {16}}};
  CHECK(layer(randn({8, 5, 16})).shape() == Shape{8, 5, 16});
  nn::GroupNorm group{{.num_groups = 4, .num_channels = 16}};
  CHECK(group(randn({1, 16, 28, 28})).shape() == Shape{1, 16, 28, 28});
  nn::Embedding words{{.num_embeddings = 1000, .embedding_dim = 16}};
  CHECK(words(tensor({{4, 7, 7}, {0, 999, 1}}, {.dtype = int64})).shape() == Shape{2, 3, 16});
  nn::ConvTranspose2d up{{.in_channels = 16, .out_channels = 8, .kernel = 2, .stride = 2}};
  CHECK(up(randn({4, 16, 7, 7})).shape() == Shape{4, 8, 14, 14});
  nn::AdaptiveAvgPool2d pool{{.output = {2, 3}}};
  CHECK(pool(randn({8, 16, 7, 5})).shape() == Shape{8, 16, 2, 3});
}

TEST_CASE(
    "rms_norm.h, instance_norm.h, multihead_attention.h, transformer_encoder.h, transformer_decoder.h") {
  nn::RMSNorm rows{{.normalized_shape = {16}}};
  CHECK(rows(randn({8, 5, 16})).shape() == Shape{8, 5, 16});
  nn::InstanceNorm2d planes{{.num_features = 16}};
  CHECK(planes(randn({8, 16, 28, 28})).shape() == Shape{8, 16, 28, 28});
  nn::MultiheadAttention attention{{.embed_dim = 16, .num_heads = 4}};
  Tensor x = randn({8, 5, 16});
  CHECK(attention(x, x, x).output.shape() == Shape{8, 5, 16});
  auto [z, weights] = attention(x, x, x, {.masks = {.is_causal = true}, .need_weights = true});
  CHECK(z.shape() == x.shape());
  CHECK(weights.shape() == Shape{8, 5, 5});
  nn::TransformerEncoderLayer layer{{.d_model = 16, .nhead = 4, .dim_feedforward = 32}};
  CHECK(layer(x).shape() == x.shape());
  CHECK(layer(x, {.is_causal = true}).shape() == x.shape());
  nn::TransformerEncoder encoder{{.layer = {.d_model = 16, .nhead = 4}, .num_layers = 2}};
  Tensor padded(zeros({8, 5}, {.dtype = boolean}));
  CHECK(encoder(x, {.key_padding_mask = padded}).shape() == x.shape());
  Tensor memory = randn({8, 7, 16});
  nn::TransformerDecoderLayer decoder_layer{{.d_model = 16, .nhead = 4, .dim_feedforward = 32}};
  CHECK(decoder_layer(x, memory, {.target = {.is_causal = true}}).shape() == x.shape());
  nn::TransformerDecoder decoder{{.layer = {.d_model = 16, .nhead = 4}, .num_layers = 2}};
  CHECK(decoder(x, memory, {.target = {.is_causal = true}}).shape() == x.shape());
}

TEST_CASE("module_list.h, residual.h, neuron.h, linear_classifier.h") {
  nn::ModuleList layers;
  for (int i = 0; i < 3; ++i) layers.append(nn::Linear{8, 8});
  Tensor y = randn({4, 8});
  for (nn::Module& layer : layers) y = y + tanh(layer(y));
  CHECK(y.shape() == Shape{4, 8});
  nn::Residual block{nn::Sequential{nn::Linear{8, 8}, nn::Tanh{}, nn::Linear{8, 8}}};
  nn::Residual wider{nn::Linear{8, 16}, nn::Linear{{.in_features = 8, .out_features = 16, .bias = false}}};
  CHECK(wider(block(y)).shape() == Shape{4, 16});
  nn::Neuron both{{.weights = {1, 1}, .bias = -1, .activation = nn::ActivationKind::step}};
  CHECK(elements(both(tensor({{0, 0}, {0, 1}, {1, 0}, {1, 1}}))) == std::vector<double>{0, 0, 0, 1});
  nn::LinearClassifier model{{.input = {3, 32, 32}, .classes = 10}};
  CHECK(model(randn({8, 3, 32, 32})).shape() == Shape{8, 10});
  CHECK(model.templates().shape() == Shape{10, 3, 32, 32});
  CHECK(sum(square(model.templates())).shape() == Shape{});
}

TEST_CASE("nearest_neighbors.h, polynomial_features.h, least_squares.h") {
  const Tensor x = tensor({{0.0}, {1.0}, {2.0}}), y = tensor({1.0, 3.0, 5.0});
  nn::LinearFit line = nn::least_squares(x, y);
  nn::Linear layer{1, 1};
  layer.weight.set_value(line.weight);
  layer.bias.set_value(line.bias);
  CHECK(layer(tensor({{3.0}})).item() == doctest::Approx(7));
  const Tensor images = randn({40, 1, 4, 4}), queries = randn({6, 1, 4, 4});
  const Tensor labels = zeros({40}, {.dtype = int64});
  nn::NearestNeighbors classifier(images, labels);
  Tensor predicted = classifier.predict(queries, 5);
  nn::Neighbors nearest = classifier.neighbors(queries, 15);
  for (std::int64_t k : {1, 5, 15}) predicted = classifier.vote(nearest, k);
  CHECK(predicted.shape() == Shape{6});
  nn::Sequential model{nn::Sequential{nn::Linear{16, 64}, nn::ReLU{}}, nn::Linear{64, 10}};
  nn::NearestNeighbors by_features(model[0](flatten(images, 1)), labels);
  CHECK(by_features.predict(model[0](flatten(queries, 1))).shape() == Shape{6});
  Tensor p = nn::polynomial_features(tensor({{2, 3}}), 2);
  CHECK(elements(p) == std::vector<double>{2, 3, 4, 6, 9});
}

TEST_CASE("regression_losses.h, cross_entropy.h, margin_losses.h, similarity.h") {
  const Tensor x = randn({4, 3}), prices = randn({4, 3}), labels = tensor({2, 0, 1, 1}, {.dtype = int64});
  CHECK(nn::huber_loss(x, prices, {.delta = 2}).shape() == Shape{});
  Tensor loss =
      nn::kl_div(log_softmax(x, 1), softmax(prices, 1), {.reduction = nn::KlDivReduction::batchmean});
  CHECK(loss.item() > 0);
  CHECK(nn::hinge_loss(x, labels).shape() == Shape{});
  CHECK(nn::triplet_margin_loss(x, prices, x, {.margin = 0.5}).shape() == Shape{});
  CHECK(nn::cosine_similarity(randn({8, 16}), randn({1, 16})).shape() == Shape{8});
}

TEST_CASE("init.h") {
  nn::Linear layer{4, 10};
  const double gain = nn::init::gain_of(nn::init::Gain::tanh);
  layer.weight.set_value(nn::init::xavier_normal(layer.weight.shape(), {.gain = gain}));
  CHECK(layer.weight.tensor().is_leaf());
}

TEST_CASE("perceptron.h") {
  nn::Perceptron unit{{.in_features = 2}};
  unit.linear.weight.set_value(tensor({{1, 1}}));
  unit.linear.bias.set_value(tensor({-1}));
  Tensor y = unit(tensor({{0, 0}, {0, 1}, {1, 0}, {1, 1}}));
  CHECK(elements(y) == std::vector<double>{0, 0, 0, 1});
  CHECK(y.shape() == Shape{4, 1});
}

TEST_CASE("losses.h and check_grads.h") {
  manual_seed(1);
  Classifier model;
  const Tensor x = randn({2, 4});
  Tensor loss = nn::cross_entropy(model(x), tensor({2, 0}, {.dtype = int64}));
  CHECK(loss.shape() == Shape{});
  const Tensor is_spam = tensor({{1, 0, 0}, {0, 1, 1}});
  Tensor binary = nn::bce_with_logits(model(x), is_spam, {.pos_weight = tensor(3)});
  CHECK(binary.shape() == Shape{});
  auto report = check_grads(model, x);
  if (!report) std::cout << report.message << '\n';
  CHECK(report.ok());
}

TEST_CASE("rnn.h, gru.h, lstm.h, ctc_loss.h") {
  const Tensor x = randn({5, 2, 4}), lengths = tensor({5, 2}, {.dtype = int64});
  {
    nn::RNNCell cell{{.input_size = 4, .hidden_size = 8}};
    const Tensor first = randn({2, 4}), second = randn({2, 4});
    Tensor h = cell(first);  // [n, 8]
    h = cell(second, h);
    CHECK(h.shape() == Shape{2, 8});
  }
  {
    nn::RNN rnn{{.input_size = 4, .hidden_size = 8}};
    auto [y, h] = rnn(randn({5, 2, 4}));  // [5, 2, 8] and [1, 2, 8]
    auto later = rnn(x, {.h = h, .lengths = lengths});
    CHECK(y.shape() == Shape{5, 2, 8});
    CHECK(later.h.shape() == Shape{1, 2, 8});
  }
  {
    nn::GRU gru{{.input_size = 4, .hidden_size = 8, .bidirectional = true}};
    auto [y, h] = gru(randn({5, 2, 4}));  // [5, 2, 16] and [2, 2, 8]
    CHECK(y.shape() == Shape{5, 2, 16});
    CHECK(h.shape() == Shape{2, 2, 8});
  }
  {
    nn::LSTM lstm{{.input_size = 4, .hidden_size = 8, .num_layers = 2}};
    auto [y, state] = lstm(randn({5, 2, 4}));  // y is [5, 2, 8], state.h and state.c are [2, 2, 8]
    auto later = lstm(x, {.state = state, .lengths = lengths});
    CHECK(later.output.shape() == y.shape());
    CHECK(later.state.c.shape() == Shape{2, 2, 8});
  }
  {
    nn::Linear model{4, 3};
    const Tensor targets = tensor({{1, 2}, {1, 0}}, {.dtype = int64}), input_lengths = lengths;
    const Tensor target_lengths = tensor({2, 1}, {.dtype = int64});
    Tensor loss = nn::ctc_loss(log_softmax(model(x), 2), targets, input_lengths, target_lengths);
    CHECK(loss.item() > 0);
  }
}

TEST_CASE("pad_sequences.h") {
  nn::GRU gru{{.input_size = 4, .hidden_size = 8}};
  const auto [x, lengths] = nn::pad_sequences({randn({5, 4}), randn({2, 4})});  // x is [5, 2, 4]
  auto [y, h] = gru(x, {.lengths = lengths});
  CHECK(y.shape() == Shape{5, 2, 8});
  CHECK(h.shape() == Shape{1, 2, 8});
}

TEST_CASE("embedding_bag.h, weight_norm.h, spectral_norm.h") {
  {
    nn::EmbeddingBag words{{.num_embeddings = 1000, .embedding_dim = 16}};
    Tensor y = words(tensor({{4, 7, 7}, {0, 999, 1}}, {.dtype = int64}));  // [2, 16]
    Tensor z = words(tensor({4, 7, 7, 0}, {.dtype = int64}),
                     {.offsets = tensor({0, 3}, {.dtype = int64})});  // [2, 16]
    CHECK(y.shape() == Shape{2, 16});
    CHECK(z.shape() == Shape{2, 16});
  }
  {
    nn::WeightNorm model{nn::Linear{4, 10}};
    Tensor y = model(randn({8, 4}));  // [8, 10]
    CHECK(y.shape() == Shape{8, 10});
  }
  {
    nn::SpectralNorm model{nn::Conv2d{{.in_channels = 3, .out_channels = 8, .kernel = 3}}};
    Tensor y = model(randn({2, 3, 8, 8}));  // [2, 8, 6, 6]
    CHECK(y.shape() == Shape{2, 8, 6, 6});
  }
}
