#include "epochs.h"

namespace train {

std::vector<EpochRecord> epochs_of(const std::vector<xtgrad::training::EpochRecord>& records) {
  std::vector<EpochRecord> epochs;
  for (const xtgrad::training::EpochRecord& record : records) {
    epochs.push_back({.epoch = record.epoch,
                      .loss = record.at("loss"),
                      .accuracy = record.at("accuracy"),
                      .validation_loss = record.at("validation_loss"),
                      .validation_accuracy = record.at("validation_accuracy"),
                      .samples_per_second = record.samples_per_second,
                      .seconds = record.seconds});
  }
  return epochs;
}

}  // namespace train
