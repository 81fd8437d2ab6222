#pragma once

#include <cstdint>

#include "xtgrad/autograd/export.h"

namespace xtgrad { inline namespace XTGRAD_PUBLIC v1 { namespace nn {

/// What a loss makes of its items: their mean or sum, 0-d, or all of them.
enum class Reduction : std::uint8_t { mean, sum, none };

}}}  // namespace xtgrad::v1::nn
