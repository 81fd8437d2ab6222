#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "xtgrad/autograd/dtype.h"
#include "xtgrad/autograd/scalar.h"
#include "xtgrad/autograd/shape.h"
#include "xtgrad/autograd/size2d.h"

namespace xtgrad { inline namespace XTGRAD_PUBLIC v1 {

/// What an attribute of an operation can be.
using AttributeValue =
    std::variant<bool, std::int64_t, double, std::string, std::vector<std::int64_t>, std::vector<double>>;

namespace detail {
template <class T>
inline constexpr bool is_optional = false;
template <class T>
inline constexpr bool is_optional<std::optional<T>> = true;
}  // namespace detail

/// The visitor of an operation's attributes. An operation names each of its fields once, in `describe`, and
/// equality and text follow from that; a visitor may also set the fields:
///
///   void describe(Attributes& a) override { a("axis", axis_); a("keepdim", keepdim_); }
class Attributes {
 public:
  virtual ~Attributes() = default;

  /// Visits a field: bool, an integer, double, Scalar, std::string, Dtype, Shape, Dims, Size2d, a vector of
  /// int64 or of double, or an optional of one.
  template <class T>
  void operator()(std::string_view name, T& field) {
    AttributeValue value = to_value(field);
    if (visit(name, value, false)) field = from_value<T>(value);
  }
  /// As above; text leaves the field out where it has its usual value.
  template <class T>
  void operator()(std::string_view name, T& field, const std::type_identity_t<T>& usual) {
    AttributeValue value = to_value(field);
    if (visit(name, value, field == usual)) field = from_value<T>(value);
  }

 protected:
  /// Returns true if it has put another value there, which then becomes the field's.
  virtual bool visit(std::string_view name, AttributeValue& value, bool is_usual) = 0;

 private:
  template <class T>
  static constexpr bool is_list =
      std::is_same_v<T, std::vector<std::int64_t>> || std::is_same_v<T, std::vector<double>>;

  template <class T>
  static AttributeValue to_value(const T& field) {
    if constexpr (std::is_same_v<T, bool> || is_list<T>) {
      return field;
    } else if constexpr (std::is_same_v<T, Dtype>) {
      return std::string(to_string(field));
    } else if constexpr (std::is_integral_v<T>) {
      return static_cast<std::int64_t>(field);
    } else if constexpr (std::is_floating_point_v<T>) {
      return static_cast<double>(field);
    } else if constexpr (std::is_same_v<T, Scalar>) {
      return field.is_integer() ? AttributeValue(field.to_int64()) : AttributeValue(field.to_double());
    } else if constexpr (std::is_same_v<T, Size2d>) {
      return std::vector<std::int64_t>{field.height, field.width};
    } else if constexpr (std::is_same_v<T, Shape> || std::is_same_v<T, Dims>) {
      return std::vector<std::int64_t>(field.begin(), field.end());
    } else if constexpr (detail::is_optional<T>) {
      return field ? to_value(*field) : AttributeValue(std::string("none"));
    } else {
      return std::string(field);
    }
  }

  template <class T>
  static T from_value(const AttributeValue& value) {
    if constexpr (std::is_same_v<T, bool>) {
      return std::get<bool>(value);
    } else if constexpr (std::is_same_v<T, Dtype>) {
      return parse_dtype(std::get<std::string>(value));
    } else if constexpr (std::is_integral_v<T>) {
      return static_cast<T>(std::get<std::int64_t>(value));
    } else if constexpr (std::is_floating_point_v<T>) {
      return static_cast<T>(std::get<double>(value));
    } else if constexpr (std::is_same_v<T, Scalar>) {
      const auto* integer = std::get_if<std::int64_t>(&value);
      return integer != nullptr ? Scalar(*integer) : Scalar(std::get<double>(value));
    } else if constexpr (std::is_same_v<T, Size2d>) {
      const auto& sizes = std::get<std::vector<std::int64_t>>(value);
      return Size2d(sizes.at(0), sizes.at(1));
    } else if constexpr (is_list<T>) {
      return std::get<T>(value);
    } else if constexpr (std::is_same_v<T, Shape> || std::is_same_v<T, Dims>) {
      return T(std::span<const std::int64_t>(std::get<std::vector<std::int64_t>>(value)));
    } else if constexpr (detail::is_optional<T>) {
      const auto* text = std::get_if<std::string>(&value);
      if (text != nullptr && *text == "none") return std::nullopt;
      return from_value<typename T::value_type>(value);
    } else {
      return T(std::get<std::string>(value));
    }
  }
};

}}  // namespace xtgrad::v1
