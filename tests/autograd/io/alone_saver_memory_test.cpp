// Savers that get no more memory say so in the function's name, and leave the file that was there. Alone, for
// the process limits its own address space, and other tests leave free memory that savers could use.
#include <doctest/doctest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cstdint>
#include <filesystem>
#include <iterator>
#include <string>
#include <vector>

#include "tests/support/program.h"
#include "tests/support/skip.h"
#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/io/file.h"
#include "xtgrad/autograd/io/npy.h"
#include "xtgrad/autograd/io/npz.h"
#include "xtgrad/autograd/io/safetensors.h"
#include "xtgrad/autograd/sanitizers.h"
#include "xtgrad/nn/files.h"
#include "xtgrad/training/checkpoint.h"

using namespace xtgrad;
namespace fs = std::filesystem;

#if !XTGRAD_ADDRESS_SANITIZER && !XTGRAD_THREAD_SANITIZER

namespace {

/// Lets the address space grow by `room` bytes and no more, until the end of the scope.
class MemoryLimit {
 public:
  explicit MemoryLimit(std::uint64_t room) {
    const std::uint64_t pages = std::stoull(testing::file_text("/proc/self/statm"));
    REQUIRE(::getrlimit(RLIMIT_AS, &before_) == 0);
    rlimit limit = before_;
    limit.rlim_cur = pages * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE)) + room;
    REQUIRE(::setrlimit(RLIMIT_AS, &limit) == 0);
  }
  ~MemoryLimit() { ::setrlimit(RLIMIT_AS, &before_); }
  MemoryLimit(const MemoryLimit&) = delete;
  MemoryLimit& operator=(const MemoryLimit&) = delete;

 private:
  rlimit before_{};
};

constexpr std::int64_t megabytes = 64;

/// The operation that an OutOfMemory names when `save` writes to a file that is there, which must stay as it
/// is.
template <class Save>
std::string refusal(const Save& save) {
  const testing::TemporaryFolder folder;
  const std::string file = folder.path() / "old";
  write_file_atomically(file, "what was there");
  std::string operation = "no error";
  {
    const MemoryLimit limit(std::uint64_t{16} << 20);
    try {
      save(file);
    } catch (const OutOfMemory& error) {
      operation = error.operation();
      CHECK(error.bytes_asked() >= megabytes << 20);
      CHECK(std::string(error.what()).starts_with(operation + ": out of memory: "));
    }
  }
  CHECK(testing::file_text(file) == "what was there");
  CHECK(std::distance(fs::directory_iterator(folder.path()), {}) == 1);
  return operation;
}

}  // namespace

TEST_CASE("a saver that gets no memory throws OutOfMemory of its name, and the old file stays") {
  const Tensor x = ones({megabytes, 1 << 18}, {.dtype = float32});
  const std::vector<NamedTensor> tensors{{"x", x}};
  nn::StateDict state;
  state.add("x", x);
  CHECK(refusal([&](const std::string& file) { save_npy(file, x); }) == "save_npy");
  CHECK(refusal([&](const std::string& file) { save_safetensors(file, {.tensors = tensors}); }) ==
        "save_safetensors");
  CHECK(refusal([&](const std::string& file) { nn::save(file, state); }) == "nn::save");
  CHECK(refusal([&](const std::string& file) {
          training::save_checkpoint(file, {.state = state, .notes = {}});
        }) == "save_checkpoint");
}

#ifdef XTGRAD_HAS_LIBZIP
TEST_CASE("so do savers of npz files, in which the archive has memory of its own") {
  const std::vector<NamedTensor> tensors{{"x", ones({megabytes, 1 << 18}, {.dtype = float32})}};
  for (const bool compress : {false, true}) {
    CHECK(refusal([&](const std::string& file) { save_npz(file, tensors, {.compress = compress}); }) ==
          "save_npz");
  }
}

TEST_CASE("where the tensor fits once and the archive does not, it is the same error") {
  const std::vector<NamedTensor> tensors{{"x", ones({megabytes, 1 << 18}, {.dtype = float32})}};
  std::string operation = "no error";
  {
    const MemoryLimit limit(std::uint64_t{megabytes + 32} << 20);
    try {
      static_cast<void>(encode_npz(tensors));
    } catch (const OutOfMemory& error) {
      operation = error.operation();
    }
  }
  CHECK(operation == "save_npz");
}
#endif

#endif
