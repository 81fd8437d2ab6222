#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "data.h"
#include "options.h"
#include "xtgrad/autograd/io/safetensors.h"
#include "xtgrad/nn/state_dict.h"

namespace train {

/// The file from which a training goes on: its state, and what it was made with. A safetensors file with a
/// checksum, which readers of the format that know nothing of it can read, too.
class Checkpoint {
 public:
  using Choices = std::vector<xtgrad::Safetensors::Note>;

  /// `made_with` are the choices that decide about the bits of the result, by the name of their option.
  Checkpoint(std::filesystem::path file, Choices made_with);

  struct Saved {
    xtgrad::nn::StateDict state;
    std::int64_t every = 0;  ///< steps from one checkpoint to the next: a run that is resumed keeps to it
  };

  /// Writes the file whole or not at all, and waits until it is on the disk. Throws xtgrad::IoError.
  void save(const Saved& saved) const;

  /// What is in the file; none if there is no file. Throws std::runtime_error, naming the option and both
  /// values, if it was made with other choices; xtgrad::IoError if it is damaged, or no checkpoint.
  [[nodiscard]] std::optional<Saved> load() const;

  [[nodiscard]] const std::filesystem::path& file() const { return file_; }

 private:
  void check_choices(const Choices& notes) const;

  std::filesystem::path file_;
  Choices made_with_;
};

/// The choices that a run with these options and these training samples makes. Threads and workers are none,
/// for they change no bit.
[[nodiscard]] Checkpoint::Choices choices_of(const Options& options, const Splits& data);

}  // namespace train
