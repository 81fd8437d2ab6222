#pragma once

#include <cstdint>

namespace xtgrad::inline v1::detail {

/// Neighbouring columns: `first`, first + 1, and so on.
struct OuterPiece {
  std::int64_t first = 0;
  std::int64_t count = 0;
  bool ends_run = false;  // behind it the sum that is held in registers is put away
};

/// The right rows of some of the columns: element (j, q) at b[b_offset + j * b_row + q].
template <class T>
struct OuterSource {
  const T* b = nullptr;
  std::int64_t count = 0;
};

/// c = a b^T for matrices [m, columns] and [n, columns]: the sum of the columns' outer products. It loses
/// less than sums in order do: terms are added in order within a run, and runs in pairs, pairs of pairs and
/// so on.
///
/// Row i of a begins at a + a_rows[i]; its columns are those of the pieces, in their order, the last of which
/// ends a run. The columns of b are those of the sources, as many in all.
template <class T>
struct OuterTask {
  std::int64_t m = 0, n = 0;
  const T* a = nullptr;
  const std::int64_t* a_rows = nullptr;  // [m]
  const OuterPiece* pieces = nullptr;
  std::int64_t piece_count = 0;
  const OuterSource<T>* sources = nullptr;
  std::int64_t source_count = 0;
  std::int64_t b_row = 0;
  std::int64_t b_offset = 0;  // is added to where the sources begin
  T* c = nullptr;
  std::int64_t c_row = 0;
  T* scratch = nullptr;  // outer_scratch for each column, on a boundary of 64 bytes
};

/// The most runs of a task.
inline constexpr std::int64_t outer_runs = 1024;
/// Elements of `scratch` for each column, for any set of instructions.
inline constexpr std::int64_t outer_scratch = 32;

/// A task's computation for one set of instructions; compiled as products are.
struct OuterKernels {
  void (*float32)(const OuterTask<float>&);
  void (*float64)(const OuterTask<double>&);
};

}  // namespace xtgrad::v1::detail
