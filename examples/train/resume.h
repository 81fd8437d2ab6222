#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>

#include "data.h"
#include "options.h"
#include "xtgrad/autograd/check_grads.h"
#include "xtgrad/training/checkpoint.h"

namespace train {

/// What the file of a run says to the one that goes on from it, beside the training's state.
struct Resumable {
  std::int64_t checkpoint_every = 0;             ///< steps from one checkpoint to the next: it keeps to that
  xtgrad::CheckGradsReport gradient_check = {};  ///< what every run that writes checkpoints has passed before
};

/// What is in the file of a run with these choices; none if there is no file. Throws std::runtime_error,
/// naming the option and both values, if it was made with others; xtgrad::IoError if it is damaged, or no
/// checkpoint.
[[nodiscard]] std::optional<Resumable> look_into(const std::filesystem::path& file,
                                                 const xtgrad::training::Notes& choices);
/// The same as notes.
[[nodiscard]] xtgrad::training::Notes notes_of(const Resumable& resumable);

/// The choices that decide about the bits of the result, by the name of their option. Threads and workers are
/// none, for they change no bit.
[[nodiscard]] xtgrad::training::Notes choices_of(const Options& options, const Splits& data);

}  // namespace train
