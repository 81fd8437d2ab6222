#include "xtgrad/nn/state_dict.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "xtgrad/autograd/errors.h"

namespace xtgrad::inline v1::nn {

void StateDict::add(std::string name, const Tensor& value) {
  if (contains(name)) throw ValueError(fmt::format("StateDict: the name \"{}\" is there already", name));
  set(name, value);
}

void StateDict::set(std::string_view name, const Tensor& value) {
  const auto place = position(name);
  if (place != by_name_.end() && entries_[*place].name == name) {
    entries_[*place].value = value;
    return;
  }
  entries_.push_back({std::string(name), value});
  by_name_.insert(place, entries_.size() - 1);
}

bool StateDict::erase(std::string_view name) {
  const auto place = position(name);
  if (place == by_name_.end() || entries_[*place].name != name) return false;
  const std::size_t gap = *place;
  by_name_.erase(place);
  entries_.erase(entries_.begin() + static_cast<std::ptrdiff_t>(gap));
  for (std::size_t& later : by_name_) {
    if (later > gap) --later;
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
  const auto place = position(name);
  return place == by_name_.end() || entries_[*place].name != name ? nullptr : &entries_[*place].value;
}

std::vector<std::size_t>::const_iterator StateDict::position(std::string_view name) const {
  return std::lower_bound(by_name_.begin(), by_name_.end(), name,
                          [this](std::size_t place, std::string_view wanted) {
                            return std::string_view(entries_[place].name) < wanted;
                          });
}

}  // namespace xtgrad::v1::nn
