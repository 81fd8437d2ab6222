#include "xtgrad/autograd/kernels/truth.h"

#include <algorithm>

#include "xtgrad/autograd/core/dtype_visit.h"
#include "xtgrad/autograd/kernels/parallel.h"
#include "xtgrad/autograd/kernels/scalar_map.h"

namespace xtgrad::inline v1::detail {
namespace {

/// Bools that one unit of work reads.
constexpr std::int64_t unit_elements = 1 << 17;

std::int64_t ceil_div(std::int64_t a, std::int64_t b) { return (a + b - 1) / b; }

/// Bools are read as the bytes that they are, 0 or 1, of which loops become SIMD.
const std::uint8_t* bytes_of(const Array& truth) {
  return static_cast<const std::uint8_t*>(truth.buffer.data());
}

/// out[o, i] = the bytes of in[o, :, i] joined, `joined(none, byte)` of none of them.
template <class Join>
void join_axis(const Array& in, std::int64_t outer, std::int64_t axis, std::int64_t inner, std::uint8_t none,
               Join join, Array& out) {
  const std::uint8_t* const from = bytes_of(in);
  auto* const to = static_cast<std::uint8_t*>(out.buffer.data());
  const std::int64_t per_tile =
      std::max<std::int64_t>(1, unit_elements / std::max<std::int64_t>(1, axis * inner));
  for_each_tile(ceil_div(outer, per_tile), [&](std::int64_t tile) {
    const std::int64_t last = std::min(outer, (tile + 1) * per_tile);
    for (std::int64_t o = tile * per_tile; o < last; ++o) {
      const std::uint8_t* row = from + o * axis * inner;
      if (inner == 1) {
        std::uint8_t all = none;
        for (std::int64_t a = 0; a < axis; ++a) all = join(all, row[a]);
        to[o] = all;
        continue;
      }
      std::uint8_t* const result = to + o * inner;
      std::fill_n(result, inner, none);
      for (std::int64_t a = 0; a < axis; ++a, row += inner) {
        for (std::int64_t i = 0; i < inner; ++i) result[i] = join(result[i], row[i]);
      }
    }
  });
}

}  // namespace

Array truth_of(const Array& x) {
  if (x.dtype == Dtype::boolean) return x;
  Array truth = Array::uninitialized(x.shape, Dtype::boolean);
  visit(x.dtype, [&](auto zero) {
    using T = decltype(zero);
    scalar_map<bool, T>([](T v) { return v != T(0); }, truth, {&x});
  });
  return truth;
}

void any_axis(const Array& in, std::int64_t outer, std::int64_t axis, std::int64_t inner, Array& out) {
  join_axis(
      in, outer, axis, inner, 0, [](std::uint8_t a, std::uint8_t b) -> std::uint8_t { return a | b; }, out);
}

void all_axis(const Array& in, std::int64_t outer, std::int64_t axis, std::int64_t inner, Array& out) {
  join_axis(
      in, outer, axis, inner, 1, [](std::uint8_t a, std::uint8_t b) -> std::uint8_t { return a & b; }, out);
}

void count_axis(const Array& truth, std::int64_t outer, std::int64_t axis, std::int64_t inner, Array& count) {
  const std::uint8_t* const from = bytes_of(truth);
  auto* const to = count.mutable_data<std::int64_t>();
  const std::int64_t per_tile =
      std::max<std::int64_t>(1, unit_elements / std::max<std::int64_t>(1, axis * inner));
  for_each_tile(ceil_div(outer, per_tile), [&](std::int64_t tile) {
    const std::int64_t last = std::min(outer, (tile + 1) * per_tile);
    for (std::int64_t o = tile * per_tile; o < last; ++o) {
      const std::uint8_t* row = from + o * axis * inner;
      std::int64_t* const result = to + o * inner;
      if (inner == 1) {
        *result = std::count(row, row + axis, std::uint8_t{1});
        continue;
      }
      std::fill_n(result, inner, std::int64_t{0});
      for (std::int64_t a = 0; a < axis; ++a, row += inner) {
        for (std::int64_t i = 0; i < inner; ++i) result[i] += row[i];
      }
    }
  });
}

}  // namespace xtgrad::v1::detail
