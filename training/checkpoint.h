#pragma once

#include <optional>
#include <string>
#include <vector>

#include "xtgrad/autograd/export.h"
#include "xtgrad/autograd/io/file.h"
#include "xtgrad/autograd/io/safetensors.h"
#include "xtgrad/nn/state_dict.h"

namespace xtgrad { inline namespace XTGRAD_PUBLIC v1 { namespace training {

/// What a training was made with, by name, such as {"lr", "0.1"}: the choices that decide about the bits of
/// its result.
using Notes = std::vector<Safetensors::Note>;

/// A state, such as a Trainer's, and what it was made with.
struct Checkpoint {
  nn::StateDict state;
  Notes notes = {};
};

/// Writes a checkpoint whole or not at all, and waits until it is on the disk: a safetensors file with a
/// checksum, which readers of the format that know nothing of it can read, too. Throws IoError, and
/// ValueError for a note that is there twice or is called "kind" or "checksum".
void save_checkpoint(const std::string& path, const Checkpoint& checkpoint);

/// The checkpoint in a file; none if there is no file. Throws IoError, naming it, if it is damaged or is no
/// checkpoint.
[[nodiscard]] std::optional<Checkpoint> load_checkpoint(const std::string& path,
                                                        const ReadLimits& limits = {});

/// A choice that was made otherwise.
struct NoteDifference {
  std::string key;
  std::string was;  ///< "absent" where it was not made
  std::string is;
};

/// The first of the notes `now` that is not among those of `then`; none if all are. Others of `then` do not
/// matter.
[[nodiscard]] std::optional<NoteDifference> first_difference(const Notes& then, const Notes& now);

}}}  // namespace xtgrad::v1::training
