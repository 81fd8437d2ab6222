#pragma once

namespace xtgrad::inline v1::detail {

/// Sets of instructions that kernels are compiled for beside those that the library as a whole is.
enum class Instructions { baseline, avx2, avx512 };

/// The best set that this processor has, or the one that the variable XTGRAD_ISA names (baseline, avx2 or
/// avx512) if the processor has it. Chosen once. Throws ValueError for another name, and for a set that is
/// not there.
[[nodiscard]] Instructions instructions();

/// "baseline", "avx2" or "avx512".
[[nodiscard]] const char* name_of(Instructions instructions);

/// Whether this processor has them.
[[nodiscard]] bool has_instructions(Instructions instructions);

}  // namespace xtgrad::v1::detail
