#pragma once

#include <sys/types.h>

#include <cstddef>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace xtgrad::inline v1::testing {

/// Where Chromium is, or Chrome; empty if there is none.
std::filesystem::path chromium();

/// A headless Chromium with one page open, driven by its DevTools protocol over two pipes: keys and clicks
/// come from where a user's come, and go to what is there to take them. Throws std::runtime_error for what
/// the browser refuses, and where it does not answer in a minute.
class Browser {
 public:
  /// `folder` is for the browser's profile.
  Browser(const std::filesystem::path& program, const std::filesystem::path& folder, int width, int height);
  ~Browser();
  Browser(const Browser&) = delete;
  Browser& operator=(const Browser&) = delete;

  /// Loads a page, to its end.
  void open(const std::filesystem::path& html);
  /// The value of a JavaScript expression; of a promise, what it comes to; null for undefined.
  nlohmann::json evaluate(const std::string& expression);
  /// A character, or one of ArrowLeft, ArrowUp, ArrowRight, ArrowDown, Home, End, PageUp, PageDown, Enter and
  /// Escape.
  void press(const std::string& key);
  void click(double x, double y);

 private:
  Browser() = default;
  nlohmann::json command(const std::string& method, const nlohmann::json& parameters);
  nlohmann::json next_message();

  pid_t process_ = -1;
  int to_browser_ = -1;
  int from_browser_ = -1;
  int commands_ = 0;
  std::string session_;
  std::string received_;
  std::vector<std::string> events_;  // their names
};

}  // namespace xtgrad::testing
