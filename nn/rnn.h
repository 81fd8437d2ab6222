#pragma once

#include <cstdint>
#include <vector>

#include "xtgrad/autograd/export.h"
#include "xtgrad/nn/dropout.h"
#include "xtgrad/nn/module.h"
#include "xtgrad/nn/options.h"
#include "xtgrad/nn/recurrent.h"

namespace xtgrad { inline namespace XTGRAD_PUBLIC v1 { namespace nn {

enum class RNNNonlinearity : std::uint8_t { tanh, relu };

struct RNNCellOptions {
  std::int64_t input_size = required;
  std::int64_t hidden_size = required;
  bool bias = true;
  RNNNonlinearity nonlinearity = RNNNonlinearity::tanh;
};

/// A step of Elman's network: h' = tanh(W_ih x + b_ih + W_hh h + b_hh), or relu, for x [n, input_size] and h
/// [n, hidden_size], zeros if it is not given. Parameters, in PyTorch's names: weight_ih, weight_hh, bias_ih
/// and bias_hh.
///
///   nn::RNNCell cell{{.input_size = 4, .hidden_size = 8}};
///   Tensor h = cell(x);  // [n, 8]
///   h = cell(y, h);
///
/// Throws ValueError for an option that is missing or out of range, ShapeError or DtypeError for tensors that
/// do not fit.
class RNNCell : public ModuleOf<Tensor(const Tensor& x, const Tensor& h)> {
 public:
  explicit RNNCell(const RNNCellOptions& options);
  using ModuleOf::operator();
  Tensor operator()(const Tensor& x) { return (*this)(x, Tensor()); }
  Tensor forward(const Tensor& x, const Tensor& h) override;
  void members(Members& m) override;
  [[nodiscard]] const RNNCellOptions& options() const& { return options_; }
  [[nodiscard]] RNNCellOptions options() const&& { return options_; }

  RecurrentWeights weights;

 private:
  RNNCellOptions options_;
};

struct RNNOptions {
  std::int64_t input_size = required;
  std::int64_t hidden_size = required;
  std::int64_t num_layers = 1;
  RNNNonlinearity nonlinearity = RNNNonlinearity::tanh;
  bool bias = true;
  bool batch_first = false;  ///< inputs and outputs are [n, steps, ...]
  double dropout = 0;        ///< between layers, while training
  bool bidirectional = false;
};

/// Elman's network over sequences (Elman, "Finding structure in time", 1990): RNNCell step by step, in layers
/// and directions as nn/recurrent.h says. Parameters, in PyTorch's names: weight_ih_l0, weight_hh_l0,
/// bias_ih_l0 and bias_hh_l0, those of further layers, and with _reverse those of the other direction.
///
///   nn::RNN rnn{{.input_size = 4, .hidden_size = 8}};
///   auto [y, h] = rnn(randn({5, 2, 4}));  // [5, 2, 8] and [1, 2, 8]
///   auto later = rnn(x, {.h = h, .lengths = lengths});
///
/// Throws ValueError for an option that is missing or out of range and for a length out of range, ShapeError
/// or DtypeError for tensors that do not fit.
class RNN : public ModuleOf<RNNOutput(const Tensor& x, const RNNInput& input)> {
 public:
  explicit RNN(const RNNOptions& options);
  using ModuleOf::operator();
  RNNOutput operator()(const Tensor& x) { return (*this)(x, RNNInput()); }
  RNNOutput forward(const Tensor& x, const RNNInput& input) override;
  void members(Members& m) override;
  [[nodiscard]] const RNNOptions& options() const& { return options_; }
  [[nodiscard]] RNNOptions options() const&& { return options_; }

  std::vector<RecurrentWeights> layers;  // of both directions, one layer after the other

 private:
  RNNOptions options_;
  Dropout dropout_;
};

}}}  // namespace xtgrad::v1::nn
