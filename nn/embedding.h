#pragma once

#include <cstdint>
#include <optional>

#include "xtgrad/autograd/export.h"
#include "xtgrad/nn/module.h"
#include "xtgrad/nn/options.h"

namespace xtgrad { inline namespace XTGRAD_PUBLIC v1 { namespace nn {

struct EmbeddingOptions {
  std::int64_t num_embeddings = required;  ///< rows of the table
  std::int64_t embedding_dim = required;   ///< numbers of a row
  /// A row that stands for no word: zeros at first, and without a gradient; negative counts from the end.
  std::optional<std::int64_t> padding_idx = std::nullopt;
};

/// A table of vectors, looked up by int64 or int32 indices of any shape: [...] to [..., embedding_dim]. A row
/// that is looked up several times gets the sum of their gradients; one backward costs as much as the lookups
/// and one table, and the lookups alone where the table is large and has a gradient. Parameter: weight
/// [num_embeddings, embedding_dim], standard normal at first, in the default dtype.
///
///   nn::Embedding words{{.num_embeddings = 1000, .embedding_dim = 16}};
///   Tensor y = words(tensor({{4, 7, 7}, {0, 999, 1}}, {.dtype = int64}));  // [2, 3, 16]
///
/// Throws ValueError for an option that is missing or out of range and for an index that is no row,
/// DtypeError for other indices.
class Embedding : public Module {
 public:
  explicit Embedding(const EmbeddingOptions& options);
  Tensor forward(const Tensor& indices) override;
  void members(Members& m) override;
  [[nodiscard]] const EmbeddingOptions& options() const& { return options_; }
  [[nodiscard]] EmbeddingOptions options() const&& { return options_; }

  Parameter weight;  // [num_embeddings, embedding_dim]

 private:
  void check_index(std::int64_t index, std::size_t position, const Shape& shape) const;

  EmbeddingOptions options_;
};

}}}  // namespace xtgrad::v1::nn
