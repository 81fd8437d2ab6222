#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "xtgrad/autograd/callable.h"
#include "xtgrad/autograd/export.h"
#include "xtgrad/training/callback.h"
#include "xtgrad/training/checkpoint.h"
#include "xtgrad/training/long_steps.h"

namespace xtgrad { inline namespace XTGRAD_PUBLIC v1 { namespace training {

struct CheckpointsOptions {
  std::int64_t every_steps = 0;  ///< one after so many steps, and at the end; 0: after every epoch
  std::int64_t keep_last = 3;    ///< so many of them stay, at least 1
  /// One file of this name, replaced each time, in the place of the last few.
  std::optional<std::string> file = std::nullopt;
  /// With `file`: a training that begins anew replaces an earlier one's by its first, and keeps it until
  /// then.
  bool overwrite = false;
  /// With `every_steps`: also after a step that took more than half a second, as no interrupt waits for the
  /// end of one like it (InterruptSoon), where that takes less than a twentieth of the time.
  bool more_of_long_steps = false;
  /// The value of the epochs' records, such as "validation_loss", whose best epoch is kept, too.
  std::optional<std::string> best_by = std::nullopt;
  bool maximize = false;  ///< the best value is the largest
  Notes made_with = {};   ///< the choices that decide about the bits of the result
  /// What else is noted in each file: a training with other remarks goes on from it all the same.
  Callable<Notes()> remarks = {};
  /// Go on with the optimizer's options that a checkpoint has, where they are others than the trainer's:
  /// where a callback changes them, such as a momentum.
  bool adopt_settings = false;
};

/// Keeps the states of a Trainer in a folder of their own: the last few as "step-00000120.safetensors", and
/// that after the best epoch, the first among equals, as "best.safetensors". Each file is written whole or
/// not at all, so that a run that was killed at any moment goes on from the newest one, to the same bits. An
/// InterruptSoon waits until a file is written. Beside what the options say, each notes
/// `build_and_processor`.
///
/// Among callbacks it comes last: what logs have of a step when its checkpoint is there is then complete.
///
///   auto checkpoints = std::make_shared<training::Checkpoints>("run", training::CheckpointsOptions{});
///   training::Trainer trainer(model, loss, adam, loader, {.epochs = 30, .callbacks = {checkpoints}});
///   checkpoints->resume(trainer);  // where there is something to go on from
///   trainer.fit();
class Checkpoints final : public Callback {
 public:
  /// Makes the folder, and removes what killed runs have left half-written there. Throws IoError where that
  /// fails, and ValueError for options out of range.
  explicit Checkpoints(std::string folder, CheckpointsOptions options = {});

  /// Brings the trainer to where the newest checkpoint is, or the best one if that is all there is; false if
  /// there is none. Throws IoError for a
  /// damaged file, and ValueError, naming both values, for one that was made with other choices, or of
  /// another training; the trainer is left as it was then.
  bool resume(Trainer& trainer);
  /// The same of the best one, whose model is the best; training goes on from there.
  bool resume_best(Trainer& trainer);
  /// A sentence of `warning_of_other_bits` on the file that the training went on from. Mostly empty.
  [[nodiscard]] const std::string& warning() const& { return warning_; }
  [[nodiscard]] std::string warning() const&& { return warning_; }

  /// From now on `f` is called with the path of each file that has been written.
  void on_save(Callable<void(const std::string&)> f) { on_save_ = std::move(f); }
  /// Writes one of the trainer's state now.
  void save(const Trainer& trainer);
  /// The newest file and the best one; empty if there is none.
  [[nodiscard]] std::string newest() const;
  [[nodiscard]] std::string best() const;
  /// The steps that there are files of, ascending; none where `file` names the one that there is.
  [[nodiscard]] std::vector<std::int64_t> steps() const;
  /// Removes all checkpoints of the folder, for a training that begins anew.
  void clear();

  /// Throws ValueError where the folder has checkpoints and the training did not go on from one: another's
  /// would be lost, which only `overwrite` allows; and for a `best_by` that epochs will not have. Throws
  /// IoError where nothing can be written.
  void begin(Trainer& trainer) override;
  void after_step(Trainer& trainer, const StepRecord& step) override;
  void after_epoch(Trainer& trainer, const EpochRecord& epoch) override;
  void before_end(Trainer& trainer) override;

 private:
  [[nodiscard]] std::string path_of(std::int64_t step) const;
  [[nodiscard]] std::string best_path() const;
  bool restore(Trainer& trainer, const std::string& path);
  [[nodiscard]] std::optional<double> read_best_value() const;
  void write(const Trainer& trainer, const std::string& path, Notes notes) const;

  std::string folder_;
  CheckpointsOptions options_;
  double best_value_;
  bool owns_folder_ = false;  // what is in it belongs to the training under way
  bool is_saved_ = false;     // the newest file, or the one gone on from, has all that has been trained
  std::string warning_;
  Callable<void(const std::string&)> on_save_;
  detail::LongSteps long_steps_;
};

}}}  // namespace xtgrad::v1::training
