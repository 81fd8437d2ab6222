#include "xtgrad/nn/called_function.h"

#include <fmt/format.h>

#include <utility>

#include "xtgrad/autograd/core/copied.h"
#include "xtgrad/autograd/core/node.h"
#include "xtgrad/autograd/errors.h"

namespace xtgrad::inline v1::detail {

KeptState::KeptState(const StatePlaces& places) : places_(places) {
  for (const auto& place : places_) place->keep();
}

KeptState::~KeptState() {
  if (is_lost_) return;
  for (const auto& place : places_) place->restore();
}

void KeptState::check_where(const StateRoots& roots, std::string_view caller) {
  const nn::detail::StatePlace* const moved = nn::detail::first_moved(places_, roots);
  if (moved == nullptr) return;
  is_lost_ = true;
  throw GraphError(
      fmt::format("{}: \"{}\" lies elsewhere after the function was called, and the state cannot be put "
                  "back: assign to "
                  "what `members` lists, and do not replace what holds it",
                  caller, moved->name()));
}

Arguments::Arguments(std::vector<Tensor*> places) : places_(std::move(places)) {
  for (const Tensor* place : places_) values_.push_back(*place);
}

void Arguments::renew() const {
  for (std::size_t k = 0; k < places_.size(); ++k) {
    Tensor copy = make_constant(copied(array_of(values_[k])));
    if (values_[k].requires_grad()) copy.set_requires_grad();
    *places_[k] = std::move(copy);
  }
}

Arguments::Emptied::~Emptied() {
  const Tensor nothing = nothing_there();
  for (Tensor* place : arguments_.places_) *place = nothing;
}

Tensor nothing_there() { return make_constant(Array::uninitialized({0}, Dtype::float32)); }

Outcome outcome_of(const CalledFunction& f, const Arguments& arguments, const StatePlaces& places,
                   const StateRoots& roots, std::string_view caller) {
  KeptState kept(places);
  for (const auto& place : places) place->separate();
  const Arguments::Emptied at_the_end(arguments);
  arguments.renew();
  Outcome outcome;
  for (Tensor* result : f()) {
    // Without its history, which would hold on to the state.
    outcome.results.push_back(result->detach());
    *result = nothing_there();
  }
  kept.check_where(roots, caller);
  for (const auto& place : places) {
    const Tensor after = place->read();
    outcome.state.push_back(after.defined() ? after.detach() : Tensor());
  }
  return outcome;
}

}  // namespace xtgrad::v1::detail
