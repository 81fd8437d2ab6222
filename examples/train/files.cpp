#include "files.h"

#include <fmt/format.h>

#include <string>
#include <system_error>

#include "xtgrad/autograd/errors.h"
#include "xtgrad/training/writable_folder.h"

namespace train {
namespace {

namespace fs = std::filesystem;

[[noreturn]] void fail(std::string_view what, const fs::path& path, int error) {
  throw xtgrad::IoError(
      fmt::format("cannot {} {}: {}", what, path.string(), std::generic_category().message(error)));
}

}  // namespace

void prepare_folder(const fs::path& folder) {
  std::error_code error;
  fs::create_directories(folder, error);
  if (error) fail("create the folder", folder, error.value());
  xtgrad::training::check_writable_folder("--out", folder.string());
}

}  // namespace train
