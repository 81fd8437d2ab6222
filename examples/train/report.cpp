#include "report.h"

#include <nlohmann/json.hpp>

#include "inspect.h"

namespace train {

using nlohmann::ordered_json;

std::string to_json(const Report& report) {
  const Options& options = report.options;
  ordered_json epochs = ordered_json::array();
  for (const xtgrad::training::EpochRecord& record : report.epochs) {
    ordered_json values = {{"epoch", record.epoch}};
    for (const auto& [name, value] : record.values) values[name] = value;
    epochs.push_back(values);
  }
  const ordered_json root = {{"program", "xtgrad train"},
                             {"version", XTGRAD_VERSION},
                             {"options",
                              {{"data", options.data},
                               {"model", options.model},
                               {"augment", options.augment},
                               {"optimizer", options.optimizer},
                               {"lr", options.lr},
                               {"schedule", options.schedule},
                               {"warmup", options.warmup},
                               {"epochs", options.epochs},
                               {"batch_size", options.batch_size},
                               {"seed", options.seed},
                               {"dtype", options.dtype}}},
                             {"augmentation", report.augmentation},
                             {"data",
                              {{"features", report.features},
                               {"classes", report.classes},
                               {"train_samples", report.train_samples},
                               {"validation_samples", report.validation_samples},
                               {"test_samples", report.test_samples}}},
                             {"parameters", report.parameters},
                             {"gradient_check",
                              {{"order", checked_order},
                               {"worst_error", report.gradient_check.worst_error},
                               {"smallest_detectable", report.gradient_check.smallest_detectable},
                               {"evaluations", report.gradient_check.evaluations}}},
                             {"epochs", epochs},
                             {"test_loss", report.test.loss},
                             {"test_accuracy", report.test.accuracy}};
  return root.dump(2) + "\n";
}

std::string timing_json(const Report& report) {
  const Options& options = report.options;
  ordered_json epochs = ordered_json::array();
  double training = 0;
  for (const xtgrad::training::EpochRecord& record : report.epochs) {
    epochs.push_back({{"epoch", record.epoch},
                      {"samples_per_second", record.samples_per_second},
                      {"seconds", record.seconds}});
    training += record.seconds;
  }
  const ordered_json root = {
      {"threads", options.threads},   {"workers", options.workers},
      {"replay", options.replay},     {"checkpoint_every", options.checkpoint_every.value_or(0)},
      {"resumed", options.resume},    {"epochs", epochs},
      {"training_seconds", training}, {"seconds", report.seconds}};
  return root.dump(2) + "\n";
}

}  // namespace train
