#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "xtgrad/autograd/export.h"

namespace xtgrad { inline namespace XTGRAD_PUBLIC v1 {

/// How much memory reading may take at once, IoError past it: the bytes of the file, those of an entry that
/// is inflated, those of the tensors that come out, and the names and notes, of which there may be millions.
/// What a file claims about itself never makes the library reserve memory, but a deflated archive can truly
/// hold a thousand times its own size.
struct ReadLimits {
  std::uint64_t max_bytes = std::uint64_t{1} << 33;
};

/// All bytes of a file, or of a pipe or device until its end. Throws IoError with the system's reason.
[[nodiscard]] std::string read_file(const std::string& path, const ReadLimits& limits = {});

/// Writes a file whole or not at all: a reader, a crash or a full disk meets the old file or the new one,
/// never a part. The bytes go to a temporary file in the same folder (`name.PID-N.tmp`), reach the disk, and
/// are renamed; then the folder itself is synced. Throws IoError with the system's reason; the temporary file
/// is gone then, and the old file is as it was unless syncing the folder is all that failed. A process that
/// is killed may leave the temporary file behind; while one lives its file is locked (flock).
///
/// A new file gets the permissions that the umask leaves, a replaced one keeps its own. A symbolic link
/// stays, and the file it points to is replaced. What is no regular file, such as /dev/null, is refused.
void write_file_atomically(const std::string& path, std::string_view bytes);

}}  // namespace xtgrad::v1
