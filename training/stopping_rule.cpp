#include "xtgrad/training/stopping_rule.h"

#include <fmt/format.h>

#include <cstddef>
#include <utility>

#include "xtgrad/autograd/errors.h"
#include "xtgrad/nn/options.h"

namespace xtgrad::inline v1::training {

bool StoppingRule::after_step(const StepRecord& step) {
  if (!stopped()) stopped_ = stops_after(step) ? 1 : 0;
  return stopped();
}

bool StoppingRule::after_epoch(const EpochRecord& epoch) {
  if (!stopped()) stopped_ = stops_after(epoch) ? 1 : 0;
  return stopped();
}

AnyOf::AnyOf(std::vector<std::shared_ptr<StoppingRule>> rules) : rules_(std::move(rules)) {
  for (std::size_t i = 0; i < rules_.size(); ++i) {
    if (rules_[i] == nullptr) throw ValueError(fmt::format("AnyOf: rule {} of {} is null", i, rules_.size()));
  }
}

bool AnyOf::stops_after(const StepRecord& step) {
  bool stops = false;
  for (const auto& rule : rules_) stops |= rule->after_step(step);
  return stops;
}

bool AnyOf::stops_after(const EpochRecord& epoch) {
  bool stops = false;
  for (const auto& rule : rules_) stops |= rule->after_epoch(epoch);
  return stops;
}

std::string AnyOf::describe() const {
  std::string all;
  for (const auto& rule : rules_) {
    if (rule->stopped()) all += fmt::format("{}{}", all.empty() ? "" : "; ", rule->reason());
  }
  return all;
}

void AnyOf::check_names(const std::vector<std::string>& names) const {
  for (const auto& rule : rules_) rule->check_names(names);
}

void AnyOf::at_end() {
  for (const auto& rule : rules_) rule->at_end();
}

void AnyOf::members(nn::Members& m) {
  StoppingRule::members(m);
  for (std::size_t i = 0; i < rules_.size(); ++i) m(fmt::format("{}", i), *rules_[i]);
}

EpochLimit::EpochLimit(std::int64_t epochs) : epochs_(epochs) {
  nn::detail::check_option("EpochLimit", "epochs", epochs, 1);
}

bool EpochLimit::stops_after(const EpochRecord& epoch) { return epoch.epoch >= epochs_; }

std::string EpochLimit::text() const {
  return fmt::format("epoch limit: {} epoch{}", epochs_, epochs_ == 1 ? "" : "s");
}

}  // namespace xtgrad::v1::training
