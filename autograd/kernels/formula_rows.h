#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "xtgrad/autograd/core/array.h"

namespace xtgrad::inline v1::detail {

// How arrays that broadcast are cut into rows, and these dealt out to threads, is the same for every formula
// and compiled once; of each formula there is a loop over one row.

/// A formula's loop over `n` elements, at least one, of some operands and results: bit k of `repeated` says
/// that operand k is one element for all. It may read and write the rest of a last, partial piece of 64
/// bytes.
using RowLoop = void (*)(const void* formula, std::int64_t n, const void* const* in, std::uint32_t repeated,
                         void* const* out);

struct RowFormula {
  RowLoop run;
  const void* formula;
};

/// Operands and results of a formula, at most.
inline constexpr std::size_t most_operands = 5;
inline constexpr std::size_t most_results = 4;

/// Fills a floating array of an inferred shape with the formula of the operands, which broadcast to it.
void run_broadcast(const RowFormula& formula, std::span<const Array* const> in, Array& out);

/// Fills arrays of n elements of `element_bytes` from arrays of as many.
void run_flat(const RowFormula& formula, std::int64_t n, std::size_t element_bytes,
              std::span<const void* const> in, std::span<void* const> out);

/// One row in the middle of arrays: of its last, partial piece no other elements are read or written. Another
/// thread may be writing those, or they lie behind an array's padding, which ends with whole pieces from the
/// array's beginning on and not from the row's.
template <class T>
void run_inner_row(const RowFormula& formula, std::int64_t n, std::span<const void* const> in,
                   std::uint32_t repeated, std::span<void* const> out);

}  // namespace xtgrad::v1::detail
