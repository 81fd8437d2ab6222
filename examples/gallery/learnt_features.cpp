#include "learnt_features.h"

#include <xtgrad/plot/plot.h>

#include <cstddef>

#include "small_conv_net.h"

namespace gallery {

Accuracies by_features(Page& page, const Parts& parts, std::int64_t epochs) {
  const Shape sample = parts.train.sample_shape();
  nn::ConvNet net({.in_channels = sample[0],
                   .image = {sample[1], sample[2]},
                   .channels = {16, 32},
                   .hidden = {64},
                   .batch_norm = true,
                   .dropout = 0.2});
  train(net, parts.train, epochs);
  const Tensor samples = features(net, parts.train);
  const std::size_t chosen = best(percent_right(samples, parts.train.labels(),
                                                features(net, parts.validation), parts.validation.labels()));
  Accuracies outcome{.name = parts.name};
  outcome.features =
      percent_right(samples, parts.train.labels(), features(net, parts.test), parts.test.labels())[chosen];
  outcome.net = accuracy(net, parts.test);
  page.number(parts.name + ": test accuracy by features (%)", outcome.features);
  page.number(parts.name + ": test accuracy of the net (%)", outcome.net);
  return outcome;
}

void draw_gain(Page& page, const std::vector<Accuracies>& outcomes) {
  plot::Chart chart{.title = "Test images told right",
                    .y = {.label = "correct (%)", .range = plot::Range{0, 112}}};
  plot::Bars pixels{.label = "neighbours by pixels", .values = true};
  plot::Bars features{.label = "neighbours by features", .values = true};
  plot::Bars net{.label = "the net itself", .values = true};
  for (const Accuracies& outcome : outcomes) {
    chart.x.categories.push_back(title_of(outcome.name));
    pixels.heights.push_back(outcome.pixels);
    features.heights.push_back(outcome.features);
    net.heights.push_back(outcome.net);
  }
  chart.layers = {pixels, features, net};
  page.picture(
      "features.png",
      "Neighbours among the 64 numbers that a conv net's last layer but one makes of an image, beside those "
      "among its pixels. What is near in features is alike; the net has learnt them for that.",
      plot::draw_chart(chart, {.width = 640, .height = 320}));
}

}  // namespace gallery
