#include "pictures.h"

#include <fmt/format.h>

#include <system_error>

#include "../plot/report_pictures.h"
#include "xtgrad/autograd/grad.h"
#include "xtgrad/autograd/ops.h"

namespace train {
namespace {

using xtgrad::Tensor;
namespace fs = std::filesystem;
namespace datasets = xtgrad::datasets;

std::vector<plot::EpochScores> scores_of_epochs(const std::vector<EpochRecord>& records) {
  std::vector<plot::EpochScores> scores;
  for (const EpochRecord& record : records) {
    scores.push_back({.epoch = record.epoch,
                      .loss = record.loss,
                      .accuracy = record.accuracy,
                      .validation_loss = record.validation_loss,
                      .validation_accuracy = record.validation_accuracy});
  }
  return scores;
}

/// The only image of a batch of one.
Tensor only(const Tensor& x) { return reshape(x, {x.size(1), x.size(2), x.size(3)}); }

/// The first convolution's filters, and its stage's maps of one image.
void draw_first_stage(xtgrad::nn::ConvNet& network, const Tensor& images, const fs::path& filters,
                      const fs::path& maps) {
  const xtgrad::NoGrad no_grad;
  network.eval();
  const Tensor image = slice(images, {.stop = 1});  // [1, channels, h, w]
  plot::draw_filters(filters, network.convs.front().weight);
  const Tensor stage = network.feature_maps(image, 0);  // [1, maps, h', w']
  plot::draw_feature_maps(maps, {.image = only(image), .maps = only(stage)});
}

}  // namespace

std::string draw_pictures(const Outcome& outcome, const fs::path& folder) {
  const std::vector<std::string> names{"learning_curves", "filters", "feature_maps", "confusion_matrix",
                                       "mistakes"};
  const auto file = [&](const std::string& name) { return folder / (name + ".png"); };
  std::error_code ignored;
  for (const std::string& name : names) fs::remove(file(name), ignored);
  if (!plot::available()) return "none: built without Cairo";

  const datasets::Dataset& test = outcome.test;
  const plot::Predictions labels{.truth = test.labels(), .predicted = outcome.predicted};
  plot::draw_learning_curves(file("learning_curves"), scores_of_epochs(outcome.epochs));
  plot::draw_confusion_matrix(file("confusion_matrix"), plot::count_confusions(labels, test.classes()),
                              test.class_names());
  if (test.sample_shape().rank() == 3) {
    plot::draw_mistakes(file("mistakes"), {.images = test.inputs(), .labels = labels}, test.class_names());
  }
  xtgrad::nn::ConvNet* network = outcome.classifier.conv_net();
  if (network != nullptr) {
    draw_first_stage(*network, test.inputs(), file("filters"), file("feature_maps"));
  }
  std::vector<std::string> drawn;
  for (const std::string& name : names) {
    if (fs::exists(file(name))) drawn.push_back(name + ".png");
  }
  return fmt::format("{} in {}", fmt::join(drawn, ", "), folder.string());
}

}  // namespace train
