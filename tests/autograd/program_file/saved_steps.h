// Lists of steps that have been in a file, for tests.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "tests/autograd/program/recorded.h"
#include "xtgrad/autograd/io/safetensors.h"
#include "xtgrad/autograd/loaded_program.h"
#include "xtgrad/autograd/program/passes.h"
#include "xtgrad/autograd/program_file/encode.h"

namespace xtgrad::inline v1::testing {

/// The bytes of a file with these steps, which have no state.
inline std::string saved_bytes(const detail::ProgramSteps& steps) {
  detail::SavedProgram program{steps, steps.steps.size()};
  program.wants_gradient.assign(steps.inputs.size(), 1);
  return encode_safetensors(detail::encoded(program));
}

/// What f computes of the inputs, from a file.
template <class F>
LoadedProgram loaded(const std::vector<Tensor>& inputs, const F& f) {
  return decode_program(saved_bytes(detail::simplified(steps_of(inputs, f))), "a file");
}

}  // namespace xtgrad::v1::testing
