#pragma once

#include <optional>

#include "xtgrad/autograd/export.h"
#include "xtgrad/datasets/dataset.h"

namespace xtgrad { inline namespace XTGRAD_PUBLIC v1 { namespace datasets {

struct DigitsOptions {
  std::optional<Dtype> dtype =
      std::nullopt;    ///< of the inputs, floating; the thread's default dtype if absent
  bool image = false;  ///< inputs [1797, 1, 8, 8], for convolutions
};

/// 1,797 handwritten digits of 8x8 pixels: inputs [1797, 64], values 0 (background) to 16, row by row; int64
/// labels [1797], 10 classes. Part of the library, so no file is read. Throws DtypeError unless the dtype is
/// floating.
///
///   datasets::Dataset data = datasets::unit_range(datasets::digits(), {.high = 16});
///
/// Source: test set of "Optical Recognition of Handwritten Digits", E. Alpaydin and C. Kaynak, UCI Machine
/// Learning Repository, 1998; attribution and licence in datasets/digits/.
[[nodiscard]] Dataset digits(const DigitsOptions& options = {});

}}}  // namespace xtgrad::v1::datasets
