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

void StateDict::add_stream(std::string name, const Tensor& value) {
  add(std::move(name), value);
  streams_.back() = 1;
}

void StateDict::add(std::string_view prefix, const StateDict& other) {
  const auto joined = [prefix](const std::string& name) {
    return prefix.empty() ? name : fmt::format("{}.{}", prefix, name);
  };
  StateDict all = *this;  // handles: elements are shared
  for (std::size_t i = 0; i < other.size(); ++i) {
    all.add(joined(other.entries_[i].name), other.entries_[i].value);
    all.streams_.back() = other.streams_[i];
  }
  *this = std::move(all);
}

StateDict StateDict::under(std::string_view prefix) const {
  StateDict result;
  for (std::size_t i = 0; i < size(); ++i) {
    const std::string_view name = entries_[i].name;
    if (name.size() <= prefix.size() + 1 || !name.starts_with(prefix) || name[prefix.size()] != '.') continue;
    result.add(std::string(name.substr(prefix.size() + 1)), entries_[i].value);
    result.streams_.back() = streams_[i];
  }
  return result;
}

bool StateDict::is_stream(std::string_view name) const {
  const auto place = position(name);
  return place != by_name_.end() && entries_[*place].name == name && streams_[*place] != 0;
}

void StateDict::set(std::string_view name, const Tensor& value) {
  const auto place = position(name);
  if (place != by_name_.end() && entries_[*place].name == name) {
    entries_[*place].value = value;
    return;
  }
  const auto rank = place - by_name_.begin();
  entries_.reserve(entries_.size() + 1);
  by_name_.reserve(by_name_.size() + 1);
  streams_.push_back(0);
  entries_.push_back({std::string(name), value});
  by_name_.insert(by_name_.begin() + rank, entries_.size() - 1);
}

bool StateDict::erase(std::string_view name) {
  const auto place = position(name);
  if (place == by_name_.end() || entries_[*place].name != name) return false;
  const std::size_t gap = *place;
  by_name_.erase(place);
  entries_.erase(entries_.begin() + static_cast<std::ptrdiff_t>(gap));
  streams_.erase(streams_.begin() + static_cast<std::ptrdiff_t>(gap));
  for (std::size_t& later : by_name_) {
    if (later > gap) --later;
  }
  return true;
}

const Tensor& StateDict::at(std::string_view name) const& {
  if (const Tensor* value = find(name)) return *value;
  std::string names;
  for (const Entry& entry : entries_) names += fmt::format("{}{}", names.empty() ? "" : ", ", entry.name);
  throw ValueError(
      fmt::format("StateDict: no name \"{}\"; there are: {}", name, names.empty() ? "none" : names));
}

const Tensor* StateDict::find(std::string_view name) const& {
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
