#include "xtgrad/nn/lstm.h"

#include <vector>

#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/ops.h"
#include "xtgrad/nn/recurrent_layers.h"

namespace xtgrad::inline v1::nn {
namespace {

detail::RecurrentState step(const detail::StepWeights& weights, const Tensor& products,
                            const detail::RecurrentState& before) {
  const std::int64_t hidden = before.c.size(1);
  const std::vector<Tensor> sums =
      split(products + weights.products(before.h), {2 * hidden, hidden, hidden}, 1);
  const std::vector<Tensor> gates = split(sigmoid(sums[0]), hidden, 1);
  const Tensor c = gates[1] * before.c + gates[0] * tanh(sums[1]);
  const Tensor h = sigmoid(sums[2]) * tanh(c);
  return {weights.weight_hr.defined() ? matmul(h, weights.weight_hr, {.transpose_b = true}) : h, c};
}

constexpr detail::RecurrentKind kind{.step = step, .has_c = true};

detail::RecurrentLayout layout_of(const LSTMCellOptions& options) {
  return {.name = "LSTMCell",
          .gates = 4,
          .input = options.input_size,
          .hidden = options.hidden_size,
          .bias = options.bias};
}

detail::RecurrentLayout layout_of(const LSTMOptions& options) {
  return {.name = "LSTM",
          .gates = 4,
          .input = options.input_size,
          .hidden = options.hidden_size,
          .projection = options.proj_size,
          .layers = options.num_layers,
          .bias = options.bias,
          .batch_first = options.batch_first,
          .dropout = options.dropout,
          .bidirectional = options.bidirectional};
}

}  // namespace

LSTMCell::LSTMCell(const LSTMCellOptions& options) : options_(options) {
  detail::check_layout(layout_of(options));
  weights = detail::make_weights(layout_of(options), options.input_size);
}

void LSTMCell::members(Members& m) { detail::list_weights(m, weights, ""); }

LSTMState LSTMCell::forward(const Tensor& x, const LSTMState& state) {
  const detail::RecurrentState after =
      detail::run_cell(label(), layout_of(options_), kind, weights, x, {state.h, state.c});
  return {after.h, after.c};
}

LSTM::LSTM(const LSTMOptions& options) : options_(options) {
  detail::check_layout(layout_of(options));
  layers = detail::make_layers(layout_of(options));
  if (options.dropout > 0) dropout_ = Dropout({.p = options.dropout});
}

void LSTM::members(Members& m) {
  detail::list_layers(m, layout_of(options_), layers);
  if (options_.dropout > 0) m("dropout", dropout_);
}

LSTMOutput LSTM::forward(const Tensor& x, const LSTMInput& input) {
  const detail::RecurrentResult result = detail::run_layers(
      label(), layout_of(options_), kind, layers, dropout_, x, {input.state.h, input.state.c}, input.lengths);
  return {result.output, {result.state.h, result.state.c}};
}

}  // namespace xtgrad::v1::nn
