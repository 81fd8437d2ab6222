#pragma once

// The loops of ViewTask, for the register types of micro.h and by its rules: all that is here stays within
// the including file.

#include "xtgrad/autograd/kernels/product/micro.h"
#include "xtgrad/autograd/kernels/product/view_task.h"

namespace xtgrad::inline v1::detail { namespace {

/// The columns of a task, panel by panel: of each those that are neighbours, a register at most.
template <class R, int Panel>
class PanelPieces {
 public:
  struct Piece {
    Index from;
    Index to;
    typename R::Part part;
  };

  explicit PanelPieces(const ViewPiece* pieces) : next_(pieces) {}

  /// Those of the next `columns` columns.
  void advance(Index columns) {
    count_ = 0;
    columns_ = columns;
    for (Index at = 0; at < columns;) {
      const Index taken = least(least(next_->count - used_, columns - at), R::width);
      pieces_[count_++] = {next_->first + used_, at, R::part(taken)};
      at += taken;
      used_ += taken;
      if (used_ == next_->count) {
        ++next_;
        used_ = 0;
      }
    }
  }

  /// Copies views into a panel, row by row. Each piece is written in whole registers: what is too much of one
  /// the next takes the place of, and of the last the next row, or what comes behind the panel. Columns that
  /// are not there hold numbers of the last one: they must not be the ones that are NaN.
  void pack(const typename R::T* base, const Index* rows, Index k, typename R::T* packed) const {
    const Piece* end = pieces_ + count_;
    for (Index p = 0; p < k; ++p, packed += Panel) {
      const auto* row = base + rows[p];
      for (const Piece* piece = pieces_; piece != end; ++piece)
        R::store(packed + piece->to, R::load_part(row + piece->from, piece->part));
      for (Index i = columns_; i < Panel; ++i) packed[i] = packed[columns_ - 1];
    }
  }

 private:
  const ViewPiece* next_;
  Index used_ = 0;
  Index count_ = 0;
  Index columns_ = 0;
  Piece pieces_[Panel];
};

template <class R, int H, int L, Index Rows>
struct ViewProduct {
  using T = typename R::T;
  using Whole = Product<R, H, L, Rows>;

  static ProductTask<T> product_of(const ViewTask<T>& task) {
    ProductTask<T> product;
    product.m = task.m;
    product.a = task.a;
    product.a_row = task.a_row;
    product.a_column = task.a_column;
    product.c = task.c;
    product.c_row = task.c_row;
    return product;
  }

  template <int Registers>
  static void in_place(const ViewTask<T>& task, Index j, Index columns) {
    for (Index p = 0; p < task.k; p += product_depth) {
      Whole::template multiply<Registers>(
          product_of(task), j, columns, p, least(product_depth, task.k - p),
          {task.base + task.pieces->first + j, 0, Registers * R::width, Reads::views, task.rows + p});
    }
  }

  template <int Registers>
  static void packed(const ViewTask<T>& task, Index j, Index columns,
                     const PanelPieces<R, Registers * R::width>& from) {
    constexpr Index panel = Registers * R::width;
    static_assert(product_columns % panel == 0);
    for (Index p = 0; p < task.k; p += product_depth) {
      const Index terms = least(product_depth, task.k - p);
      PanelPieces<R, panel> pieces = from;
      for (Index i = 0; i < columns; i += panel) {
        pieces.advance(least(panel, columns - i));
        pieces.pack(task.base, task.rows + p, terms, task.scratch + i * terms);
      }
      Whole::template multiply<Registers>(product_of(task), j, columns, p, terms,
                                          {task.scratch, panel, terms * panel, Reads::whole, nullptr});
    }
  }

  template <int Registers>
  static void run_in_place(const ViewTask<T>& task) {
    for (Index j = 0; j < task.n; j += product_columns)
      in_place<Registers>(task, j, least(product_columns, task.n - j));
  }

  template <int Registers>
  static void run_packed(const ViewTask<T>& task) {
    constexpr Index panel = Registers * R::width;
    PanelPieces<R, panel> from(task.pieces);
    for (Index j = 0; j < task.n; j += product_columns) {
      const Index columns = least(product_columns, task.n - j);
      packed<Registers>(task, j, columns, from);
      for (Index i = 0; i < columns; i += panel) from.advance(least(panel, columns - i));
    }
  }

  static void run(const ViewTask<T>& task) {
    const bool is_narrow = task.n <= R::width;
    if (task.scratch != nullptr) {
      if (is_narrow) return run_packed<1>(task);
      return run_packed<L>(task);
    }
    if (is_narrow) return run_in_place<1>(task);
    // Few rows have few sums, which would wait for each other.
    if (task.m <= 2) return run_in_place<6>(task);
    run_in_place<L>(task);
  }
};

}  // namespace
}  // namespace xtgrad::v1::detail
