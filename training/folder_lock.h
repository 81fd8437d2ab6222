#pragma once

#include <string>
#include <string_view>

#include "xtgrad/autograd/export.h"

namespace xtgrad { inline namespace XTGRAD_PUBLIC v1 { namespace training {

/// Keeps a folder for this process alone while it lives, against another that would write the same files; the
/// lock ends with the process, however that ends. It leaves no file behind, and binds those alone who ask for
/// it. Where the file system has no locks, or the folder cannot be opened, it keeps nothing.
class FolderLock {
 public:
  /// Throws IoError, in `caller`'s name, if another has it.
  FolderLock(std::string_view caller, const std::string& folder);
  ~FolderLock();
  FolderLock(const FolderLock&) = delete;
  FolderLock& operator=(const FolderLock&) = delete;

 private:
  int descriptor_;
};

}}}  // namespace xtgrad::v1::training
