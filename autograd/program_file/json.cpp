#include "xtgrad/autograd/program_file/json.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <nlohmann/json.hpp>
#include <unordered_set>

#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/io/elements.h"

namespace xtgrad::inline v1::detail {
namespace {

using nlohmann::json;

/// Of lists and objects within each other; a program's description has half as many.
constexpr std::size_t most_levels = 12;
/// Of a value, and of a key among those that are known.
constexpr std::uint64_t around_value = sizeof(Json::Member) + 64;

/// Builds the value as it comes, event by event, so that what is not expected ends the reading at once.
class Builder final : public nlohmann::json_sax<json> {
 public:
  Builder(std::string_view text, MemoryBudget& budget) : text_(text), budget_(budget) {}

  Json result;

  bool null() override { return add(nullptr); }
  bool boolean(bool value) override { return add(value); }
  bool number_integer(std::int64_t value) override { return add(value); }
  bool number_unsigned(std::uint64_t value) override {
    if (value > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max()))
      throw IoError(fmt::format("{}: {} is too large a number", where(), value));
    return add(static_cast<std::int64_t>(value));
  }
  bool number_float(double, const std::string& text) override {
    throw IoError(fmt::format("{}: expected an integer, found {}", where(), in_quotes(text)));
  }
  bool binary(json::binary_t&) override { throw IoError(where() + ": found bytes"); }
  bool string(std::string& text) override {
    budget_.take(text.size());
    return add(std::move(text));
  }

  bool start_object(std::size_t) override { return open<Json::Object>(); }
  bool key(std::string& text) override {
    budget_.take(2 * (text.size() + around_value));
    if (!levels_.back().keys.insert(text).second)
      throw IoError(fmt::format("the key {} is there twice", in_quotes(text)));
    std::get<Json::Object>(levels_.back().json->value).emplace_back().name = std::move(text);
    return true;
  }
  bool end_object() override { return close(); }
  bool start_array(std::size_t) override { return open<Json::List>(); }
  bool end_array() override { return close(); }

  bool parse_error(std::size_t position, const std::string&, const nlohmann::detail::exception&) override {
    constexpr std::size_t enough = 16;
    const std::size_t at = std::min(std::max<std::size_t>(position, 1) - 1, text_.size());
    const std::string_view rest = text_.substr(at, enough);
    throw IoError(fmt::format("byte {} of the program: expected JSON, found {}", at,
                              rest.empty() ? "its end" : in_quotes(rest)));
  }

 private:
  struct Level {
    Json* json;
    std::unordered_set<std::string> keys = {};
  };

  [[nodiscard]] std::string where() const {
    for (auto level = levels_.rbegin(); level != levels_.rend(); ++level) {
      const auto* object = std::get_if<Json::Object>(&level->json->value);
      if (object != nullptr && !object->empty()) return in_quotes(object->back().name);
    }
    return "the program";
  }

  /// Where the next value goes.
  Json& place() {
    if (levels_.empty()) return result;
    if (auto* list = std::get_if<Json::List>(&levels_.back().json->value)) return list->emplace_back();
    return std::get<Json::Object>(levels_.back().json->value).back().value;
  }
  template <class T>
  bool add(T value) {
    budget_.take(2 * around_value);  // a list that grows has two for a moment
    place().value.emplace<T>(std::move(value));
    return true;
  }
  template <class T>
  bool open() {
    if (levels_.size() == most_levels)
      throw IoError(fmt::format("{}: lists are nested deeper than {}", where(), most_levels));
    budget_.take(2 * around_value);
    Json& at = place();
    at.value.emplace<T>();
    levels_.push_back({&at});  // it stays there, for nothing is added beside it before it is closed
    return true;
  }
  bool close() {
    levels_.pop_back();
    return true;
  }

  std::string_view text_;
  MemoryBudget& budget_;
  std::vector<Level> levels_;
};

std::string json_string(std::string_view text) {
  try {
    return json(text).dump();
  } catch (const json::exception&) {
    throw ValueError(fmt::format("{} is not UTF-8", in_quotes(text)));
  }
}

struct Writer {
  std::string text;

  void operator()(std::nullptr_t) { text += "null"; }
  void operator()(bool value) { text += value ? "true" : "false"; }
  void operator()(std::int64_t value) { text += fmt::format("{}", value); }
  void operator()(const std::string& value) { text += json_string(value); }
  void operator()(const Json::List& list) {
    text += '[';
    for (const Json& each : list) {
      if (&each != &list.front()) text += ',';
      std::visit(*this, each.value);
    }
    text += ']';
  }
  void operator()(const Json::Object& object) {
    text += '{';
    for (const auto& member : object) {
      if (&member != &object.front()) text += ',';
      text += json_string(member.name) + ':';
      std::visit(*this, member.value.value);
    }
    text += '}';
  }
};

}  // namespace

Json parse_json(std::string_view text, MemoryBudget& budget) {
  Builder builder(text, budget);
  json::sax_parse(text.begin(), text.end(), &builder);
  return std::move(builder.result);
}

std::string to_text(const Json& json) {
  Writer writer;
  std::visit(writer, json.value);
  return std::move(writer.text);
}

std::string_view kind_of(const Json& json) {
  constexpr std::string_view kinds[] = {"nothing", "true or false", "a number",
                                        "text",    "a list",        "an object"};
  return kinds[json.value.index()];
}

}  // namespace xtgrad::v1::detail
