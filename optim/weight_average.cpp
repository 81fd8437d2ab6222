#include "xtgrad/optim/weight_average.h"

#include <fmt/format.h>

#include <unordered_set>
#include <utility>

#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/grad.h"
#include "xtgrad/autograd/ops.h"
#include "xtgrad/nn/setting_list.h"
#include "xtgrad/optim/checks.h"

namespace xtgrad::inline v1::optim {
namespace {

constexpr const char* own_name = "WeightAverage";

void check_options(const WeightAverageOptions& options) {
  if (options.decay) detail::check_decay_rate(own_name, "decay", *options.decay);
}

}  // namespace

WeightAverage::WeightAverage(std::vector<nn::ParameterRef> parameters, const WeightAverageOptions& options)
    : settings_(options), parameters_(std::move(parameters)) {
  check_options(options);
  if (parameters_.empty()) throw ValueError("WeightAverage: the list of parameters is empty");
  std::unordered_set<std::string> taken{"updates", "options.decay", "options.decay.given"};
  for (std::size_t i = 0; i < parameters_.size(); ++i) {
    if (parameters_[i] == nullptr)
      throw ValueError(fmt::format("WeightAverage: parameter {} is an empty ref", i));
    std::string label = parameters_[i]->name();
    if (label.empty()) label = fmt::format("#{}", i);
    while (!taken.insert(label).second) label += fmt::format("#{}", i);
    labels_.push_back(std::move(label));
    averages_.push_back(parameters_[i]->tensor().detach());
  }
}

void WeightAverage::update() {
  const NoGrad no_grad;
  Counter count = updates_;
  ++count;
  const auto n = static_cast<double>(std::int64_t{count});
  const std::optional<double>& decay = settings_->decay;
  std::vector<Tensor> next;
  for (std::size_t i = 0; i < parameters_.size(); ++i) {
    const Tensor value = parameters_[i]->tensor().detach();
    if (n == 1) {
      next.push_back(value);
      continue;
    }
    const Tensor average = averages_[i].to(value.dtype());
    next.push_back(decay ? *decay * average + (1 - *decay) * value : average + (value - average) / n);
  }
  averages_.swap(next);  // all of them, or none
  updates_ = std::move(count);
}

void WeightAverage::copy_to_parameters() const {
  std::vector<Tensor> leaves;
  for (std::size_t i = 0; i < parameters_.size(); ++i) {
    leaves.push_back(parameters_[i]->leaf_of(averages_[i]));
  }
  for (std::size_t i = 0; i < parameters_.size(); ++i) parameters_[i]->set_leaf(leaves[i]);
}

void WeightAverage::members(nn::Members& m) {
  m("updates", updates_);
  const auto each = [](WeightAverageOptions& options, nn::detail::SettingList& list) {
    list("decay", options.decay);
  };
  nn::detail::list_settings(settings_, own_name, m, each, check_options);
  for (std::size_t i = 0; i < averages_.size(); ++i) m(labels_[i], averages_[i]);
}

}  // namespace xtgrad::v1::optim
