#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>
#include <numbers>
#include <string>
#include <vector>

#include "tests/support/message_of.h"
#include "tests/support/program.h"
#include "xtgrad/plot/plot.h"
#include "xtgrad/xtgrad.h"

using namespace xtgrad;
using namespace xtgrad::testing;

#ifndef XTGRAD_HAS_CAIRO

TEST_CASE("without Cairo the pictures say what is missing") {
  CHECK_FALSE(plot::available());
  const auto refuses = [](const std::string& function, const auto& call) {
    CHECK(message_of([&] {
            call();
            return 0;
          }) ==
          function + ": this program was built without Cairo: install libcairo2-dev and configure again");
  };
  const std::vector<plot::EpochScores> epochs{{1, 2, 0.5, 2, 0.5}};
  const plot::Canvas page({.width = 10, .height = 10});
  refuses("draw_learning_curves", [&] { (void)plot::draw_learning_curves(epochs); });
  refuses("draw_filters", [] { (void)plot::draw_filters(ones({1, 1, 2, 2})); });
  refuses("draw_feature_maps", [] { (void)plot::draw_feature_maps({}); });
  refuses("draw_confusion_matrix", [] { (void)plot::draw_confusion_matrix(eye(2)); });
  refuses("draw_mistakes", [] { (void)plot::draw_mistakes({}); });
  refuses("draw_charts", [] { (void)plot::draw_chart({}); });
  refuses("draw_images", [] { (void)plot::draw_images(ones({1, 2, 2})); });
  refuses("draw_heat_map", [] { (void)plot::draw_heat_map({.values = ones({2, 2})}); });
  refuses("beside", [&] { (void)plot::beside(std::vector<plot::Canvas>{page}); });
  refuses("text_width", [] { (void)plot::text_width("a", {}); });
  refuses("to_svg", [&] { (void)plot::to_svg(page); });
  refuses("to_animated_svg", [&] { (void)plot::to_animated_svg(std::vector<plot::Canvas>{page}); });
  refuses("save", [&] { plot::save(page, "a.png"); });
  CHECK_FALSE(std::filesystem::exists("a.png"));
  // What needs no drawing is there all the same.
  CHECK(plot::grid_points({.per_row = 2, .rows = 2}).shape() == Shape{4, 2});
  const Tensor labels = tensor({0, 1}, {.dtype = int64});
  CHECK(plot::numbers(plot::count_confusions({labels, labels}, 2)) == std::vector<double>{1, 0, 0, 1});
}

#else

#include <string>
#include <vector>

#include "tests/plot/pages.h"
#include "xtgrad/plot/style.h"

TEST_CASE("the learning curves leave out what was not measured") {
  const Folder folder;
  std::vector<plot::EpochScores> epochs{{.epoch = 1, .loss = 2, .accuracy = 0.5}};
  plot::save(plot::draw_learning_curves(epochs), folder / "one.svg");
  std::string svg = file_text(folder / "one.svg");
  CHECK(is_well_formed(svg));
  CHECK(contains(svg, ">epoch</text>"));
  CHECK(contains(svg, ">cross-entropy (nats)</text>"));
  CHECK(contains(svg, ">correct (%)</text>"));
  CHECK_FALSE(contains(svg, ">validation</text>"));

  epochs.push_back({2, 0.02, 1, 0.5, 0.75});
  plot::save(plot::draw_learning_curves(epochs), folder / "two.svg");
  svg = file_text(folder / "two.svg");
  CHECK(contains(svg, ">validation</text>"));
  CHECK(contains(svg, ">0.1</text>"));  // of a logarithmic axis, for the losses span a factor of 100
  plot::save(plot::draw_learning_curves(epochs, {.logarithmic = false}), folder / "linear.svg");
  CHECK_FALSE(contains(file_text(folder / "linear.svg"), ">0.1</text>"));
  plot::save(plot::draw_learning_curves(epochs, {.loss = "half squared distance"}), folder / "distance.svg");
  svg = file_text(folder / "distance.svg");
  CHECK(contains(svg, ">half squared distance</text>"));
  CHECK_FALSE(contains(svg, "entropy"));
  CHECK_THROWS_WITH_AS((void)plot::draw_learning_curves({}), "draw_learning_curves: needs an epoch: got none",
                       ValueError);
  // No accuracy at all, as of a regression: no axis for it.
  epochs = {{.epoch = 1, .loss = 2, .validation_loss = 3}, {.epoch = 2, .loss = 1, .validation_loss = 2}};
  plot::save(plot::draw_learning_curves(epochs), folder / "loss.svg");
  svg = file_text(folder / "loss.svg");
  CHECK_FALSE(contains(svg, ">correct (%)</text>"));
  CHECK_FALSE(contains(svg, ">Accuracy</text>"));
  CHECK(contains(svg, ">validation</text>"));
  epochs[1].validation_accuracy = 0.5;
  plot::save(plot::draw_learning_curves(epochs), folder / "both.svg");
  CHECK(contains(file_text(folder / "both.svg"), ">correct (%)</text>"));
  // Losses that are all infinite: an empty chart, but a chart.
  epochs = {{1, inf, 0.1, nan, nan}};
  plot::save(plot::draw_learning_curves(epochs), folder / "lost.png");
  CHECK(Image(folder / "lost.png").width == 1040);
}

TEST_CASE("the axes of learning curves leave no room empty, and none to the first epochs' accuracies") {
  const Folder folder;
  const auto drawn = [&](const std::vector<plot::EpochScores>& epochs) {
    plot::save(plot::draw_learning_curves(epochs), folder / "curves.svg");
    return file_text(folder / "curves.svg");
  };
  const auto has = [](const std::string& svg, const std::string& label) {
    return contains(svg, ">" + label + "</text>");
  };
  std::vector<plot::EpochScores> epochs;
  double rest = 1;
  double loss = 2;
  for (int i = 1; i <= 20; ++i) {
    rest *= 0.6;
    loss *= 0.72;
    epochs.push_back({i, loss + 0.004, 1 - 0.55 * rest, 1.2 * loss + 0.02, 0.988 - 0.55 * rest});
  }
  // Losses from 0.0067 to 1.7: the powers of ten around them would take three decades, not two and a half.
  std::string svg = drawn(epochs);
  for (const std::string label : {"0.01", "0.1", "1", "85", "90", "95", "100"})
    CHECK_MESSAGE(has(svg, label), label);
  for (const std::string label : {"0.001", "10", "0", "50", "60", "105"}) {
    CHECK_MESSAGE((label == "10" || !has(svg, label)), label);  // 10 is an epoch
  }

  // Few epochs, accuracies that hardly change, or fall at last, are shown as they are.
  const std::vector<plot::EpochScores> few(epochs.begin(), epochs.begin() + 4);
  CHECK(has(drawn(few), "60"));
  for (plot::EpochScores& scores : epochs) scores.accuracy = scores.validation_accuracy = 0.9;
  CHECK(has(drawn(epochs), "90"));
  for (std::size_t i = 0; i < epochs.size(); ++i) {
    epochs[i].accuracy = epochs[i].validation_accuracy = i == 19 ? 0.1 : 0.9;
  }
  CHECK(has(drawn(epochs), "20"));
  // Losses that do not reach far, with zero near and not near; and one loss alone.
  for (std::size_t i = 0; i < epochs.size(); ++i) {
    epochs[i].loss = epochs[i].validation_loss = 1.9 / (1 + static_cast<double>(i));
  }
  CHECK(has(drawn(epochs), "0.0"));
  for (std::size_t i = 0; i < epochs.size(); ++i) {
    epochs[i].loss = epochs[i].validation_loss = 2.3 - 0.001 * static_cast<double>(i);
  }
  svg = drawn(epochs);
  CHECK_FALSE(has(svg, "0.0"));
  CHECK(has(svg, "2.300"));
  for (plot::EpochScores& scores : epochs) scores.loss = scores.validation_loss = 1;
  CHECK(is_well_formed(drawn(epochs)));
}

TEST_CASE("filters are coloured about zero") {
  const Folder folder;
  plot::save(plot::draw_filters(reshape(tensor({-4, 0, 2, 4}), {1, 1, 2, 2})), folder / "one.png");
  const Image one(folder / "one.png");
  // 84 points are 168 pixels: 84 by 84 for each weight, less what the frame covers.
  for (const double share : {0.0, 0.5, 0.75, 1.0}) CHECK(one.count(plot::diverging_map(share)) > 80 * 80);

  plot::save(plot::draw_filters(zeros({64, 3, 5, 5}, {.dtype = float64})), folder / "zero.png");
  CHECK(Image(folder / "zero.png").count({128, 128, 128}) > 64 * 40 * 40);
  plot::save(plot::draw_filters(ones({2, 5, 3, 3})), folder / "deep.svg");
  CHECK(contains(file_text(folder / "deep.svg"),
                 ">a row for each filter, a column for each of 5 channels</text>"));
  plot::save(plot::draw_filters(ones({2, 5, 3, 3}), {.title = "The first layer"}), folder / "named.svg");
  CHECK(contains(file_text(folder / "named.svg"), ">The first layer</text>"));
  CHECK(contains(file_text(folder / "named.svg"),
                 ">2 filters of 3 × 3; a row for each filter, a column for each of 5 channels</text>"));

  // Of three channels each weight is a part of a colour, and each part has a bar.
  plot::save(plot::draw_filters(ones({2, 3, 3, 3})), folder / "color.svg");
  const std::string color = file_text(folder / "color.svg");
  for (const std::string& text : std::vector<std::string>{
           ">a colour mixes red, green and blue weights, grey: all 0</text>", ">red weight</text>",
           ">green weight</text>", ">blue weight</text>", ">−1</text>", ">0</text>"}) {
    CHECK_MESSAGE(contains(color, text), text);
  }
  plot::save(plot::draw_filters(reshape(tensor({2, 0, 0}), {1, 3, 1, 1})), folder / "red.png");
  CHECK(Image(folder / "red.png").count({255, 128, 128}) > 160 * 160);

  CHECK_THROWS_WITH_AS((void)plot::draw_filters(ones({3, 3})),
                       "draw_filters: weight must be [out, in, kh, kw], none of them 0: got [3, 3]",
                       ShapeError);
  CHECK_THROWS_WITH_AS((void)plot::draw_filters(ones({0, 1, 3, 3})),
                       "draw_filters: weight must be [out, in, kh, kw], none of them 0: got [0, 1, 3, 3]",
                       ShapeError);
  CHECK_THROWS_WITH_AS(
      (void)plot::draw_filters(ones({100, 50, 1, 1})),
      "draw_filters: weight [100, 50, 1, 1] has 5000 pictures, at most 4096 fit on a page: slice it",
      ValueError);
}

TEST_CASE("feature maps stand beside their image") {
  const Folder folder;
  const Tensor maps = tensor({{{0, 1}, {2, 4}}, {{0, 0}, {0, 0}}}, {.requires_grad = true});
  plot::save(plot::draw_feature_maps({.image = ones({3, 4, 4}), .maps = maps}), folder / "maps.png");
  const Image image(folder / "maps.png");
  CHECK(image.count(plot::heat_map(0)) > 5 * 80 * 80);
  CHECK(image.count(plot::heat_map(1)) > 80 * 80);
  plot::save(plot::draw_feature_maps({.image = ones({3, 4, 4}), .maps = maps},
                                     {.title = "After the first stage", .note = "relu"}),
             folder / "named.svg");
  CHECK(contains(file_text(folder / "named.svg"), ">After the first stage</text>"));
  CHECK(contains(file_text(folder / "named.svg"), ">2 feature maps of 2 × 2; relu</text>"));
  plot::save(plot::draw_feature_maps({.image = ones({1, 4, 4}), .maps = maps * -1}), folder / "signed.png");
  CHECK(Image(folder / "signed.png").count(plot::neutral) > 5 * 80 * 80);
  CHECK_THROWS_WITH_AS((void)plot::draw_feature_maps({.image = ones({2, 4, 4}), .maps = maps}),
                       "draw_feature_maps: image must be [1, h, w] or [3, h, w]: got [2, 4, 4]", ShapeError);
  CHECK_THROWS_WITH_AS((void)plot::draw_feature_maps({.image = ones({1, 4, 4}), .maps = ones({4, 4})}),
                       "draw_feature_maps: maps must be [maps, h, w], none of them 0: got [4, 4]",
                       ShapeError);
}

TEST_CASE("confusions are counted by true and predicted class") {
  const Tensor truth = tensor({0, 1, 1, 2, 2, 2}, {.dtype = int64});
  const Tensor predicted = tensor({0, 1, 0, 2, 1, 1}, {.dtype = int64});
  const Tensor counts = plot::count_confusions({truth, predicted}, 3);
  const std::vector<std::int64_t> expected{1, 0, 0, 1, 1, 0, 0, 2, 1};
  CHECK(std::ranges::equal(counts.data<std::int64_t>(), expected));
  CHECK_THROWS_WITH_AS((void)plot::count_confusions({truth, predicted}, 2),
                       "count_confusions: a label is outside of 2 classes: 2", ValueError);
  CHECK_THROWS_WITH_AS((void)plot::count_confusions({truth, predicted}, 0),
                       "count_confusions: classes must be 1 or more: got 0", ValueError);
  CHECK_THROWS_WITH_AS((void)plot::count_confusions({truth, ones({6})}, 3),
                       "count_confusions: labels must be int64: got float32", DtypeError);
  CHECK_THROWS_WITH_AS((void)plot::count_confusions({truth, tensor({1}, {.dtype = int64})}, 3),
                       "count_confusions: truth and predicted differ in length: 6 and 1", ShapeError);
  CHECK_THROWS_WITH_AS((void)plot::count_confusions({reshape(truth, {2, 3}), predicted}, 3),
                       "count_confusions: labels must be a vector: got [2, 3]", ShapeError);
}

TEST_CASE("larger counts of a confusion matrix are darker, and zeros are left out") {
  const std::vector<std::string> names{"a", "b", "c"};
  const plot::Canvas canvas =
      plot::draw_confusion_matrix(tensor({{90, 1, 9}, {0, 50, 50}, {0, 0, 0}}, {.dtype = int64}), names);
  const std::vector<plot::Box> cells = all<plot::Box>(canvas);
  REQUIRE(cells.size() == 5);
  CHECK(brightness(cells[2].fill) < brightness(cells[1].fill));
  CHECK(brightness(cells[0].fill) < brightness(cells[3].fill));  // a recall of 90% and one of 50%
  CHECK(cells[0].rect.y == cells[2].rect.y);
  CHECK(cells[2].rect.x == cells[4].rect.x);
  CHECK(cells[0].rect.bottom() == cells[3].rect.y);
  CHECK(has_text(canvas, "90.0%"));
  CHECK(has_text(canvas, "50.0%"));
  CHECK(has_text(canvas, "–"));  // a class without samples has no recall
  CHECK_FALSE(has_text(canvas, "0"));
  CHECK(has_text(canvas, "140 of 200 right (70.0%); darker: more of the row; blue: right, orange: wrong"));
  // Half of a row is as dark in its colour as another half: one scale.
  const double half = std::numbers::sqrt2 / 2;
  CHECK(cells[3].fill == plot::mix(plot::white, {8, 80, 150}, half));
  CHECK(cells[4].fill == plot::mix(plot::white, {190, 70, 0}, half));

  const Folder folder;
  plot::save(canvas, folder / "matrix.png");
  const Image image(folder / "matrix.png");
  for (const plot::Box& cell : cells) {
    const int x = static_cast<int>(cell.rect.x * plot::pixels_per_point) + 6;
    const int y = static_cast<int>(cell.rect.y * plot::pixels_per_point) + 6;
    CHECK(image.at(x, y) == cell.fill);
  }
}

TEST_CASE("a confusion matrix checks its counts and names") {
  const Folder folder;
  const std::vector<std::string> names{"<tag>", "R&D"};
  plot::save(plot::draw_confusion_matrix(tensor({{3, 1}, {0, 2}}), names), folder / "names.svg");
  const std::string svg = file_text(folder / "names.svg");
  CHECK(is_well_formed(svg));
  CHECK(contains(svg, ">&lt;tag&gt;</text>"));
  CHECK(contains(svg, ">R&amp;D</text>"));
  CHECK(contains(svg, ">true class</text>"));
  CHECK(contains(svg, ">predicted class</text>"));
  plot::save(plot::draw_confusion_matrix(ones({1, 1})), folder / "single.png");
  plot::save(plot::draw_confusion_matrix(zeros({3, 3}, {.dtype = int64})), folder / "empty.svg");
  CHECK(contains(file_text(folder / "empty.svg"), ">no samples</text>"));
  plot::save(plot::draw_confusion_matrix(eye(50)), folder / "many.png");
  CHECK(Image(folder / "many.png").width > 1500);

  const auto draw_counts = [&](const Tensor& counts) {
    plot::save(plot::draw_confusion_matrix(counts, names), folder / "a.png");
  };
  CHECK_THROWS_WITH_AS(draw_counts(ones({2, 3})),
                       "draw_confusion_matrix: counts must be [classes, classes]: got [2, 3]", ShapeError);
  CHECK_THROWS_WITH_AS(draw_counts(ones({0, 0})),
                       "draw_confusion_matrix: counts must be [classes, classes]: got [0, 0]", ShapeError);
  CHECK_THROWS_WITH_AS(draw_counts(ones({3, 3})),
                       "draw_confusion_matrix: names and classes differ in number: 2 names, 3 classes",
                       ShapeError);
  CHECK_THROWS_WITH_AS(draw_counts(full({2, 2}, 0.5)),
                       "draw_confusion_matrix: a count is a whole number, 0 or more: got 0.5", ValueError);
  CHECK_THROWS_WITH_AS(draw_counts(full({2, 2}, -1)),
                       "draw_confusion_matrix: a count is a whole number, 0 or more: got -1", ValueError);
  CHECK_THROWS_AS(draw_counts(full({2, 2}, nan)), ValueError);
}

TEST_CASE("mistakes are found and shown with both labels") {
  const Folder folder;
  const Tensor truth = tensor({0, 1, 2, 1}, {.dtype = int64});
  const Tensor predicted = tensor({0, 2, 2, 0}, {.dtype = int64});
  const std::vector<std::string> names{"zero", "<one>", "two"};
  plot::save(plot::draw_mistakes({.images = ones({4, 1, 8, 8}), .labels = {truth, predicted}}, names),
             folder / "some.svg");
  std::string svg = file_text(folder / "some.svg");
  CHECK(is_well_formed(svg));
  CHECK(contains(svg, ">2 mistakes in 4 test images</text>"));
  CHECK(contains(svg, ">true: &lt;one&gt;</text>"));
  CHECK(contains(svg, ">got: two</text>"));
  CHECK(contains(svg, ">got: zero</text>"));

  plot::save(plot::draw_mistakes({.images = ones({4, 8, 8}), .labels = {truth, predicted}, .limit = 1}),
             folder / "first.svg");
  svg = file_text(folder / "first.svg");
  CHECK(contains(svg, ">the first 1: the true label, and what it was taken for</text>"));
  CHECK(contains(svg, ">got: 2</text>"));
  CHECK_FALSE(contains(svg, ">got: 0</text>"));

  plot::save(plot::draw_mistakes({.images = ones({4, 8, 8}), .labels = {truth, truth}}), folder / "none.svg");
  CHECK(contains(file_text(folder / "none.svg"), ">every one of 4 test images got the right label</text>"));
  const Tensor no_labels = zeros({0}, {.dtype = int64});
  plot::save(plot::draw_mistakes({.images = ones({0, 8, 8}), .labels = {no_labels, no_labels}}),
             folder / "empty.svg");
  CHECK(contains(file_text(folder / "empty.svg"), ">there were no test images</text>"));

  // The second image, not the first, and in its colours.
  const Tensor color = reshape(tensor({0, 0, 0, 1, 0, 0}), {2, 3, 1, 1});
  const Tensor zero_one = tensor({0, 1}, {.dtype = int64});
  plot::save(plot::draw_mistakes({.images = color, .labels = {zero_one, tensor({0, 0}, {.dtype = int64})}}),
             folder / "red.png");
  CHECK(Image(folder / "red.png").count({255, 0, 0}) > 140 * 140);
}

TEST_CASE("mistakes check shapes and labels") {
  const Tensor labels = tensor({0, 1}, {.dtype = int64});
  const std::vector<std::string> names{"zero"};
  CHECK_THROWS_WITH_AS((void)plot::draw_mistakes({.images = ones({2, 64}), .labels = {labels, labels}}),
                       "draw_mistakes: images must be [n, h, w] or [n, channels, h, w]: got [2, 64]",
                       ShapeError);
  CHECK_THROWS_WITH_AS(
      (void)plot::draw_mistakes({.images = ones({3, 8, 8}), .labels = {labels, labels}}),
      "draw_mistakes: images and labels differ in number: images are [3, 8, 8], labels are [2]", ShapeError);
  CHECK_THROWS_WITH_AS(
      (void)plot::draw_mistakes({.images = ones({2, 8, 8}), .labels = {labels, labels}}, names),
      "draw_mistakes: a label is outside of 1 classes: 1", ValueError);
  CHECK_THROWS_WITH_AS(
      (void)plot::draw_mistakes({.images = ones({2, 8, 8}), .labels = {labels, labels}, .limit = 0}),
      "draw_mistakes: limit must be 1 or more: got 0", ValueError);
  CHECK_THROWS_WITH_AS((void)plot::draw_mistakes(
                           {.images = ones({2, 2, 8, 8}), .labels = {labels, zeros({2}, {.dtype = int64})}}),
                       "to_pixels: an image has 1 channel or 3: got 2", ShapeError);
}

#endif
