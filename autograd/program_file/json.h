#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "xtgrad/autograd/io/memory_budget.h"

namespace xtgrad::inline v1::detail {

/// What a program's description is made of. Numbers with a fraction are none of it: they are written as text,
/// which says all of their bits.
struct Json {
  struct Member;
  using List = std::vector<Json>;
  using Object = std::vector<Member>;  // in the order of the text

  std::variant<std::nullptr_t, bool, std::int64_t, std::string, List, Object> value;
};

struct Json::Member {
  Member() = default;
  Member(std::string key, Json json) : name(std::move(key)), value(std::move(json)) {}

  std::string name;
  Json value;
};

/// Reads one value that is all of the text. Trusts nothing: IoError names the byte or key, what was found and
/// what was expected, also for a key that is there twice and for lists nested too deep.
[[nodiscard]] Json parse_json(std::string_view text, MemoryBudget& budget);

/// The text of a value, in one line. Throws ValueError for text that is not UTF-8.
[[nodiscard]] std::string to_text(const Json& json);

/// "a list", as messages call it.
[[nodiscard]] std::string_view kind_of(const Json& json);

}  // namespace xtgrad::v1::detail
