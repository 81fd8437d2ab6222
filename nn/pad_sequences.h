#pragma once

#include <initializer_list>
#include <span>

#include "xtgrad/autograd/export.h"
#include "xtgrad/autograd/tensor.h"

namespace xtgrad { inline namespace XTGRAD_PUBLIC v1 { namespace nn {

struct PadSequencesOptions {
  bool batch_first = false;
};

/// Sequences as one batch, with what RNN, GRU, LSTM and ctc_loss take for their lengths.
struct PaddedSequences {
  Tensor x;        ///< [steps, n, ...], or [n, steps, ...]; 0 behind the ends
  Tensor lengths;  ///< int64 [n]
};

/// Joins sequences [length, ...], which differ in length alone. Throws ValueError for none, ShapeError or
/// DtypeError where they differ in more.
///
///   const auto [x, lengths] = nn::pad_sequences({randn({5, 4}), randn({2, 4})});  // x is [5, 2, 4]
///   auto [y, h] = gru(x, {.lengths = lengths});
[[nodiscard]] PaddedSequences pad_sequences(std::span<const Tensor> sequences,
                                            const PadSequencesOptions& options = {});
[[nodiscard]] PaddedSequences pad_sequences(std::initializer_list<Tensor> sequences,
                                            const PadSequencesOptions& options = {});

}}}  // namespace xtgrad::v1::nn
