#include "checkpoint.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <span>
#include <stdexcept>
#include <string_view>
#include <system_error>
#include <utility>

#include "digest.h"
#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/io/file.h"

namespace train {
namespace {

using xtgrad::Safetensors;
namespace fs = std::filesystem;
namespace nn = xtgrad::nn;

const Safetensors::Note kind{"program", "xtgrad train, checkpoint"};
constexpr std::string_view checksum_key = "checksum";
constexpr std::string_view every_key = "--checkpoint-every";

/// Of everything in the file, but itself.
std::string checksum(const Safetensors& contents) {
  const std::string bytes = encode_safetensors(contents);
  return fmt::format("{:016x}", digest(std::as_bytes(std::span(bytes))));
}

const std::string* find(const std::vector<Safetensors::Note>& notes, std::string_view key) {
  const auto found = std::ranges::find(notes, key, &Safetensors::Note::key);
  return found == notes.end() ? nullptr : &found->text;
}

/// Takes the checksum out of what was read, and throws unless it is right.
void check_sum(Safetensors& contents, const fs::path& file) {
  const std::string* text = find(contents.metadata, checksum_key);
  const std::string written = text == nullptr ? "none" : *text;
  std::erase_if(contents.metadata, [](const Safetensors::Note& note) { return note.key == checksum_key; });
  const std::string found = checksum(contents);
  if (written == found) return;
  throw xtgrad::IoError(
      fmt::format("{}: damaged: its checksum should be {}, its contents have {}; remove it to begin anew",
                  file.string(), written, found));
}

/// The steps between checkpoints that the file was written with.
std::int64_t steps_between(const std::vector<Safetensors::Note>& notes, const fs::path& file) {
  const std::string* text = find(notes, every_key);
  std::int64_t every = 0;
  if (text != nullptr) {
    const char* end = text->data() + text->size();
    const auto [stop, error] = std::from_chars(text->data(), end, every);
    if (error == std::errc() && stop == end && every > 0) return every;
  }
  throw xtgrad::IoError(fmt::format("{}: {} should be a number of steps, is {}; remove it to begin anew",
                                    file.string(), every_key,
                                    text == nullptr ? "not there" : fmt::format("\"{}\"", *text)));
}

}  // namespace

Checkpoint::Checkpoint(fs::path file, Choices made_with)
    : file_(std::move(file)), made_with_(std::move(made_with)) {}

void Checkpoint::save(const Saved& saved) const {
  Safetensors contents{.tensors = {saved.state.begin(), saved.state.end()}, .metadata = {kind}};
  contents.metadata.insert(contents.metadata.end(), made_with_.begin(), made_with_.end());
  contents.metadata.push_back({std::string(every_key), fmt::format("{}", saved.every)});
  contents.metadata.push_back({std::string(checksum_key), checksum(contents)});
  save_safetensors(file_.string(), contents);
}

std::optional<Checkpoint::Saved> Checkpoint::load() const {
  std::error_code error;
  if (fs::symlink_status(file_, error).type() == fs::file_type::not_found) return std::nullopt;
  Safetensors contents = xtgrad::load_safetensors(file_.string());
  const std::string* program = find(contents.metadata, kind.key);
  if (program == nullptr || *program != kind.text) {
    throw xtgrad::IoError(fmt::format("{}: is no checkpoint: {} should be \"{}\", is {}", file_.string(),
                                      kind.key, kind.text,
                                      program == nullptr ? "not there" : fmt::format("\"{}\"", *program)));
  }
  check_sum(contents, file_);
  check_choices(contents.metadata);
  Saved saved{.state = {}, .every = steps_between(contents.metadata, file_)};
  for (xtgrad::NamedTensor& tensor : contents.tensors) saved.state.add(std::move(tensor.name), tensor.value);
  return saved;
}

void Checkpoint::check_choices(const Choices& notes) const {
  for (const auto& [option, now] : made_with_) {
    const std::string* then = find(notes, option);
    if (then != nullptr && *then == now) continue;
    throw std::runtime_error(fmt::format(
        "--resume: {} was made with {} {}, not {}: go on with the same, or begin anew without --resume",
        file_.string(), option, then == nullptr ? "absent" : *then, now));
  }
}

Checkpoint::Choices choices_of(const Options& options, const Splits& data) {
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
          {"training samples of fingerprint", fmt::format("{:016x}", fingerprint(data.train))},
          {"validation samples of fingerprint", fmt::format("{:016x}", fingerprint(data.validation))},
          {"test samples of fingerprint", fmt::format("{:016x}", fingerprint(data.test))}};
}

}  // namespace train
