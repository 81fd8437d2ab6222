#include "xtgrad/autograd/kernels/levels/choose_rows.h"

#include <cstdint>
#include <type_traits>

#include "xtgrad/autograd/kernels/levels/choose.h"

namespace xtgrad::inline v1::detail::inline XTGRAD_LEVEL {
namespace {

/// What is repeated, as template arguments: calls f with constants.
template <class F>
void with_constants(const RepeatedOperands& repeated, const F& f) {
  constexpr std::true_type yes;
  constexpr std::false_type no;
  const auto of_a = [&](auto mask) {
    const auto of_b = [&](auto a) { repeated.b ? f(mask, a, yes) : f(mask, a, no); };
    repeated.a ? of_b(yes) : of_b(no);
  };
  repeated.mask ? of_a(yes) : of_a(no);
}

template <class Bits>
void choose_typed(std::int64_t n, const bool* mask, const void* a, const void* b,
                  const RepeatedOperands& repeated, void* out) {
  const auto* v = static_cast<const Bits*>(a);
  const auto* w = static_cast<const Bits*>(b);
  auto* to = static_cast<Bits*>(out);
  with_constants(repeated, [=](auto one_mask, auto one_v, auto one_w) {
#if !defined(__clang__)
#pragma GCC ivdep
#endif
    for (std::int64_t i = 0; i < n; ++i)
      to[i] = choose(mask[one_mask ? 0 : i], v[one_v ? 0 : i], w[one_w ? 0 : i]);
  });
}

template <class Bits>
void split_typed(std::int64_t n, const bool* mask, const void* x, void* taken, void* left) {
  const auto* from = static_cast<const Bits*>(x);
  auto* yes = static_cast<Bits*>(taken);
  auto* no = static_cast<Bits*>(left);
#if !defined(__clang__)
#pragma GCC ivdep
#endif
  for (std::int64_t i = 0; i < n; ++i) {
    yes[i] = choose(mask[i], from[i], Bits{0});
    no[i] = choose(mask[i], Bits{0}, from[i]);
  }
}

/// Calls f with a number of the size, which is 1, 4 or 8 bytes. Nothing is thrown here, for the code of an
/// exception belongs to no level.
template <class F>
void with_bits(std::size_t element_bytes, const F& f) {
  if (element_bytes == 1) return f(std::uint8_t{});
  if (element_bytes == 4) return f(std::uint32_t{});
  f(std::uint64_t{});
}

template <class T>
void choose_scaled(std::int64_t n, const bool* mask, const T* x, T factor, const RepeatedOperands& repeated,
                   T* out) {
  with_constants(repeated, [=](auto one_mask, auto one_x, auto) {
#if !defined(__clang__)
#pragma GCC ivdep
#endif
    for (std::int64_t i = 0; i < n; ++i)
      out[i] = choose(mask[one_mask ? 0 : i], x[one_x ? 0 : i] * factor, T(0));
  });
}

}  // namespace

void choose_row(std::size_t element_bytes, std::int64_t n, const bool* mask, const void* a, const void* b,
                const RepeatedOperands& repeated, void* out) {
  with_bits(element_bytes, [&](auto bits) { choose_typed<decltype(bits)>(n, mask, a, b, repeated, out); });
}

void split_row(std::size_t element_bytes, std::int64_t n, const bool* mask, const void* x, void* taken,
               void* left) {
  with_bits(element_bytes, [&](auto bits) { split_typed<decltype(bits)>(n, mask, x, taken, left); });
}

void choose_scaled_row_float32(std::int64_t n, const bool* mask, const float* x, float factor,
                               const RepeatedOperands& repeated, float* out) {
  choose_scaled(n, mask, x, factor, repeated, out);
}

void choose_scaled_row_float64(std::int64_t n, const bool* mask, const double* x, double factor,
                               const RepeatedOperands& repeated, double* out) {
  choose_scaled(n, mask, x, factor, repeated, out);
}

}  // namespace xtgrad::v1::detail
