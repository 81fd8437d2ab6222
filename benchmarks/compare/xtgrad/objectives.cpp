#include "benchmarks/compare/xtgrad/objectives.h"

namespace bench {

void add_objectives(Families& families) {
  Families kinds;
  add_scalar_objectives(kinds);
  add_model_objectives(kinds);
  add_pose_objectives(kinds);
  families["ad"] = by_kind(std::move(kinds));
}

}  // namespace bench
