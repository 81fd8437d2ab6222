#include "xtgrad/training/progress_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <string_view>

namespace xtgrad::inline v1::training::detail {
namespace {

constexpr int longest_bar = 30;
constexpr int shortest_bar = 5;  // below this it says nothing, and the numbers need the room

/// The time that is left, for the end of a line; nothing if it is so short that it says nothing.
std::string left_text(double seconds, std::string_view separator) {
  constexpr double least = 2;
  return seconds < least ? std::string() : fmt::format("{}{} left", separator, duration(seconds));
}

/// "loss 0.0831", "validation accuracy 0.9812" and so on, each with `separator` after it.
std::string value_text(std::span<const NamedValue> values, std::string_view separator) {
  std::string text;
  for (const auto& [name, value] : values) {
    std::string words = name;
    std::ranges::replace(words, '_', ' ');
    text += fmt::format("{} {:.4f}{}", words, value, separator);
  }
  return text;
}

}  // namespace

std::string duration(double seconds) {
  const auto whole = static_cast<std::int64_t>(std::ceil(std::max(seconds, 0.0)));
  if (whole < 60) return fmt::format("{} s", whole);
  if (whole < 3600) return fmt::format("{} min {} s", whole / 60, whole % 60);
  return fmt::format("{} h {} min", whole / 3600, whole / 60 % 60);
}

std::string bar_line(const BarState& state, int width) {
  const std::string head = fmt::format("epoch {}/{} ", state.epoch, state.epochs);
  const std::string tail = fmt::format("{}{:.0f} samples/s{}", value_text(state.values, "  "),
                                       state.samples_per_second, left_text(state.seconds_left, "  "));
  const int room = width - static_cast<int>(head.size() + tail.size() + std::string_view("[] ").size());
  std::string bar;
  if (room >= shortest_bar) {
    const int cells = std::min(room, longest_bar);
    const int full = std::clamp(static_cast<int>(std::lround(state.done * cells)), 0, cells);
    bar = fmt::format("[{:#<{}}{:.<{}}] ", "", full, "", cells - full);
  }
  std::string line = head + bar + tail;
  line.resize(std::min(line.size(), static_cast<std::size_t>(std::max(width, 0))));
  return line;
}

std::string epoch_line(const EpochRecord& record, std::int64_t epochs, double seconds_left) {
  return fmt::format("epoch {}/{}: {}{:.0f} samples/s{}", record.epoch, epochs,
                     value_text(record.values, ", "), record.samples_per_second,
                     left_text(seconds_left, ", "));
}

}  // namespace xtgrad::v1::training::detail
