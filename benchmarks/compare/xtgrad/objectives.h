#pragma once

#include "benchmarks/compare/xtgrad/helpers.h"

namespace bench {

// The objectives of the public benchmarks of automatic differentiation, family `ad`; one function a file,
// each of which adds its kinds.
void add_scalar_objectives(Families& kinds);
void add_model_objectives(Families& kinds);
void add_pose_objectives(Families& kinds);

}  // namespace bench
