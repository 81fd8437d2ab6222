#include "xtgrad/training/checkpoint.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <span>
#include <string_view>
#include <system_error>
#include <unordered_set>
#include <utility>

#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/io/memory_budget.h"
#include "xtgrad/autograd/io/on_behalf.h"
#include "xtgrad/autograd/io/saving.h"
#include "xtgrad/training/digest.h"

namespace xtgrad::inline v1::training {
namespace {

namespace fs = std::filesystem;
namespace io = xtgrad::detail;

const Safetensors::Note kind{"kind", "xtgrad checkpoint"};
constexpr std::string_view checksum_key = "checksum";

/// Of everything in the file, but itself.
std::string checksum(std::string_view function, const Safetensors& contents) {
  const std::string bytes = io::encode_safetensors(function, contents);
  return fmt::format("{:016x}", detail::digest(std::as_bytes(std::span(bytes))));
}

const std::string* find(const Notes& notes, std::string_view key) {
  const auto found = std::ranges::find(notes, key, &Safetensors::Note::key);
  return found == notes.end() ? nullptr : &found->text;
}

void drop(Notes& notes, std::string_view key) {
  std::erase_if(notes, [&](const Safetensors::Note& note) { return note.key == key; });
}

/// Takes the checksum out of what was read, and throws unless it is right.
void check_sum(Safetensors& contents, const std::string& path) {
  const std::string* text = find(contents.metadata, checksum_key);
  const std::string written = text == nullptr ? "none" : *text;
  drop(contents.metadata, checksum_key);
  const std::string found =
      io::within_memory("load_checkpoint", path, [&] { return checksum("load_checkpoint", contents); });
  if (written == found) return;
  throw IoError(
      fmt::format("load_checkpoint: {}: damaged: its checksum should be {}, its contents have {}; remove it "
                  "to begin anew",
                  path, written, found));
}

/// Each key once, and none that the file has for itself.
void check_keys(const std::string& path, const Notes& notes) {
  std::unordered_set<std::string_view> known;
  for (const auto& [key, text] : notes) {
    if (key == kind.key || key == checksum_key) {
      throw ValueError(fmt::format(
          "save_checkpoint: {}: a note cannot be called \"{}\", as one of the file's own is", path, key));
    }
    if (!known.insert(key).second)
      throw ValueError(fmt::format("save_checkpoint: {}: two notes are called \"{}\"", path, key));
  }
}

}  // namespace

void save_checkpoint(const std::string& path, const Checkpoint& checkpoint) {
  constexpr std::string_view function = "save_checkpoint";
  const Safetensors contents = io::saving(function, 0, [&] {
    check_keys(path, checkpoint.notes);
    Safetensors all{.tensors = {checkpoint.state.begin(), checkpoint.state.end()}, .metadata = {kind}};
    all.metadata.insert(all.metadata.end(), checkpoint.notes.begin(), checkpoint.notes.end());
    all.metadata.push_back({std::string(checksum_key), checksum(function, all)});
    return all;
  });
  io::save_safetensors(function, path, contents);
}

std::optional<Checkpoint> load_checkpoint(const std::string& path, const ReadLimits& limits) {
  std::error_code error;
  if (fs::symlink_status(path, error).type() == fs::file_type::not_found) return std::nullopt;
  Safetensors contents = io::load_safetensors("load_checkpoint", path, limits);
  const std::string* found = find(contents.metadata, kind.key);
  if (found == nullptr || *found != kind.text) {
    throw IoError(fmt::format("load_checkpoint: {}: is no checkpoint: {} should be \"{}\", is {}", path,
                              kind.key, kind.text,
                              found == nullptr ? "not there" : fmt::format("\"{}\"", *found)));
  }
  check_sum(contents, path);
  drop(contents.metadata, kind.key);
  Checkpoint checkpoint{.state = {}, .notes = std::move(contents.metadata)};
  for (NamedTensor& tensor : contents.tensors) checkpoint.state.add(std::move(tensor.name), tensor.value);
  return checkpoint;
}

std::optional<NoteDifference> first_difference(const Notes& then, const Notes& now) {
  for (const auto& [key, text] : now) {
    const std::string* was = find(then, key);
    if (was == nullptr || *was != text)
      return NoteDifference{.key = key, .was = was == nullptr ? "absent" : *was, .is = text};
  }
  return std::nullopt;
}

}  // namespace xtgrad::v1::training
