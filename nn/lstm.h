#pragma once

#include <cstdint>
#include <tuple>
#include <vector>

#include "xtgrad/autograd/export.h"
#include "xtgrad/nn/dropout.h"
#include "xtgrad/nn/module.h"
#include "xtgrad/nn/options.h"
#include "xtgrad/nn/recurrent.h"

namespace xtgrad { inline namespace XTGRAD_PUBLIC v1 { namespace nn {

/// The output h and the memory c of an LSTM.
struct LSTMState {
  Tensor h = {};  ///< of a cell [n, hidden_size], of a network [layers * directions, n, hidden or proj_size]
  Tensor c = {};  ///< likewise, of hidden_size
  friend auto tensors_of(LSTMState& state) { return std::tie(state.h, state.c); }
};

struct LSTMCellOptions {
  std::int64_t input_size = required;
  std::int64_t hidden_size = required;
  bool bias = true;
};

/// A step of a long short-term memory, for x [n, input_size] and a state of [n, hidden_size], zeros where it
/// is empty:
///
///   i = sigmoid(W_ii x + b_ii + W_hi h + b_hi)
///   f = sigmoid(W_if x + b_if + W_hf h + b_hf)
///   g = tanh(W_ig x + b_ig + W_hg h + b_hg)
///   o = sigmoid(W_io x + b_io + W_ho h + b_ho)
///   c' = f c + i g
///   h' = o tanh(c')
///
/// Parameters, in PyTorch's names: weight_ih, weight_hh, bias_ih and bias_hh, with the rows of i, f, g and o
/// in this order.
///
///   nn::LSTMCell cell{{.input_size = 4, .hidden_size = 8}};
///   nn::LSTMState state = cell(x);
///   state = cell(y, state);  // state.h is [n, 8]
///
/// Throws as RNNCell.
class LSTMCell : public ModuleOf<LSTMState(const Tensor& x, const LSTMState& state)> {
 public:
  explicit LSTMCell(const LSTMCellOptions& options);
  using ModuleOf::operator();
  LSTMState operator()(const Tensor& x) { return (*this)(x, LSTMState()); }
  LSTMState forward(const Tensor& x, const LSTMState& state) override;
  void members(Members& m) override;
  [[nodiscard]] const LSTMCellOptions& options() const& { return options_; }
  [[nodiscard]] LSTMCellOptions options() const&& { return options_; }

  RecurrentWeights weights;

 private:
  LSTMCellOptions options_;
};

/// What LSTM takes besides x.
struct LSTMInput {
  LSTMState state = {};  ///< before the first step; zeros where it is empty
  Tensor lengths = {};   ///< int64 or int32 [n], from 0 to steps; all of them if empty
  friend auto tensors_of(LSTMInput& input) { return std::tie(input.state, input.lengths); }
};

struct LSTMOutput {
  Tensor output;    ///< [steps, n, directions * h's size], or batch first: the last layer's h at each step
  LSTMState state;  ///< after the last step
  friend auto tensors_of(LSTMOutput& result) { return std::tie(result.output, result.state); }
};

struct LSTMOptions {
  std::int64_t input_size = required;
  std::int64_t hidden_size = required;
  std::int64_t num_layers = 1;
  bool bias = true;
  bool batch_first = false;  ///< inputs and outputs are [n, steps, ...]
  double dropout = 0;        ///< between layers, while training
  bool bidirectional = false;
  std::int64_t proj_size = 0;  ///< if not 0, h is W_hr h' of that size (Sak et al., 2014)
};

/// A long short-term memory over sequences (Hochreiter and Schmidhuber, "Long short-term memory", 1997):
/// LSTMCell step by step, in layers and directions as nn/recurrent.h says. Parameters are named, and errors
/// thrown, as by RNN; a projection's are weight_hr_l0 and so on.
///
///   nn::LSTM lstm{{.input_size = 4, .hidden_size = 8, .num_layers = 2}};
///   auto [y, state] = lstm(randn({5, 2, 4}));  // y is [5, 2, 8], state.h and state.c are [2, 2, 8]
///   auto later = lstm(x, {.state = state, .lengths = lengths});
class LSTM : public ModuleOf<LSTMOutput(const Tensor& x, const LSTMInput& input)> {
 public:
  explicit LSTM(const LSTMOptions& options);
  using ModuleOf::operator();
  LSTMOutput operator()(const Tensor& x) { return (*this)(x, LSTMInput()); }
  LSTMOutput forward(const Tensor& x, const LSTMInput& input) override;
  void members(Members& m) override;
  [[nodiscard]] const LSTMOptions& options() const& { return options_; }
  [[nodiscard]] LSTMOptions options() const&& { return options_; }

  std::vector<RecurrentWeights> layers;  // of both directions, one layer after the other

 private:
  LSTMOptions options_;
  Dropout dropout_;
};

}}}  // namespace xtgrad::v1::nn
