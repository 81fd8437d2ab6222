#include "resume.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>

#include "xtgrad/autograd/errors.h"
#include "xtgrad/training/fingerprint.h"

namespace train {

using xtgrad::Safetensors;
namespace fs = std::filesystem;
namespace training = xtgrad::training;

namespace {

constexpr std::string_view every_key = "--checkpoint-every";
constexpr std::string_view worst_key = "gradient check's worst error";
constexpr std::string_view smallest_key = "gradient check's smallest detectable error";
constexpr std::string_view evaluations_key = "gradient check's evaluations";

/// The number that is noted under a name.
template <class T>
T number_of(const training::Notes& notes, std::string_view key, const fs::path& file) {
  const auto found = std::ranges::find(notes, key, &Safetensors::Note::key);
  T number = 0;
  if (found != notes.end()) {
    const char* end = found->text.data() + found->text.size();
    const auto [stop, error] = std::from_chars(found->text.data(), end, number);
    if (error == std::errc() && stop == end && number >= 0) return number;
  }
  throw xtgrad::IoError(fmt::format("{}: {} should be a number, is {}; remove the file to begin anew",
                                    file.string(), key,
                                    found == notes.end() ? "not there" : fmt::format("\"{}\"", found->text)));
}

/// As the library's, whose messages begin with a function that this program's user has not called.
std::optional<training::Checkpoint> load_checkpoint(const fs::path& file) {
  try {
    return training::load_checkpoint(file.string());
  } catch (const xtgrad::IoError& error) {
    constexpr std::string_view function = "load_checkpoint: ";
    std::string text = error.what();
    if (text.starts_with(std::string(function) + file.string())) text.erase(0, function.size());
    throw xtgrad::IoError(text);
  }
}

}  // namespace

std::optional<Resumable> look_into(const fs::path& file, const training::Notes& choices) {
  const auto checkpoint = load_checkpoint(file);
  if (!checkpoint) return std::nullopt;
  const training::Notes& notes = checkpoint->notes;
  if (const auto difference = training::first_difference(notes, choices)) {
    const auto& [option, then, now] = *difference;
    throw std::runtime_error(fmt::format(
        "--resume: {} was made with {} {}, not {}: go on with the same, or begin anew without --resume",
        file.string(), option, then, now));
  }
  Resumable resumable{.checkpoint_every = number_of<std::int64_t>(notes, every_key, file)};
  resumable.gradient_check.worst_error = number_of<double>(notes, worst_key, file);
  resumable.gradient_check.smallest_detectable = number_of<double>(notes, smallest_key, file);
  resumable.gradient_check.evaluations = number_of<std::int64_t>(notes, evaluations_key, file);
  return resumable;
}

training::Notes notes_of(const Resumable& resumable) {
  const auto note = [](std::string_view key, auto number) {
    return Safetensors::Note{std::string(key), fmt::format("{}", number)};
  };
  const xtgrad::CheckGradsReport& check = resumable.gradient_check;
  return {note(every_key, resumable.checkpoint_every), note(worst_key, check.worst_error),
          note(smallest_key, check.smallest_detectable), note(evaluations_key, check.evaluations)};
}

training::Notes choices_of(const Options& options, const Splits& data) {
  const auto print = [](const xtgrad::datasets::Dataset& samples) {
    return fmt::format("{:016x}", training::fingerprint(samples));
  };
  return {{"--data", options.data},
          {"--model", options.model},
          {"--augment", options.augment ? "yes" : "no"},
          {"--optimizer", options.optimizer},
          {"--lr", fmt::format("{}", options.lr)},
          {"--schedule", options.schedule},
          {"--warmup", fmt::format("{}", options.warmup)},
          {"--epochs", fmt::format("{}", options.epochs)},
          {"--batch-size", fmt::format("{}", options.batch_size)},
          {"--seed", fmt::format("{}", options.seed)},
          {"--dtype", options.dtype},
          {"version", XTGRAD_VERSION},
          {"training samples of fingerprint", print(data.train)},
          {"validation samples of fingerprint", print(data.validation)},
          {"test samples of fingerprint", print(data.test)}};
}

}  // namespace train
