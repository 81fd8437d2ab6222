#include "checkpoint.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <stdexcept>
#include <string_view>
#include <system_error>
#include <utility>

#include "inspect.h"
#include "xtgrad/autograd/errors.h"
#include "xtgrad/training/environment.h"
#include "xtgrad/training/fingerprint.h"
#include "xtgrad/training/interrupt.h"
#include "xtgrad/training/trainer.h"

namespace train {

using xtgrad::Safetensors;
namespace fs = std::filesystem;
namespace training = xtgrad::training;

namespace {

constexpr std::string_view every_key = "--checkpoint-every";

/// The steps between checkpoints that the file was written with.
std::int64_t steps_between(const training::Notes& notes, const fs::path& file) {
  const auto found = std::ranges::find(notes, every_key, &Safetensors::Note::key);
  std::int64_t every = 0;
  if (found != notes.end()) {
    const char* end = found->text.data() + found->text.size();
    const auto [stop, error] = std::from_chars(found->text.data(), end, every);
    if (error == std::errc() && stop == end && every > 0) return every;
  }
  throw xtgrad::IoError(fmt::format("{}: {} should be a number of steps, is {}; remove it to begin anew",
                                    file.string(), every_key,
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

Checkpoint::Checkpoint(fs::path file, training::Notes made_with)
    : file_(std::move(file)), made_with_(std::move(made_with)) {}

std::optional<Checkpoint::Saved> Checkpoint::load() const {
  auto checkpoint = load_checkpoint(file_);
  if (!checkpoint) return std::nullopt;
  if (const auto difference = training::first_difference(checkpoint->notes, made_with_)) {
    const auto& [option, then, now] = *difference;
    throw std::runtime_error(fmt::format(
        "--resume: {} was made with {} {}, not {}: go on with the same, or begin anew without --resume",
        file_.string(), option, then, now));
  }
  return Saved{
      .state = std::move(checkpoint->state),
      .every = steps_between(checkpoint->notes, file_),
      .warning = training::warning_of_other_bits(checkpoint->notes, training::build_and_processor())};
}

void Checkpoint::write_every(std::int64_t steps, const xtgrad::CheckGradsReport& gradient_check) {
  every_ = steps;
  gradient_check_ = gradient_check;
}

void Checkpoint::save(const training::Trainer& trainer) const {
  xtgrad::nn::StateDict state = trainer.state_dict();
  add_gradient_check(state, gradient_check_);
  save(std::move(state));
}

void Checkpoint::save(xtgrad::nn::StateDict state) const {
  training::Checkpoint checkpoint{.state = std::move(state), .notes = made_with_};
  checkpoint.notes.push_back({std::string(every_key), fmt::format("{}", every_)});
  for (const Safetensors::Note& note : training::build_and_processor()) checkpoint.notes.push_back(note);
  const training::FinishBeforeInterrupt whole;
  training::save_checkpoint(file_.string(), checkpoint);
  if (on_save_) on_save_();
}

void Checkpoint::begin(training::Trainer& /*trainer*/) { step_ended_ = saved_ = Clock::now(); }

void Checkpoint::after_step(training::Trainer& trainer, const training::StepRecord& step) {
  const Clock::time_point now = Clock::now();
  const bool is_long = now - std::exchange(step_ended_, now) > std::chrono::milliseconds(500);
  const bool is_cheap = now - saved_ > 20 * save_took_;
  if (every_ == 0 || !(step.step % every_ == 0 || (is_long && is_cheap))) return;
  save(trainer);
  saved_ = step_ended_ = Clock::now();
  save_took_ = saved_ - now;
}

void Checkpoint::at_end(training::Trainer& trainer, const std::string& /*reason*/) {
  if (every_ > 0) save(trainer);
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
