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
  std::unordered_set<std::string> taken{"updates"};
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
  const auto n = static_cast<double>(std::int64_t{updates_} + 1);
  std::vector<Tensor> next;
  for (std::size_t i = 0; i < parameters_.size(); ++i) {
    const Tensor value = parameters_[i]->tensor().detach();
    if (n == 1) {
      next.push_back(value);
      continue;
    }
    const Tensor average = averages_[i].to(value.dtype());
    next.push_back(options_.decay ? *options_.decay * average + (1 - *options_.decay) * value
                                  : average + (value - average) / n);
  }
  averages_.swap(next);  // all of them, or none
  ++updates_;
}

void WeightAverage::copy_to_parameters() const {
  for (std::size_t i = 0; i < parameters_.size(); ++i) parameters_[i]->set_value(averages_[i]);
}

void WeightAverage::members(nn::Members& m) {
  m("updates", updates_);
  for (std::size_t i = 0; i < averages_.size(); ++i) m(labels_[i], averages_[i]);
}

}  // namespace xtgrad::v1::optim
