#pragma once

#include <optional>
#include <string>
#include <vector>

#include "xtgrad/autograd/counter.h"
#include "xtgrad/autograd/export.h"
#include "xtgrad/autograd/tensor.h"
#include "xtgrad/nn/members.h"
#include "xtgrad/nn/parameter.h"
#include "xtgrad/nn/settings.h"

namespace xtgrad { inline namespace XTGRAD_PUBLIC v1 { namespace optim {

struct WeightAverageOptions {
  /// d of an exponential moving average, in [0, 1); absent: the mean of all values.
  std::optional<double> decay = std::nullopt;
};

/// Averages of parameters over training: their exponential moving average a = d a + (1 - d) p (Polyak and
/// Juditsky, 1992), or, without a decay, their mean a = a + (p - a) / n, which is stochastic weight averaging
/// (Izmailov et al., "Averaging weights leads to wider optima", 2018). The first update takes the values as
/// they are. Batch norm's statistics do not belong to averaged weights: see nn/batch_norm_update.h.
///
///   optim::WeightAverage average(model.parameters(), {.decay = 0.999});
///   for (...) {
///     optimizer.step();
///     average.update();
///   }
///   const nn::WithParameters scope(average.parameters(), average.values());  // model(x) by the averages
///
/// Its state: "updates", and an average for each parameter by its name, or by "#" and its number where that
/// is empty or taken; and "options.decay" (0 without one) and "options.decay.given", which must be those that
/// the state was made under (see nn::LoadOptions).
class WeightAverage : public nn::Stateful {
 public:
  /// Throws ValueError for a decay out of range, an empty list, and an empty ref.
  explicit WeightAverage(std::vector<nn::ParameterRef> parameters, const WeightAverageOptions& options = {});

  /// Takes in the parameters' values of now, in their dtypes of now. Nothing is recorded.
  void update();
  [[nodiscard]] std::int64_t updates() const { return updates_; }
  [[nodiscard]] const std::vector<nn::ParameterRef>& parameters() const& { return parameters_; }
  [[nodiscard]] std::vector<nn::ParameterRef> parameters() const&& { return parameters_; }
  /// One for each parameter; the parameters' own values before the first update.
  [[nodiscard]] const std::vector<Tensor>& values() const& { return averages_; }
  [[nodiscard]] std::vector<Tensor> values() const&& { return averages_; }
  /// Makes the averages the parameters' values, for good: all of them or, whatever is thrown, none.
  void copy_to_parameters() const;

  void members(nn::Members& m) override;

 private:
  nn::detail::Settings<WeightAverageOptions> settings_;
  std::vector<nn::ParameterRef> parameters_;
  std::vector<std::string> labels_;
  std::vector<Tensor> averages_;
  Counter updates_;
};

}}}  // namespace xtgrad::v1::optim
