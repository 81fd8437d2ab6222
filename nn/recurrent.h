#pragma once

#include <tuple>

#include "xtgrad/autograd/export.h"
#include "xtgrad/autograd/tensor.h"
#include "xtgrad/nn/parameter.h"

namespace xtgrad { inline namespace XTGRAD_PUBLIC v1 { namespace nn {

// What RNN, GRU and LSTM share. A sequence is one along `steps`: inputs are [steps, n, input_size], or
// [n, steps, input_size] with batch_first, and outputs likewise. Each layer reads the one below, in both
// directions if bidirectional: the outputs of the two are then side by side.
//
// With lengths, sequence i has lengths[i] steps, in any order, and what is behind them has no share in
// anything, not even if it is NaN. Outputs there are 0, the last state is that after the last step, and the
// other direction begins at each sequence's own end: as with pack_padded_sequence and pad_packed_sequence of
// PyTorch, in one call.

/// What one layer learns in one direction. Rows of the weights are those of the gates, one after the other.
/// All are uniform in [-1/sqrt(hidden), 1/sqrt(hidden)) at first, in the default dtype.
struct RecurrentWeights {
  Parameter weight_ih;  // [gates * hidden, input]
  Parameter weight_hh;  // [gates * hidden, output of a step]
  Parameter bias_ih;    // [gates * hidden]; with bias_hh, not defined without bias
  Parameter bias_hh;    // [gates * hidden]
  Parameter weight_hr;  // [projection, hidden]; defined with a projection alone
};

/// What RNN and GRU take besides x.
struct RNNInput {
  Tensor h = {};  ///< [layers * directions, n, hidden], the states before the first step; zeros if empty
  Tensor lengths = {};  ///< int64 or int32 [n], from 0 to steps; all of them if empty
  friend auto tensors_of(RNNInput& input) { return std::tie(input.h, input.lengths); }
};

/// What they give.
struct RNNOutput {
  Tensor output;  ///< [steps, n, directions * hidden], or batch first: the last layer's states at each step
  Tensor h;       ///< [layers * directions, n, hidden], the states after the last step
  friend auto tensors_of(RNNOutput& result) { return std::tie(result.output, result.h); }
};

}}}  // namespace xtgrad::v1::nn
