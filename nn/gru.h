#pragma once

#include <cstdint>
#include <vector>

#include "xtgrad/autograd/export.h"
#include "xtgrad/nn/dropout.h"
#include "xtgrad/nn/module.h"
#include "xtgrad/nn/options.h"
#include "xtgrad/nn/recurrent.h"

namespace xtgrad { inline namespace XTGRAD_PUBLIC v1 { namespace nn {

struct GRUCellOptions {
  std::int64_t input_size = required;
  std::int64_t hidden_size = required;
  bool bias = true;
};

/// A step of a gated recurrent unit, for x [n, input_size] and h [n, hidden_size], zeros if it is not given:
///
///   r = sigmoid(W_ir x + b_ir + W_hr h + b_hr)
///   z = sigmoid(W_iz x + b_iz + W_hz h + b_hz)
///   n = tanh(W_in x + b_in + r (W_hn h + b_hn))
///   h' = (1 - z) n + z h
///
/// Parameters, in PyTorch's names: weight_ih, weight_hh, bias_ih and bias_hh, with the rows of r, z and n in
/// this order.
///
///   nn::GRUCell cell{{.input_size = 4, .hidden_size = 8}};
///   Tensor h = cell(x);  // [n, 8]
///   h = cell(y, h);
///
/// Throws as RNNCell.
class GRUCell : public ModuleOf<Tensor(const Tensor& x, const Tensor& h)> {
 public:
  explicit GRUCell(const GRUCellOptions& options);
  using ModuleOf::operator();
  Tensor operator()(const Tensor& x) { return (*this)(x, Tensor()); }
  Tensor forward(const Tensor& x, const Tensor& h) override;
  void members(Members& m) override;
  [[nodiscard]] const GRUCellOptions& options() const& { return options_; }
  [[nodiscard]] GRUCellOptions options() const&& { return options_; }

  RecurrentWeights weights;

 private:
  GRUCellOptions options_;
};

struct GRUOptions {
  std::int64_t input_size = required;
  std::int64_t hidden_size = required;
  std::int64_t num_layers = 1;
  bool bias = true;
  bool batch_first = false;  ///< inputs and outputs are [n, steps, ...]
  double dropout = 0;        ///< between layers, while training
  bool bidirectional = false;
};

/// A gated recurrent network over sequences (Cho et al., "Learning phrase representations using RNN
/// encoder-decoder", 2014): GRUCell step by step, in layers and directions as nn/recurrent.h says. Parameters
/// are named, and errors thrown, as by RNN.
///
///   nn::GRU gru{{.input_size = 4, .hidden_size = 8, .bidirectional = true}};
///   auto [y, h] = gru(randn({5, 2, 4}));  // [5, 2, 16] and [2, 2, 8]
class GRU : public ModuleOf<RNNOutput(const Tensor& x, const RNNInput& input)> {
 public:
  explicit GRU(const GRUOptions& options);
  using ModuleOf::operator();
  RNNOutput operator()(const Tensor& x) { return (*this)(x, RNNInput()); }
  RNNOutput forward(const Tensor& x, const RNNInput& input) override;
  void members(Members& m) override;
  [[nodiscard]] const GRUOptions& options() const& { return options_; }
  [[nodiscard]] GRUOptions options() const&& { return options_; }

  std::vector<RecurrentWeights> layers;  // of both directions, one layer after the other

 private:
  GRUOptions options_;
  Dropout dropout_;
};

}}}  // namespace xtgrad::v1::nn
