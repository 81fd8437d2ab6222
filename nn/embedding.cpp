#include "xtgrad/nn/embedding.h"

#include <fmt/format.h>

#include <cstddef>

#include "xtgrad/autograd/core/compute.h"
#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/ops.h"
#include "xtgrad/nn/init.h"
#include "xtgrad/nn/position_text.h"

namespace xtgrad::inline v1::nn {
namespace {

/// The padding row counted from the front.
std::optional<std::int64_t> padding_row(const EmbeddingOptions& options) {
  if (!options.padding_idx) return std::nullopt;
  const std::int64_t rows = options.num_embeddings, row = *options.padding_idx;
  if (row < -rows || row >= rows) {
    throw ValueError(fmt::format("Embedding: padding_idx must be one of the {} rows: got {}", rows, row));
  }
  return row < 0 ? row + rows : row;
}

}  // namespace

Embedding::Embedding(const EmbeddingOptions& options) : options_(options) {
  detail::check_option("Embedding", "num_embeddings", options.num_embeddings, 1);
  detail::check_option("Embedding", "embedding_dim", options.embedding_dim, 1);
  options_.padding_idx = padding_row(options);
  Tensor table = init::normal({options.num_embeddings, options.embedding_dim});
  if (options_.padding_idx) {
    const Tensor rows = reshape(arange(options.num_embeddings), {options.num_embeddings, 1});
    table = where(rows == *options_.padding_idx, 0, table);
  }
  weight = Parameter(table);
}

void Embedding::members(Members& m) { m("weight", weight); }

void Embedding::check_index(std::int64_t index, std::size_t position, const Shape& shape) const {
  if (index >= 0 && index < options_.num_embeddings) return;
  throw ValueError(fmt::format("{}: index out of range: got {} at {}, there are {} embeddings", label(),
                               index, detail::position_text(position, shape), options_.num_embeddings));
}

Tensor Embedding::forward(const Tensor& indices) {
  if (indices.dtype() != int64 && indices.dtype() != int32) {
    throw DtypeError(
        fmt::format("{}: indices must be int64 or int32: got {}", label(), to_string(indices.dtype())));
  }
  const Tensor wide = indices.to(int64);
  bool padded = false;
  const auto* values = xtgrad::detail::array_of(wide).data<std::int64_t>();
  const auto count = static_cast<std::size_t>(wide.numel());
  for (std::size_t i = 0; i < count; ++i) {
    check_index(values[i], i, indices.shape());
    padded = padded || values[i] == options_.padding_idx;
  }
  // Another time there may be some.
  padded = padded || (options_.padding_idx && xtgrad::detail::is_listed_for_others());
  Tensor rows = index_select(weight, 0, flatten(wide));
  // What a padding row gives is a constant, to derivatives of every order.
  if (padded) {
    const Tensor column = reshape(wide, Shape{wide.numel(), 1});
    rows = where(column == *options_.padding_idx, rows.detach(), rows);
  }
  Shape shape = indices.shape();
  shape.push_back(options_.embedding_dim);
  return reshape(rows, shape);
}

}  // namespace xtgrad::v1::nn
