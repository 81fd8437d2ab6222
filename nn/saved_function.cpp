#include "xtgrad/nn/saved_function.h"

#include <utility>

#include "xtgrad/autograd/core/node.h"

namespace xtgrad::inline v1::detail {

SavedProgram saved_function(const RecordedFunction& recorded, const StatePlaces& places) {
  SavedProgram saved{*recorded.program.unfused(), recorded.program.plan().recorded_steps};
  for (const RecordedFunction::Input& input : recorded.inputs)
    saved.wants_gradient.push_back(input.wants_gradient ? 1 : 0);
  std::vector<ProgramState> state;
  for (std::size_t i = 0; i < places.size(); ++i) {
    ProgramState& each = saved.steps.state[i];
    if (each.before.value == no_value && each.after.value == no_value) continue;
    Tensor now = places[i]->read();
    // What is only written may be anything before.
    const bool is_read = each.before.value != no_value;
    if (!is_read && now.defined() && !same_spec(array_of(now), each.after.spec)) now = Tensor();
    saved.state.push_back(std::move(now));
    state.push_back(std::move(each));
  }
  saved.steps.state = std::move(state);
  return saved;
}

}  // namespace xtgrad::v1::detail
