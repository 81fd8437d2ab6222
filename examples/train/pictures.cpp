#include "pictures.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <system_error>

#include "files.h"
#include "xtgrad/autograd/grad.h"
#include "xtgrad/autograd/ops.h"
#include "xtgrad/plot/plot.h"
#include "xtgrad/training/interrupt.h"

namespace train {
namespace {

using xtgrad::Tensor;
namespace fs = std::filesystem;
namespace datasets = xtgrad::datasets;
namespace plot = xtgrad::plot;

std::vector<plot::EpochScores> scores_of_epochs(const std::vector<xtgrad::training::EpochRecord>& records) {
  std::vector<plot::EpochScores> scores;
  for (const xtgrad::training::EpochRecord& record : records) {
    scores.push_back({.epoch = record.epoch,
                      .loss = record.at("loss"),
                      .accuracy = record.at("accuracy"),
                      .validation_loss = record.at("validation_loss"),
                      .validation_accuracy = record.at("validation_accuracy")});
  }
  return scores;
}

/// The only image of a batch of one.
Tensor only(const Tensor& x) { return reshape(x, {x.size(1), x.size(2), x.size(3)}); }

/// What a stage does, in its order: "convolution, batch norm, 2 × 2 max pooling, relu".
std::string stage_text(const xtgrad::nn::ConvNetOptions& options) {
  std::vector<std::string> steps{"convolution"};
  if (options.batch_norm) steps.emplace_back("batch norm");
  if (options.pool != xtgrad::Size2d(1)) {
    steps.push_back(fmt::format("{} × {} max pooling", options.pool.height, options.pool.width));
  }
  steps.emplace_back("relu");  // the only one of this program's networks
  return fmt::format("{}", fmt::join(steps, ", "));
}

/// The first convolution's filters, and its stage's maps of one image.
void draw_first_stage(xtgrad::nn::ConvNet& network, const Tensor& images, const fs::path& folder) {
  const xtgrad::NoGrad no_grad;
  network.eval();
  const Tensor image = slice(images, {.stop = 1});  // [1, channels, h, w]
  plot::save(plot::draw_filters(network.convs.front().weight, {.title = "The first convolution's filters"}),
             path_of(Output::filters, folder));
  const Tensor stage = network.feature_maps(image, 0);  // [1, maps, h', w']
  plot::save(plot::draw_feature_maps(
                 {.image = only(image), .maps = only(stage)},
                 {.title = "Feature maps of the first stage", .note = stage_text(network.options())}),
             path_of(Output::feature_maps, folder));
}

}  // namespace

std::string draw_pictures(const Outcome& outcome, const fs::path& folder) {
  const auto file = [&](Output output) { return path_of(output, folder); };
  std::error_code ignored;
  for (const Output output : picture_outputs) fs::remove(file(output), ignored);
  if (!plot::available()) return "none: built without Cairo";

  const auto next = [] { xtgrad::training::throw_if_interrupted(); };  // no picture takes long
  next();
  const datasets::Dataset& test = outcome.test;
  const plot::Predictions labels{.truth = test.labels(), .predicted = outcome.predicted};
  plot::save(
      plot::draw_learning_curves(scores_of_epochs(outcome.epochs), {.loss = outcome.classifier.loss_name()}),
      file(Output::learning_curves));
  next();
  plot::save(plot::draw_confusion_matrix(plot::count_confusions(labels, test.classes()), test.class_names()),
             file(Output::confusion_matrix));
  next();
  if (test.sample_shape().rank() == 3) {
    plot::save(plot::draw_mistakes({.images = test.inputs(), .labels = labels}, test.class_names()),
               file(Output::mistakes));
  }
  next();
  xtgrad::nn::ConvNet* network = outcome.classifier.conv_net();
  if (network != nullptr) {
    draw_first_stage(*network, test.inputs(), folder);
  }
  std::vector<std::string> drawn;
  for (const Output output : picture_outputs) {
    if (fs::exists(file(output))) drawn.push_back(file(output).filename().string());
  }
  return fmt::format("{} in {}", fmt::join(drawn, ", "), folder.string());
}

}  // namespace train
