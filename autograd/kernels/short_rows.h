#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <tuple>
#include <utility>

#include "xtgrad/autograd/kernels/broadcast.h"
#include "xtgrad/autograd/kernels/parallel.h"

namespace xtgrad::inline v1::detail {

// Rows of a few elements, as those of x [n, 3] * b [3] are: a loop over one would be all overhead. Blocks of
// them are taken for one long row. An operand whose rows do not adjoin is laid out as if they did, in scratch
// that stays in the first-level cache.

/// Elements of a row that counts as short, at most.
inline constexpr std::int64_t short_row_elements = 128;

/// Rows of a block are a multiple of this, so that a block is whole lanes.
inline constexpr std::int64_t block_row_unit = 16;
/// Elements of a block, at most.
inline constexpr std::int64_t block_elements = block_row_unit * short_row_elements;

/// The neighbouring rows of a plan, those along its last outer dimension. Operands are dense, so four kinds
/// are all there are: an operand's row is next to the last one, or the same again, or one element, the next
/// one or the same.
template <std::size_t N>
struct ShortRowRuns {
  explicit ShortRowRuns(const BroadcastPlan<N>& plan)
      : inner(plan.inner),
        length(plan.sizes[plan.rank - 1]),
        block_rows(block_elements / block_row_unit / plan.inner * block_row_unit),
        blocks((length + block_rows - 1) / block_rows),
        count(plan.rows / length) {}

  /// Where the operands of run `run` begin.
  static std::array<std::int64_t, N> offsets(const BroadcastPlan<N>& plan, std::int64_t run) {
    std::array<std::int64_t, N> offsets{};
    for (std::size_t d = plan.rank - 1; d-- > 0; run /= plan.sizes[d]) {
      for (std::size_t k = 0; k < N; ++k) offsets[k] += run % plan.sizes[d] * plan.strides[k][d];
    }
    return offsets;
  }

  std::int64_t inner;
  std::int64_t length;      // of a run, in rows
  std::int64_t block_rows;  // of a block, but for the last of a run
  std::int64_t blocks;      // of a run
  std::int64_t count;
};

/// Fills n elements, as many as a row has or more, with the row again and again.
template <class T>
void repeat_row(const T* row, std::int64_t inner, std::int64_t n, T* to) {
  std::copy_n(row, inner, to);
  for (std::int64_t have = inner; have < n; have *= 2)
    std::memcpy(to + have, to, static_cast<std::size_t>(std::min(have, n - have)) * sizeof(T));
}

/// One operand, block after block.
template <class T>
class BlockOperand {
 public:
  BlockOperand(std::int64_t inner, std::int64_t inner_stride, std::int64_t stride)
      : inner_(inner), inner_stride_(inner_stride), stride_(stride) {}

  // Not inlined: what runs once a block need not be there once a formula.
  [[gnu::noinline]] void begin_run(const T* run, std::int64_t rows) {
    run_ = run;
    if (inner_stride_ != 0 && stride_ == 0) repeat_row(run_, inner_, rows * inner_, scratch_.data());
  }
  /// The rows from `first` on, side by side; the one element where that is all.
  [[gnu::noinline]] const T* block(std::int64_t first, std::int64_t rows) {
    if (stride_ == 0) return inner_stride_ == 0 ? run_ : scratch_.data();
    if (inner_stride_ != 0) return run_ + first * inner_;
    stretch_elements(run_ + first, rows);
    return scratch_.data();
  }

 private:
  static constexpr auto piece = static_cast<std::int64_t>(64 / sizeof(T));

  /// In whole pieces: what one spills, the next row writes over.
  void stretch_elements(const T* elements, std::int64_t rows) {
    for (std::int64_t row = 0; row < rows; ++row) {
      T* to = scratch_.data() + row * inner_;
      const T element = elements[row];
      for (std::int64_t j = 0; j < inner_; j += piece) {
        for (std::int64_t k = 0; k < piece; ++k) to[j + k] = element;
      }
    }
  }

  std::int64_t inner_, inner_stride_, stride_;
  const T* run_ = nullptr;
  alignas(Buffer::alignment) std::array<T, block_elements + piece> scratch_;
};

/// Whether rows of the plan are taken in blocks. One operand alone hardly ever broadcasts.
template <std::size_t N>
bool has_short_rows(const BroadcastPlan<N>& plan) {
  return N > 1 && plan.rank > 0 && plan.inner <= short_row_elements;
}

/// 0 for operands that are one element all along a run, 1 for others.
template <std::size_t N>
std::array<std::int64_t, N> block_strides(const BroadcastPlan<N>& plan) {
  std::array<std::int64_t, N> strides;
  for (std::size_t k = 0; k < N; ++k)
    strides[k] = plan.inner_strides[k] == 0 && plan.strides[k][plan.rank - 1] == 0 ? 0 : 1;
  return strides;
}

/// Calls `body(first, n, operands...)` for blocks of a plan's short rows: the n elements of the result from
/// number `first` on, and where the operands, whose elements are `In...`, have theirs.
template <class... In, std::size_t N, class F>
void for_each_row_block(const BroadcastPlan<N>& plan, const std::array<const Array*, N>& in, const F& body) {
  const ShortRowRuns<N> runs(plan);
  const std::int64_t per_tile =
      std::max<std::int64_t>(1, tile_elements / (std::min(runs.block_rows, runs.length) * runs.inner));
  const std::int64_t total = runs.count * runs.blocks;
  for_each_tile((total + per_tile - 1) / per_tile, [&](std::int64_t tile) {
    [&]<std::size_t... K>(std::index_sequence<K...>) {
      std::tuple<BlockOperand<In>...> operands(
          BlockOperand<In>(plan.inner, plan.inner_strides[K], plan.strides[K][plan.rank - 1])...);
      const std::int64_t end = std::min(total, (tile + 1) * per_tile);
      std::int64_t current = -1;
      for (std::int64_t block = tile * per_tile; block < end; ++block) {
        const std::int64_t run = block / runs.blocks;
        if (run != current) {
          const auto offsets = runs.offsets(plan, run);
          (std::get<K>(operands).begin_run(in[K]->template data<In>() + offsets[K],
                                           std::min(runs.block_rows, runs.length)),
           ...);
          current = run;
        }
        const std::int64_t row = (block - run * runs.blocks) * runs.block_rows;
        const std::int64_t rows = std::min(runs.block_rows, runs.length - row);
        body((run * runs.length + row) * runs.inner, rows * runs.inner,
             std::get<K>(operands).block(row, rows)...);
      }
    }
    (std::index_sequence_for<In...>{});
  });
}

}  // namespace xtgrad::v1::detail
