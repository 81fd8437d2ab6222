#include "xtgrad/autograd/program/joined.h"

#include "xtgrad/autograd/program/final_steps.h"
#include "xtgrad/autograd/program/fusion.h"
#include "xtgrad/autograd/program/row_fusion.h"
#include "xtgrad/autograd/program/scalars.h"

namespace xtgrad::inline v1::detail {

ProgramSteps joined(const ProgramSteps& program) {
  return with_final_steps_last(
      with_elementwise_steps_fused(with_row_steps_fused(with_scalar_steps_joined(program))));
}

}  // namespace xtgrad::v1::detail
