#include "xtgrad/autograd/program_file/json_fields.h"

#include <fmt/format.h>

#include <algorithm>

#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/io/elements.h"

namespace xtgrad::inline v1::detail {
namespace {

std::string found(const Json& json) {
  if (const auto* number = std::get_if<std::int64_t>(&json.value)) return fmt::format("{}", *number);
  if (const auto* text = std::get_if<std::string>(&json.value)) return in_quotes(*text);
  return std::string(kind_of(json));
}

}  // namespace

void throw_unexpected(std::string_view place, std::string_view expected, const Json& json) {
  throw IoError(fmt::format("{}: expected {}, found {}", place, expected, found(json)));
}

bool bool_at(std::string_view place, const Json& json) {
  const auto* value = std::get_if<bool>(&json.value);
  if (value == nullptr) throw_unexpected(place, "true or false", json);
  return *value;
}

std::size_t number_at(std::string_view place, const Json& json, std::int64_t end) {
  const auto* value = std::get_if<std::int64_t>(&json.value);
  if (value == nullptr || *value < 0 || *value >= end)
    throw_unexpected(place, fmt::format("a number from 0 to {}", end - 1), json);
  return static_cast<std::size_t>(*value);
}

const std::string& text_at(std::string_view place, const Json& json) {
  const auto* value = std::get_if<std::string>(&json.value);
  if (value == nullptr) throw_unexpected(place, "text", json);
  return *value;
}

const Json::List& list_at(std::string_view place, const Json& json) {
  const auto* value = std::get_if<Json::List>(&json.value);
  if (value == nullptr) throw_unexpected(place, "a list", json);
  return *value;
}

Fields::Fields(std::string_view place, const Json& json, std::initializer_list<std::string_view> needed,
               std::initializer_list<std::string_view> optional)
    : place_(place), object_(std::get_if<Json::Object>(&json.value)) {
  if (object_ == nullptr) throw_unexpected(place, "an object", json);
  for (const std::string_view key : needed) {
    if (find(key) == nullptr) throw IoError(fmt::format("{} is missing", place_of(key)));
  }
  for (const auto& member : *object_) {
    const auto is_key = [&](std::string_view key) { return key == member.name; };
    if (std::ranges::none_of(needed, is_key) && std::ranges::none_of(optional, is_key))
      throw IoError(fmt::format("{}: the key {} is none that is known", place_, in_quotes(member.name)));
  }
}

const Json* Fields::find(std::string_view key) const {
  const auto found = std::ranges::find(*object_, key, &Json::Member::name);
  return found == object_->end() ? nullptr : &found->value;
}

std::string Fields::place_of(std::string_view key) const { return fmt::format("{}.{}", place_, key); }

}  // namespace xtgrad::v1::detail
