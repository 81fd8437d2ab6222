#include "xtgrad/autograd/kernels/gemm.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <limits>

// xtensor-blas's typed interface to CBLAS, without the tensor types on top of it: those would bring all of
// xtensor into this file. Its headers lean on these three of the standard library.
#include <cmath>
#include <complex>
#include <type_traits>

#include <xtensor-blas/xblas_config.hpp>

#include <xflens/cxxblas/cxxblas.cxx>  // NOLINT(bugprone-suspicious-include): it is a header

#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/kernels/blas_turn.h"
#include "xtgrad/autograd/kernels/broadcast.h"
#include "xtgrad/autograd/kernels/parallel.h"

namespace xtgrad::inline v1::detail {
namespace {

/// for_each_tile, without threads that would only wait for each other's turn.
template <class F>
void for_each_call(std::int64_t tiles, F&& body) {
  if (blas_calls_may_overlap()) {
    for_each_tile(tiles, body);
    return;
  }
  for (std::int64_t tile = 0; tile < tiles; ++tile) body(tile);
}

using BlasInt = xt::blas_index_t;

/// Below this a product is a single call: about half a millisecond on one core of 2020s hardware.
constexpr std::int64_t split_flops = std::int64_t{1} << 26;
/// The least work of a panel, or of a group of small batched products.
constexpr std::int64_t tile_flops = std::int64_t{1} << 22;

std::int64_t ceil_div(std::int64_t a, std::int64_t b) { return (a + b - 1) / b; }

/// How the longer side of the result is cut. Each panel packs the other operand anew: 256 rows cost up to 8 %
/// over a single call, 128 rows up to 20 %, and 64 rows up to 35 %.
struct Panels {
  explicit Panels(const GemmOptions& o) : along_rows(o.m >= o.n), side(std::max(o.m, o.n)), size(side) {
    const std::int64_t flops_per_line = 2 * std::min(o.m, o.n) * o.k;
    if (side < 128 || flops_per_line * side < split_flops) return;
    const std::int64_t even = side < 512 ? ceil_div(side, 32) * 16 : 256;  // halves, in whole SIMD registers
    size = std::max(even, ceil_div(tile_flops, flops_per_line));
  }
  [[nodiscard]] std::int64_t count() const { return ceil_div(side, size); }

  bool along_rows;
  std::int64_t side;
  std::int64_t size;
};

void check_countable(const GemmOptions& o) {
  constexpr auto largest = static_cast<std::int64_t>(std::numeric_limits<BlasInt>::max());
  if (std::max({o.m, o.n, o.k}) > largest) {
    throw ShapeError(fmt::format("matmul: sizes {}, {} and {} are more than BLAS counts, which is {}", o.m,
                                 o.n, o.k, largest));
  }
}

/// One call of BLAS for rows [row, row + rows) and columns [column, column + columns) of the result.
struct Block {
  std::int64_t row, rows, column, columns;
};

template <class T>
void gemm_block(const GemmOptions& o, const Block& block, const T* a, const T* b, T* c) {
  // A vector reads the same both ways; these two ways are up to eight times faster than their transposes.
  const bool transpose_a = o.transpose_a && o.m != 1;
  const bool transpose_b = o.transpose_b || o.n == 1;
  const std::int64_t stride_a = transpose_a ? o.m : o.k;
  const std::int64_t stride_b = transpose_b ? o.k : o.n;
  const BlasTurn turn;
  cxxblas::gemm<BlasInt>(cxxblas::RowMajor, transpose_a ? cxxblas::Trans : cxxblas::NoTrans,
                         transpose_b ? cxxblas::Trans : cxxblas::NoTrans, static_cast<BlasInt>(block.rows),
                         static_cast<BlasInt>(block.columns), static_cast<BlasInt>(o.k), T(1),
                         a + block.row * (transpose_a ? 1 : o.k), static_cast<BlasInt>(stride_a),
                         b + block.column * (transpose_b ? o.k : 1), static_cast<BlasInt>(stride_b),
                         static_cast<T>(o.beta), c + block.row * o.n + block.column,
                         static_cast<BlasInt>(o.n));
}

/// A sum of no terms is 0; BLAS would reject the empty operands' strides.
template <class T>
void scale(const GemmOptions& o, T* c) {
  for (std::int64_t i = 0; i < o.m * o.n; ++i) c[i] = o.beta == 0 ? T(0) : static_cast<T>(o.beta) * c[i];
}

template <class T>
void gemm_panel(const GemmOptions& o, const Panels& panels, std::int64_t panel, const T* a, const T* b,
                T* c) {
  const std::int64_t first = panel * panels.size;
  const std::int64_t count = std::min(panels.size, panels.side - first);
  gemm_block(o, panels.along_rows ? Block{first, count, 0, o.n} : Block{0, o.m, first, count}, a, b, c);
}

/// Where the matrices of the operands begin, for each matrix of the result.
class BatchOffsets {
 public:
  BatchOffsets(const GemmOptions& o, const Array& a, const Array& b, const Array& out)
      : sizes_{o.m * o.k, o.k * o.n} {
    const auto lead = [](const Array& x) {
      return Array{Shape(std::span(x.shape.begin(), x.shape.rank() - 2)), x.dtype, {}};
    };
    const Array lead_a = lead(a);
    const Array lead_b = lead(b);
    plan_ = plan_broadcast<2>(lead(out).shape, {&lead_a, &lead_b});
  }

  /// In elements, for a and b.
  [[nodiscard]] std::array<std::int64_t, 2> operator()(std::int64_t batch) const {
    std::int64_t rest = batch / plan_.inner;
    const std::int64_t column = batch - rest * plan_.inner;
    std::array<std::int64_t, 2> offsets{column * plan_.inner_strides[0], column * plan_.inner_strides[1]};
    for (std::size_t d = plan_.rank; d-- > 0; rest /= plan_.sizes[d]) {
      for (std::size_t k = 0; k < 2; ++k) offsets[k] += rest % plan_.sizes[d] * plan_.strides[k][d];
    }
    return {offsets[0] * sizes_[0], offsets[1] * sizes_[1]};
  }

 private:
  BroadcastPlan<2> plan_;
  std::array<std::int64_t, 2> sizes_;
};

template <class T>
void batched_gemm_typed(const GemmOptions& o, const Array& a, const Array& b, Array& out) {
  check_countable(o);
  const std::int64_t batches = out.numel() / (o.m * o.n);
  const BatchOffsets offsets(o, a, b, out);
  const Panels panels(o);
  const std::int64_t per_batch = panels.count();
  const std::int64_t batches_per_tile =
      per_batch > 1 ? 1 : std::max<std::int64_t>(1, tile_flops / (2 * o.m * o.n * o.k));
  T* results = out.mutable_data<T>();
  for_each_call(ceil_div(batches, batches_per_tile) * per_batch, [&](std::int64_t tile) {
    const std::int64_t first = tile / per_batch * batches_per_tile;
    const std::int64_t last = std::min(first + batches_per_tile, batches);
    for (std::int64_t batch = first; batch < last; ++batch) {
      const auto [offset_a, offset_b] = offsets(batch);
      gemm_panel(o, panels, tile % per_batch, a.data<T>() + offset_a, b.data<T>() + offset_b,
                 results + batch * o.m * o.n);
    }
  });
}

}  // namespace

template <class T>
void gemm(const GemmOptions& o, const T* a, const T* b, T* c) {
  if (o.m == 0 || o.n == 0) return;
  if (o.k == 0) {
    scale(o, c);
    return;
  }
  check_countable(o);
  const Panels panels(o);
  for_each_call(panels.count(), [&](std::int64_t panel) { gemm_panel(o, panels, panel, a, b, c); });
}

template void gemm(const GemmOptions&, const float*, const float*, float*);
template void gemm(const GemmOptions&, const double*, const double*, double*);

void batched_gemm(const GemmOptions& options, const Array& a, const Array& b, Array& out) {
  const std::int64_t elements = out.numel();
  if (elements == 0) return;
  const bool b_is_shared =
      b.numel() == options.k * options.n && a.numel() * options.n == elements * options.k;
  const bool one_product = elements == options.m * options.n || (b_is_shared && !options.transpose_a);
  visit_floating(out.dtype, [&](auto zero) {
    using T = decltype(zero);
    if (one_product || options.k == 0) {
      GemmOptions whole = options;
      whole.m = elements / options.n;
      gemm(whole, a.data<T>(), b.data<T>(), out.mutable_data<T>());
    } else {
      batched_gemm_typed<T>(options, a, b, out);
    }
  });
}

}  // namespace xtgrad::v1::detail
