#include "xtgrad/optim/weight_average.h"

#include <fmt/format.h>

#include <unordered_set>
#include <utility>

#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/grad.h"
#include "xtgrad/autograd/ops.h"
#include "xtgrad/optim/checks.h"

namespace xtgrad::inline v1::optim {

WeightAverage::WeightAverage(std::vector<nn::ParameterRef> parameters, const WeightAverageOptions& options)
    : options_(options), parameters_(std::move(parameters)) {
  if (options.decay) detail::check_decay_rate("WeightAverage", "decay", *options.decay);
  if (parameters_.empty()) throw ValueError("WeightAverage: the list of parameters is empty");
  std::unordered_set<std::string> taken;
  for (std::size_t i = 0; i < parameters_.size(); ++i) {
    if (parameters_[i] == nullptr)
      throw ValueError(fmt::format("WeightAverage: parameter {} is an empty ref", i));
    std::string label = parameters_[i]->name();
    if (label.empty() || taken.contains(label)) label += fmt::format("#{}", i);
    taken.insert(label);
    labels_.push_back(std::move(label));
    averages_.push_back(parameters_[i]->tensor().detach());
  }
}

void WeightAverage::update() {
  const NoGrad no_grad;
  ++updates_;
  const auto n = static_cast<double>(std::int64_t{updates_});
  for (std::size_t i = 0; i < parameters_.size(); ++i) {
    const Tensor value = parameters_[i]->tensor().detach();
    Tensor& average = averages_[i];
    if (n == 1) {
      average = value;
    } else if (options_.decay) {
      average = *options_.decay * average + (1 - *options_.decay) * value;
    } else {
      average = average + (value - average) / n;
    }
  }
}

void WeightAverage::copy_to_parameters() const {
  for (std::size_t i = 0; i < parameters_.size(); ++i) parameters_[i]->set_value(averages_[i]);
}

void WeightAverage::members(nn::Members& m) {
  m("updates", updates_);
  for (std::size_t i = 0; i < averages_.size(); ++i) m(labels_[i], averages_[i]);
}

}  // namespace xtgrad::v1::optim
