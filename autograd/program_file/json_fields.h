#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>

#include "xtgrad/autograd/program_file/json.h"

namespace xtgrad::inline v1::detail {

// What is read of a value, each of which throws IoError where it is something else: "steps[3].inputs:
// expected a list, found text".

[[noreturn]] void throw_unexpected(std::string_view place, std::string_view expected, const Json& found);

[[nodiscard]] bool bool_at(std::string_view place, const Json& json);
/// One from 0 on below `end`.
[[nodiscard]] std::size_t number_at(std::string_view place, const Json& json, std::int64_t end);
[[nodiscard]] const std::string& text_at(std::string_view place, const Json& json);
[[nodiscard]] const Json::List& list_at(std::string_view place, const Json& json);

/// The members of an object, each read once.
class Fields {
 public:
  /// Throws IoError for an object with a key that is neither `needed` nor `optional`, or that lacks a needed
  /// one.
  Fields(std::string_view place, const Json& json, std::initializer_list<std::string_view> needed,
         std::initializer_list<std::string_view> optional = {});

  /// Null for an optional one that is not there.
  [[nodiscard]] const Json* find(std::string_view key) const;
  [[nodiscard]] const Json& at(std::string_view key) const { return *find(key); }
  [[nodiscard]] std::string place_of(std::string_view key) const;

 private:
  std::string place_;
  const Json::Object* object_;
};

}  // namespace xtgrad::v1::detail
