#include "xtgrad/autograd/kernels/attention.h"

#include <algorithm>
#include <array>
#include <numeric>
#include <type_traits>

#include "xtgrad/autograd/core/buffer.h"
#include "xtgrad/autograd/kernels/levels/attention_rows.h"
#include "xtgrad/autograd/kernels/levels/row_dots.h"
#include "xtgrad/autograd/kernels/matrix_batch.h"
#include "xtgrad/autograd/kernels/parallel.h"
#include "xtgrad/autograd/kernels/product/chosen.h"

namespace xtgrad::inline v1::detail {
namespace {

/// Queries and keys of a block. Its scores stay in the second-level cache, and what a product lays out anew
/// of the keys pays for so many rows.
constexpr std::int64_t block_queries = 128;
constexpr std::int64_t block_keys = 256;
/// Tiles of the derivatives, at least, where there are as many blocks of keys.
constexpr std::int64_t least_tiles = 8;
/// The least work that is worth a tile.
constexpr double tile_flops = 1 << 21;

constexpr double minus_infinite = -std::numeric_limits<double>::infinity();

/// An operand's matrices, by the numbers of the result's.
template <class T>
class Matrices {
 public:
  Matrices(const Shape& result, const Array& x)
      : data_(x.data<T>()), numbers_(broadcast_matrices(result, x.shape)) {
    size_ = x.shape[x.shape.rank() - 2] * x.shape.back();
  }
  [[nodiscard]] const T* operator[](std::int64_t batch) const {
    return data_ + numbers_[static_cast<std::size_t>(batch)] * size_;
  }

 private:
  const T* data_;
  Scratch<std::int64_t> numbers_;
  std::int64_t size_;
};

/// A matrix that a product reads: element (i, j) at i * row + j * column.
template <class T>
struct View {
  const T* data;
  std::int64_t row;
  std::int64_t column;
};

/// What one tile needs beside operands and results: room for a block of scores, of their slopes if these are
/// wanted, and of results `width` wide.
template <class T>
class Workspace {
 public:
  [[gnu::noinline]] Workspace(std::int64_t queries, std::int64_t keys, std::int64_t width, bool with_slopes) {
    const std::int64_t rows = std::min(queries, block_queries), columns = std::min(keys, block_keys);
    scores = scratch_of<T>(rows * whole_lanes<T>(columns));
    if (with_slopes) slopes = scratch_of<T>(rows * whole_lanes<T>(columns));
    sums = scratch_of<T>(std::max(rows, columns) * width);
  }

  /// c = a b for [m, k], [k, n] and [m, n].
  [[gnu::noinline]] void multiply(std::int64_t m, std::int64_t n, std::int64_t k, const View<T>& a,
                                  const View<T>& b, T* c, std::int64_t c_row) {
    if (k == 0) {
      for (std::int64_t i = 0; i < m; ++i) std::fill_n(c + i * c_row, n, T(0));
    }
    if (n == 0 || k == 0) return;
    ProductTask<T> task{.m = m,
                        .n = n,
                        .k = k,
                        .a = a.data,
                        .a_row = a.row,
                        .a_column = a.column,
                        .b = b.data,
                        .b_row = b.row,
                        .b_column = b.column,
                        .c = c,
                        .c_row = c_row};
    const std::int64_t room = product_scratch(task);
    if (room > room_) {
      packed_ = BufferRef::allocate(static_cast<std::size_t>(room) * sizeof(T));
      room_ = room;
    }
    if (room > 0) task.scratch = static_cast<T*>(packed_.data());
    run(task);
  }
  /// c += a b, whose rows are n long; c = a b for what is the first term.
  [[gnu::noinline]] void accumulate(bool is_first, std::int64_t m, std::int64_t n, std::int64_t k,
                                    const View<T>& a, const View<T>& b, T* c) {
    if (is_first) return multiply(m, n, k, a, b, c, n);
    multiply(m, n, k, a, b, sums.data(), n);
    for (std::int64_t i = 0; i < m * n; ++i) c[i] += sums[static_cast<std::size_t>(i)];
  }

  Scratch<T> scores, slopes, sums;

 private:
  BufferRef packed_;
  std::int64_t room_ = 0;
};

/// The sizes and the mask of all matrices.
template <class T>
class Layout {
 public:
  Layout(const AttentionOperands& in, const AttentionRule& rule)
      : queries(in.q.shape[in.q.shape.rank() - 2]),
        keys(in.k.shape[in.k.shape.rank() - 2]),
        depth(in.q.shape.back()),
        width(in.result.back()),
        batches(batch_size(in.result)),
        rule_(rule),
        mask_(in.mask.buffer ? &in.mask : nullptr) {
    if (mask_ == nullptr) return;
    numbers_ = broadcast_matrices(in.result, mask_->shape);
    const std::int64_t rows = mask_->shape[mask_->shape.rank() - 2], columns = mask_->shape.back();
    mask_size_ = rows * columns;
    mask_row_ = rows == 1 ? 0 : columns;
    mask_column_ = columns == 1 ? 0 : 1;
  }

  /// The block of the queries from i and the keys from j on, as far as any of these may look.
  [[nodiscard]] ScoreBlock<T> block(std::int64_t batch, std::int64_t i, std::int64_t j, T* scores) const {
    ScoreBlock<T> block{.scores = scores,
                        .rows = std::min(block_queries, queries - i),
                        .columns = std::min(block_keys, last_key(std::min(i + block_queries, queries)) - j),
                        .scale = static_cast<T>(rule_.scale),
                        .mask_row = mask_row_,
                        .mask_column = mask_column_};
    block.stride = whole_lanes<T>(block.columns);
    block.visible = rule_.is_causal ? i - j + 1 : block.columns;
    if (mask_ == nullptr) return block;
    const std::int64_t first =
        numbers_[static_cast<std::size_t>(batch)] * mask_size_ + i * mask_row_ + j * mask_column_;
    if (mask_->dtype == Dtype::boolean) {
      block.allowed = mask_->data<bool>() + first;
    } else {
      block.added = mask_->data<T>() + first;
    }
    return block;
  }
  /// Keys before this one are all that queries before i may look at.
  [[nodiscard]] std::int64_t last_key(std::int64_t i) const {
    return rule_.is_causal ? std::min(keys, i) : keys;
  }

  std::int64_t queries, keys, depth, width, batches;

 private:
  AttentionRule rule_;
  const Array* mask_;
  Scratch<std::int64_t> numbers_;
  std::int64_t mask_size_ = 0, mask_row_ = 0, mask_column_ = 0;
};

template <class T>
void add_to_softmax(const ScoreBlock<T>& block, const RunningSoftmax& state, T* results, std::int64_t width) {
  if constexpr (std::is_same_v<T, float>) {
    add_to_softmax_float32(block, state, results, width);
  } else {
    add_to_softmax_float64(block, state, results, width);
  }
}

template <class T>
void softmax_slopes(const ScoreBlock<T>& block, const RunningSoftmax& state, T* slopes, const double* means) {
  if constexpr (std::is_same_v<T, float>) {
    softmax_slopes_float32(block, state, slopes, means);
  } else {
    softmax_slopes_float64(block, state, slopes, means);
  }
}

/// body(first, last) for units of so many operations each, several a tile where they are small.
template <class F>
void for_each_unit(std::int64_t units, double flops, F&& body) {
  const auto per_tile = static_cast<std::int64_t>(std::max(1.0, tile_flops / std::max(1.0, flops)));
  for_each_tile((units + per_tile - 1) / per_tile,
                [&](std::int64_t tile) { body(tile * per_tile, std::min(units, (tile + 1) * per_tile)); });
}

template <class T>
class Forward {
 public:
  Forward(const AttentionOperands& in, const AttentionRule& rule, Array& scales, Array& y)
      : at_(in, rule),
        q_(in.result, in.q),
        k_(in.result, in.k),
        v_(in.result, in.v),
        largest_(scales.mutable_data<double>()),
        sums_(largest_ + at_.batches * at_.queries),
        y_(y.mutable_data<T>()) {}

  void run() const {
    const std::int64_t per_matrix = (at_.queries + block_queries - 1) / block_queries;
    const double flops = 2.0 * static_cast<double>(std::min(at_.queries, block_queries)) *
                         static_cast<double>(at_.keys) * static_cast<double>(at_.depth + at_.width);
    for_each_unit(at_.batches * per_matrix, flops, [&](std::int64_t first, std::int64_t last) {
      Workspace<T> work(at_.queries, at_.keys, at_.width, false);
      for (std::int64_t unit = first; unit < last; ++unit)
        queries(unit / per_matrix, unit % per_matrix * block_queries, work);
    });
  }

 private:
  /// The results of the queries from i on.
  void queries(std::int64_t batch, std::int64_t i, Workspace<T>& work) const {
    const std::int64_t rows = std::min(block_queries, at_.queries - i), width = at_.width;
    const std::int64_t row = batch * at_.queries + i;
    const RunningSoftmax state{largest_ + row, sums_ + row};
    T* y = y_ + row * width;
    std::fill_n(state.largest, rows, minus_infinite);
    std::fill_n(state.sum, rows, 0.0);
    const std::int64_t last = at_.last_key(i + rows);
    if (last == 0) std::fill_n(y, rows * width, T(0));
    for (std::int64_t j = 0; j < last; j += block_keys) {
      const ScoreBlock<T> block = at_.block(batch, i, j, work.scores.data());
      const std::int64_t columns = block.columns;
      work.multiply(rows, columns, at_.depth, {q_[batch] + i * at_.depth, at_.depth, 1},
                    {k_[batch] + j * at_.depth, 1, at_.depth}, block.scores, block.stride);
      add_to_softmax(block, state, y, width);
      work.accumulate(j == 0, rows, width, columns, {block.scores, block.stride, 1},
                      {v_[batch] + j * width, width, 1}, y);
    }
    for (std::int64_t r = 0; r < rows; ++r) {
      const T share = static_cast<T>(state.sum[r] == 0 ? 0 : 1 / state.sum[r]);
      for (std::int64_t c = 0; c < width; ++c) y[r * width + c] *= share;
    }
  }

  Layout<T> at_;
  Matrices<T> q_, k_, v_;
  double *largest_, *sums_;
  T* y_;
};

template <class T>
class Backward {
 public:
  Backward(const AttentionOperands& in, const AttentionRule& rule, const Array& g, const Array& y,
           const Array& scales, const AttentionGrads& out)
      : at_(in, rule),
        q_(in.result, in.q),
        k_(in.result, in.k),
        v_(in.result, in.v),
        g_(g.data<T>()),
        y_(y.data<T>()),
        // They are only read, by way of a struct that the value's kernel writes to.
        largest_(const_cast<double*>(scales.data<double>())),
        sums_(largest_ + at_.batches * at_.queries),
        dq_(out.q == nullptr ? nullptr : out.q->mutable_data<T>()),
        dk_(out.k == nullptr ? nullptr : out.k->mutable_data<T>()),
        dv_(out.v == nullptr ? nullptr : out.v->mutable_data<T>()) {}

  /// The keys of few matrices are dealt out to several tiles, which add up parts of dq of their own.
  void run() {
    const std::int64_t blocks = (at_.keys + block_keys - 1) / block_keys, rest = at_.queries * at_.depth;
    const std::int64_t parts =
        std::clamp<std::int64_t>(least_tiles / at_.batches, 1, std::max<std::int64_t>(1, blocks));
    const std::int64_t per_part = (blocks + parts - 1) / parts * block_keys;
    Scratch<T> others = scratch_of<T>(dq_ == nullptr ? 0 : (parts - 1) * at_.batches * rest);
    others_ = others.data();
    const double flops = 2.0 * static_cast<double>(at_.queries) * static_cast<double>(at_.keys) *
                         static_cast<double>(3 * at_.depth + 2 * at_.width) / static_cast<double>(parts);
    for_each_unit(at_.batches * parts, flops, [&](std::int64_t first, std::int64_t last) {
      Workspace<T> work(at_.queries, at_.keys, std::max(at_.width, at_.depth), wants_slopes());
      Scratch<double> means = scratch_of<double>(at_.queries);
      for (std::int64_t unit = first; unit < last; ++unit) {
        const std::int64_t part = unit % parts;
        keys({unit / parts, part, part * per_part, std::min(at_.keys, (part + 1) * per_part)}, work, means);
      }
    });
    for (std::int64_t part = 1; part < parts && dq_ != nullptr; ++part) {
      const T* other = others_ + (part - 1) * at_.batches * rest;
      for (std::int64_t i = 0; i < at_.batches * rest; ++i) dq_[i] += other[i];
    }
  }

 private:
  [[nodiscard]] bool wants_slopes() const { return dq_ != nullptr || dk_ != nullptr; }

  /// The keys of a matrix from `first` to `last`, and which part they are.
  struct Keys {
    std::int64_t batch, part, first, last;
  };
  /// The part's share of dq, from query i on.
  [[nodiscard]] T* dq_of(const Keys& keys, std::int64_t i) const {
    T* all = keys.part == 0 ? dq_ : others_ + (keys.part - 1) * at_.batches * at_.queries * at_.depth;
    return all + (keys.batch * at_.queries + i) * at_.depth;
  }

  void keys(const Keys& keys, Workspace<T>& work, Scratch<double>& means) const {
    const std::int64_t queries = at_.queries;
    if (wants_slopes()) find_means(keys.batch, means);
    for (std::int64_t i = 0; i < queries && dq_ != nullptr; i += block_queries) {
      const std::int64_t end = std::min(i + block_queries, queries);
      // None of these queries will get anything.
      if (std::min(at_.last_key(end), keys.last) <= keys.first)
        std::fill_n(dq_of(keys, i), (end - i) * at_.depth, T(0));
    }
    for (std::int64_t j = keys.first; j < keys.last; j += block_keys) {
      std::int64_t seen = 0;  // keys of the block that have gradients so far
      for (std::int64_t i = 0; i < queries; i += block_queries) {
        if (at_.last_key(std::min(i + block_queries, queries)) > j)
          seen = block(keys, i, j, seen, work, means);
      }
      begin(keys.batch, j + seen, std::min(block_keys, keys.last - j) - seen);
    }
  }

  /// Gradients of 0 for some keys from j on.
  void begin(std::int64_t batch, std::int64_t j, std::int64_t count) const {
    const std::int64_t first = batch * at_.keys + j;
    if (dk_ != nullptr) std::fill_n(dk_ + first * at_.depth, count * at_.depth, T(0));
    if (dv_ != nullptr) std::fill_n(dv_ + first * at_.width, count * at_.width, T(0));
  }

  /// The sums of each row of p dp are those of g y.
  void find_means(std::int64_t batch, Scratch<double>& means) const {
    const std::int64_t width = at_.width;
    for (std::int64_t i = 0; i < at_.queries; ++i) {
      const T* g = g_ + (batch * at_.queries + i) * width;
      const T* y = y_ + (batch * at_.queries + i) * width;
      constexpr std::int64_t abreast = 8;  // sums that do not wait for each other
      std::array<double, abreast> sums{};
      for (std::int64_t c = 0; c < width; ++c)
        sums[static_cast<std::size_t>(c % abreast)] += static_cast<double>(g[c]) * static_cast<double>(y[c]);
      means[static_cast<std::size_t>(i)] = std::accumulate(sums.begin(), sums.end(), 0.0);
    }
  }

  /// Adds what a block gives to the gradients, of which those of the block's first `seen` keys exist; returns
  /// of how many do then.
  std::int64_t block(const Keys& keys, std::int64_t i, std::int64_t j, std::int64_t seen, Workspace<T>& work,
                     const Scratch<double>& means) const {
    const std::int64_t batch = keys.batch, depth = at_.depth, width = at_.width;
    const std::int64_t row = batch * at_.queries + i;
    const ScoreBlock<T> block = at_.block(batch, i, j, work.scores.data());
    const std::int64_t rows = block.rows, columns = block.columns, stride = block.stride;
    const T *q = q_[batch] + i * depth, *k = k_[batch] + j * depth, *g = g_ + row * width;
    T* slopes = wants_slopes() ? work.slopes.data() : nullptr;
    work.multiply(rows, columns, depth, {q, depth, 1}, {k, 1, depth}, block.scores, stride);
    if (slopes != nullptr) {
      const T* v = v_[batch] + j * width;
      work.multiply(rows, columns, width, {g, width, 1}, {v, 1, width}, slopes, stride);
    }
    softmax_slopes(block, {largest_ + row, sums_ + row}, slopes, means.data() + i);
    // Later queries see as many keys or more: of those that are new, gradients begin with 0.
    if (seen != 0 && seen < columns) begin(batch, j + seen, columns - seen);
    const std::int64_t key = batch * at_.keys + j;
    if (dv_ != nullptr)
      work.accumulate(seen == 0, columns, width, rows, {block.scores, 1, stride}, {g, width, 1},
                      dv_ + key * width);
    if (dk_ != nullptr)
      work.accumulate(seen == 0, columns, depth, rows, {slopes, 1, stride}, {q, depth, 1}, dk_ + key * depth);
    if (dq_ != nullptr)
      work.accumulate(j == keys.first, rows, depth, columns, {slopes, stride, 1}, {k, depth, 1},
                      dq_of(keys, i));
    return columns;
  }

  Layout<T> at_;
  Matrices<T> q_, k_, v_;
  const T *g_, *y_;
  double *largest_, *sums_;
  T *dq_, *dk_, *dv_;
  T* others_ = nullptr;  // dq of the parts but the first, [parts - 1, ...]
};

void fill_with_zeros(Array* x) {
  if (x == nullptr || x->numel() == 0) return;
  visit_floating(x->dtype, [&](auto zero) {
    using T = decltype(zero);
    std::fill_n(x->mutable_data<T>(), x->numel(), T(0));
  });
}

}  // namespace

void attention(const AttentionOperands& in, const AttentionRule& rule, Array& scales, Array& y) {
  if (scales.numel() == 0) return;
  visit_floating(y.dtype, [&](auto zero) { Forward<decltype(zero)>(in, rule, scales, y).run(); });
}

void attention_grad(const AttentionOperands& in, const AttentionRule& rule, const Array& g, const Array& y,
                    const Array& scales, const AttentionGrads& out) {
  if (scales.numel() == 0) {  // of no queries
    for (Array* one : {out.q, out.k, out.v}) fill_with_zeros(one);
    return;
  }
  visit_floating(g.dtype, [&](auto zero) { Backward<decltype(zero)>(in, rule, g, y, scales, out).run(); });
}

}  // namespace xtgrad::v1::detail
