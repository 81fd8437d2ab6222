#include "xtgrad/training/progress_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <string_view>
#include <utility>
#include <vector>

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

/// What may stand behind "epoch 12/40".
struct BarParts {
  bool has_bar = true;
  std::vector<std::string> values = {};     // of training
  std::vector<std::string> validated = {};  // of validation
  std::string speed = {};
  std::string left = {};

  static constexpr int all_steps = 6;
  /// One step more with less to say, what matters least first.
  void leave_out(int step) {
    switch (step) {
      case 0:
        speed.clear();
        break;
      case 1:
        values.resize(std::min<std::size_t>(values.size(), 1));
        break;
      case 2:
        left.clear();
        break;
      case 3:
        has_bar = false;
        break;
      case 4:
        // Where nothing was validated the loss is all there is.
        if (!validated.empty()) values.clear();
        break;
      default:
        validated.resize(std::min<std::size_t>(validated.size(), 1));
        break;
    }
  }

  /// In the order of the line.
  [[nodiscard]] std::vector<std::string> texts() const {
    std::vector<std::string> all = values;
    all.insert(all.end(), validated.begin(), validated.end());
    for (const std::string& text : {speed, left}) {
      if (!text.empty()) all.push_back(text);
    }
    return all;
  }
};

std::vector<std::string> value_texts(std::span<const NamedValue> values) {
  std::vector<std::string> texts;
  for (const NamedValue& value : values) texts.push_back(value_text(std::span(&value, 1), ""));
  return texts;
}

BarParts parts_of(const BarState& state) {
  return {.values = value_texts(state.values),
          .validated = value_texts(state.validated),
          .speed = fmt::format("{:.0f} samples/s", state.samples_per_second),
          .left = left_text(state.seconds_left, "")};
}

/// How long the line is with the shortest bar, if any.
std::size_t shortest(std::string_view head, const BarParts& parts) {
  std::size_t size = head.size() + (parts.has_bar ? shortest_bar + std::string_view(" []").size() : 0);
  std::size_t separator = 1;
  for (const std::string& text : parts.texts()) size += std::exchange(separator, 2) + text.size();
  return size;
}

}  // namespace

std::string duration(double seconds) {
  const auto whole = static_cast<std::int64_t>(std::ceil(std::max(seconds, 0.0)));
  if (whole < 60) return fmt::format("{} s", whole);
  if (whole < 3600) return fmt::format("{} min {} s", whole / 60, whole % 60);
  return fmt::format("{} h {} min", whole / 3600, whole / 60 % 60);
}

std::string bar_line(const BarState& state, int width) {
  const std::string head = fmt::format("epoch {}/{}", state.epoch, state.epochs);
  BarParts parts = parts_of(state);
  const std::size_t room = static_cast<std::size_t>(std::max(width, 0));
  for (int less = 0; less < BarParts::all_steps && shortest(head, parts) > room; ++less)
    parts.leave_out(less);
  std::string line = head;
  if (parts.has_bar) {
    const auto free = static_cast<int>(room - std::min(room, shortest(head, parts)));
    const int cells = std::min(shortest_bar + free, longest_bar);
    const int full = std::clamp(static_cast<int>(std::lround(state.done * cells)), 0, cells);
    line += fmt::format(" [{:#<{}}{:.<{}}]", "", full, "", cells - full);
  }
  std::string_view separator = " ";
  for (const std::string& text : parts.texts()) {
    line.append(separator).append(text);
    separator = "  ";
  }
  line.resize(std::min(line.size(), room));
  return line;
}

std::string epoch_line(const EpochRecord& record, std::int64_t epochs, double seconds_left) {
  return fmt::format("epoch {}/{}: {}{:.0f} samples/s{}", record.epoch, epochs,
                     value_text(record.values, ", "), record.samples_per_second,
                     left_text(seconds_left, ", "));
}

}  // namespace xtgrad::v1::training::detail
