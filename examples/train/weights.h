#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "xtgrad/nn/state_dict.h"

namespace train {

// Weights as a safetensors file, which many programs read:
//
//   8 bytes       n, the length of the header, little-endian
//   n bytes       header: JSON, padded with blanks to a multiple of 8, such as
//                 {"__metadata__": {"format_version": "1"},
//                  "head.bias": {"dtype": "F32", "shape": [10], "data_offsets": [0, 40]}, ...}
//   the rest      the tensors' elements, row-major, little-endian, one tensor after the other without gaps;
//                 offsets count from here
//
// The format is described at https://github.com/huggingface/safetensors.

/// The bytes of such a file. Tensors of larger elements come first, so that every element is aligned.
[[nodiscard]] std::string encode_weights(const xtgrad::nn::StateDict& state);

/// The tensors in such bytes, in their order there. Trusts nothing: throws xtgrad::IoError that says what is
/// wrong with them and begins with `source`.
[[nodiscard]] xtgrad::nn::StateDict decode_weights(std::string_view bytes, std::string_view source);

/// As above, to and from a file; throws xtgrad::IoError.
void save_weights(const std::filesystem::path& path, const xtgrad::nn::StateDict& state);
[[nodiscard]] xtgrad::nn::StateDict load_weights(const std::filesystem::path& path);

}  // namespace train
