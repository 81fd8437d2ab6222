#pragma once

#include <cstdint>
#include <optional>
#include <tuple>

#include "xtgrad/autograd/export.h"
#include "xtgrad/nn/module.h"
#include "xtgrad/nn/options.h"

namespace xtgrad { inline namespace XTGRAD_PUBLIC v1 { namespace nn {

/// What becomes of the rows of a bag.
enum class BagMode : std::uint8_t { sum, mean, max };

struct EmbeddingBagOptions {
  std::int64_t num_embeddings = required;  ///< rows of the table
  std::int64_t embedding_dim = required;   ///< numbers of a row
  BagMode mode = BagMode::mean;
  /// A row that stands for no word: zeros at first, and in no bag; negative counts from the end.
  std::optional<std::int64_t> padding_idx = std::nullopt;
};

/// What EmbeddingBag takes besides indices.
struct BagInput {
  Tensor offsets = {};             ///< int64 or int32 [bags]: where each bag begins in indices [n]
  Tensor per_sample_weights = {};  ///< factors of the rows, of the indices' shape; with mode sum alone
  friend auto tensors_of(BagInput& input) { return std::tie(input.offsets, input.per_sample_weights); }
};

/// Sums, means or maxima of rows of a table, bag by bag: int64 or int32 indices [bags, length], a bag a row,
/// or [n] with the places where bags begin, the first of them 0; the result is [bags, embedding_dim]. An
/// empty bag gives 0. Of maxima that tie each gets an even share of the gradient. Parameter: weight
/// [num_embeddings, embedding_dim], standard normal at first, in the default dtype.
///
///   nn::EmbeddingBag words{{.num_embeddings = 1000, .embedding_dim = 16}};
///   Tensor y = words(tensor({{4, 7, 7}, {0, 999, 1}}, {.dtype = int64}));  // [2, 16]
///   Tensor z = words(tensor({4, 7, 7, 0}, {.dtype = int64}),
///                    {.offsets = tensor({0, 3}, {.dtype = int64})});       // [2, 16]
///
/// Throws ValueError for an option that is missing or out of range, an index that is no row, and offsets that
/// do not ascend from 0; ShapeError or DtypeError for tensors that do not fit.
class EmbeddingBag : public ModuleOf<Tensor(const Tensor& indices, const BagInput& input)> {
 public:
  explicit EmbeddingBag(const EmbeddingBagOptions& options);
  using ModuleOf::operator();
  Tensor operator()(const Tensor& indices) { return (*this)(indices, BagInput()); }
  Tensor forward(const Tensor& indices, const BagInput& input) override;
  void members(Members& m) override;
  [[nodiscard]] const EmbeddingBagOptions& options() const& { return options_; }
  [[nodiscard]] EmbeddingBagOptions options() const&& { return options_; }

  Parameter weight;  // [num_embeddings, embedding_dim]

 private:
  struct Bags {
    Tensor index;  // [n], int64
    Tensor bag;    // [n], of each index
    std::int64_t count;
  };
  [[nodiscard]] Bags bags_of(const Tensor& indices, const Tensor& offsets) const;
  void check_weights(const Tensor& indices, const Tensor& weights) const;

  EmbeddingBagOptions options_;
};

}}}  // namespace xtgrad::v1::nn
