#pragma once

#include <string>
#include <string_view>

namespace xtgrad::inline v1::detail {

/// What a reader reads.
enum class FileFormat { npy, npz, safetensors };

/// What a file is that begins with these bytes, and the way from it to one that can be read, as the end of a
/// sentence; empty if it is nothing that is known to come in the place of a data file: a page that a server
/// sent instead, a pointer that Git LFS did not replace, another format than the reader's own.
[[nodiscard]] std::string foreign_kind(FileFormat own, std::string_view bytes);

/// Of these, what no file of numbers or text begins with by chance: for readers of formats without a mark of
/// their own.
[[nodiscard]] std::string stand_in_kind(std::string_view bytes);

/// The same of a text, such as a server's answer in JSON, for readers of formats that no text begins like.
[[nodiscard]] std::string text_kind(std::string_view bytes);

}  // namespace xtgrad::v1::detail
