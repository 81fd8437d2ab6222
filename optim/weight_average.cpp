#include "xtgrad/optim/weight_average.h"

#include <fmt/format.h>

#include <unordered_set>
#include <utility>

#include "xtgrad/autograd/core/compute.h"
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

/// The average after update number `count`, the first of which is the value itself. To the same bits where
/// steps are listed to be run again, when the count will be another.
Tensor next_average(const Tensor& value, const Tensor& before, const Counter& count,
                    const std::optional<double>& decay) {
  const auto n = static_cast<double>(std::int64_t{count});
  const bool is_listed = xtgrad::detail::is_listed_for_others();
  if (n == 1 && !is_listed) return value;
  const Tensor average = before.to(value.dtype());
  const auto moved = [&](const auto& number) {
    return decay ? *decay * average + (1 - *decay) * value : average + (value - average) / number;
  };
  if (!is_listed) return moved(n);
  return where(count.state() == 1, value, moved(count.state().to(value.dtype())));
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
  std::vector<Tensor> next;
  for (std::size_t i = 0; i < parameters_.size(); ++i) {
    const Tensor value = parameters_[i]->tensor().detach();
    next.push_back(next_average(value, averages_[i], count, settings_->decay));
  }
  // All of them, or none; each stays where it is, for those who have listed it.
  for (std::size_t i = 0; i < next.size(); ++i) averages_[i] = std::move(next[i]);
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
