#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "xtgrad/autograd/export.h"
#include "xtgrad/nn/members.h"
#include "xtgrad/training/records.h"

namespace xtgrad { inline namespace XTGRAD_PUBLIC v1 { namespace training {

/// Says when a training has gone on for long enough, and why. A Trainer asks its rules; a loop of one's own
/// asks after every step, before the gradients are cleared, and after every epoch:
///
///   training::GradientNorm flat(model.parameters(), 1e-4);
///   for (std::int64_t step = 1; !flat.stopped(); ++step) {
///     Tensor loss = nn::mse_loss(model(x), y);
///     sgd.zero_grad();
///     loss.backward();
///     sgd.step();
///     flat.after_step({.step = step, .loss = loss.item()});
///   }
///   fmt::print("{}\n", flat.reason());
///
/// A rule that has stopped remains so, and asks for nothing more. What it remembers is listed by `members`:
/// one with the state of another stops where that one would.
class StoppingRule : public nn::Stateful {
 public:
  /// True if the training should end here.
  bool after_step(const StepRecord& step);
  bool after_epoch(const EpochRecord& epoch);
  [[nodiscard]] bool stopped() const { return stopped_ != 0; }
  /// Why it stopped, with the numbers; empty if it has not.
  [[nodiscard]] std::string reason() const { return stopped() ? describe() : std::string(); }
  /// Throws ValueError if it looks at a value that is not among those that epochs will have.
  virtual void check_names(const std::vector<std::string>& /*names*/) const {}
  /// To be called when the training has ended, whatever ended it.
  virtual void at_end() {}

  void members(nn::Members& m) override { m("stopped", stopped_); }

 protected:
  // A rule looks at steps, at epochs, or at both; true if it stops.
  virtual bool stops_after(const StepRecord& /*step*/) { return false; }
  virtual bool stops_after(const EpochRecord& /*epoch*/) { return false; }
  /// The reason, once it has stopped.
  [[nodiscard]] virtual std::string describe() const = 0;

 private:
  std::int64_t stopped_ = 0;
};

/// Stops as soon as one of its rules does; its reason has those of all that have. Every rule sees every step
/// and epoch.
class AnyOf final : public StoppingRule {
 public:
  /// Throws ValueError for a null pointer.
  explicit AnyOf(std::vector<std::shared_ptr<StoppingRule>> rules);
  [[nodiscard]] const std::vector<std::shared_ptr<StoppingRule>>& rules() const& { return rules_; }
  [[nodiscard]] std::vector<std::shared_ptr<StoppingRule>> rules() const&& { return rules_; }
  void check_names(const std::vector<std::string>& names) const override;
  /// That of each rule.
  void at_end() override;
  /// The rules' are called "0", "1" and so on.
  void members(nn::Members& m) override;

 protected:
  bool stops_after(const StepRecord& step) override;
  bool stops_after(const EpochRecord& epoch) override;
  [[nodiscard]] std::string describe() const override;

 private:
  std::vector<std::shared_ptr<StoppingRule>> rules_;
};

/// Stops after so many epochs.
class EpochLimit final : public StoppingRule {
 public:
  /// Throws ValueError for fewer than one epoch.
  explicit EpochLimit(std::int64_t epochs);
  /// The reason that it has, or would have: "epoch limit: 20 epochs".
  [[nodiscard]] std::string text() const;

 protected:
  using StoppingRule::stops_after;
  bool stops_after(const EpochRecord& epoch) override;
  [[nodiscard]] std::string describe() const override { return text(); }

 private:
  std::int64_t epochs_;
};

}}}  // namespace xtgrad::v1::training
