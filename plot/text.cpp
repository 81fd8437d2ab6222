#include "xtgrad/plot/text.h"

#include <cstddef>
#include <utility>

#include "xtgrad/plot/cairo.h"

namespace xtgrad::inline v1::plot {
namespace {

constexpr std::string_view replacement = "\xEF\xBF\xBD";  // U+FFFD
constexpr std::string_view ellipsis = "\xE2\x80\xA6";     // U+2026

/// Length of the character at the front of `text` if that is UTF-8 (RFC 3629), and 0 otherwise.
std::size_t character_length(std::string_view text) {
  const auto byte = [&](std::size_t i) -> unsigned {
    return i < text.size() ? static_cast<unsigned char>(text[i]) : 0;
  };
  const auto continues = [&](std::size_t i) { return (byte(i) & 0xC0U) == 0x80; };
  const unsigned first = byte(0);
  if (first < 0x80) return 1;
  // The second byte's limits keep out overlong forms, surrogates and what lies past U+10FFFF.
  if (first >= 0xC2 && first <= 0xDF) return continues(1) ? 2 : 0;
  if (first >= 0xE0 && first <= 0xEF) {
    if (first == 0xE0 && byte(1) < 0xA0) return 0;
    if (first == 0xED && byte(1) > 0x9F) return 0;
    if (first == 0xEF && byte(1) == 0xBF && byte(2) > 0xBD) return 0;  // U+FFFE and U+FFFF, which XML forbids
    return continues(1) && continues(2) ? 3 : 0;
  }
  if (first >= 0xF0 && first <= 0xF4) {
    if (first == 0xF0 && byte(1) < 0x90) return 0;
    if (first == 0xF4 && byte(1) > 0x8F) return 0;
    return continues(1) && continues(2) && continues(3) ? 4 : 0;
  }
  return 0;
}

}  // namespace

double text_width(std::string_view text, const TextStyle& style) {
  return style.size * detail::unit_text_width(clean_text(text), style.bold);
}

std::string clean_text(std::string_view text) {
  std::string clean;
  clean.reserve(text.size());
  while (!text.empty()) {
    const std::size_t length = character_length(text);
    const bool control = length == 1 && (static_cast<unsigned char>(text[0]) < 0x20 || text[0] == 0x7F);
    clean += length == 0 || control ? replacement : text.substr(0, length);
    text.remove_prefix(length == 0 ? 1 : length);
  }
  return clean;
}

std::string fit_text(std::string_view text, const TextStyle& style, double width) {
  std::string whole = clean_text(text);
  if (text_width(whole, style) <= width) return whole;
  std::string fitting(ellipsis);
  for (std::size_t length = 0; length < whole.size();) {
    length += character_length(std::string_view(whole).substr(length));
    std::string shortened = whole.substr(0, length).append(ellipsis);
    if (text_width(shortened, style) > width) break;
    fitting = std::move(shortened);
  }
  return fitting;
}

}  // namespace xtgrad::v1::plot
