// Logs where the disk takes no more in the middle of a line or a record. A program of its own: the limit on
// the size of files holds for the whole process.
#include <doctest/doctest.h>
#include <sys/resource.h>

#include <csignal>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "tests/support/program.h"
#include "tests/training/event_reader.h"
#include "xtgrad/autograd/errors.h"
#include "xtgrad/training/row_log.h"
#include "xtgrad/training/tensorboard.h"

using namespace xtgrad;
using testing::file_text;
using testing::TemporaryFolder;

namespace {

/// While it lives, no file may become longer.
class LimitedFiles {
 public:
  explicit LimitedFiles(std::uintmax_t bytes) {
    std::signal(SIGXFSZ, SIG_IGN);
    getrlimit(RLIMIT_FSIZE, &before_);
    rlimit limit = before_;
    limit.rlim_cur = bytes;
    REQUIRE(setrlimit(RLIMIT_FSIZE, &limit) == 0);
  }
  ~LimitedFiles() { setrlimit(RLIMIT_FSIZE, &before_); }
  LimitedFiles(const LimitedFiles&) = delete;
  LimitedFiles& operator=(const LimitedFiles&) = delete;

 private:
  rlimit before_{};
};

}  // namespace

TEST_CASE("a line that does not fit is taken back, and the next one is whole") {
  const TemporaryFolder folder;
  const std::string path = (folder.path() / "log.csv").string();
  training::CsvLog log(path);
  const std::vector<training::NamedValue> row{{"loss", 0.5}};
  log.write(1, row);
  const std::string before = file_text(path);
  {
    const LimitedFiles limit(before.size() + 2);
    CHECK_THROWS_AS(log.write(2, row), IoError);
  }
  CHECK(file_text(path) == before);
  log.write(3, row);
  CHECK(file_text(path) == before + "3,0.5\n");
}

TEST_CASE("a record that does not fit is taken back, and the next one can be read") {
  const TemporaryFolder folder;
  training::TensorBoard board(folder.path().string());
  board.add_scalar("loss", 0.5, 1);
  const std::string before = file_text(board.path());
  {
    const LimitedFiles limit(before.size() + 20);
    CHECK_THROWS_AS(board.add_scalar("loss", 0.25, 2), IoError);
  }
  CHECK(file_text(board.path()) == before);
  board.add_scalar("loss", 0.125, 3);
  CHECK(file_text(board.path()).starts_with(before));
  // The file's version, and the values of steps 1 and 3.
  CHECK(training_test::records_of(file_text(board.path())).size() == 3);
}
