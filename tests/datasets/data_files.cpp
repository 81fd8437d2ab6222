#include "tests/datasets/data_files.h"

#include <zlib.h>

#include <cstdlib>
#include <fstream>
#include <stdexcept>
#include <utility>

#include "tests/support/skip.h"

namespace xtgrad::inline v1::testing {

Bytes to_bytes(std::string_view text) {
  Bytes bytes;
  for (const char c : text) bytes.push_back(static_cast<std::byte>(c));
  return bytes;
}

void append_number(Bytes& bytes, std::uint64_t number, int size) {
  for (int i = size - 1; i >= 0; --i) bytes.push_back(static_cast<std::byte>(number >> (8 * i)));
}

Bytes idx_bytes(int type, const std::vector<std::uint32_t>& sizes, const Bytes& elements) {
  Bytes bytes;
  append_number(bytes, static_cast<std::uint64_t>(type) << 8 | sizes.size(), 4);
  for (const std::uint32_t size : sizes) append_number(bytes, size, 4);
  bytes.insert(bytes.end(), elements.begin(), elements.end());
  return bytes;
}

Bytes gzip(const Bytes& bytes) {
  z_stream stream{};
  if (deflateInit2(&stream, 6, Z_DEFLATED, 16 + MAX_WBITS, 8, Z_DEFAULT_STRATEGY) != Z_OK) {
    throw std::runtime_error("deflateInit2 failed");
  }
  Bytes packed(deflateBound(&stream, bytes.size()));
  stream.next_in = const_cast<Bytef*>(reinterpret_cast<const Bytef*>(bytes.data()));
  stream.avail_in = static_cast<uInt>(bytes.size());
  stream.next_out = reinterpret_cast<Bytef*>(packed.data());
  stream.avail_out = static_cast<uInt>(packed.size());
  const int result = deflate(&stream, Z_FINISH);
  packed.resize(stream.total_out);
  deflateEnd(&stream);
  if (result != Z_STREAM_END) throw std::runtime_error("deflate failed");
  return packed;
}

void write_bytes(const std::filesystem::path& path, const Bytes& bytes) {
  std::filesystem::create_directories(path.parent_path());
  std::ofstream file(path, std::ios::binary);
  file.write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
  if (!file.flush()) throw std::runtime_error("cannot write " + path.string());
}

std::string io_error(const std::function<void()>& action) {
  try {
    action();
  } catch (const IoError& error) {
    return error.what();
  }
  FAIL_CHECK("no IoError was thrown");
  return {};
}

std::optional<std::filesystem::path> real_data(std::string_view file) {
  const char* named = std::getenv("XTGRAD_DATA");
  const std::filesystem::path folder = named != nullptr && *named != '\0'
                                           ? std::filesystem::path(named)
                                           : std::filesystem::path(XTGRAD_SOURCE_DIR) / "../shared/data";
  if (std::filesystem::exists(folder / file)) return folder;
  skip("no " + std::string(file) + " in " + folder.string() + "; XTGRAD_DATA can name another folder");
  return std::nullopt;
}

namespace {

void set_or_unset(const std::string& name, const std::optional<std::string>& value) {
  if (value) {
    ::setenv(name.c_str(), value->c_str(), 1);
  } else {
    ::unsetenv(name.c_str());
  }
}

}  // namespace

Environment::Environment(std::string name, const std::optional<std::string>& value) : name_(std::move(name)) {
  if (const char* before = std::getenv(name_.c_str())) before_ = before;
  set_or_unset(name_, value);
}

Environment::~Environment() { set_or_unset(name_, before_); }

WorkingFolder::WorkingFolder(const std::filesystem::path& folder) : before_(std::filesystem::current_path()) {
  std::filesystem::current_path(folder);
}

WorkingFolder::~WorkingFolder() { std::filesystem::current_path(before_); }

}  // namespace xtgrad::testing
