#include <doctest/doctest.h>

#include <filesystem>
#include <optional>
#include <string>

#include "tests/support/message_of.h"
#include "tests/support/program.h"
#include "xtgrad/autograd/errors.h"
#include "xtgrad/training/folder_lock.h"

using xtgrad::testing::message_of;
using xtgrad::testing::TemporaryFolder;
using xtgrad::training::FolderLock;

TEST_CASE("FolderLock refuses a folder that another has until that has gone, and leaves no file") {
  const TemporaryFolder temporary;
  const std::string folder = temporary.path().string();
  std::optional<FolderLock> first;
  first.emplace("run", folder);
  CHECK(message_of<xtgrad::IoError>([&] {
          const FolderLock second("other", folder);
          return 0;
        }) == "other: another training writes to " + folder + ": wait for its end, or name another folder");
  first.reset();
  CHECK_NOTHROW(FolderLock("other", folder));
  CHECK(std::filesystem::is_empty(temporary.path()));
  CHECK_NOTHROW(FolderLock("other", folder + "/none"));
}
