#include "xtgrad/nn/pad_sequences.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/ops.h"

namespace xtgrad::inline v1::nn {

PaddedSequences pad_sequences(std::span<const Tensor> sequences, const PadSequencesOptions& options) {
  if (sequences.empty()) throw ValueError("pad_sequences: there must be at least one sequence");
  std::vector<std::int64_t> lengths;
  for (const Tensor& each : sequences) {
    if (each.rank() == 0) {
      throw ShapeError(
          fmt::format("pad_sequences: a sequence must be [length, ...]: number {} is []", lengths.size()));
    }
    lengths.push_back(each.size(0));
  }
  const std::int64_t steps = *std::max_element(lengths.begin(), lengths.end());
  std::vector<Tensor> padded;
  for (const Tensor& each : sequences)
    padded.push_back(each.size(0) == steps ? each : pad(each, {.high = steps - each.size(0)}));
  return {stack(padded, options.batch_first ? 0 : 1), from_vector(lengths)};
}

PaddedSequences pad_sequences(std::initializer_list<Tensor> sequences, const PadSequencesOptions& options) {
  return pad_sequences(std::span<const Tensor>(sequences.begin(), sequences.size()), options);
}

}  // namespace xtgrad::v1::nn
