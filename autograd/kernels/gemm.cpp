#include "xtgrad/autograd/kernels/gemm.h"

#include <algorithm>
#include <array>

#include "xtgrad/autograd/core/buffer.h"
#include "xtgrad/autograd/kernels/broadcast.h"
#include "xtgrad/autograd/kernels/parallel.h"
#include "xtgrad/autograd/kernels/product/chosen.h"
#include "xtgrad/autograd/threads.h"

namespace xtgrad::inline v1::detail {
namespace {

/// The least work that is worth a tile: some ten microseconds on one core of 2020s hardware.
constexpr std::int64_t tile_flops = std::int64_t{1} << 21;
/// Rows and columns of a tile are multiples of these, but for the last: whole blocks of every kernel.
constexpr std::int64_t row_unit = 12;
constexpr std::int64_t column_unit = 64;

std::int64_t ceil_div(std::int64_t a, std::int64_t b) { return (a + b - 1) / b; }

/// With what it needs to lay b out anew, which is little for small products and then on the stack.
template <class T>
void run_with_scratch(ProductTask<T>& task) {
  const std::int64_t elements = product_scratch(task);
  constexpr std::int64_t few = 4096;
  if (elements <= few) {
    alignas(64) std::array<T, few>
        scratch;  // NOLINT(cppcoreguidelines-pro-type-member-init): written before it is read
    task.scratch = scratch.data();
    run(task);
  } else {
    const BufferRef scratch = BufferRef::allocate(static_cast<std::size_t>(elements) * sizeof(T));
    task.scratch = static_cast<T*>(scratch.data());
    run(task);
  }
}

/// Terms whose runs are added in order; the sums of more are added pairwise, so that roundings that all go
/// one way do not grow with the sum.
constexpr std::int64_t longest_sum = 16 * product_depth;
/// Elements of a result whose sums are cut at a time.
constexpr std::int64_t cut_elements = std::int64_t{1} << 18;

/// task.c as the sum of two results, of the first terms and of the others.
template <class T>
void run_halves(const ProductTask<T>& task) {
  if (task.k <= longest_sum) {
    ProductTask<T> whole = task;
    return run_with_scratch(whole);
  }
  const std::int64_t runs = (task.k + product_depth - 1) / product_depth;
  const std::int64_t first_terms = runs / 2 * product_depth;
  ProductTask<T> first = task, rest = task;
  first.k = first_terms;
  run_halves(first);
  const BufferRef room = BufferRef::allocate(static_cast<std::size_t>(task.m * task.n) * sizeof(T));
  rest.k = task.k - first_terms;
  rest.a += first_terms * task.a_column;
  rest.b += first_terms * task.b_row;
  rest.c = static_cast<T*>(room.data());
  rest.c_row = task.n;
  run_halves(rest);
  for (std::int64_t i = 0; i < task.m; ++i) {
    for (std::int64_t j = 0; j < task.n; ++j) task.c[i * task.c_row + j] += rest.c[i * task.n + j];
  }
}

/// For sums of any length; rows of a large result one after another, so that little memory is needed.
template <class T>
void run_of_any_length(ProductTask<T> task) {
  if (task.k <= longest_sum) return run_with_scratch(task);
  const std::int64_t rows = std::max<std::int64_t>(ceil_div(cut_elements, task.n * row_unit), 8) * row_unit;
  for (std::int64_t i = 0; i < task.m; i += rows) {
    ProductTask<T> part = task;
    part.m = std::min(rows, task.m - i);
    part.a += i * task.a_row;
    part.c += i * task.c_row;
    run_halves(part);
  }
}

template <class T>
ProductTask<T> task_of(const GemmOptions& o, const T* a, const T* b, T* c) {
  ProductTask<T> task{.m = o.m,
                      .n = o.n,
                      .k = o.k,
                      .a = a,
                      .a_row = o.transpose_a ? 1 : o.k,
                      .a_column = o.transpose_a ? o.m : 1,
                      .b = b,
                      .b_row = o.transpose_b ? 1 : o.n,
                      .b_column = o.transpose_b ? o.k : 1,
                      .c = c,
                      .c_row = o.n};
  // A column is better computed as a row: its lanes are filled.
  if (o.n == 1) {
    task = {.m = 1,
            .n = o.m,
            .k = o.k,
            .a = b,
            .a_row = 1,
            .a_column = 1,
            .b = a,
            .b_row = task.a_column,
            .b_column = task.a_row,
            .c = c,
            .c_row = o.m};
  }
  return task;
}

/// How the longer side of a result is shared out. It may follow the number of threads: bits do not.
struct Cut {
  Cut(std::int64_t m, std::int64_t n, std::int64_t k, int threads)
      : along_rows(m >= n), side(along_rows ? m : n), size(side) {
    const std::int64_t flops = 2 * m * n * k;
    if (threads == 1 || flops < 2 * tile_flops) return;
    const std::int64_t unit = along_rows ? row_unit : column_unit;
    const std::int64_t parts = std::min<std::int64_t>(threads, flops / tile_flops);
    size = ceil_div(ceil_div(side, parts), unit) * unit;
  }
  [[nodiscard]] std::int64_t count() const { return ceil_div(side, size); }

  bool along_rows;
  std::int64_t side;
  std::int64_t size;
};

template <class T>
void run_part(ProductTask<T> task, const Cut& cut, std::int64_t part) {
  const std::int64_t first = part * cut.size;
  const std::int64_t count = std::min(cut.size, cut.side - first);
  if (cut.along_rows) {
    task.a += first * task.a_row;
    task.c += first * task.c_row;
    task.m = count;
  } else {
    task.b += first * task.b_column;
    task.c += first;
    task.n = count;
  }
  run_of_any_length(task);
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
  const std::int64_t batches = out.numel() / (o.m * o.n);
  const BatchOffsets offsets(o, a, b, out);
  const std::int64_t flops = 2 * o.m * o.n * o.k;
  const int threads = num_threads();
  // Matrices are shared out, and parts of them where there are fewer than threads.
  const ProductTask<T> first_task = task_of<T>(o, nullptr, nullptr, nullptr);
  const Cut cut(first_task.m, first_task.n, o.k, batches < threads ? threads : 1);
  const std::int64_t at_a_time =
      cut.count() > 1 ? 1
                      : std::max(ceil_div(tile_flops, flops), ceil_div(batches, 4 * std::int64_t{threads}));
  T* results = out.mutable_data<T>();
  for_each_tile(ceil_div(batches, at_a_time) * cut.count(), [&](std::int64_t tile) {
    const std::int64_t first = tile / cut.count() * at_a_time;
    const std::int64_t last = std::min(first + at_a_time, batches);
    for (std::int64_t batch = first; batch < last; ++batch) {
      const auto [offset_a, offset_b] = offsets(batch);
      run_part(task_of(o, a.data<T>() + offset_a, b.data<T>() + offset_b, results + batch * o.m * o.n), cut,
               tile % cut.count());
    }
  });
}

}  // namespace

template <class T>
void gemm(const GemmOptions& o, const T* a, const T* b, T* c) {
  if (o.m == 0 || o.n == 0) return;
  if (o.k == 0) {
    std::fill_n(c, o.m * o.n, T(0));
    return;
  }
  const ProductTask<T> task = task_of(o, a, b, c);
  const Cut cut(task.m, task.n, task.k, num_threads());
  for_each_tile(cut.count(), [&](std::int64_t part) { run_part(task, cut, part); });
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
