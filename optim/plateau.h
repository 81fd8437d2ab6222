#pragma once

#include <cstdint>

#include "xtgrad/autograd/export.h"
#include "xtgrad/autograd/tensor.h"
#include "xtgrad/nn/members.h"
#include "xtgrad/nn/settings.h"
#include "xtgrad/optim/optimizer.h"

namespace xtgrad { inline namespace XTGRAD_PUBLIC v1 { namespace optim {

struct PlateauOptions {
  double factor = 0.1;         ///< of the learning rates, where the metric has stopped to improve; in [0, 1)
  std::int64_t patience = 10;  ///< so many measurements without improvement are borne
  double threshold = 1e-4;     ///< an improvement is more than so much
  bool relative = true;        ///< of the best metric so far; else the threshold is absolute
  bool maximize = false;       ///< the metric is to rise
  std::int64_t cooldown = 0;   ///< measurements after a reduction that do not count
  double min_lr = 0;
  double eps = 1e-8;  ///< smaller changes of a rate are not made
};

/// Reduces learning rates when a metric, such as the validation loss, has stopped to improve. What it
/// remembers is part of a state (`state_dict`): "best", "bad" and "cooldown", and its options, such as
/// "options.patience", which must be those that the state was made under (see nn::LoadOptions).
///
///   optim::ReduceOnPlateau plateau({.patience = 3});
///   for (int epoch = 0; epoch < 100; ++epoch) {
///     train();
///     plateau.update(optimizer, validation_loss());
///   }
class ReduceOnPlateau : public nn::Stateful {
 public:
  /// Throws ValueError for an option that is out of range.
  explicit ReduceOnPlateau(const PlateauOptions& options = {});

  /// Takes a measurement; true if it reduced a rate. NaN is no improvement.
  bool update(Optimizer& optimizer, double metric);
  /// The best metric so far; infinite before the first.
  [[nodiscard]] double best() const { return best_.item(); }
  /// Measurements since the last improvement, or since the last reduction.
  [[nodiscard]] std::int64_t bad() const { return bad_; }

  void members(nn::Members& m) override;
  void check_loaded() const override;

 private:
  [[nodiscard]] bool improves(double metric) const;
  bool reduce(Optimizer& optimizer) const;

  nn::detail::Settings<PlateauOptions> settings_;
  Tensor best_;  // float64 []
  std::int64_t bad_ = 0;
  std::int64_t cooldown_ = 0;
};

}}}  // namespace xtgrad::v1::optim
