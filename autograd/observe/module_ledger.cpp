#include "xtgrad/autograd/observe/module_ledger.h"

#include <fmt/format.h>

#include <algorithm>
#include <new>

#include "xtgrad/autograd/core/primitive.h"

namespace xtgrad::inline v1::detail {
namespace {

// So many changes of the running module are remembered: 16 MB of them. Nodes from before are nobody's.
constexpr std::size_t most_made = std::size_t{1} << 20;

}  // namespace

ModuleLedger::ModuleLedger() {
  std::vector<const ModuleScope*> running;
  for (const ModuleScope* scope = thread_state.module; scope != nullptr; scope = scope->outer()) {
    running.push_back(scope);
  }
  for (std::size_t i = running.size(); i-- > 0;) enter(*running[i]);
  mark();
}

void ModuleLedger::enter(const ModuleScope& scope) noexcept {
  try {
    frames_.push_back({.who = &scope,
                       .context = context_id(current().context, module_id(scope)),
                       .is_backward = current().is_backward,
                       .rule = {},
                       .is_replay = scope.is_replayed()});
    mark();
  } catch (const std::bad_alloc&) {
    leave(&scope);
  }
}

void ModuleLedger::enter(const Node& node) {
  frames_.push_back(
      {.who = &node, .context = context_of(node), .is_backward = true, .rule = node.primitive().name()});
}

void ModuleLedger::leave(const void* who) noexcept {
  for (std::size_t i = frames_.size(); i-- > 0;) {
    if (frames_[i].who != who) continue;
    frames_.resize(i);
    break;
  }
  try {
    mark();
  } catch (const std::bad_alloc&) {
    // The nodes that come are taken for the module's that was left, until it is marked again.
  }
}

void ModuleLedger::mark() {
  const std::uint64_t last = thread_state.last_id;
  const Id context = current().context;
  if (!made_.empty() && made_.back().context == context) return;
  if (!made_.empty() && made_.back().after == last) {
    made_.back().context = context;
    return;
  }
  if (made_.size() == most_made) made_.erase(made_.begin(), made_.begin() + most_made / 2);
  made_.push_back({last, context});
}

ModuleLedger::Id ModuleLedger::context_of(const Node& node) const {
  const auto is_later = [](std::uint64_t id, const Made& made) { return id <= made.after; };
  const auto place = std::upper_bound(made_.begin(), made_.end(), node.id, is_later);
  return place == made_.begin() ? 0 : std::prev(place)->context;
}

std::string_view ModuleLedger::rule() const {
  for (std::size_t i = frames_.size(); i-- > 0;) {
    if (!frames_[i].rule.empty()) return frames_[i].rule;
  }
  return {};
}

std::vector<ModuleLedger::Id> ModuleLedger::chain(Id context) const {
  std::vector<Id> chain;
  for (; context != 0; context = contexts_[context].outer) {
    const Id module = contexts_[context].module;
    if (std::find(chain.begin(), chain.end(), module) == chain.end()) chain.push_back(module);
  }
  return chain;
}

void ModuleLedger::locate(Error& error) const {
  const std::string& label = module_of(current().context).label;
  if (!label.empty() && !error.has_context()) error.add_context(label);
}

ModuleLedger::Id ModuleLedger::module_id(const ModuleScope& scope) {
  const ModuleScope::Identity who = scope.identity();
  const auto known = module_ids_.find({who.model, who.module});
  if (known != module_ids_.end()) return known->second;
  const ModuleScope::Place place = scope.place();
  const std::string& model = model_name(who.model, place.model);
  const bool is_model = who.model == who.module;
  Module module{.name = is_model          ? model
                        : place.is_listed ? fmt::format("{}.{}", model, place.path)
                                          : fmt::format("{}.({})", model, place.type),
                .type = place.type,
                .label = place.path.empty() ? place.type : fmt::format("{} ({})", place.path, place.type),
                .path = is_model || !place.is_listed ? std::string() : place.path};
  const auto id = static_cast<Id>(modules_.size());
  module_ids_.emplace(std::pair(who.model, who.module), id);
  modules_.push_back(std::move(module));
  return id;
}

ModuleLedger::Id ModuleLedger::context_id(Id outer, Id module) {
  const auto [place, is_new] = context_ids_.try_emplace({outer, module}, static_cast<Id>(contexts_.size()));
  if (is_new) contexts_.push_back({outer, module});
  return place->second;
}

/// Models of one type are told apart by numbers.
const std::string& ModuleLedger::model_name(std::uint64_t model, const std::string& type) {
  std::string& name = model_names_[model];
  if (name.empty()) {
    const int number = ++models_of_type_[type];
    name = number == 1 ? type : fmt::format("{} #{}", type, number);
  }
  return name;
}

}  // namespace xtgrad::v1::detail
