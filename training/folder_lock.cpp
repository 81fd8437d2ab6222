#include "xtgrad/training/folder_lock.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>

#include "xtgrad/autograd/errors.h"

namespace xtgrad::inline v1::training {

// The folder itself is locked: a file for it would stay behind.
FolderLock::FolderLock(std::string_view caller, const std::string& folder)
    : descriptor_(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)) {
  if (descriptor_ < 0 || ::flock(descriptor_, LOCK_EX | LOCK_NB) == 0 || errno != EWOULDBLOCK) return;
  ::close(descriptor_);
  throw IoError(fmt::format("{}: another training writes to {}: wait for its end, or name another folder",
                            caller, folder));
}

FolderLock::~FolderLock() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

}  // namespace xtgrad::v1::training
