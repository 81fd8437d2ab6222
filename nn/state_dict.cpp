#include "xtgrad/nn/state_dict.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <functional>
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
  const std::size_t before = size();
  const std::size_t more = other.size();  // it may be this one, and grow
  try {
    for (std::size_t i = 0; i < more; ++i) {
      const std::string& name = other.entries_[i].name;
      add(prefix.empty() ? name : fmt::format("{}.{}", prefix, name), other.entries_[i].value);
      streams_.back() = other.streams_[i];
    }
  } catch (...) {
    cut_to(before);
    throw;
  }
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
  const std::size_t place = slots_.empty() ? 0 : slots_[slot_of(name)];
  return place != 0 && streams_[place - 1] != 0;
}

void StateDict::set(std::string_view name, const Tensor& value) {
  make_room();
  const std::size_t slot = slot_of(name);
  if (slots_[slot] != 0) {
    entries_[slots_[slot] - 1].value = value;
    return;
  }
  entries_.push_back({std::string(name), value});
  streams_.push_back(0);
  slots_[slot] = entries_.size();
}

bool StateDict::erase(std::string_view name) {
  const std::size_t slot = slots_.empty() ? 0 : slot_of(name);
  if (slots_.empty() || slots_[slot] == 0) return false;
  const std::size_t place = slots_[slot];
  free_slot(slot);
  const auto gap = static_cast<std::ptrdiff_t>(place - 1);
  entries_.erase(entries_.begin() + gap);
  streams_.erase(streams_.begin() + gap);
  for (std::size_t& other : slots_) other -= other > place ? 1 : 0;
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
  const std::size_t place = slots_.empty() ? 0 : slots_[slot_of(name)];
  return place == 0 ? nullptr : &entries_[place - 1].value;
}

std::size_t StateDict::first_slot_of(std::string_view name) const {
  return std::hash<std::string_view>()(name) & (slots_.size() - 1);
}

std::size_t StateDict::slot_of(std::string_view name) const {
  std::size_t slot = first_slot_of(name);
  while (slots_[slot] != 0 && entries_[slots_[slot] - 1].name != name)
    slot = (slot + 1) & (slots_.size() - 1);
  return slot;
}

/// For one more entry, whose name and whose place among the entries are all that then needs memory.
void StateDict::make_room() {
  constexpr std::size_t least = 16;
  if (streams_.size() == streams_.capacity()) streams_.reserve(std::max(least, 2 * streams_.size()));
  if (2 * (size() + 1) <= slots_.size()) return;
  std::vector<std::size_t> more(std::max(least, 2 * slots_.size()));
  slots_.swap(more);
  fill_slots();
}

void StateDict::fill_slots() {
  std::fill(slots_.begin(), slots_.end(), std::size_t{0});
  for (std::size_t i = 0; i < size(); ++i) {
    std::size_t slot = first_slot_of(entries_[i].name);
    while (slots_[slot] != 0) slot = (slot + 1) & (slots_.size() - 1);
    slots_[slot] = i + 1;
  }
}

/// Those that had to go further because this one was taken move back.
void StateDict::free_slot(std::size_t slot) {
  const std::size_t mask = slots_.size() - 1;
  for (std::size_t next = (slot + 1) & mask; slots_[next] != 0; next = (next + 1) & mask) {
    const std::size_t way = (next - first_slot_of(entries_[slots_[next] - 1].name)) & mask;
    if (way < ((next - slot) & mask)) continue;  // it would lie before its first slot
    slots_[slot] = slots_[next];
    slot = next;
  }
  slots_[slot] = 0;
}

void StateDict::cut_to(std::size_t size) {
  entries_.erase(entries_.begin() + static_cast<std::ptrdiff_t>(size), entries_.end());
  streams_.resize(size);
  fill_slots();
}

}  // namespace xtgrad::v1::nn
