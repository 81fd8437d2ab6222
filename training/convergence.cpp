#include "xtgrad/training/convergence.h"

#include <fmt/format.h>

#include <cmath>
#include <cstddef>
#include <limits>
#include <string_view>
#include <utility>

#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/grad.h"
#include "xtgrad/autograd/ops.h"
#include "xtgrad/nn/options.h"
#include "xtgrad/nn/setting_list.h"
#include "xtgrad/optim/clip.h"

namespace xtgrad::inline v1::training {
namespace {

Tensor number(double value) { return full({}, value, {.dtype = float64}); }

void check_positive(std::string_view rule, std::string_view option, double value) {
  if (value > 0 && std::isfinite(value)) return;
  throw ValueError(fmt::format("{}: {} must be finite and positive: got {}", rule, option, value));
}

void check_parameters(std::string_view rule, const std::vector<nn::ParameterRef>& parameters) {
  if (parameters.empty()) throw ValueError(fmt::format("{}: no parameters are given", rule));
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    if (parameters[i] == nullptr) throw ValueError(fmt::format("{}: parameter {} is an empty ref", rule, i));
  }
}

void check_options(const LossPlateauOptions& options) {
  check_positive("LossPlateau", "below", options.below);
  nn::detail::check_option("LossPlateau", "times", options.times, 1);
}

void list_below(nn::detail::Settings<double>& settings, std::string_view rule, nn::Members& m) {
  nn::detail::list_settings(
      settings, rule, m, [](double& below, nn::detail::SettingList& list) { list("below", below); },
      [rule](double below) { check_positive(rule, "below", below); });
}

std::vector<Tensor> values_of(const std::vector<nn::ParameterRef>& parameters) {
  std::vector<Tensor> values;
  values.reserve(parameters.size());
  for (const nn::ParameterRef& parameter : parameters) values.push_back(parameter->tensor().detach());
  return values;
}

bool has_gradient(const std::vector<nn::ParameterRef>& parameters) {
  for (const nn::ParameterRef& parameter : parameters) {
    if (parameter->grad().defined()) return true;
  }
  return false;
}

}  // namespace

GradientNorm::GradientNorm(std::vector<nn::ParameterRef> parameters, double below)
    : parameters_(std::move(parameters)), below_(below), norm_(number(0)) {
  check_parameters("GradientNorm", parameters_);
  check_positive("GradientNorm", "below", below);
}

bool GradientNorm::stops_after(const StepRecord& step) {
  if (!has_gradient(parameters_)) {
    throw ValueError(fmt::format("GradientNorm: none of the {} parameters has a gradient after step {}",
                                 parameters_.size(), step.step));
  }
  const double norm = optim::grad_norm(parameters_).item();
  norm_ = number(norm);
  step_ = step.step;
  return norm < *below_;
}

std::string GradientNorm::describe() const {
  return fmt::format("gradient norm: {:.3g} is below {:g} at step {}", norm_.item(), *below_, step_);
}

void GradientNorm::members(nn::Members& m) {
  StoppingRule::members(m);
  list_below(below_, "GradientNorm", m);
  m("norm", norm_);
  m("step", step_);
}

ParameterChange::ParameterChange(std::vector<nn::ParameterRef> parameters, double below)
    : parameters_(std::move(parameters)), below_(below), norm_(number(0)) {
  check_parameters("ParameterChange", parameters_);
  check_positive("ParameterChange", "below", below);
  before_ = values_of(parameters_);
}

bool ParameterChange::stops_after(const StepRecord& step) {
  const NoGrad no_grad;
  double squares = 0;
  std::vector<Tensor> now = values_of(parameters_);
  for (std::size_t i = 0; i < now.size(); ++i) {
    squares += sum(square(now[i].to(float64) - before_[i].to(float64))).item();
  }
  norm_ = number(std::sqrt(squares));
  before_ = std::move(now);
  step_ = step.step;
  return norm_.item() < *below_;
}

std::string ParameterChange::describe() const {
  return fmt::format("parameter change: {:.3g} is below {:g} at step {}", norm_.item(), *below_, step_);
}

void ParameterChange::members(nn::Members& m) {
  StoppingRule::members(m);
  list_below(below_, "ParameterChange", m);
  m("norm", norm_);
  m("step", step_);
  for (std::size_t i = 0; i < before_.size(); ++i) m(fmt::format("before.{}", i), before_[i]);
}

LossPlateau::LossPlateau(const LossPlateauOptions& options)
    : settings_(options), last_(number(std::numeric_limits<double>::quiet_NaN())) {
  check_options(options);
}

bool LossPlateau::is_flat(double loss) {
  const bool same = std::abs(loss - last_.item()) < settings_->below;
  last_ = number(loss);
  flat_ = same ? flat_ + 1 : 0;
  return flat_ >= settings_->times;
}

bool LossPlateau::stops_after(const StepRecord& step) { return !settings_->of_epochs && is_flat(step.loss); }

bool LossPlateau::stops_after(const EpochRecord& epoch) {
  return settings_->of_epochs && is_flat(epoch.at("loss", "LossPlateau"));
}

std::string LossPlateau::describe() const {
  return fmt::format("loss plateau: {:.6g} after {} changes below {:g} in a row", last_.item(), flat_,
                     settings_->below);
}

void LossPlateau::members(nn::Members& m) {
  StoppingRule::members(m);
  m("last", last_);
  m("flat", flat_);
  const auto each = [](LossPlateauOptions& options, nn::detail::SettingList& list) {
    list("below", options.below);
    list("times", options.times);
    list("of_epochs", options.of_epochs);
  };
  nn::detail::list_settings(settings_, "LossPlateau", m, each, check_options);
}

}  // namespace xtgrad::v1::training
