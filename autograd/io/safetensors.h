#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "xtgrad/autograd/export.h"
#include "xtgrad/autograd/io/file.h"
#include "xtgrad/autograd/io/named_tensor.h"

namespace xtgrad { inline namespace XTGRAD_PUBLIC v1 {

/// A file of named tensors in the safetensors format, which PyTorch, JAX and many others exchange weights in:
///
///   8 bytes       n, the length of the header, little-endian
///   n bytes       header: JSON, padded with blanks to a multiple of 8, such as
///                 {"__metadata__": {"format_version": "1"},
///                  "head.bias": {"dtype": "F32", "shape": [10], "data_offsets": [0, 40]}, ...}
///   the rest      elements, row-major, little-endian, one tensor after the other without gaps; offsets count
///                 from here
///
/// https://github.com/huggingface/safetensors describes it. For a model's state see <xtgrad/nn/files.h>.
///
///   save_safetensors("pair.safetensors", {.tensors = {{"a", a}, {"b", b}}});
///   Tensor again = load_safetensors("pair.safetensors").tensors[0].value;
struct Safetensors {
  struct Note {
    std::string key;
    std::string text;
  };

  std::vector<NamedTensor> tensors;  ///< in the order of the header
  std::vector<Note> metadata = {};   ///< free text, without the format version, which is the library's own
};

/// The bytes of such a file, with `format_version` 1 in its metadata. The header lists tensors in their order
/// here; their elements are sorted by size, so that every element is aligned. Throws ValueError for a name or
/// key that is there twice or that the format or the library uses itself, and for a tensor without a value.
[[nodiscard]] std::string encode_safetensors(const Safetensors& contents);

/// What is in such bytes, whoever wrote them; metadata need not be there. F32, F64, I64, I32, U8 and
/// BOOL are our dtypes; F16 and BF16 become float32, and I16, I8, U32 and U16 become int64. Tensors of other
/// dtypes, such as U64, are left out where there are any of these. Trusts nothing: IoError names `source`,
/// the tensor or byte, what was found and what was expected, also for a `format_version` above 1.
[[nodiscard]] Safetensors decode_safetensors(std::string_view bytes, std::string_view source);

/// As above, to and from a file, which is written whole or not at all: see `write_file_atomically`.
void save_safetensors(const std::string& path, const Safetensors& contents);
[[nodiscard]] Safetensors load_safetensors(const std::string& path, const ReadLimits& limits = {});
/// The tensors of these names alone, in their order. Throws IoError for a name that is not there, or is of
/// another dtype than those above.
[[nodiscard]] Safetensors load_safetensors_entries(const std::string& path,
                                                   const std::vector<std::string>& names,
                                                   const ReadLimits& limits = {});
/// The names of all tensors, in the order of the header, of whatever dtype.
[[nodiscard]] std::vector<std::string> safetensors_names(const std::string& path,
                                                         const ReadLimits& limits = {});

}}  // namespace xtgrad::v1
