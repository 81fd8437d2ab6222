#pragma once

#include <string>

#include "xtgrad/autograd/export.h"
#include "xtgrad/autograd/tensor.h"
#include "xtgrad/nn/members.h"

namespace xtgrad { inline namespace XTGRAD_PUBLIC v1 { namespace training {

/// A number that says how good a model's outputs are, taken in batch by batch: the value after several
/// batches is that of all their samples at once. What it remembers is listed by `members`, so a training that
/// goes on from a checkpoint in the middle of an epoch has the value of the whole epoch.
///
///   training::Accuracy accuracy;
///   for (auto& [x, y] : loader) accuracy.update(model(x), y);
///   fmt::print("{}: {}\n", accuracy.name(), accuracy.value());
class Metric : public nn::Stateful {
 public:
  /// What the value is called in records and logs, such as "accuracy".
  [[nodiscard]] virtual std::string name() const = 0;
  /// Forgets all batches.
  virtual void reset() = 0;
  /// Takes in a batch: the model's outputs, and the labels that belong to them, the loader's or those that a
  /// BatchLoss gives. Records nothing.
  virtual void update(const Tensor& outputs, const Tensor& labels) = 0;
  /// The value over all batches since the last `reset`; NaN before the first sample.
  [[nodiscard]] virtual double value() const = 0;
};

}}}  // namespace xtgrad::v1::training
