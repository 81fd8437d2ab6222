#include "xtgrad/training/checkpoints.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <limits>
#include <string_view>
#include <system_error>
#include <utility>

#include "xtgrad/autograd/errors.h"
#include "xtgrad/nn/options.h"
#include "xtgrad/training/environment.h"
#include "xtgrad/training/interrupt.h"
#include "xtgrad/training/leftovers.h"
#include "xtgrad/training/trainer.h"
#include "xtgrad/training/value_names.h"
#include "xtgrad/training/writable_folder.h"

namespace xtgrad::inline v1::training {
namespace {

namespace fs = std::filesystem;

constexpr const char* own_name = "Checkpoints";
constexpr std::string_view prefix = "step-";
constexpr std::string_view suffix = ".safetensors";
constexpr const char* best_name = "best.safetensors";
constexpr const char* value_key = "best_value";

/// The step of a file's name; empty for other files.
std::optional<std::int64_t> step_of(std::string_view name) {
  if (!name.starts_with(prefix) || !name.ends_with(suffix) || name.size() < prefix.size() + suffix.size())
    return std::nullopt;
  name.remove_prefix(prefix.size());
  name.remove_suffix(suffix.size());
  std::int64_t step = 0;
  const auto [stop, error] = std::from_chars(name.data(), name.data() + name.size(), step);
  if (error != std::errc() || stop != name.data() + name.size() || step < 0) return std::nullopt;
  // "step-5" is none of ours: it would not be found again.
  if (name != fmt::format("{:08}", step)) return std::nullopt;
  return step;
}

[[noreturn]] void fail(std::string_view what, const std::string& path, const std::error_code& error) {
  throw IoError(fmt::format("{}: cannot {} {}: {}", own_name, what, path, error.message()));
}

void remove(const std::string& path) {
  std::error_code error;
  fs::remove(path, error);
  if (error) fail("remove", path, error);
}

/// Temporary files that were to become one of ours, or the one of a name of its own.
void remove_half_written(const std::string& folder, const std::optional<std::string>& file_name) {
  std::vector<std::string> names{best_name};
  if (file_name) names.push_back(*file_name);
  std::error_code ignored;
  for (fs::directory_iterator at(folder, ignored), end; !ignored && at != end; at.increment(ignored)) {
    const std::string name = at->path().filename().string();
    const std::size_t stem = name.find(suffix);
    if (stem == std::string::npos) continue;
    std::string file = name.substr(0, stem + suffix.size());
    if (step_of(file)) names.push_back(std::move(file));
  }
  const std::vector<std::string_view> views(names.begin(), names.end());
  remove_leftovers(folder, views);
}

/// The path, or nothing.
std::string if_there(const std::string& path) {
  std::error_code error;
  const bool is_there = fs::exists(path, error);
  if (error) fail("look for", path, error);
  return is_there ? path : std::string();
}

void check_file_name(const std::string& name) {
  if (name.empty() || name == "." || name == ".." || fs::path(name).filename() != name || name == best_name) {
    throw ValueError(fmt::format("{}: file must be the name of a file in the folder, and not {}: got \"{}\"",
                                 own_name, best_name, name));
  }
}

/// Adds those whose names are not taken.
void add_new(Notes& notes, const Notes& others) {
  for (const Safetensors::Note& note : others) {
    if (std::ranges::find(notes, note.key, &Safetensors::Note::key) == notes.end()) notes.push_back(note);
  }
}

}  // namespace

Checkpoints::Checkpoints(std::string folder, CheckpointsOptions options)
    : folder_(std::move(folder)), options_(std::move(options)) {
  nn::detail::check_option(own_name, "every_steps", options_.every_steps, 0);
  nn::detail::check_option(own_name, "keep_last", options_.keep_last, 1);
  if (options_.file) check_file_name(*options_.file);
  if (options_.overwrite && !options_.file) {
    throw ValueError(
        fmt::format("{}: overwrite is for one file, and file is not set; clear() removes several", own_name));
  }
  constexpr double infinity = std::numeric_limits<double>::infinity();
  best_value_ = options_.maximize ? -infinity : infinity;
  std::error_code error;
  fs::create_directories(folder_, error);
  if (error) fail("create the folder", folder_, error);
  remove_half_written(folder_, options_.file);
}

std::string Checkpoints::path_of(std::int64_t step) const {
  if (options_.file) return (fs::path(folder_) / *options_.file).string();
  return (fs::path(folder_) / fmt::format("{}{:08}{}", prefix, step, suffix)).string();
}

std::string Checkpoints::best_path() const { return (fs::path(folder_) / best_name).string(); }

std::vector<std::int64_t> Checkpoints::steps() const {
  std::vector<std::int64_t> steps;
  if (options_.file) return steps;
  std::error_code error;
  for (fs::directory_iterator at(folder_, error), end; !error && at != end; at.increment(error)) {
    if (const auto step = step_of(at->path().filename().string())) steps.push_back(*step);
  }
  if (error) fail("read the folder", folder_, error);
  std::ranges::sort(steps);
  return steps;
}

std::string Checkpoints::newest() const {
  if (options_.file) return if_there(path_of(0));
  const std::vector<std::int64_t> all = steps();
  return all.empty() ? std::string() : path_of(all.back());
}

std::string Checkpoints::best() const { return if_there(best_path()); }

void Checkpoints::clear() {
  if (options_.file && !newest().empty()) remove(newest());
  for (const std::int64_t step : steps()) remove(path_of(step));
  if (!best().empty()) remove(best_path());
}

bool Checkpoints::resume(Trainer& trainer) {
  // The best epoch's comes first, and may be all there is when a run is killed: its state is as whole.
  const std::string last = newest();
  return restore(trainer, last.empty() ? best() : last);
}

bool Checkpoints::resume_best(Trainer& trainer) { return restore(trainer, best()); }

bool Checkpoints::restore(Trainer& trainer, const std::string& path) {
  if (path.empty()) return false;
  const auto checkpoint = load_checkpoint(path);
  if (!checkpoint) return false;
  if (const auto difference = first_difference(checkpoint->notes, options_.made_with)) {
    throw ValueError(fmt::format("{}: {} was made with {} {}, not {}", own_name, path, difference->key,
                                 difference->was, difference->is));
  }
  const std::optional<double> best_value = read_best_value();
  try {
    trainer.restore(checkpoint->state, {.adopt_settings = options_.adopt_settings});
  } catch (Error& error) {
    error.add_context(path);
    throw;
  }
  if (best_value) best_value_ = *best_value;
  owns_folder_ = true;
  is_saved_ = true;
  warning_ = warning_of_other_bits(checkpoint->notes, build_and_processor());
  // Those of steps that lie ahead are of a way that is not gone.
  for (const std::int64_t step : steps()) {
    if (step > trainer.step()) remove(path_of(step));
  }
  return true;
}

std::optional<double> Checkpoints::read_best_value() const {
  if (!options_.best_by || best().empty()) return std::nullopt;
  const auto checkpoint = load_checkpoint(best_path());
  if (!checkpoint) return std::nullopt;
  double value = 0;
  const auto found = std::ranges::find(checkpoint->notes, value_key, &Safetensors::Note::key);
  const std::string text = found == checkpoint->notes.end() ? "" : found->text;
  const std::string start = *options_.best_by + " ";
  const char* end = text.data() + text.size();
  const bool fits =
      text.starts_with(start) && std::from_chars(text.data() + start.size(), end, value).ptr == end;
  if (!fits) {
    throw IoError(fmt::format("{}: {}: {} should be \"{}\" and a number, is \"{}\"", own_name, best_path(),
                              value_key, start, text));
  }
  return value;
}

void Checkpoints::write(const Trainer& trainer, const std::string& path, Notes notes) const {
  notes.insert(notes.end(), options_.made_with.begin(), options_.made_with.end());
  if (options_.remarks) add_new(notes, options_.remarks());
  add_new(notes, build_and_processor());
  {
    const FinishBeforeInterrupt whole;
    save_checkpoint(path, {.state = trainer.state_dict(), .notes = std::move(notes)});
  }
  if (on_save_) on_save_(path);
}

void Checkpoints::save(const Trainer& trainer) {
  const auto began = detail::LongSteps::Clock::now();
  write(trainer, path_of(trainer.step()), {});
  is_saved_ = true;
  std::vector<std::int64_t> all = steps();
  for (std::size_t i = 0; i + static_cast<std::size_t>(options_.keep_last) < all.size(); ++i) {
    remove(path_of(all[i]));
  }
  long_steps_.save(began, detail::LongSteps::Clock::now());
}

void Checkpoints::begin(Trainer& trainer) {
  if (options_.best_by) detail::check_value_name(own_name, *options_.best_by, trainer.value_names());
  if (!owns_folder_ && !options_.overwrite && (!newest().empty() || !best().empty())) {
    throw ValueError(fmt::format(
        "{}: {} has checkpoints of an earlier training: go on from them by resume, or clear() them", own_name,
        folder_));
  }
  check_writable_folder(own_name, folder_);
  owns_folder_ = true;
  long_steps_.begin(detail::LongSteps::Clock::now());
}

void Checkpoints::after_step(Trainer& trainer, const StepRecord& step) {
  is_saved_ = false;
  const bool was_long = long_steps_.end_step(detail::LongSteps::Clock::now()) && options_.more_of_long_steps;
  if (options_.every_steps > 0 && (was_long || step.step % options_.every_steps == 0)) save(trainer);
}

void Checkpoints::after_epoch(Trainer& trainer, const EpochRecord& epoch) {
  is_saved_ = false;
  if (options_.best_by) {
    const double value = epoch.at(*options_.best_by, own_name);
    if (options_.maximize ? value > best_value_ : value < best_value_) {
      // Before the other: a run that is killed between the two comes here again.
      write(trainer, best_path(), {{value_key, fmt::format("{} {}", *options_.best_by, value)}});
      best_value_ = value;
    }
  }
  if (options_.every_steps == 0) save(trainer);
}

void Checkpoints::before_end(Trainer& trainer) {
  // With the last epoch's validation, whose results a training that is resumed has at once. Not twice: when
  // `fit` is called again, a rule has put its weights into the model.
  if (options_.every_steps > 0 && !is_saved_) save(trainer);
}

}  // namespace xtgrad::v1::training
