#include "xtgrad/training/progress.h"

#include <doctest/doctest.h>

#include <cstdio>
#include <memory>
#include <regex>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

#include "tests/support/program.h"
#include "tests/training/small_run.h"
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
  const std::string numbers = "loss 0.0831  accuracy 0.9812";
  const std::string tail = numbers + "  41300 samples/s  3 s left";
  CHECK(bar_line(state, 200) == "epoch 12/40 [#########.....................] " + tail);
  CHECK(bar_line(state, 80) == "epoch 12/40 [###.......] " + tail);
  CHECK(bar_line(state, 75) == "epoch 12/40 [##...] " + tail);
  // Whole parts are left out, the one that matters least first.
  CHECK(bar_line(state, 74) == "epoch 12/40 [######...............] " + numbers + "  3 s left");
  CHECK(bar_line(state, 58) == "epoch 12/40 [##...] " + numbers + "  3 s left");
  CHECK(bar_line(state, 57) == "epoch 12/40 [######...............] loss 0.0831  3 s left");
  CHECK(bar_line(state, 40) == "epoch 12/40 [####..........] loss 0.0831");
  CHECK(bar_line(state, 30) == "epoch 12/40 loss 0.0831");
  CHECK(bar_line(state, 20) == "epoch 12/40 loss 0.0");
  CHECK(bar_line(state, 0).empty());
  CHECK(bar_line(state, -1).empty());
}

TEST_CASE("the bar shows the validation's metrics, and at 60 columns whole words") {
  const std::vector<training::NamedValue> values{{"loss", 0.08314}, {"accuracy", 0.98124}};
  const std::vector<training::NamedValue> validated{{"validation_accuracy", 0.97899}, {"validation_f1", 0.5}};
  BarState state{.epoch = 12,
                 .epochs = 40,
                 .done = 0.3,
                 .values = values,
                 .validated = std::span(validated).first(1),
                 .samples_per_second = 41300.4,
                 .seconds_left = 2.2};
  const std::string accuracy = "validation accuracy 0.9790";
  CHECK(bar_line(state, 200) ==
        "epoch 12/40 [#########.....................] loss 0.0831  accuracy 0.9812  " + accuracy +
            "  41300 samples/s  3 s left");
  CHECK(bar_line(state, 79) == "epoch 12/40 [#####..........] loss 0.0831  " + accuracy + "  3 s left");
  CHECK(bar_line(state, 59) == "epoch 12/40 [##...] loss 0.0831  " + accuracy);
  state.epoch = 120;
  state.epochs = 400;
  CHECK(bar_line(state, 59) == "epoch 120/400 loss 0.0831  " + accuracy);
  CHECK(bar_line(state, 45) == "epoch 120/400 " + accuracy);
  CHECK(bar_line(state, 30) == "epoch 120/400 validation accur");
  state.validated = validated;
  CHECK(bar_line(state, 62) == "epoch 120/400 " + accuracy + "  validation f1 0.5000");
  CHECK(bar_line(state, 61) == "epoch 120/400 " + accuracy);
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

TEST_CASE("progress is a line an epoch where the output is no terminal, also of a resumed training") {
  const testing::TemporaryFolder folder;
  const std::string file = (folder.path() / "out").string();
  const auto lines_after = [&](std::int64_t first) {
    std::FILE* out = std::fopen(file.c_str(), "wb");
    REQUIRE(out != nullptr);
    training_test::SmallRun begun({std::make_shared<training_test::StopAfter>(first)});
    if (first > 0) CHECK_THROWS_AS(begun.trainer.fit(), std::runtime_error);
    {
      training_test::SmallRun run({std::make_shared<training::Progress>(out)});
      run.trainer.restore(begun.trainer.state_dict());
      run.trainer.fit();
    }
    std::fclose(out);
    return testing::lines_of(testing::file_text(file));
  };
  const std::string line =
      "/4: loss \\d\\.\\d{4}, accuracy \\d\\.\\d{4}, validation loss \\d\\.\\d{4}, validation accuracy "
      "\\d\\.\\d{4}, \\d+ samples/s";
  const std::vector<std::string> whole = lines_after(0);
  REQUIRE(whole.size() == 4);
  for (std::size_t i = 0; i < 4; ++i)
    CHECK(std::regex_match(whole[i], std::regex("epoch " + std::to_string(i + 1) + line)));
  const std::vector<std::string> resumed = lines_after(7);
  REQUIRE(resumed.size() == 2);
  CHECK(std::regex_match(resumed[0], std::regex("epoch 3" + line)));
}
