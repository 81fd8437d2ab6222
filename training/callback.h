#pragma once

#include <string>

#include "xtgrad/autograd/export.h"
#include "xtgrad/training/records.h"

namespace xtgrad { inline namespace XTGRAD_PUBLIC v1 { namespace training {

class Trainer;

/// Something that a Trainer calls: progress, logs, checkpoints. What it throws ends `fit`, which may be
/// called again and goes on from there; so a program that is told to stop throws from here.
class Callback {
 public:
  virtual ~Callback() = default;
  /// `fit` begins, anew or where an earlier one ended.
  virtual void begin(Trainer& /*trainer*/) {}
  virtual void before_step(Trainer& /*trainer*/) {}
  /// After an optimizer's step, its gradients still there. The trainer's state is that from which the next
  /// one goes on.
  virtual void after_step(Trainer& /*trainer*/, const StepRecord& /*step*/) {}
  /// Before each batch of an epoch's validation. What is thrown from here leaves the epoch's end to the next
  /// `fit`, which validates from the beginning.
  virtual void before_validation_batch(Trainer& /*trainer*/) {}
  /// After an epoch and its validation, with the trainer's state likewise.
  virtual void after_epoch(Trainer& /*trainer*/, const EpochRecord& /*epoch*/) {}
  /// After the last epoch, with the trainer's state that of the last step still: a rule may then put better
  /// weights back.
  virtual void before_end(Trainer& /*trainer*/) {}
  /// The training is over; `reason` says why.
  virtual void at_end(Trainer& /*trainer*/, const std::string& /*reason*/) {}

 protected:
  Callback() = default;
  Callback(const Callback&) = default;
  Callback(Callback&&) = default;
  Callback& operator=(const Callback&) = default;
  Callback& operator=(Callback&&) = default;
};

}}}  // namespace xtgrad::v1::training
