// What files claim about themselves brings no memory with it, and what really does not fit is told as such.
// The process limits its own address space: the system then refuses even memory that nobody would touch,
// which the resident size would not show. Alone, for other tests leave free memory that readers could use.
#include <doctest/doctest.h>
#include <sys/resource.h>
#include <unistd.h>
#include <zlib.h>

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <functional>
#include <new>
#include <string>
#include <system_error>
#include <vector>

#include "tests/support/forged.h"
#include "tests/support/program.h"
#include "tests/support/skip.h"
#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/io/npy.h"
#include "xtgrad/autograd/io/npz.h"
#include "xtgrad/autograd/io/safetensors.h"
#include "xtgrad/autograd/sanitizers.h"
#include "xtgrad/datasets/cifar.h"
#include "xtgrad/datasets/csv.h"
#include "xtgrad/datasets/idx.h"

using namespace xtgrad;
using testing::replaced;
using testing::TemporaryFolder;
namespace fs = std::filesystem;
using namespace std::string_literals;

namespace {

constexpr std::uint64_t mebibyte = std::uint64_t{1} << 20;

/// True, and the test is skipped, where the process's address space is not its own to limit.
bool is_sanitized() {
#if XTGRAD_ADDRESS_SANITIZER || XTGRAD_THREAD_SANITIZER
  testing::skip("a sanitizer reserves address space as it likes");
  return true;
#else
  return false;
#endif
}

/// Lets the address space grow by `room` bytes and no more, until the end of the scope.
class MemoryLimit {
 public:
  explicit MemoryLimit(std::uint64_t room) {
    const std::uint64_t pages = std::stoull(testing::file_text("/proc/self/statm"));
    if (::getrlimit(RLIMIT_AS, &before_) != 0) fail();
    rlimit limit = before_;
    limit.rlim_cur = pages * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE)) + room;
    if (::setrlimit(RLIMIT_AS, &limit) != 0) fail();
  }
  ~MemoryLimit() { ::setrlimit(RLIMIT_AS, &before_); }
  MemoryLimit(const MemoryLimit&) = delete;
  MemoryLimit& operator=(const MemoryLimit&) = delete;

 private:
  [[noreturn]] static void fail() { throw std::system_error(errno, std::generic_category(), "RLIMIT_AS"); }

  rlimit before_{};
};

/// What `read` says about a file with so much room for it.
std::string error_with(std::uint64_t room, const std::function<void()>& read) {
  const MemoryLimit limit(room);
  try {
    read();
  } catch (const IoError& error) {
    return error.what();
  } catch (const std::bad_alloc&) {
    return "std::bad_alloc";
  }
  return "no error";
}

/// A number's bytes, the lowest first.
std::string little_endian(std::uint64_t number, int size) {
  std::string bytes;
  for (int i = 0; i < size; ++i) bytes += static_cast<char>(number >> (8 * i));
  return bytes;
}

/// One gzip member.
std::string gzip(const std::string& bytes) {
  const TemporaryFolder folder;
  const std::string path = folder.path() / "packed.gz";
  const gzFile file = ::gzopen(path.c_str(), "wb");
  REQUIRE(::gzwrite(file, bytes.data(), static_cast<unsigned>(bytes.size())) ==
          static_cast<int>(bytes.size()));
  REQUIRE(::gzclose(file) == Z_OK);
  return testing::file_text(path);
}

/// As a zip archive stores it.
std::string checksum(const std::string& bytes) {
  return little_endian(
      ::crc32(0, reinterpret_cast<const Bytef*>(bytes.data()), static_cast<uInt>(bytes.size())), 4);
}

/// With `times` gzip members a small file has large content, made in no time.
std::string repeated(const std::string& member, int times) {
  std::string bytes;
  for (int i = 0; i < times; ++i) bytes += member;
  return bytes;
}

class Files {
 public:
  std::string write(const std::string& name, const std::string& bytes) const {
    const fs::path path = folder_.path() / name;
    std::ofstream(path, std::ios::binary) << bytes;
    REQUIRE(fs::file_size(path) == bytes.size());
    return path;
  }

 private:
  TemporaryFolder folder_;
};

/// Asks for memory, and does not touch it.
void reserve(std::uint64_t bytes) { std::vector<std::byte>().reserve(bytes); }

}  // namespace

TEST_CASE("the limit notices memory that is not touched") {
  if (is_sanitized()) return;
  CHECK(error_with(64 * mebibyte, [] { reserve(48 * mebibyte); }) == "no error");
  CHECK(error_with(64 * mebibyte, [] { reserve(80 * mebibyte); }) == "std::bad_alloc");
}

TEST_CASE("gigabytes that a file only claims to hold are not asked of the system") {
  if (is_sanitized()) return;
  const Files files;
  const auto refusal = [&](const auto& read, const std::string& name, const std::string& bytes) {
    const std::string path = files.write(name, bytes);
    return error_with(64 * mebibyte, [&] { static_cast<void>(read(path)); });
  };
  const auto read_idx = [](const std::string& path) { return datasets::read_idx(path); };
  const auto read_npy = [](const std::string& path) { return load_npy(path); };
  const auto read_safetensors = [](const std::string& path) { return load_safetensors(path); };

  // 4294967280 elements of a byte.
  const std::string idx = "\0\0\x08\x01\xff\xff\xff\xf0some bytes"s;
  CHECK(refusal(read_idx, "plain.idx", idx).find("found the end of the content") != std::string::npos);
  CHECK(refusal(read_idx, "packed.idx", gzip(idx)).find("found the end of the content") != std::string::npos);
  // As many images as there are labels, and one pixel each.
  const std::string images = "\0\0\x08\x03\xff\xff\xff\xf0\0\0\0\1\0\0\0\1some bytes"s;
  const std::string image_file = files.write("images.idx", images);
  const auto read_images = [&](const std::string& path) {
    return datasets::idx_dataset({.images = image_file, .labels = path, .classes = 10});
  };
  CHECK(refusal(read_images, "labels.idx", gzip(idx)).find("found the end of the content") !=
        std::string::npos);

  // Seven gigabytes of float32.
  const std::string npy =
      replaced(encode_npy(zeros({1000, 1000})).substr(0, 1000), "(1000, 1000), }", "(2000, 900000)}");
  CHECK(refusal(read_npy, "a.npy", npy).find("needs 7200000000") != std::string::npos);

  const std::string safetensors =
      R"({"a":{"dtype":"F32","shape":[1000000000],"data_offsets":[0,4000000000]}})";
  CHECK(refusal(read_safetensors, "tensor.safetensors",
                little_endian(safetensors.size(), 8) + safetensors + "some bytes")
            .find("4000000000") != std::string::npos);
  CHECK(refusal(read_safetensors, "header.safetensors", little_endian(4'000'000'000, 8) + safetensors)
            .find("4000000000") != std::string::npos);
}

#ifdef XTGRAD_HAS_LIBZIP
TEST_CASE("gigabytes that an npz file only claims to hold are not asked of the system") {
  if (is_sanitized()) return;
  const Files files;
  const Tensor x = zeros({1000, 1000});
  const std::string size = little_endian(encode_npy(x).size(), 4);
  const std::string entry = files.write(
      "entry.npz", replaced(encode_npz({{"x", x}}, {.compress = true}), size, little_endian(0xfffffff0, 4)));
  CHECK(error_with(64 * mebibyte, [&] {
          static_cast<void>(load_npz(entry));
        }).find("it has 4000128 bytes, the archive says 4294967280") != std::string::npos);
  // The array's own header, and the checksum made right again.
  const std::string honest = encode_npy(x);
  const std::string forged = replaced(honest, "(1000, 1000), }", "(1000, 900000)}");
  const std::string header = files.write(
      "header.npz",
      replaced(replaced(encode_npz({{"x", x}}), honest, forged), checksum(honest), checksum(forged)));
  CHECK(error_with(64 * mebibyte, [&] { static_cast<void>(load_npz(header)); })
            .find("the file has 4000000 bytes of data, shape [1000, 900000] needs 3600000000") !=
        std::string::npos);
}
#endif

TEST_CASE("a small gzip file that unpacks to much is refused at its first wrong label") {
  if (is_sanitized()) return;
  const Files files;
  const std::string zeros = gzip(std::string(std::size_t{3073} * 1000, '\0'));
  const std::string path = files.write("bomb.gz", gzip("\x0a") + repeated(zeros, 100));
  CHECK(error_with(64 * mebibyte, [&] { (void)datasets::cifar10_files({.files = {path}}); }) ==
        "cifar10_files: " + path +
            ", byte 0 of the unpacked content: found label 10 in record 0, expected 0 to 9");
}

TEST_CASE("a file whose content does not fit in memory is named, and how much it needs") {
  if (is_sanitized()) return;
  const Files files;
  const std::string zeros = gzip(std::string(std::size_t{3073} * 1000, '\0'));
  const std::string images = files.write("images.gz", repeated(zeros, 20));  // 59 MiB
  const auto cifar = [&](std::uint64_t room, const std::vector<std::string>& paths) {
    return error_with(room * mebibyte, [&] { (void)datasets::cifar10_files({.files = paths}); });
  };
  CHECK(cifar(200, {images, images}) ==
        "cifar10_files: " + images + ", " + images +
            " does not fit in memory: no room for uint8 [40000, 3, 32, 32], 122880000 bytes");
  CHECK(cifar(300, {images}) == "no error");
  // How far reading comes is the allocator's business.
  std::string error = cifar(32, {images});
  CHECK(error.starts_with("cifar10_files: " + images + " does not fit in memory: no room for "));
  CHECK(error.ends_with(" bytes of its unpacked content"));
  error = cifar(32, {"/dev/zero"});
  CHECK(error.starts_with("cifar10_files: /dev/zero does not fit in memory: no room for "));
  CHECK(error.ends_with(" bytes of its content"));
}

TEST_CASE("files of tensors that do not fit in memory are named") {
  if (is_sanitized()) return;
  const Files files;
  const Tensor x = zeros({15'000'000});  // 57 MiB
  const std::string npy = files.write("x.npy", encode_npy(x));
  const std::string safetensors = files.write("x.safetensors", encode_safetensors({.tensors = {{"x", x}}}));
  const auto read_npy = [&] { static_cast<void>(load_npy(npy)); };
  const auto read_safetensors = [&] { static_cast<void>(load_safetensors(safetensors)); };
  // Not even the file, and the file without its tensor.
  for (const std::uint64_t room : {30, 70}) {
    CAPTURE(room);
    CHECK(error_with(room * mebibyte, read_npy) == "load_npy: " + npy + " does not fit in memory");
    CHECK(error_with(room * mebibyte, read_safetensors) ==
          "load_safetensors: " + safetensors + " does not fit in memory");
  }
  CHECK(error_with(300 * mebibyte, read_npy) == "no error");
  CHECK(error_with(30 * mebibyte, [&] { static_cast<void>(read_file(npy)); }) ==
        "read_file: " + npy + " does not fit in memory");
}

TEST_CASE("an IDX file whose content does not fit in memory is named, and how much it needs") {
  if (is_sanitized()) return;
  const Files files;
  const std::string header = "\0\0\x08\x01\x10\0\0\0"s;
  const std::string plain = files.write("plain.idx", header);
  fs::resize_file(plain, 8 + 256 * mebibyte);  // mostly a hole, but truly as long
  const std::string packed =
      files.write("packed.idx", gzip(header) + repeated(gzip(std::string(mebibyte, '\0')), 256));
  const auto idx = [&](const std::string& path, std::uint64_t room) {
    return error_with(room * mebibyte, [&] { (void)datasets::read_idx(path, {.dtype = float32}); });
  };
  CHECK(idx(plain, 200) ==
        "read_idx: " + plain + " does not fit in memory: no room for 268435464 bytes of its content");
  CHECK(idx(plain, 600) ==
        "read_idx: " + plain + " does not fit in memory: no room for float32 [268435456], 1073741824 bytes");
  CHECK(idx(packed, 150) ==
        "read_idx: " + packed +
            " does not fit in memory: no room for 134217736 bytes of its unpacked content");
}

TEST_CASE("a CSV file whose content does not fit in memory is named, and how much it needs") {
  if (is_sanitized()) return;
  const Files files;
  const std::string rows = files.write("rows.csv", repeated(gzip(repeated("1,2,3,4,5,6,7,1\n", 10000)), 100));
  const std::string error = error_with(24 * mebibyte, [&] { (void)datasets::csv_dataset(rows); });
  CHECK(error.starts_with("csv_dataset: " + rows + " does not fit in memory: no room for "));
  CHECK(error.ends_with(" rows of 8 columns, 8 bytes each"));
}
