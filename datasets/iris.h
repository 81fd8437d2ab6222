#pragma once

#include <optional>

#include "xtgrad/autograd/export.h"
#include "xtgrad/datasets/dataset.h"

namespace xtgrad { inline namespace XTGRAD_PUBLIC v1 { namespace datasets {

struct IrisOptions {
  std::optional<Dtype> dtype =
      std::nullopt;  ///< of the inputs, floating; the thread's default dtype if absent
};

/// 150 irises of three species, 50 of each, in this order: inputs [150, 4], lengths and widths of sepal and
/// petal in cm; int64 labels [150], 3 classes. Part of the library, so no file is read. Throws DtypeError
/// unless the dtype is floating.
///
/// Source: R. A. Fisher, "The use of multiple measurements in taxonomic problems", Annals of Eugenics 7,
/// 1936; attribution and licence in datasets/iris/.
[[nodiscard]] Dataset iris(const IrisOptions& options = {});

}}}  // namespace xtgrad::v1::datasets
