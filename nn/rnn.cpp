#include "xtgrad/nn/rnn.h"

#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/ops.h"
#include "xtgrad/nn/recurrent_layers.h"

namespace xtgrad::inline v1::nn {
namespace {

template <Tensor (*activation)(const Tensor&)>
detail::RecurrentState step(const detail::StepWeights& weights, const Tensor& products,
                            const detail::RecurrentState& before) {
  return {activation(products + weights.products(before.h)), {}};
}

detail::RecurrentKind kind_of(RNNNonlinearity nonlinearity) {
  return {.step = nonlinearity == RNNNonlinearity::relu ? step<relu> : step<tanh>};
}

detail::RecurrentLayout layout_of(const RNNCellOptions& options) {
  return {
      .name = "RNNCell", .input = options.input_size, .hidden = options.hidden_size, .bias = options.bias};
}

detail::RecurrentLayout layout_of(const RNNOptions& options) {
  return {.name = "RNN",
          .input = options.input_size,
          .hidden = options.hidden_size,
          .layers = options.num_layers,
          .bias = options.bias,
          .batch_first = options.batch_first,
          .dropout = options.dropout,
          .bidirectional = options.bidirectional};
}

}  // namespace

RNNCell::RNNCell(const RNNCellOptions& options) : options_(options) {
  detail::check_layout(layout_of(options));
  weights = detail::make_weights(layout_of(options), options.input_size);
}

void RNNCell::members(Members& m) { detail::list_weights(m, weights, ""); }

Tensor RNNCell::forward(const Tensor& x, const Tensor& h) {
  return detail::run_cell(label(), layout_of(options_), kind_of(options_.nonlinearity), weights, x, {h, {}})
      .h;
}

RNN::RNN(const RNNOptions& options) : options_(options) {
  detail::check_layout(layout_of(options));
  layers = detail::make_layers(layout_of(options));
  if (options.dropout > 0) dropout_ = Dropout({.p = options.dropout});
}

void RNN::members(Members& m) {
  detail::list_layers(m, layout_of(options_), layers);
  if (options_.dropout > 0) m("dropout", dropout_);
}

RNNOutput RNN::forward(const Tensor& x, const RNNInput& input) {
  const detail::RecurrentResult result =
      detail::run_layers(label(), layout_of(options_), kind_of(options_.nonlinearity), layers, dropout_, x,
                         {input.h, {}}, input.lengths);
  return {result.output, result.state.h};
}

}  // namespace xtgrad::v1::nn
