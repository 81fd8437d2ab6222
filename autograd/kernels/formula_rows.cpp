#include "xtgrad/autograd/kernels/formula_rows.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <type_traits>
#include <utility>

#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/kernels/broadcast.h"
#include "xtgrad/autograd/kernels/parallel.h"
#include "xtgrad/autograd/kernels/short_rows.h"

namespace xtgrad::inline v1::detail {
namespace {

constexpr std::int64_t piece_bytes = 64;
template <class T>
constexpr auto piece = piece_bytes / static_cast<std::int64_t>(sizeof(T));

/// Copies n elements, fewer than 2 `Largest`: of a row's few last ones, a call of memcpy costs more than the
/// rest of a short row.
template <std::int64_t Largest, class T>
[[gnu::always_inline]] inline void copy_few(const T* from, std::int64_t n, T* to) {
  if constexpr (Largest > 0) {
    if ((n & Largest) != 0) {
      std::memcpy(to, from, static_cast<std::size_t>(Largest) * sizeof(T));
      from += Largest;
      to += Largest;
    }
    copy_few<Largest / 2>(from, n, to);
  }
}

bool is_repeated(std::uint32_t repeated, std::size_t k) { return (repeated >> k & 1U) != 0; }

/// The rest of a row, fewer elements than a piece, in copies of whole pieces. What lies behind the operands'
/// elements there is the first of them, as what a formula makes of it must raise no exception.
template <class T>
void run_rest(const RowFormula& formula, std::int64_t first, std::int64_t n, std::span<const void* const> in,
              std::uint32_t repeated, std::span<void* const> out) {
  alignas(piece_bytes) T operands[most_operands][piece<T>];
  alignas(piece_bytes) T results[most_results][piece<T>];
  std::array<const void*, most_operands> from{};
  std::array<void*, most_results> to{};
  for (std::size_t k = 0; k < in.size(); ++k) {
    from[k] = in[k];
    if (is_repeated(repeated, k)) continue;
    const T* rest = static_cast<const T*>(in[k]) + first;
    std::fill_n(operands[k], piece<T>, *rest);
    copy_few<piece<T> / 2>(rest, n, operands[k]);
    from[k] = operands[k];
  }
  for (std::size_t k = 0; k < out.size(); ++k) to[k] = results[k];
  formula.run(formula.formula, piece<T>, from.data(), repeated, to.data());
  for (std::size_t k = 0; k < out.size(); ++k)
    copy_few<piece<T> / 2>(results[k], n, static_cast<T*>(out[k]) + first);
}

/// A broadcast of N operands of type T.
template <class T, std::size_t N>
class Broadcast {
 public:
  Broadcast(const RowFormula& formula, const std::array<const Array*, N>& in, Array& out)
      : formula_(formula), in_(in), out_(out.mutable_data<T>()), plan_(plan_broadcast(out.shape, in)) {}

  void run() const {
    if (plan_.rows == 1) {
      run_one_row();
    } else if (has_short_rows(plan_)) {
      run_short_rows(std::make_index_sequence<N>{});
    } else {
      run_rows();
    }
  }

 private:
  template <std::size_t>
  using Operand = T;

  static std::uint32_t repeated_of(const std::array<std::int64_t, N>& strides) {
    std::uint32_t repeated = 0;
    for (std::size_t k = 0; k < N; ++k) repeated |= strides[k] == 0 ? 1U << k : 0U;
    return repeated;
  }

  /// A long row is cut across; only its end is not whole pieces, and that is the arrays' end.
  void run_one_row() const {
    const std::uint32_t repeated = repeated_of(plan_.inner_strides);
    const std::int64_t n = plan_.inner;
    for_each_tile((n + tile_elements - 1) / tile_elements, [&](std::int64_t tile) {
      const std::int64_t first = tile * tile_elements;
      std::array<const void*, N> from;
      for (std::size_t k = 0; k < N; ++k)
        from[k] = in_[k]->template data<T>() + (is_repeated(repeated, k) ? 0 : first);
      void* const to = out_ + first;
      formula_.run(formula_.formula, std::min(tile_elements, n - first), from.data(), repeated, &to);
    });
  }

  void run_rows() const {
    const std::uint32_t repeated = repeated_of(plan_.inner_strides);
    const std::int64_t per_tile = plan_.inner < tile_elements ? tile_elements / plan_.inner : 1;
    for_each_tile((plan_.rows + per_tile - 1) / per_tile, [&](std::int64_t tile) {
      const std::int64_t first = tile * per_tile, last = std::min(plan_.rows, first + per_tile);
      for_each_row(plan_, first, last, [&](std::int64_t row, const std::array<std::int64_t, N>& offsets) {
        std::array<const void*, N> from;
        for (std::size_t k = 0; k < N; ++k) from[k] = in_[k]->template data<T>() + offsets[k];
        void* const to = out_ + row * plan_.inner;
        run_inner_row<T>(formula_, plan_.inner, from, repeated, {&to, 1});
      });
    });
  }

  template <std::size_t... K>
  void run_short_rows(std::index_sequence<K...>) const {
    const std::uint32_t repeated = repeated_of(block_strides(plan_));
    for_each_row_block<Operand<K>...>(plan_, in_,
                                      [&](std::int64_t first, std::int64_t n, const Operand<K>*... operands) {
                                        const std::array<const void*, N> from{operands...};
                                        void* const to = out_ + first;
                                        run_inner_row<T>(formula_, n, from, repeated, {&to, 1});
                                      });
  }

  const RowFormula& formula_;
  const std::array<const Array*, N>& in_;
  T* out_;
  BroadcastPlan<N> plan_;
};

template <std::size_t N>
void run_broadcast_of(const RowFormula& formula, std::span<const Array* const> in, Array& out) {
  std::array<const Array*, N> operands;
  std::copy_n(in.begin(), N, operands.begin());
  visit_floating(out.dtype, [&](auto zero) { Broadcast<decltype(zero), N>(formula, operands, out).run(); });
}

}  // namespace

void run_broadcast(const RowFormula& formula, std::span<const Array* const> in, Array& out) {
  if (out.numel() == 0) return;
  switch (in.size()) {
    case 1:
      return run_broadcast_of<1>(formula, in, out);
    case 2:
      return run_broadcast_of<2>(formula, in, out);
    case 3:
      return run_broadcast_of<3>(formula, in, out);
    case 4:
      return run_broadcast_of<4>(formula, in, out);
    case most_operands:
      return run_broadcast_of<most_operands>(formula, in, out);
    default:
      throw InternalError("a formula of more operands than rows are cut for");
  }
}

void run_flat(const RowFormula& formula, std::int64_t n, std::size_t element_bytes,
              std::span<const void* const> in, std::span<void* const> out) {
  if (n <= tile_elements) {
    if (n != 0) formula.run(formula.formula, n, in.data(), 0, out.data());
    return;
  }
  for_each_tile((n + tile_elements - 1) / tile_elements, [&](std::int64_t tile) {
    const std::int64_t first = tile * tile_elements;
    const std::size_t bytes = static_cast<std::size_t>(first) * element_bytes;
    std::array<const void*, most_operands> from;
    std::array<void*, most_results> to;
    for (std::size_t k = 0; k < in.size(); ++k) from[k] = static_cast<const std::byte*>(in[k]) + bytes;
    for (std::size_t k = 0; k < out.size(); ++k) to[k] = static_cast<std::byte*>(out[k]) + bytes;
    formula.run(formula.formula, std::min(tile_elements, n - first), from.data(), 0, to.data());
  });
}

template <class T>
void run_inner_row(const RowFormula& formula, std::int64_t n, std::span<const void* const> in,
                   std::uint32_t repeated, std::span<void* const> out) {
  const std::int64_t whole = n / piece<T> * piece<T>;
  if (whole != 0) formula.run(formula.formula, whole, in.data(), repeated, out.data());
  if (whole != n) run_rest<T>(formula, whole, n - whole, in, repeated, out);
}

template void run_inner_row<float>(const RowFormula&, std::int64_t, std::span<const void* const>,
                                   std::uint32_t, std::span<void* const>);
template void run_inner_row<double>(const RowFormula&, std::int64_t, std::span<const void* const>,
                                    std::uint32_t, std::span<void* const>);

}  // namespace xtgrad::v1::detail
