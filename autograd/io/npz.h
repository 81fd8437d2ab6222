#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "xtgrad/autograd/export.h"
#include "xtgrad/autograd/io/file.h"
#include "xtgrad/autograd/io/named_tensor.h"

namespace xtgrad { inline namespace XTGRAD_PUBLIC v1 {

// Named tensors as NumPy's npz file: a zip archive with one npy file a tensor, "a.npy" for the tensor "a".
//
//   save_npz("pair.npz", {{"a", a}, {"b", b}});                   // numpy.load("pair.npz")["a"]
//   std::vector<NamedTensor> pair = load_npz("pair.npz");
//
// Zip files are read and written with libzip. In a library built without it, these functions throw IoError.

struct NpzOptions {
  bool compress = false;  ///< deflate, as numpy.savez_compressed does
};

/// The bytes of such an archive, in order; the same tensors give the same bytes. Throws ValueError for a name
/// that is there twice or is not UTF-8, and for an empty handle.
[[nodiscard]] std::string encode_npz(const std::vector<NamedTensor>& tensors, const NpzOptions& options = {});

/// The tensors in such bytes, in order, stored or deflated. Where there are others, entries are left out that
/// are no tensor's: arrays of texts, for instance (`decode_npy` says which kinds are read), and files that
/// are no npy file's. Trusts nothing: IoError names `source`, the entry, what was found and what was
/// expected. The limit is for all entries together; none is inflated further than its npy header says.
[[nodiscard]] std::vector<NamedTensor> decode_npz(std::string_view bytes, std::string_view source,
                                                  const ReadLimits& limits = {});
/// As above, to and from a file, which is written whole or not at all: see `write_file_atomically`.
void save_npz(const std::string& path, const std::vector<NamedTensor>& tensors,
              const NpzOptions& options = {});
[[nodiscard]] std::vector<NamedTensor> load_npz(const std::string& path, const ReadLimits& limits = {});
/// The tensors of these names alone, in their order. Throws IoError for a name that is not there, or whose
/// entry is of a kind that is not read.
[[nodiscard]] std::vector<NamedTensor> load_npz_entries(const std::string& path,
                                                        const std::vector<std::string>& names,
                                                        const ReadLimits& limits = {});
/// The names of all entries, in order, of whatever kind; one that is no npy file's has its name in the
/// archive.
[[nodiscard]] std::vector<std::string> npz_names(const std::string& path, const ReadLimits& limits = {});

}}  // namespace xtgrad::v1
