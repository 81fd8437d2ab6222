#pragma once

#include <cstdint>

#include "xtgrad/autograd/export.h"
#include "xtgrad/datasets/loader.h"

namespace xtgrad { inline namespace XTGRAD_PUBLIC v1 { namespace datasets {

struct MixupOptions {
  std::int64_t classes = 0;  ///< at least 1; required
  double alpha = 1;          ///< of the Beta distribution of the share; positive
};
/// A loader's transform that mixes each sample of a batch with one of it, perhaps itself, and their labels
/// too (Zhang, Cisse, Dauphin, Lopez-Paz, "mixup: beyond empirical risk minimization", ICLR 2018):
///
///   x = s x + (1 - s) x[p]   and   y = s onehot(y) + (1 - s) onehot(y[p])
///
/// with a share s of Beta(alpha, alpha) and a permutation p, both the batch's own; `others` stay as they are.
/// Inputs must be float32 or float64; labels [b] become probabilities [b, classes] in their dtype, which
/// nn::cross_entropy takes as they are. Small alphas leave most batches nearly as they were. Draws two
/// numbers of a Gamma distribution, then p. Throws ValueError for options out of range; the loop throws
/// DtypeError for other inputs and what one_hot throws.
///
///   datasets::Loader loader(train, {.shuffle = true,
///                                   .transform = datasets::mixup({.classes = 10, .alpha = 0.2})});
///
/// Metrics of classes count such labels by their largest share; those of a validation, which mixes nothing,
/// say more.
[[nodiscard]] BatchTransform mixup(const MixupOptions& options);

}}}  // namespace xtgrad::v1::datasets
