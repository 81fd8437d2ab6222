#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <utility>

#include "data.h"
#include "options.h"
#include "xtgrad/autograd/callable.h"
#include "xtgrad/autograd/check_grads.h"
#include "xtgrad/nn/state_dict.h"
#include "xtgrad/training/callback.h"
#include "xtgrad/training/checkpoint.h"

namespace train {

/// The file from which a run goes on, written as the training comes along: its state, with what the check of
/// its gradients found, and the options that it was made with.
class Checkpoint : public xtgrad::training::Callback {
 public:
  /// `made_with` are the choices that decide about the bits of the result, by the name of their option.
  Checkpoint(std::filesystem::path file, xtgrad::training::Notes made_with);

  struct Saved {
    xtgrad::nn::StateDict state;
    std::int64_t every = 0;  ///< steps from one checkpoint to the next: a run that is resumed keeps to it
    /// Why the result may not have the bits of an uninterrupted run: the file is of another build or
    /// processor. Mostly empty.
    std::string warning = {};
  };
  /// What is in the file; none if there is no file. Throws std::runtime_error, naming the option and both
  /// values, if it was made with other choices; xtgrad::IoError if it is damaged, or no checkpoint.
  [[nodiscard]] std::optional<Saved> load() const;

  /// From now on one is written after every so many steps, and at the end; 0: none is. Where a step takes so
  /// long that an interrupt does not wait for its end, one is written after more of them, in at most a
  /// twentieth of the time.
  void write_every(std::int64_t steps, const xtgrad::CheckGradsReport& gradient_check);
  [[nodiscard]] std::int64_t every() const { return every_; }
  /// Is called whenever one has been written.
  void on_save(xtgrad::Callable<void()> f) { on_save_ = std::move(f); }
  /// Writes the trainer's state as it is.
  void save(const xtgrad::training::Trainer& trainer) const;
  void save(xtgrad::nn::StateDict state) const;

  void begin(xtgrad::training::Trainer& trainer) override;
  void after_step(xtgrad::training::Trainer& trainer, const xtgrad::training::StepRecord& step) override;
  /// With the last epoch's validation: whoever resumes a run that has ended gets its results again at once.
  void at_end(xtgrad::training::Trainer& trainer, const std::string& reason) override;

  [[nodiscard]] const std::filesystem::path& file() const { return file_; }

 private:
  using Clock = std::chrono::steady_clock;

  std::filesystem::path file_;
  xtgrad::training::Notes made_with_;
  std::int64_t every_ = 0;
  xtgrad::CheckGradsReport gradient_check_ = {};
  xtgrad::Callable<void()> on_save_ = {};
  Clock::time_point step_ended_ = Clock::now();
  Clock::time_point saved_ = Clock::now();
  Clock::duration save_took_ = {};
};

/// The choices that a run with these options and these training samples makes. Threads and workers are none,
/// for they change no bit.
[[nodiscard]] xtgrad::training::Notes choices_of(const Options& options, const Splits& data);

}  // namespace train
