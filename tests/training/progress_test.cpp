#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "xtgrad/training/progress_text.h"

using namespace xtgrad;
using training::detail::bar_line;
using training::detail::BarState;
using training::detail::duration;
using training::detail::epoch_line;

TEST_CASE("durations are told in the units that matter, rounded up") {
  CHECK(duration(-1) == "0 s");
  CHECK(duration(0) == "0 s");
  CHECK(duration(0.2) == "1 s");
  CHECK(duration(59.5) == "1 min 0 s");
  CHECK(duration(125) == "2 min 5 s");
  CHECK(duration(3600 * 25 + 60) == "25 h 1 min");
}

TEST_CASE("the bar fits its terminal") {
  const std::vector<training::NamedValue> values{{"loss", 0.08314}, {"accuracy", 0.98124}};
  const BarState state{.epoch = 12,
                       .epochs = 40,
                       .done = 0.3,
                       .values = values,
                       .samples_per_second = 41300.4,
                       .seconds_left = 2.2};
  const std::string tail = "loss 0.0831  accuracy 0.9812  41300 samples/s  3 s left";
  CHECK(bar_line(state, 200) == "epoch 12/40 [#########.....................] " + tail);
  CHECK(bar_line(state, 80) == "epoch 12/40 [###.......] " + tail);
  CHECK(bar_line(state, 75) == "epoch 12/40 [##...] " + tail);
  CHECK(bar_line(state, 74) == "epoch 12/40 " + tail);  // no bar rather than a useless one
  CHECK(bar_line(state, 20) == "epoch 12/40 loss 0.0");
  CHECK(bar_line(state, 0).empty());
  CHECK(bar_line(state, -1).empty());
}

TEST_CASE("a time that is left is told from 2 s on") {
  const training::EpochRecord record{
      .epoch = 3, .values = {{"loss", 0.5}, {"validation_accuracy", 0}}, .samples_per_second = 700};
  const std::string line = "epoch 3/4: loss 0.5000, validation accuracy 0.0000, 700 samples/s";
  CHECK(epoch_line(record, 4, 0) == line);
  CHECK(epoch_line(record, 4, 1.99) == line);
  CHECK(epoch_line(record, 4, 2) == line + ", 2 s left");
  CHECK(epoch_line(record, 4, 61.5) == line + ", 1 min 2 s left");
  const auto ends_with = [](double seconds, const std::string& end) {
    return bar_line({.epoch = 1, .epochs = 2, .seconds_left = seconds}, 200).ends_with(end);
  };
  CHECK(ends_with(1.99, " 0 samples/s"));
  CHECK(ends_with(2, " 0 samples/s  2 s left"));
}

TEST_CASE("the bar is empty at the start and full at the end") {
  CHECK(bar_line({.epoch = 1, .epochs = 2, .done = 0}, 200).find("[..............................]") !=
        std::string::npos);
  CHECK(bar_line({.epoch = 2, .epochs = 2, .done = 1}, 200).find("[##############################]") !=
        std::string::npos);
}
