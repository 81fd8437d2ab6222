#pragma once

#include <cstdint>

#include "xtgrad/autograd/export.h"
#include "xtgrad/datasets/dataset.h"

namespace xtgrad { inline namespace XTGRAD_PUBLIC v1 { namespace training {

/// A number that tells the samples of a data set, bit by bit, from others: for a checkpoint to know what it
/// was trained on. Bytes that stand for pixels count as the numbers that they become.
[[nodiscard]] std::uint64_t fingerprint(const datasets::Dataset& data);

}}}  // namespace xtgrad::v1::training
