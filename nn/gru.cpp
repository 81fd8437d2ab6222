#include "xtgrad/nn/gru.h"

#include <vector>

#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/ops.h"
#include "xtgrad/nn/recurrent_layers.h"

namespace xtgrad::inline v1::nn {
namespace {

detail::RecurrentState step(const detail::StepWeights& weights, const Tensor& products,
                            const detail::RecurrentState& before) {
  const std::int64_t hidden = before.h.size(1);
  const std::vector<Tensor> of_x = split(products, {2 * hidden, hidden}, 1);
  const std::vector<Tensor> of_h = split(weights.products(before.h), {2 * hidden, hidden}, 1);
  const std::vector<Tensor> gates = split(sigmoid(of_x[0] + of_h[0]), hidden, 1);
  const Tensor next = tanh(of_x[1] + gates[0] * of_h[1]);
  return {next + gates[1] * (before.h - next), {}};
}

// The reset gate multiplies the state's products alone, so their bias stays with them.
constexpr detail::RecurrentKind kind{.step = step, .has_c = false, .joins_biases = false};

detail::RecurrentLayout layout_of(const GRUCellOptions& options) {
  return {.name = "GRUCell",
          .gates = 3,
          .input = options.input_size,
          .hidden = options.hidden_size,
          .bias = options.bias};
}

detail::RecurrentLayout layout_of(const GRUOptions& options) {
  return {.name = "GRU",
          .gates = 3,
          .input = options.input_size,
          .hidden = options.hidden_size,
          .layers = options.num_layers,
          .bias = options.bias,
          .batch_first = options.batch_first,
          .dropout = options.dropout,
          .bidirectional = options.bidirectional};
}

}  // namespace

GRUCell::GRUCell(const GRUCellOptions& options) : options_(options) {
  detail::check_layout(layout_of(options));
  weights = detail::make_weights(layout_of(options), options.input_size);
}

void GRUCell::members(Members& m) { detail::list_weights(m, weights, ""); }

Tensor GRUCell::forward(const Tensor& x, const Tensor& h) {
  return detail::run_cell(label(), layout_of(options_), kind, weights, x, {h, {}}).h;
}

GRU::GRU(const GRUOptions& options) : options_(options) {
  detail::check_layout(layout_of(options));
  layers = detail::make_layers(layout_of(options));
  if (options.dropout > 0) dropout_ = Dropout({.p = options.dropout});
}

void GRU::members(Members& m) {
  detail::list_layers(m, layout_of(options_), layers);
  if (options_.dropout > 0) m("dropout", dropout_);
}

RNNOutput GRU::forward(const Tensor& x, const RNNInput& input) {
  const detail::RecurrentResult result = detail::run_layers(label(), layout_of(options_), kind, layers,
                                                            dropout_, x, {input.h, {}}, input.lengths);
  return {result.output, result.state.h};
}

}  // namespace xtgrad::v1::nn
