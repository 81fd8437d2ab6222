#include "xtgrad/nn/embedding_bag.h"

#include <fmt/format.h>

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>

#include "xtgrad/autograd/core/compute.h"
#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/functions/segment.h"
#include "xtgrad/autograd/ops.h"
#include "xtgrad/nn/embedding.h"
#include "xtgrad/nn/position_text.h"

namespace xtgrad::inline v1::nn {
namespace {

void check_integers(const std::string& label, std::string_view operand, const Tensor& x) {
  if (x.dtype() == int64 || x.dtype() == int32) return;
  throw DtypeError(
      fmt::format("{}: {} must be int64 or int32: got {}", label, operand, to_string(x.dtype())));
}

void check_offsets(const std::string& label, const Tensor& offsets, std::int64_t n) {
  const auto* values = xtgrad::detail::array_of(offsets).data<std::int64_t>();
  for (std::int64_t i = 0; i < offsets.numel(); ++i) {
    const std::int64_t least = i == 0 ? 0 : values[i - 1], most = i == 0 ? 0 : n;
    if (values[i] >= least && values[i] <= most) continue;
    throw ValueError(
        fmt::format("{}: offsets must ascend from 0 to at most {}, the number of indices: got {} "
                    "at [{}]",
                    label, n, values[i], i));
  }
}

/// Of n indices each one's bag: the number of bags that have begun, less 1.
Tensor bag_of_each(const Tensor& offsets, std::int64_t n) {
  const Tensor begun = segment_sum(ones_like(offsets), offsets, n + 1);
  return slice(cumsum(begun, {.axis = 0}), {.stop = n}) - 1;
}

}  // namespace

EmbeddingBag::EmbeddingBag(const EmbeddingBagOptions& options) : options_(options) {
  detail::check_option("EmbeddingBag", "num_embeddings", options.num_embeddings, 1);
  detail::check_option("EmbeddingBag", "embedding_dim", options.embedding_dim, 1);
  Embedding table({.num_embeddings = options.num_embeddings,
                   .embedding_dim = options.embedding_dim,
                   .padding_idx = options.padding_idx});
  options_.padding_idx = table.options().padding_idx;
  weight = std::move(table.weight);
}

void EmbeddingBag::members(Members& m) { m("weight", weight); }

EmbeddingBag::Bags EmbeddingBag::bags_of(const Tensor& indices, const Tensor& offsets) const {
  check_integers(label(), "indices", indices);
  const Tensor index = reshape(indices.to(int64), {indices.numel()});
  const std::int64_t n = index.numel(), rows = options_.num_embeddings;
  const auto* values = xtgrad::detail::array_of(index).data<std::int64_t>();
  for (std::int64_t i = 0; i < n; ++i) {
    if (values[i] >= 0 && values[i] < rows) continue;
    throw ValueError(fmt::format("{}: index out of range: got {} at {}, there are {} embeddings", label(),
                                 values[i],
                                 detail::position_text(static_cast<std::size_t>(i), indices.shape()), rows));
  }
  if (indices.rank() == 2 && !offsets.defined()) {
    const Tensor row = reshape(arange(indices.size(0)), {indices.size(0), 1});
    return {index, reshape(broadcast_to(row, indices.shape()), {n}), indices.size(0)};
  }
  if (indices.rank() != 1 || !offsets.defined() || offsets.rank() != 1) {
    throw ShapeError(
        fmt::format("{}: indices must be [bags, length], or [n] with offsets [bags]: got {} with {}", label(),
                    to_string(indices.shape()), offsets.defined() ? to_string(offsets.shape()) : "none"));
  }
  check_integers(label(), "offsets", offsets);
  const Tensor wide = offsets.to(int64);
  check_offsets(label(), wide, n);
  return {index, bag_of_each(wide, n), offsets.numel()};
}

void EmbeddingBag::check_weights(const Tensor& indices, const Tensor& weights) const {
  if (options_.mode != BagMode::sum)
    throw ValueError(fmt::format("{}: per_sample_weights need mode sum", label()));
  if (weights.shape() != indices.shape()) {
    throw ShapeError(fmt::format("{}: per_sample_weights must be {}, as the indices: got {}", label(),
                                 to_string(indices.shape()), to_string(weights.shape())));
  }
  if (weights.dtype() == weight.dtype()) return;
  throw DtypeError(fmt::format("{}: per_sample_weights are {}, weight is {}; convert with to()", label(),
                               to_string(weights.dtype()), to_string(weight.dtype())));
}

Tensor EmbeddingBag::forward(const Tensor& indices, const BagInput& input) {
  auto [index, bag, count] = bags_of(indices, input.offsets);
  Tensor rows = index_select(weight, 0, index);
  if (input.per_sample_weights.defined()) {
    check_weights(indices, input.per_sample_weights);
    rows = rows * reshape(input.per_sample_weights, {index.numel(), 1});
  }
  // Padding goes into a bag of its own, which is dropped.
  const std::int64_t bags = count;
  if (options_.padding_idx) {
    bag = where(index == *options_.padding_idx, count, bag);
    ++count;
  }
  Tensor y;
  if (options_.mode == BagMode::sum) y = segment_sum(rows, bag, count);
  if (options_.mode == BagMode::mean) y = segment_mean(rows, bag, count);
  if (options_.mode == BagMode::max) {
    const Tensor filled = segment_sum(ones_like(bag), bag, count) > 0;
    y = where(reshape(filled, {count, 1}), segment_max(rows, bag, count), 0);
  }
  return count == bags ? y : slice(y, {.stop = bags});
}

}  // namespace xtgrad::v1::nn
