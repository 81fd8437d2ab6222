#pragma once

#include <cstdint>
#include <optional>

#include "xtgrad/autograd/callable.h"
#include "xtgrad/autograd/export.h"
#include "xtgrad/autograd/random.h"
#include "xtgrad/autograd/tensor.h"

namespace xtgrad { inline namespace XTGRAD_PUBLIC v1 { namespace datasets {

struct SamplerOptions {
  std::int64_t draws = 0;  ///< samples an epoch, at least 0
  /// Of the data sets that it is for; any, if absent.
  std::optional<std::int64_t> size = std::nullopt;
};

/// Says which samples an epoch visits, and in what order: a loader's choice in place of all, shuffled. It has
/// no state: an epoch's indices are a function of the loader's seed, its batch size and the epoch's number,
/// so a loader that goes on in the middle of an epoch has the indices that it would have had.
///
///   // The first half in order, then the second at random.
///   datasets::Sampler own({.draws = 100, .size = 100}, [](std::int64_t, Random& random) {
///     return concat({arange(50), randperm(50, random) + 50});
///   });
class Sampler {
 public:
  /// Returns indices int64 [draws]; random choices come from `random` alone.
  using Function = Callable<Tensor(std::int64_t batch_size, Random& random)>;

  /// None: the loader visits all.
  Sampler() = default;
  /// Throws ValueError for negative numbers and an empty function.
  Sampler(const SamplerOptions& options, Function function);

  /// False for a default-constructed one.
  explicit operator bool() const { return static_cast<bool>(function_); }

  [[nodiscard]] std::int64_t draws() const { return options_.draws; }
  [[nodiscard]] const std::optional<std::int64_t>& size() const { return options_.size; }
  /// The indices of an epoch over `size` samples. Throws ValueError unless it has a function, for a size that
  /// it is not for, and for an index out of range; DtypeError or ShapeError unless they are int64 [draws].
  [[nodiscard]] Tensor operator()(std::int64_t size, std::int64_t batch_size, Random& random) const;

 private:
  SamplerOptions options_;
  Function function_;
};

}}}  // namespace xtgrad::v1::datasets
