#include "xtgrad/nn/recurrent_layers.h"

#include <fmt/format.h>

#include <cmath>
#include <utility>

#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/ops.h"
#include "xtgrad/nn/loss_checks.h"
#include "xtgrad/nn/options.h"

namespace xtgrad::inline v1::nn::detail {
namespace {

/// Which steps belong to the sequences.
struct Active {
  Tensor all;                // bool [steps, n, 1]; not defined where all do
  std::vector<Tensor> rows;  // of each step, [n, 1]
};

Active active_of(const std::string& label, const Tensor& lengths, std::int64_t steps, std::int64_t n) {
  if (!lengths.defined()) return {};
  if (lengths.dtype() != int64 && lengths.dtype() != int32) {
    throw DtypeError(
        fmt::format("{}: lengths must be int64 or int32: got {}", label, to_string(lengths.dtype())));
  }
  if (lengths.shape() != Shape{n}) {
    throw ShapeError(fmt::format("{}: lengths must be [{}], one for each sequence: got {}", label, n,
                                 to_string(lengths.shape())));
  }
  const Tensor checked =
      checked_range(label, {"lengths", lengths.to(float64)}, 0, static_cast<double>(steps));
  Active active;
  active.all = reshape(arange(steps, {}, {.dtype = float64}), {steps, 1, 1}) < reshape(checked, {1, n, 1});
  active.rows = unbind(active.all);
  return active;
}

/// Throws unless a state that was given is of that shape and dtype.
void check_state(const std::string& label, std::string_view name, const Tensor& state, const Shape& shape,
                 Dtype dtype) {
  if (state.shape() != shape) {
    throw ShapeError(
        fmt::format("{}: {} must be {}: got {}", label, name, to_string(shape), to_string(state.shape())));
  }
  if (state.dtype() != dtype) {
    throw DtypeError(fmt::format("{}: {} is {}, weight_ih is {}; convert with to()", label, name,
                                 to_string(state.dtype()), to_string(dtype)));
  }
}

/// The input's products of rows [rows, input], with the biases that are the same for all steps.
Tensor products_of(const Tensor& x, const RecurrentWeights& weights, const RecurrentKind& kind) {
  const Tensor product = matmul(x, weights.weight_ih, {.transpose_b = true});
  if (!weights.bias_ih.defined()) return product;
  return product + (kind.joins_biases ? weights.bias_ih + weights.bias_hh : weights.bias_ih.tensor());
}

StepWeights step_weights(const RecurrentWeights& weights, const RecurrentKind& kind) {
  StepWeights step{.weight_hh = weights.weight_hh, .weight_hr = {}, .bias_hh = {}};
  if (weights.weight_hr.defined()) step.weight_hr = weights.weight_hr;
  if (weights.bias_hh.defined() && !kind.joins_biases) step.bias_hh = weights.bias_hh;
  return step;
}

/// One layer in one direction, over all steps.
struct Pass {
  const RecurrentKind& kind;
  const RecurrentWeights& weights;
  const Active& active;
  bool reverse;

  /// x is [steps, n, input]; `state` is that before the first step, and then that after the last.
  [[nodiscard]] Tensor run(const Tensor& x, RecurrentState& state) const {
    const std::int64_t steps = x.size(0), n = x.size(1);
    const Tensor products = products_of(reshape(x, {steps * n, x.size(2)}), weights, kind);
    const std::vector<Tensor> rows = unbind(reshape(products, {steps, n, products.size(1)}));
    const StepWeights with = step_weights(weights, kind);
    std::vector<Tensor> outputs(rows.size());
    for (std::size_t k = 0; k < rows.size(); ++k) {
      const std::size_t t = reverse ? rows.size() - 1 - k : k;
      RecurrentState next = kind.step(with, rows[t], state);
      if (active.all.defined()) {
        next.h = where(active.rows[t], next.h, state.h);
        if (kind.has_c) next.c = where(active.rows[t], next.c, state.c);
      }
      state = std::move(next);
      outputs[t] = state.h;
    }
    const Tensor output = stack(outputs);
    return active.all.defined() ? where(active.all, output, 0) : output;
  }
};

/// The states before the first step, of each layer and direction.
std::vector<Tensor> states_of(const std::string& label, std::string_view name, const Tensor& given,
                              const Shape& shape, Dtype dtype) {
  if (given.defined()) {
    check_state(label, name, given, shape, dtype);
    return unbind(given);
  }
  return std::vector<Tensor>(static_cast<std::size_t>(shape[0]),
                             zeros({shape[1], shape[2]}, {.dtype = dtype}));
}

void check_dtype(const std::string& label, const Tensor& x, Dtype dtype) {
  if (x.dtype() == dtype) return;
  throw DtypeError(fmt::format("{}: input is {}, weight_ih is {}; convert the input or the model with to()",
                               label, to_string(x.dtype()), to_string(dtype)));
}

void check_input(const std::string& label, const RecurrentLayout& layout, const Tensor& x, Dtype dtype) {
  if (!x.defined()) throw ValueError(fmt::format("{}: input: the handle is empty", label));
  if (x.rank() != 3 || x.size(2) != layout.input) {
    throw ShapeError(fmt::format("{}: input must be [{}, {}]: got {}", label,
                                 layout.batch_first ? "n, steps" : "steps, n", layout.input,
                                 to_string(x.shape())));
  }
  if (x.size(layout.batch_first ? 1 : 0) == 0) {
    throw ShapeError(
        fmt::format("{}: input must have at least one step: got {}", label, to_string(x.shape())));
  }
  check_dtype(label, x, dtype);
}

}  // namespace

void check_layout(const RecurrentLayout& layout) {
  check_option(layout.name, "input_size", layout.input, 0);
  check_option(layout.name, "hidden_size", layout.hidden, 1);
  check_option(layout.name, "num_layers", layout.layers, 1);
  if (layout.projection < 0 || layout.projection >= layout.hidden) {
    throw ValueError(fmt::format("{}: proj_size must be from 0 to below hidden_size, {}: got {}", layout.name,
                                 layout.hidden, layout.projection));
  }
  if (layout.dropout >= 0 && layout.dropout <= 1) return;
  throw ValueError(fmt::format("{}: dropout must be in [0, 1]: got {}", layout.name, layout.dropout));
}

RecurrentWeights make_weights(const RecurrentLayout& layout, std::int64_t input) {
  const double bound = 1 / std::sqrt(static_cast<double>(layout.hidden));
  const auto draw = [bound](const Shape& shape) {
    return Parameter(uniform(shape, {.low = -bound, .high = bound}));
  };
  const std::int64_t rows = layout.gates * layout.hidden;
  RecurrentWeights weights;
  weights.weight_ih = draw({rows, input});
  weights.weight_hh = draw({rows, layout.output()});
  if (layout.bias) {
    weights.bias_ih = draw({rows});
    weights.bias_hh = draw({rows});
  }
  if (layout.projection > 0) weights.weight_hr = draw({layout.projection, layout.hidden});
  return weights;
}

std::vector<RecurrentWeights> make_layers(const RecurrentLayout& layout) {
  std::vector<RecurrentWeights> layers;
  for (std::int64_t layer = 0; layer < layout.layers; ++layer) {
    const std::int64_t input = layer == 0 ? layout.input : layout.directions() * layout.output();
    for (std::int64_t d = 0; d < layout.directions(); ++d) layers.push_back(make_weights(layout, input));
  }
  return layers;
}

void list_weights(Members& m, RecurrentWeights& weights, const std::string& suffix) {
  m("weight_ih" + suffix, weights.weight_ih);
  m("weight_hh" + suffix, weights.weight_hh);
  m("bias_ih" + suffix, weights.bias_ih);
  m("bias_hh" + suffix, weights.bias_hh);
  m("weight_hr" + suffix, weights.weight_hr);
}

void list_layers(Members& m, const RecurrentLayout& layout, std::vector<RecurrentWeights>& layers) {
  const auto directions = static_cast<std::size_t>(layout.directions());
  for (std::size_t k = 0; k < layers.size(); ++k) {
    const bool reverse = k % directions == 1;
    list_weights(m, layers[k], fmt::format("_l{}{}", k / directions, reverse ? "_reverse" : ""));
  }
}

Tensor StepWeights::products(const Tensor& h) const {
  const Tensor product = matmul(h, weight_hh, {.transpose_b = true});
  return bias_hh.defined() ? product + bias_hh : product;
}

RecurrentState run_cell(const std::string& label, const RecurrentLayout& layout, const RecurrentKind& kind,
                        const RecurrentWeights& weights, const Tensor& x, const RecurrentState& before) {
  const Dtype dtype = weights.weight_ih.dtype();
  if (!x.defined()) throw ValueError(fmt::format("{}: input: the handle is empty", label));
  if (x.rank() != 2 || x.size(1) != layout.input) {
    throw ShapeError(
        fmt::format("{}: input must be [n, {}]: got {}", label, layout.input, to_string(x.shape())));
  }
  check_dtype(label, x, dtype);
  const auto state = [&](std::string_view name, const Tensor& given, std::int64_t size) {
    if (!given.defined()) return zeros({x.size(0), size}, {.dtype = dtype});
    check_state(label, name, given, {x.size(0), size}, dtype);
    return given;
  };
  return kind.step(
      step_weights(weights, kind), products_of(x, weights, kind),
      {state("h", before.h, layout.output()), kind.has_c ? state("c", before.c, layout.hidden) : Tensor()});
}

RecurrentResult run_layers(const std::string& label, const RecurrentLayout& layout, const RecurrentKind& kind,
                           const std::vector<RecurrentWeights>& layers, Dropout& dropout, const Tensor& x,
                           const RecurrentState& before, const Tensor& lengths) {
  const Dtype dtype = layers[0].weight_ih.dtype();
  check_input(label, layout, x, dtype);
  Tensor y = layout.batch_first ? transpose(x, 0, 1) : x;
  const std::int64_t steps = y.size(0), n = y.size(1), count = layout.layers * layout.directions();
  const Active active = active_of(label, lengths, steps, n);
  if (active.all.defined()) y = where(active.all, y, 0);  // NaN behind the end is in no product
  const std::vector<Tensor> h = states_of(label, "h", before.h, {count, n, layout.output()}, dtype);
  std::vector<Tensor> c(h.size());
  if (kind.has_c) c = states_of(label, "c", before.c, {count, n, layout.hidden}, dtype);

  std::vector<Tensor> last_h, last_c;
  for (std::size_t k = 0; k < layers.size();) {
    if (k > 0 && layout.dropout > 0) y = dropout(y);
    std::vector<Tensor> outputs;
    for (std::int64_t d = 0; d < layout.directions(); ++d, ++k) {
      RecurrentState state{h[k], c[k]};
      outputs.push_back(Pass{kind, layers[k], active, d == 1}.run(y, state));
      last_h.push_back(state.h);
      last_c.push_back(state.c);
    }
    y = outputs.size() == 1 ? outputs[0] : concat(outputs, 2);
  }
  return {layout.batch_first ? transpose(y, 0, 1) : y,
          {stack(last_h), kind.has_c ? stack(last_c) : Tensor()}};
}

}  // namespace xtgrad::v1::nn::detail
