#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "xtgrad/autograd/core/batch.h"
#include "xtgrad/autograd/example_guard.h"
#include "xtgrad/autograd/transforms.h"

namespace xtgrad::inline v1::detail {

struct BatchedCall {
  std::vector<BatchInput> outputs;
  std::string refused = {};  // why there are none, where that is not thrown; empty otherwise
};

/// f for `size` examples, from the list of what it does on the first, or on zeros where there is none;
/// `caller` is named by errors. At least one of the inputs is batched, all that are have that size.
[[nodiscard]] BatchedCall call_batched(std::string_view caller, const TensorFunction& f,
                                       std::span<const BatchInput> inputs, std::int64_t size,
                                       ExampleGuard::Refusal refusal);

}  // namespace xtgrad::v1::detail
