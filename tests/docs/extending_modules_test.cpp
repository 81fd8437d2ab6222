// docs/extending.md, "A module of any signature": the page quotes these models, and what is printed here.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

#include "tests/support/program.h"
#include "tests/support/values.h"
#include "xtgrad/xtgrad.h"

using namespace xtgrad;
using xtgrad::testing::values;

namespace {

struct LSTMState {
  Tensor h, c;  // [n, hidden] each
  friend auto tensors_of(LSTMState& s) { return std::tie(s.h, s.c); }
};

struct LSTMCell : nn::ModuleOf<LSTMState(const Tensor& x, const LSTMState& before)> {
  std::int64_t hidden;
  nn::Linear from_x;
  nn::Linear from_h;

  LSTMCell(std::int64_t inputs, std::int64_t hidden_size)
      : hidden(hidden_size), from_x(inputs, 4 * hidden), from_h(hidden, 4 * hidden) {}

  void members(nn::Members& m) override {
    m("from_x", from_x);
    m("from_h", from_h);
  }

  LSTMState forward(const Tensor& x, const LSTMState& before) override {
    const Tensor all = from_x(x) + from_h(before.h);  // [n, 4 hidden]
    const auto gate = [&](std::int64_t k) {
      return slice(all, {.axis = 1, .start = k * hidden, .stop = (k + 1) * hidden});
    };
    const Tensor c = sigmoid(gate(1)) * before.c + sigmoid(gate(0)) * tanh(gate(2));
    return {sigmoid(gate(3)) * tanh(c), c};
  }
};

struct FirstSign : nn::Module {
  LSTMCell cell{1, 8};
  nn::Linear head{8, 1};
  void members(nn::Members& m) override {
    m("cell", cell);
    m("head", head);
  }
  Tensor forward(const Tensor& x) override {  // [n, time]
    const Tensor zero = zeros({x.size(0), 8}, {.dtype = x.dtype()});
    LSTMState state{zero, zero};
    for (std::int64_t t = 0; t < x.size(1); ++t) {
      state = cell(slice(x, {.axis = 1, .start = t, .stop = t + 1}), state);
    }
    return head(state.h);
  }
};

struct Attention : nn::ModuleOf<Tensor(const Tensor& x, const std::optional<Tensor>& mask)> {
  nn::Linear query, key, value;

  explicit Attention(std::int64_t features)
      : query(features, features), key(features, features), value(features, features) {}

  void members(nn::Members& m) override {
    m("query", query);
    m("key", key);
    m("value", value);
  }

  Tensor forward(const Tensor& x, const std::optional<Tensor>& mask) override {  // [n, time, features]
    const double scale = 1 / std::sqrt(static_cast<double>(x.shape().back()));
    Tensor scores = matmul(query(x), key(x), {.transpose_b = true}) * scale;  // [n, time, time]
    if (mask) scores = where(*mask, scores, -1e9);
    return matmul(softmax(scores, -1), value(x));
  }
};

struct VAE : nn::ModuleOf<std::tuple<Tensor, Tensor, Tensor>(const Tensor& x)> {
  nn::Linear encode{4, 8}, mean{8, 2}, log_variance{8, 2}, widen{2, 8}, decode{8, 4};
  Random stream{default_random().split()};

  void members(nn::Members& m) override {
    m("encode", encode);
    m("mean", mean);
    m("log_variance", log_variance);
    m("widen", widen);
    m("decode", decode);
    m("stream", stream);
  }

  std::tuple<Tensor, Tensor, Tensor> forward(const Tensor& x) override {
    const Tensor hidden = tanh(encode(x));
    const Tensor mu = mean(hidden);
    const Tensor log_var = log_variance(hidden);
    Tensor z = mu;
    if (is_training()) z = mu + exp(log_var * 0.5) * randn(mu.shape(), stream, {.dtype = mu.dtype()});
    return {decode(tanh(widen(z))), mu, log_var};
  }
};

Tensor vae_loss(VAE& model, const Tensor& x) {
  const auto [copy, mu, log_var] = model(x);
  const Tensor divergence = sum(exp(log_var) + square(mu) - log_var - 1) * 0.5;
  return (sum(square(copy - x)) + divergence * 0.1) / static_cast<double>(x.size(0));
}

Tensor drawn(const Shape& shape, std::uint64_t seed) {
  Random random(seed);
  return randn(shape, random);
}

/// Trains for some steps; the loss before and after.
template <class Model, class Loss>
std::pair<double, double> train(Model& model, Loss loss_of, int steps) {
  optim::Adam adam(model.parameters(), {.lr = 0.02});
  const double before = loss_of().item();
  for (int step = 0; step < steps; ++step) {
    adam.zero_grad();
    loss_of().backward();
    adam.step();
  }
  return {before, loss_of().item()};
}

/// Saves a model and loads another one from the file.
template <class Model>
void copy_by_file(const Model& from, Model& to) {
  const xtgrad::testing::TemporaryFolder folder;
  const std::string path = (folder.path() / "model.safetensors").string();
  nn::save(path, from.state_dict());
  to.load_state_dict(nn::load(path));
}

void check_passes(const CheckGradsReport& report) {
  INFO(report.message);
  CHECK(report.ok());
  CHECK(report.evaluations > 0);
}

/// A text as the page shows it: in a block, with lines of at most 92 characters.
std::string printed(std::string text) {
  if (text.ends_with('\n')) text.pop_back();
  if (text.find('\n') == std::string::npos) {
    for (std::size_t at = 92; at < text.size(); at += 92) {
      at = text.rfind(' ', at);
      text[at] = '\n';
    }
  }
  std::string block = "```\n";
  block += text;
  block += "\n```\n";
  return block;
}

bool on_page(const std::string& text) {
  const std::string page =
      xtgrad::testing::file_text(std::filesystem::path(XTGRAD_SOURCE_DIR) / "docs/extending.md");
  return page.find(text) != std::string::npos;
}

}  // namespace

TEST_CASE("docs/extending.md: an LSTM cell with two results learns to remember the first sign") {
  manual_seed(1);
  FirstSign model;
  const Tensor x = where(drawn({64, 6}, 1) > 0, 1.0, ones({64, 6}) * -1);
  const Tensor is_positive = (slice(x, {.axis = 1, .start = 0, .stop = 1}) > 0).to(float32);
  const auto loss_of = [&] { return nn::bce_with_logits(model(x), is_positive); };
  const auto [before, after] = train(model, loss_of, 80);
  CHECK(before > 0.5);
  CHECK(after < 0.05);

  FirstSign loaded;
  copy_by_file(model, loaded);
  CHECK(values(loaded(x)) == values(model(x)));
}

TEST_CASE("docs/extending.md: the LSTM cell is summarised and checked") {
  manual_seed(2);
  LSTMCell cell(3, 4);
  const Tensor x = drawn({2, 3}, 1);
  const LSTMState state{drawn({2, 4}, 2), drawn({2, 4}, 3)};
  const std::string summary = cell.summary(x, state);
  CAPTURE(summary);
  CHECK(on_page(printed(summary)));
  const auto report = check_grads(cell, {x, state});
  check_passes(report);
  CHECK_THROWS_WITH_AS(static_cast<void>(cell(x, {state.h, drawn({2, 5}, 3)})),
                       "LSTMCell: mul: shapes do not broadcast: a is [2, 4], b is [2, 5]", ShapeError);

  std::vector<std::string> paths;
  {
    const nn::OnForward look([&](const nn::ForwardCall& call) {
      paths.push_back(call.path());
      if (call.path() == "cell") CHECK(call.outputs.size() == 2);
    });
    FirstSign model;
    static_cast<void>(model(ones({1, 1})));
  }
  REQUIRE(paths.size() == 5);
  std::sort(paths.begin(), paths.begin() + 2);  // C++ does not say which side of a + is computed first
  CHECK(paths == std::vector<std::string>{"cell.from_h", "cell.from_x", "cell", "head", ""});
}

TEST_CASE("docs/extending.md: attention with an optional mask learns, and the mask hides what it should") {
  manual_seed(3);
  Attention attention(4);
  const Tensor x = drawn({16, 5, 4}, 1);
  const Tensor place = arange(5);
  const Tensor causal = reshape(place, {5, 1}) >= reshape(place, {1, 5});  // [time, time]
  // What is wanted is the mean of all that came so far.
  const Tensor so_far = softmax(where(causal, zeros({5, 5}), -1e9), 1);
  const Tensor wanted = matmul(broadcast_to(so_far, {16, 5, 5}), x);
  const auto loss_of = [&] { return nn::mse_loss(attention(x, causal), wanted); };
  const auto [before, after] = train(attention, loss_of, 150);
  CHECK(after < before / 20);
  // Without the mask it looks ahead.
  CHECK(nn::mse_loss(attention(x, std::nullopt), wanted).item() > 10 * after);

  // Nothing of the first row's result depends on later rows.
  Tensor input = x.detach();
  input.set_requires_grad();
  const Tensor first = slice(attention(input, causal), {.axis = 1, .start = 0, .stop = 1});
  const Tensor gradient = grad({sum(first)}, {input})[0];
  CHECK(values(amax(abs(slice(gradient, {.axis = 1, .start = 1})))) == std::vector<double>{0});

  check_passes(check_grads(attention, {slice(x, {.stop = 2}), causal}));
  check_passes(check_grads(attention, {slice(x, {.stop = 2}), std::nullopt}));
  CHECK(attention.summary(x, causal).find("(model)  Attention  [16, 5, 4]") != std::string::npos);
  CHECK(attention.summary(x, std::nullopt).find("query    Linear     [16, 5, 4]") != std::string::npos);

  Attention loaded(4);
  copy_by_file(attention, loaded);
  CHECK(values(loaded(x, causal)) == values(attention(x, causal)));
}

TEST_CASE(
    "docs/extending.md: a VAE that returns three tensors learns, and goes on from a file with the same "
    "draws") {
  manual_seed(4);
  VAE model;
  // Points on a line in four dimensions, with little noise.
  const Tensor x = matmul(drawn({64, 1}, 1), tensor({{1, -1, 0.5, 2}})) + drawn({64, 4}, 2) * 0.05;
  const auto [before, after] = train(
      model, [&] { return vae_loss(model, x); }, 200);
  CHECK(after < before / 4);

  check_passes(check_grads(model, slice(x, {.stop = 3})));
  CHECK(model.summary(x).find("(model)       VAE     ([64, 4], [64, 2], [64, 2])") != std::string::npos);

  VAE loaded;
  copy_by_file(model, loaded);
  const auto [copy, mu, log_var] = model(x);
  const auto [copy_2, mu_2, log_var_2] = loaded(x);
  CHECK(values(copy_2) == values(copy));
  CHECK(values(mu_2) == values(mu));
  CHECK(values(log_var_2) == values(log_var));
  model.eval();
  CHECK(values(std::get<0>(model(x))) != values(copy));
}

TEST_CASE("docs/extending.md: what is forgotten is found, in forward and beside it") {
  struct Forgetful : nn::ModuleOf<Tensor(const Tensor&, const Tensor&)> {
    nn::Linear in{2, 2};
    nn::Linear back{2, 2};
    void members(nn::Members& m) override { m("in", in); }  // and back?
    Tensor forward(const Tensor& x, const Tensor& h) override { return tanh(in(x) + back(h)); }
    Tensor step(const Tensor& x, const Tensor& h) { return forward(x, h); }
  };
  Forgetful model;
  optim::SGD sgd(model.parameters(), {.lr = 0.1});
  const Tensor x = ones({1, 2});
  const auto message_of = [](const auto& call) {
    try {
      call();
    } catch (const GraphError& error) {
      return std::string(error.what());
    }
    return std::string();
  };
  const std::string of_call = printed(message_of([&] { static_cast<void>(model(x, x)); }));
  CAPTURE(of_call);
  CHECK(on_page(of_call));
  sum(model.step(x, x)).backward();
  const std::string of_step = printed(message_of([&] { sgd.step(); }));
  CAPTURE(of_step);
  CHECK(on_page(of_step));
}
