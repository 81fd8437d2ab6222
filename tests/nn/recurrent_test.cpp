// RNN, GRU and LSTM: PyTorch's results and names, lengths, derivatives, replays, what is refused.
#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "tests/nn/module_checks.h"
#include "tests/support/message_of.h"
#include "tests/support/values.h"
#include "xtgrad/autograd/io/safetensors.h"
#include "xtgrad/nn/capture.h"
#include "xtgrad/nn/gru.h"
#include "xtgrad/nn/lstm.h"
#include "xtgrad/nn/pad_sequences.h"
#include "xtgrad/nn/rnn.h"

using namespace xtgrad;
using namespace nn_test;
using nn::StateDict;
using xtgrad::testing::message_of;
using xtgrad::testing::same_bits;

namespace {

/// The networks of pytorch/make_recurrent.py.
struct Networks : nn::ModuleBase {
  nn::RNN rnn{{.input_size = 2, .hidden_size = 3, .nonlinearity = nn::RNNNonlinearity::relu}};
  nn::GRU gru{{.input_size = 2, .hidden_size = 3, .num_layers = 2, .bidirectional = true}};
  nn::LSTM lstm{{.input_size = 2, .hidden_size = 3, .num_layers = 2, .bidirectional = true}};
  nn::LSTM projected{{.input_size = 2, .hidden_size = 3, .bias = false, .proj_size = 2}};

  void members(nn::Members& m) override {
    m("rnn", rnn);
    m("gru", gru);
    m("lstm", lstm);
    m("projected", projected);
  }
};

struct PyTorchFile {
  StateDict state;
  StateDict expected;  // names without "check."
};

PyTorchFile load_file() {
  PyTorchFile file;
  const std::string prefix = "check.";
  const std::string path = std::string(XTGRAD_SOURCE_DIR) + "/tests/nn/pytorch/recurrent.safetensors";
  for (auto& [name, value] : load_safetensors(path).tensors) {
    if (name.starts_with(prefix)) {
      file.expected.add(name.substr(prefix.size()), value);
    } else {
      file.state.add(std::move(name), value);
    }
  }
  return file;
}

void check_near(const Tensor& got, const Tensor& want) {
  REQUIRE(got.defined());
  REQUIRE(got.shape() == want.shape());
  CHECK(amax(abs(got.detach() - want)).item() < 1e-5);
}

/// Output and last states of any of the networks, of states that are empty where it has none.
struct Result {
  Tensor output, h, c;
};
Result run(nn::LSTM& net, const Tensor& x, const Result& before, const Tensor& lengths) {
  const auto [output, state] = net(x, {.state = {before.h, before.c}, .lengths = lengths});
  return {output, state.h, state.c};
}
template <class Net>
Result run(Net& net, const Tensor& x, const Result& before, const Tensor& lengths) {
  const auto [output, h] = net(x, {.h = before.h, .lengths = lengths});
  return {output, h, {}};
}

template <class Net>
void check_against_pytorch(const std::string& name, Net& net, const StateDict& expected) {
  CAPTURE(name);
  const auto of = [&](const std::string& what) { return expected.at(name + "." + what); };
  const auto leaf = [](const Tensor& value) { return value.detach().set_requires_grad(); };
  const bool has_c = expected.contains(name + ".c");
  const Tensor x = leaf(expected.at("x"));
  const Result before{{}, leaf(of("h")), has_c ? leaf(of("c")) : Tensor()};
  const Result after = run(net, x, before, expected.at("lengths"));
  check_near(after.output, of("output"));
  check_near(after.h, of("last_h"));
  Tensor loss = sum(square(after.output)) + 2 * sum(after.h);
  if (has_c) {
    check_near(after.c, of("last_c"));
    loss = loss + 3 * sum(after.c);
  }
  loss.backward();
  for (const auto& [parameter_name, parameter] : net.named_parameters()) {
    const auto& shown_name = parameter_name;
    CAPTURE(shown_name);
    check_near(parameter->grad(), of("grad." + parameter_name));
  }
  check_near(x.grad(), of("grad.x"));
  check_near(before.h.grad(), of("grad.h"));
  if (has_c) check_near(before.c.grad(), of("grad.c"));
}

Tensor lengths_of(const NestedNumbers& numbers) { return tensor(numbers, {.dtype = int64}); }

std::vector<std::string> names_of(const nn::ModuleBase& module) {
  std::vector<std::string> names;
  for (const auto& named : module.named_parameters()) names.push_back(named.name);
  return names;
}

/// Every parameter a small ramp, of its own.
template <class M>
M with_ramps(M module) {
  double factor = 0.5;
  for (const auto& parameter : module.parameters())
    parameter->set_value((factor *= 0.9) * ramp(parameter->shape(), parameter->dtype()));
  return module;
}

}  // namespace

TEST_CASE("recurrent networks saved by PyTorch load by name and give PyTorch's results and gradients") {
  const PyTorchFile file = load_file();
  Networks nets;
  CHECK(nets.state_dict().size() == file.state.size());
  nets.load_state_dict(file.state);
  check_against_pytorch("rnn", nets.rnn, file.expected);
  check_against_pytorch("gru", nets.gru, file.expected);
  check_against_pytorch("lstm", nets.lstm, file.expected);
  check_against_pytorch("projected", nets.projected, file.expected);
}

TEST_CASE("a recurrent network is its cell, step by step") {
  manual_seed(5);
  const Tensor x = randn({3, 2, 4});
  nn::RNN rnn{{.input_size = 4, .hidden_size = 3}};
  nn::GRU gru{{.input_size = 4, .hidden_size = 3}};
  nn::LSTM lstm{{.input_size = 4, .hidden_size = 3}};
  nn::RNNCell rnn_cell{{.input_size = 4, .hidden_size = 3}};
  nn::GRUCell gru_cell{{.input_size = 4, .hidden_size = 3}};
  nn::LSTMCell lstm_cell{{.input_size = 4, .hidden_size = 3}};
  rnn_cell.weights = rnn.layers[0];
  gru_cell.weights = gru.layers[0];
  lstm_cell.weights = lstm.layers[0];
  Tensor a = rnn_cell(select(x, 0, 0)), b = gru_cell(select(x, 0, 0));
  nn::LSTMState c = lstm_cell(select(x, 0, 0));
  for (std::int64_t t = 1; t < 3; ++t) {
    a = rnn_cell(select(x, 0, t), a);
    b = gru_cell(select(x, 0, t), b);
    c = lstm_cell(select(x, 0, t), c);
  }
  check_numbers(elements(rnn(x).h), elements(a), 1e-6);
  check_numbers(elements(gru(x).h), elements(b), 1e-6);
  check_numbers(elements(lstm(x).state.h), elements(c.h), 1e-6);
  check_numbers(elements(lstm(x).state.c), elements(c.c), 1e-6);
  CHECK(names_of(gru_cell) == std::vector<std::string>{"weight_ih", "weight_hh", "bias_ih", "bias_hh"});
}

TEST_CASE("a batch with lengths is each sequence by itself, whatever lies behind its end") {
  manual_seed(6);
  nn::LSTM lstm{
      {.input_size = 2, .hidden_size = 3, .num_layers = 2, .batch_first = true, .bidirectional = true}};
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const Tensor rows = randn({3, 4, 2});
  const Tensor behind = reshape(arange(4), {1, 4, 1}) >= reshape(lengths_of({3, 0, 4}), {3, 1, 1});
  const auto [y, state] = lstm(masked_fill(rows, behind, nan), {.lengths = lengths_of({3, 0, 4}).to(int32)});
  CHECK(y.shape() == Shape{3, 4, 6});
  for (const auto& [item, length] : {std::pair{0, 3}, std::pair{2, 4}}) {
    const Tensor own = slice(slice(rows, {.start = item, .stop = item + 1}), {.axis = 1, .stop = length});
    const auto [own_y, own_state] = lstm(own);
    const Tensor part = slice(slice(y, {.start = item, .stop = item + 1}), {.axis = 1, .stop = length});
    check_numbers(elements(part), elements(own_y), 1e-6);
    check_numbers(elements(select(state.h, 1, item)), elements(select(own_state.h, 1, 0)), 1e-6);
    check_numbers(elements(select(state.c, 1, item)), elements(select(own_state.c, 1, 0)), 1e-6);
  }
  CHECK(elements(select(y, 0, 1)) == Numbers(24, 0));
  CHECK(elements(slice(select(y, 0, 0), {.start = 3})) == Numbers(6, 0));
  CHECK(elements(select(state.h, 1, 1)) == Numbers(12, 0));
  sum(y).backward();
  for (const auto& parameter : lstm.parameters()) CHECK(!std::isnan(sum(parameter->grad()).item()));
}

TEST_CASE("sequences are joined to a batch, and cut again by the lengths") {
  const Tensor a = ramp({3, 2}).set_requires_grad(), b = ramp({1, 2});
  const auto [x, lengths] = nn::pad_sequences({a, b, zeros({0, 2})});
  CHECK(x.shape() == Shape{3, 3, 2});
  CHECK(elements(lengths) == Numbers{3, 1, 0});
  CHECK(elements(select(x, 1, 0)) == elements(a));
  CHECK(elements(select(x, 1, 1)) == Numbers{-1.375, 0.375, 0, 0, 0, 0});
  sum(square(x)).backward();
  CHECK(elements(a.grad()) == elements(2 * a));
  CHECK(nn::pad_sequences({a, b}, {.batch_first = true}).x.shape() == Shape{2, 3, 2});
  CHECK(message_of<ValueError>([] { return nn::pad_sequences(std::vector<Tensor>()).x; }) ==
        "pad_sequences: there must be at least one sequence");
  CHECK(message_of<ShapeError>([&] {
          return nn::pad_sequences({a, zeros({})}).x;
        }) == "pad_sequences: a sequence must be [length, ...]: number 1 is []");
}

TEST_CASE("derivatives of recurrent networks and cells, to the second") {
  const auto check = [](const auto& module, const auto& inputs) {
    const auto report = nn::check_grads(with_ramps(module), inputs);
    CHECK_MESSAGE(report.ok(), report.message);
  };
  const Tensor x = ramp({2, 2, 2}, float64), h = ramp({2, 2, 2}, float64) * 0.5;
  const Tensor lengths = lengths_of({2, 1});
  using Pair = std::tuple<Tensor, nn::RNNInput>;
  check(nn::RNN{{.input_size = 2, .hidden_size = 2, .bidirectional = true}}, Pair(x, {h, lengths}));
  check(nn::GRU{{.input_size = 2, .hidden_size = 2, .num_layers = 2}}, Pair(x, {h, lengths}));
  check(nn::LSTM{{.input_size = 2, .hidden_size = 2, .bidirectional = true}},
        std::tuple<Tensor, nn::LSTMInput>(x, {{h, h * 0.5}, lengths}));
  check(nn::LSTM{{.input_size = 2, .hidden_size = 2, .bias = false, .proj_size = 1}},
        std::tuple<Tensor, nn::LSTMInput>(x, {}));
  const Tensor row = ramp({2, 2}, float64);
  check(nn::GRUCell{{.input_size = 2, .hidden_size = 2}}, std::tuple<Tensor, Tensor>(row, row * 0.5));
  check(nn::LSTMCell{{.input_size = 2, .hidden_size = 2}},
        std::tuple<Tensor, nn::LSTMState>(row, {row * 0.5, row * 0.25}));
}

TEST_CASE("a captured recurrent network heeds the lengths of each call") {
  manual_seed(7);
  nn::GRU gru{{.input_size = 2, .hidden_size = 3, .num_layers = 2, .dropout = 0.5, .bidirectional = true}};
  nn::GRU same(gru);
  const auto step = [](nn::GRU& net, const Tensor& x, const Tensor& lengths) {
    net.zero_grad();
    const auto [y, h] = net(x, {.lengths = lengths});
    const Tensor loss = sum(square(y)) + sum(h);
    loss.backward();
    return std::vector<Tensor>{y.detach(), h.detach(), net.layers[1].weight_hh.grad()};
  };
  auto replay = capture([&](const Tensor& x, const Tensor& lengths) { return step(gru, x, lengths); },
                        {randn({3, 2, 2}), lengths_of({3, 2})}, {&gru});
  for (const Tensor& lengths : {lengths_of({1, 3}), lengths_of({2, 2}), lengths_of({0, 1})}) {
    const Tensor x = randn({3, 2, 2});
    const std::vector<Tensor> want = step(same, x, lengths), got = replay(x, lengths);
    for (std::size_t k = 0; k < want.size(); ++k) CHECK(same_bits(got[k], want[k]));
  }
  CHECK(message_of<ValueError>([&] {
          return replay(zeros({3, 2, 2}), lengths_of({1, 4}));
        }).find("lengths must be in [0, 3]: got 4 at [1]") != std::string::npos);
}

TEST_CASE("dropout works between layers, in training alone") {
  manual_seed(8);
  nn::RNN rnn{{.input_size = 2, .hidden_size = 4, .num_layers = 2, .dropout = 1}};
  const Tensor x = randn({3, 2, 2});
  const Tensor trained = rnn(x).output;
  CHECK(elements(trained) == elements(rnn(2 * x).output));  // nothing comes through
  CHECK(elements(rnn(x).h) != elements(rnn(2 * x).h));      // but the lower layer's state
  rnn.eval();
  CHECK(elements(rnn(x).output) != elements(trained));
}

TEST_CASE("recurrent networks are values: copies, dtypes, names, starting values") {
  manual_seed(9);
  nn::LSTM lstm{{.input_size = 2, .hidden_size = 4, .bidirectional = true}};
  nn::LSTM copy(lstm);
  const Tensor x = randn({2, 3, 2});
  CHECK(same_bits(copy(x).output, lstm(x).output));
  copy.layers[0].bias_ih.set_value(zeros({16}));
  CHECK(!same_bits(copy(x).output, lstm(x).output));
  copy.load_state_dict(lstm.state_dict());
  CHECK(same_bits(copy(x).output, lstm(x).output));
  CHECK(names_of(lstm) == std::vector<std::string>{"weight_ih_l0", "weight_hh_l0", "bias_ih_l0", "bias_hh_l0",
                                                   "weight_ih_l0_reverse", "weight_hh_l0_reverse",
                                                   "bias_ih_l0_reverse", "bias_hh_l0_reverse"});
  for (const auto& parameter : lstm.parameters()) CHECK(amax(abs(parameter->tensor())).item() <= 0.5);
  lstm.to(float64);
  CHECK(lstm(x.to(float64)).output.dtype() == float64);
  CHECK(lstm.summary(x.to(float64), {}) ==
        "module   type  output                             parameters\n"
        "(model)  LSTM  ([2, 3, 8], [2, 3, 4], [2, 3, 4])         256\n"
        "total: 256 parameters, 256 learning, 2048 bytes\n");
}

TEST_CASE("recurrent networks of no sequences, and of one step") {
  nn::GRU gru{{.input_size = 2, .hidden_size = 3, .num_layers = 2, .bidirectional = true}};
  const auto [y, h] = gru(zeros({4, 0, 2}));
  CHECK(y.shape() == Shape{4, 0, 6});
  CHECK(h.shape() == Shape{4, 0, 3});
  sum(y).backward();
  CHECK(elements(gru.layers[0].bias_hh.grad()) == Numbers(9, 0));
  CHECK(gru(zeros({4, 0, 2}), {.lengths = zeros({0}, {.dtype = int64})}).output.shape() == Shape{4, 0, 6});
  CHECK(gru(zeros({1, 2, 2})).output.shape() == Shape{1, 2, 6});
  nn::LSTMCell cell{{.input_size = 2, .hidden_size = 3}};
  CHECK(cell(zeros({0, 2})).c.shape() == Shape{0, 3});
}

TEST_CASE("recurrent networks say what does not fit") {
  const auto make = [](const nn::LSTMOptions& options) {
    return nn::LSTM(options).layers[0].weight_ih.shape();
  };
  CHECK(message_of<ValueError>([&] { return make({.hidden_size = 3}); }) ==
        "LSTM: input_size is required, and was not given");
  CHECK(message_of<ValueError>([&] { return make({.input_size = 3, .hidden_size = 0}); }) ==
        "LSTM: hidden_size must be at least 1: got 0");
  CHECK(message_of<ValueError>([&] { return make({.input_size = 3, .hidden_size = 2, .dropout = 2}); }) ==
        "LSTM: dropout must be in [0, 1]: got 2");
  CHECK(message_of<ValueError>([&] { return make({.input_size = 3, .hidden_size = 2, .proj_size = 2}); }) ==
        "LSTM: proj_size must be from 0 to below hidden_size, 2: got 2");
  nn::LSTM lstm{{.input_size = 2, .hidden_size = 3}};
  const Tensor x = zeros({4, 2, 2});
  CHECK(message_of<ShapeError>([&] {
          return lstm(zeros({4, 2, 3})).output;
        }) == "LSTM: input must be [steps, n, 2]: got [4, 2, 3]");
  CHECK(message_of<ShapeError>([&] {
          return lstm(zeros({0, 2, 2})).output;
        }) == "LSTM: input must have at least one step: got [0, 2, 2]");
  CHECK(message_of<DtypeError>([&] { return lstm(x.to(float64)).output; }) ==
        "LSTM: input is float64, weight_ih is float32; convert the input or the model with to()");
  CHECK(message_of<ValueError>([&] { return lstm(Tensor()).output; }) == "LSTM: input: the handle is empty");
  CHECK(message_of<ShapeError>([&] {
          return lstm(x, {.state = {.h = zeros({2, 3})}}).output;
        }) == "LSTM: h must be [1, 2, 3]: got [2, 3]");
  CHECK(message_of<DtypeError>([&] {
          return lstm(x, {.state = {.c = zeros({1, 2, 3}, {.dtype = float64})}}).output;
        }) == "LSTM: c is float64, weight_ih is float32; convert with to()");
  CHECK(message_of<ShapeError>([&] {
          return lstm(x, {.lengths = lengths_of({1, 2, 3})}).output;
        }) == "LSTM: lengths must be [2], one for each sequence: got [3]");
  CHECK(message_of<DtypeError>([&] { return lstm(x, {.lengths = zeros({2})}).output; }) ==
        "LSTM: lengths must be int64 or int32: got float32");
  CHECK(message_of<ValueError>([&] {
          return lstm(x, {.lengths = lengths_of({1, -1})}).output;
        }) == "LSTM: lengths must be in [0, 4]: got -1 at [1]");
  nn::RNNCell cell{{.input_size = 2, .hidden_size = 3}};
  CHECK(message_of<ShapeError>([&] { return cell(zeros({2})); }) == "RNNCell: input must be [n, 2]: got [2]");
  CHECK(message_of<ShapeError>([&] {
          return cell(zeros({1, 2}), zeros({2, 3}));
        }) == "RNNCell: h must be [1, 3]: got [2, 3]");
}
