#pragma once

#include <string>

#include "xtgrad/autograd/export.h"
#include "xtgrad/autograd/io/file.h"
#include "xtgrad/nn/state_dict.h"

namespace xtgrad { inline namespace XTGRAD_PUBLIC v1 { namespace nn {

struct SaveOptions {
  /// Write the random streams of layers such as Dropout, too, from which a training goes on with the same
  /// bits. Other libraries' models have none, and some of them refuse a name that they do not know.
  bool streams = true;
};

/// Writes a state as a safetensors file (<xtgrad/autograd/io/safetensors.h>), whole or not at all. Names and
/// order are the state's; every value keeps its bits. Throws IoError that names the file.
///
///   nn::save("digits.safetensors", model.state_dict());
///   model.load_state_dict(nn::load("digits.safetensors"));
///   nn::save("for_pytorch.safetensors", model.state_dict(), {.streams = false});
void save(const std::string& path, const StateDict& state, const SaveOptions& options = {});

/// The tensors of such a file, in the order of its header, whoever wrote it; a PyTorch model's file holds
/// names and shapes as ours. Tensors of dtypes that there are none of are left out. Throws IoError for a file
/// that is missing, damaged or foreign.
[[nodiscard]] StateDict load(const std::string& path, const ReadLimits& limits = {});

}}}  // namespace xtgrad::v1::nn
