#pragma once

// What tests of pages look at; only where Cairo is there.

#include <cairo.h>
#include <doctest/doctest.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <limits>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "tests/support/program.h"
#include "xtgrad/plot/canvas.h"

namespace xtgrad::inline v1::testing {

namespace fs = std::filesystem;
inline constexpr double nan = std::numeric_limits<double>::quiet_NaN();
inline constexpr double inf = std::numeric_limits<double>::infinity();

struct Folder : TemporaryFolder {
  [[nodiscard]] fs::path operator/(const std::string& name) const { return path() / name; }
  [[nodiscard]] std::vector<std::string> files() const {
    std::vector<std::string> names;
    for (const auto& entry : fs::directory_iterator(path()))
      names.push_back(entry.path().filename().string());
    return names;
  }
};

/// A PNG file, decoded.
struct Image {
  explicit Image(const fs::path& path)
      : surface(cairo_image_surface_create_from_png(path.c_str()), cairo_surface_destroy) {
    REQUIRE(cairo_surface_status(surface.get()) == CAIRO_STATUS_SUCCESS);
    width = cairo_image_surface_get_width(surface.get());
    height = cairo_image_surface_get_height(surface.get());
  }
  [[nodiscard]] plot::Color at(int x, int y) const {
    const unsigned char* data = cairo_image_surface_get_data(surface.get());
    std::uint32_t word = 0;
    std::memcpy(&word, data + y * cairo_image_surface_get_stride(surface.get()) + 4 * x, sizeof word);
    return {static_cast<std::uint8_t>(word >> 16U), static_cast<std::uint8_t>(word >> 8U),
            static_cast<std::uint8_t>(word)};
  }
  [[nodiscard]] int count(plot::Color color) const {
    int found = 0;
    for (int y = 0; y < height; ++y) {
      for (int x = 0; x < width; ++x) found += at(x, y) == color ? 1 : 0;
    }
    return found;
  }
  std::unique_ptr<cairo_surface_t, void (*)(cairo_surface_t*)> surface;
  int width = 0;
  int height = 0;
};

/// True if every element is closed, in order, and nothing in it looks like a forgotten escape.
inline bool is_well_formed(const std::string& xml) {
  std::vector<std::string> open;
  for (std::size_t at = xml.find('<'); at != std::string::npos; at = xml.find('<', at + 1)) {
    const std::size_t end = xml.find('>', at);
    if (end == std::string::npos || xml.find('<', at + 1) < end) return false;
    const std::string tag = xml.substr(at + 1, end - at - 1);
    const std::string name = tag.substr(0, tag.find_first_of(" \n"));
    if (tag.starts_with('?') || tag.ends_with('/')) continue;
    if (!tag.starts_with('/')) {
      open.push_back(name);
    } else if (open.empty() || open.back() != name.substr(1)) {
      return false;
    } else {
      open.pop_back();
    }
  }
  for (std::size_t at = xml.find('&'); at != std::string::npos; at = xml.find('&', at + 1)) {
    if (xml.find(';', at) > at + 5) return false;
  }
  return open.empty();
}

/// The items of one kind, in the order in which they are drawn.
template <class Kind>
inline std::vector<Kind> all(const plot::Canvas& canvas) {
  std::vector<Kind> found;
  for (const plot::Item& item : canvas.items()) {
    if (const auto* one = std::get_if<Kind>(&item)) found.push_back(*one);
  }
  return found;
}

inline bool has_text(const plot::Canvas& canvas, const std::string& text) {
  return std::ranges::any_of(all<plot::Text>(canvas),
                             [&](const plot::Text& one) { return one.text == text; });
}

inline bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

inline int brightness(plot::Color color) { return color.red + color.green + color.blue; }

}  // namespace xtgrad::testing
