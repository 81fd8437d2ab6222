#include "xtgrad/autograd/program_file/attribute_json.h"

#include <fmt/format.h>

#include <bit>
#include <charconv>
#include <cmath>
#include <limits>
#include <optional>
#include <utility>

#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/io/elements.h"

namespace xtgrad::inline v1::detail {
namespace {

constexpr std::string_view one_double = "double";
constexpr std::string_view many_doubles = "doubles";
constexpr std::string_view nan_bits = "nan:0x";
constexpr double nan = std::numeric_limits<double>::quiet_NaN();

std::string text_of(double value) {
  if (!std::isnan(value)) return fmt::format("{}", value);
  const auto bits = std::bit_cast<std::uint64_t>(value);
  return bits == std::bit_cast<std::uint64_t>(nan) ? "nan" : fmt::format("{}{:016x}", nan_bits, bits);
}

std::optional<double> double_of(std::string_view text) {
  const char* const end = text.data() + text.size();
  if (text.starts_with(nan_bits)) {
    std::uint64_t bits = 0;
    const auto [at, error] = std::from_chars(text.data() + nan_bits.size(), end, bits, 16);
    const auto value = std::bit_cast<double>(bits);
    if (error != std::errc() || at != end || !std::isnan(value)) return std::nullopt;
    return value;
  }
  if (text == "nan") return nan;
  double value = 0;
  const auto [at, error] = std::from_chars(text.data(), end, value);
  // "-nan" and "infinity" are read as well, and are not how we write.
  if (error != std::errc() || at != end || std::isnan(value) || (std::isinf(value) && !text.ends_with("inf")))
    return std::nullopt;
  return value;
}

[[noreturn]] void refuse(std::string_view attribute, std::string_view expected, std::string_view found) {
  throw IoError(fmt::format("attribute {}: expected {}, found {}", in_quotes(attribute), expected, found));
}

double double_of(std::string_view attribute, const Json& json) {
  const auto* text = std::get_if<std::string>(&json.value);
  if (text == nullptr) refuse(attribute, "a double as text", kind_of(json));
  const std::optional<double> value = double_of(*text);
  if (!value) refuse(attribute, "a double as text", in_quotes(*text));
  return *value;
}

}  // namespace

Json json_of(const AttributeValue& value) {
  struct Writer {
    Json operator()(bool v) const { return {v}; }
    Json operator()(std::int64_t v) const { return {v}; }
    Json operator()(double v) const { return {Json::Object{{std::string(one_double), {text_of(v)}}}}; }
    Json operator()(const std::string& v) const { return {v}; }
    Json operator()(const std::vector<std::int64_t>& v) const {
      Json::List list;
      for (const std::int64_t each : v) list.push_back({each});
      return {std::move(list)};
    }
    Json operator()(const std::vector<double>& v) const {
      Json::List list;
      for (const double each : v) list.push_back({text_of(each)});
      return {Json::Object{{std::string(many_doubles), {std::move(list)}}}};
    }
  };
  return std::visit(Writer{}, value);
}

AttributeValue attribute_of(std::string_view attribute, const Json& json) {
  if (const auto* v = std::get_if<bool>(&json.value)) return *v;
  if (const auto* v = std::get_if<std::int64_t>(&json.value)) return *v;
  if (const auto* v = std::get_if<std::string>(&json.value)) return *v;
  if (const auto* v = std::get_if<Json::List>(&json.value)) {
    std::vector<std::int64_t> list;
    for (const Json& each : *v) {
      const auto* number = std::get_if<std::int64_t>(&each.value);
      if (number == nullptr) refuse(attribute, "a list of integers", kind_of(each));
      list.push_back(*number);
    }
    return list;
  }
  const auto* object = std::get_if<Json::Object>(&json.value);
  if (object == nullptr || object->size() != 1) refuse(attribute, "a value", kind_of(json));
  const auto& [kind, inner] = object->front();
  if (kind == one_double) return double_of(attribute, inner);
  const auto* list = std::get_if<Json::List>(&inner.value);
  if (kind != many_doubles || list == nullptr) refuse(attribute, "a double or doubles", in_quotes(kind));
  std::vector<double> doubles;
  for (const Json& each : *list) doubles.push_back(double_of(attribute, each));
  return doubles;
}

}  // namespace xtgrad::v1::detail
