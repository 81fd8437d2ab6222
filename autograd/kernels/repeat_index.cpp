#include "xtgrad/autograd/kernels/repeat_index.h"

#include <fmt/format.h>

#include <algorithm>

#include "xtgrad/autograd/errors.h"

namespace xtgrad::inline v1::detail {

std::int64_t sum_of_counts(const Array& counts) {
  const auto* count = counts.data<std::int64_t>();
  std::int64_t sum = 0;
  for (std::int64_t i = 0; i < counts.numel(); ++i) {
    if (count[i] < 0) {
      throw ValueError(
          fmt::format("repeat_interleave: the counts must not be negative, got {} at [{}]", count[i], i));
    }
    if (__builtin_add_overflow(sum, count[i], &sum))
      throw ValueError("repeat_interleave: the counts add up to more than 2^63 - 1");
  }
  return sum;
}

void fill_repeat_index(const Array& counts, Array& index) {
  const auto* count = counts.data<std::int64_t>();
  auto* to = index.mutable_data<std::int64_t>();
  for (std::int64_t i = 0; i < counts.numel(); ++i) to = std::fill_n(to, count[i], i);
}

}  // namespace xtgrad::v1::detail
