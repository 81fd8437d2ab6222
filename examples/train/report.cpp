#include "report.h"

#include <nlohmann/json.hpp>

namespace train {

using nlohmann::ordered_json;

namespace {

ordered_json to_object(const Options& options) {
  return {{"data", options.data}, {"model", options.model},   {"optimizer", options.optimizer},
          {"lr", options.lr},     {"epochs", options.epochs}, {"batch_size", options.batch_size},
          {"seed", options.seed}, {"dtype", options.dtype},   {"threads", options.threads},
          {"out", options.out},   {"quiet", options.quiet}};
}

ordered_json to_object(const EpochRecord& record) {
  return {{"epoch", record.epoch},
          {"loss", record.loss},
          {"accuracy", record.accuracy},
          {"validation_loss", record.validation_loss},
          {"validation_accuracy", record.validation_accuracy},
          {"samples_per_second", record.samples_per_second},
          {"seconds", record.seconds}};
}

}  // namespace

std::string to_json(const Report& report) {
  ordered_json epochs = ordered_json::array();
  for (const EpochRecord& record : report.epochs) epochs.push_back(to_object(record));
  const ordered_json root = {{"program", "xtgrad train"},
                             {"version", XTGRAD_VERSION},
                             {"options", to_object(report.options)},
                             {"data",
                              {{"features", report.features},
                               {"classes", report.classes},
                               {"train_samples", report.train_samples},
                               {"validation_samples", report.validation_samples},
                               {"test_samples", report.test_samples}}},
                             {"parameters", report.parameters},
                             {"gradient_check",
                              {{"order", report.gradient_check_order},
                               {"worst_error", report.gradient_check.worst_error},
                               {"smallest_detectable", report.gradient_check.smallest_detectable},
                               {"evaluations", report.gradient_check.evaluations}}},
                             {"epochs", epochs},
                             {"test_loss", report.test_loss},
                             {"test_accuracy", report.test_accuracy},
                             {"seconds", report.seconds}};
  return root.dump(2) + "\n";
}

}  // namespace train
