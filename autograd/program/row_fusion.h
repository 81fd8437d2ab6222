#pragma once

#include "xtgrad/autograd/program/steps.h"

namespace xtgrad::inline v1::detail {

/// Steps on the rows of one matrix, of which at least one reduces the rows or reads a column, become one
/// (program/fused_rows.h): the matrix is read once, and what is between them stays in cache. For rows of
/// whole pieces of 64 bytes.
ProgramSteps with_row_steps_fused(ProgramSteps program);

}  // namespace xtgrad::v1::detail
