#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "xtgrad/autograd/export.h"
#include "xtgrad/autograd/tensor.h"
#include "xtgrad/nn/parameter.h"
#include "xtgrad/nn/settings.h"
#include "xtgrad/training/stopping_rule.h"

namespace xtgrad { inline namespace XTGRAD_PUBLIC v1 { namespace training {

// Rules that stop where a training hardly moves any more. Their options, such as "options.below", are part of
// their state, which is refused under others, or adopted with them (see nn::LoadOptions).

/// Stops after a step whose gradient, of all parameters as one vector, has a 2-norm below `below`: of the
/// gradients that the optimizer got, so of clipped ones where they were clipped. The check
/// throws ValueError where no parameter has a gradient, which is not a zero one.
class GradientNorm final : public StoppingRule {
 public:
  /// Throws ValueError unless `below` is finite and positive.
  GradientNorm(std::vector<nn::ParameterRef> parameters, double below);
  void members(nn::Members& m) override;

 protected:
  using StoppingRule::stops_after;
  bool stops_after(const StepRecord& step) override;
  [[nodiscard]] std::string describe() const override;

 private:
  std::vector<nn::ParameterRef> parameters_;
  nn::detail::Settings<double> below_;
  Tensor norm_;  // float64 [], the last one
  std::int64_t step_ = 0;
};

/// Stops after a step that moved all parameters, as one vector, by less than `below` in the 2-norm.
class ParameterChange final : public StoppingRule {
 public:
  /// Takes the parameters' values of now as those before the first step. Throws ValueError unless `below` is
  /// finite and positive.
  ParameterChange(std::vector<nn::ParameterRef> parameters, double below);
  /// With the values before the next step, "before.0" and so on, which share their elements with the
  /// parameters'.
  void members(nn::Members& m) override;

 protected:
  using StoppingRule::stops_after;
  bool stops_after(const StepRecord& step) override;
  [[nodiscard]] std::string describe() const override;

 private:
  std::vector<nn::ParameterRef> parameters_;
  std::vector<Tensor> before_;
  nn::detail::Settings<double> below_;
  Tensor norm_;  // float64 [], of the last change
  std::int64_t step_ = 0;
};

struct LossPlateauOptions {
  double below = 1e-6;     ///< a smaller change of the loss is none
  std::int64_t times = 5;  ///< so many in a row
  bool of_epochs = false;  ///< the loss of epochs, not of steps
};

/// Stops when the loss, from one step to the next, changed by less than `below`, `times` times in a row; a
/// NaN is a change.
class LossPlateau final : public StoppingRule {
 public:
  /// Throws ValueError unless `below` is finite and positive and `times` at least 1.
  explicit LossPlateau(const LossPlateauOptions& options = {});
  void members(nn::Members& m) override;

 protected:
  bool stops_after(const StepRecord& step) override;
  bool stops_after(const EpochRecord& epoch) override;
  [[nodiscard]] std::string describe() const override;

 private:
  bool is_flat(double loss);

  nn::detail::Settings<LossPlateauOptions> settings_;
  Tensor last_;  // float64 []; NaN before the first
  std::int64_t flat_ = 0;
};

}}}  // namespace xtgrad::v1::training
