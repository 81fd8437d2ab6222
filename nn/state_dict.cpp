#include "xtgrad/nn/state_dict.h"

#include <fmt/format.h>

#include <utility>

#include "xtgrad/autograd/errors.h"

namespace xtgrad::inline v1::nn {

void StateDict::add(std::string name, const Tensor& value) {
  if (contains(name)) throw ValueError(fmt::format("StateDict: the name \"{}\" is there already", name));
  set(name, value);
}

void StateDict::set(std::string_view name, const Tensor& value) {
  const auto [place, is_new] = index_.try_emplace(std::string(name), entries_.size());
  if (is_new) {
    entries_.push_back({std::string(name), value});
  } else {
    entries_[place->second].value = value;
  }
}

bool StateDict::erase(std::string_view name) {
  const auto found = index_.find(std::string(name));
  if (found == index_.end()) return false;
  const std::size_t gap = found->second;
  entries_.erase(entries_.begin() + static_cast<std::ptrdiff_t>(gap));
  index_.erase(found);
  for (auto& [key, place] : index_) {
    if (place > gap) --place;
  }
  return true;
}

const Tensor& StateDict::at(std::string_view name) const {
  if (const Tensor* value = find(name)) return *value;
  std::string names;
  for (const Entry& entry : entries_) names += fmt::format("{}{}", names.empty() ? "" : ", ", entry.name);
  throw ValueError(
      fmt::format("StateDict: no name \"{}\"; there are: {}", name, names.empty() ? "none" : names));
}

const Tensor* StateDict::find(std::string_view name) const {
  const auto found = index_.find(std::string(name));
  return found == index_.end() ? nullptr : &entries_[found->second].value;
}

}  // namespace xtgrad::inline v1::nn
