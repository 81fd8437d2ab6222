#include "xtgrad/datasets/byte_reader.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <new>
#include <optional>
#include <stdexcept>
#include <system_error>
#include <utility>

#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/io/foreign_file.h"

namespace xtgrad::inline v1::datasets::detail {

namespace {

constexpr std::size_t piece = std::size_t{1} << 16;

bool begins_with_gzip_magic(std::span<const std::byte> bytes) {
  return bytes.size() >= 2 && bytes[0] == std::byte{0x1f} && bytes[1] == std::byte{0x8b};
}

}  // namespace

/// Where the bytes come from, as they are stored.
class ByteReader::Source {
 public:
  virtual ~Source() = default;
  /// At least one byte, or 0 at the end.
  virtual std::size_t read_some(std::span<std::byte> out) = 0;
  /// Bytes not yet read, where that can be known.
  [[nodiscard]] virtual std::optional<std::uint64_t> left() const = 0;
};

class ByteReader::File final : public Source {
 public:
  File(std::string_view function, const std::string& path) : function_(function), path_(path) {
    file_ = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (file_ < 0) fail("open", errno);
    struct stat status {};
    if (::fstat(file_, &status) == 0 && S_ISREG(status.st_mode)) {
      size_ = static_cast<std::uint64_t>(status.st_size);
    }
  }
  ~File() override {
    if (file_ >= 0) ::close(file_);
  }
  File(const File&) = delete;
  File& operator=(const File&) = delete;

  std::size_t read_some(std::span<std::byte> out) override {
    for (;;) {
      const ssize_t count = ::read(file_, out.data(), out.size());
      if (count >= 0) {
        read_ += static_cast<std::uint64_t>(count);
        return static_cast<std::size_t>(count);
      }
      if (errno != EINTR) fail("read", errno);
    }
  }

  [[nodiscard]] std::optional<std::uint64_t> left() const override {
    if (!size_) return std::nullopt;
    // A file that grew meanwhile is longer than it was, not shorter than nothing.
    return *size_ - std::min(*size_, read_);
  }

 private:
  [[noreturn]] void fail(std::string_view action, int error) const {
    throw IoError(fmt::format("{}: cannot {} {}: {}", function_, action, path_,
                              std::generic_category().message(error)));
  }

  std::string_view function_;
  const std::string& path_;  // the reader's name_
  int file_ = -1;
  std::optional<std::uint64_t> size_;
  std::uint64_t read_ = 0;
};

class ByteReader::Memory final : public Source {
 public:
  explicit Memory(std::span<const std::byte> bytes) : bytes_(bytes) {}

  std::size_t read_some(std::span<std::byte> out) override {
    const std::size_t count = std::min(out.size(), bytes_.size());
    std::copy_n(bytes_.begin(), count, out.begin());
    bytes_ = bytes_.subspan(count);
    return count;
  }
  [[nodiscard]] std::optional<std::uint64_t> left() const override { return bytes_.size(); }

 private:
  std::span<const std::byte> bytes_;
};

/// Unpacks the members of a gzip file, one after the other.
class ByteReader::Gzip {
 public:
  Gzip(ByteReader& reader, std::span<const std::byte> first) : reader_(reader), input_(piece) {
    std::copy(first.begin(), first.end(), input_.begin());
    taken_ = first.size();
    stream_.next_in = reinterpret_cast<Bytef*>(input_.data());
    stream_.avail_in = static_cast<uInt>(first.size());
    constexpr int gzip_only = 16;
    if (inflateInit2(&stream_, gzip_only + MAX_WBITS) != Z_OK) fail_memory();
  }
  ~Gzip() { inflateEnd(&stream_); }
  Gzip(const Gzip&) = delete;
  Gzip& operator=(const Gzip&) = delete;

  std::size_t read(std::span<std::byte> out) {
    std::size_t done = 0;
    while (done < out.size()) {
      if (!in_member_ && !next_member()) break;
      if (stream_.avail_in == 0 && !refill()) {
        fail("the end of the file", "more of a gzip member, which ends with a checksum and a length");
      }
      const auto room = static_cast<uInt>(std::min<std::size_t>(out.size() - done, std::size_t{1} << 30));
      stream_.next_out = reinterpret_cast<Bytef*>(out.data() + done);
      stream_.avail_out = room;
      const int result = inflate(&stream_, Z_NO_FLUSH);
      done += room - stream_.avail_out;
      if (result == Z_STREAM_END) {
        in_member_ = false;
      } else if (result == Z_MEM_ERROR) {
        fail_memory();
      } else if (result != Z_OK && result != Z_BUF_ERROR) {
        // Z_BUF_ERROR only asks for more input.
        fail(fmt::format("damaged data ({})", stream_.msg == nullptr ? "no reason given" : stream_.msg),
             "undamaged gzip data");
      }
    }
    return done;
  }

 private:
  /// Zeros that fill up a file after its last member, as tapes and disk images leave them. What follows them
  /// is no member.
  void skip_padding() {
    if (*stream_.next_in != 0) return;
    do {
      while (stream_.avail_in > 0 && *stream_.next_in == 0) {
        ++stream_.next_in;
        --stream_.avail_in;
      }
    } while (stream_.avail_in == 0 && refill());
    if (stream_.avail_in == 0) return;
    fail(fmt::format("byte 0x{:02x} after the zeros behind the last gzip member", *stream_.next_in),
         "zeros up to the end of the file");
  }

  /// Goes on with the member that follows; false at the end of the file.
  bool next_member() {
    while (stream_.avail_in < 2 && refill()) {
    }
    if (stream_.avail_in == 0) return false;
    skip_padding();
    if (stream_.avail_in == 0) return false;
    const auto* next = reinterpret_cast<const std::byte*>(stream_.next_in);
    if (!begins_with_gzip_magic({next, stream_.avail_in})) {
      fail(fmt::format("byte 0x{:02x} after the last gzip member", std::to_integer<int>(*next)),
           "the end of the file or another member, which begins with 1f 8b");
    }
    if (inflateReset(&stream_) != Z_OK) fail_memory();
    in_member_ = true;
    return true;
  }

  /// Puts more input behind what is left of it; false if there is none.
  bool refill() {
    std::memmove(input_.data(), stream_.next_in, stream_.avail_in);
    const std::size_t count = reader_.source_->read_some(std::span(input_).subspan(stream_.avail_in));
    taken_ += count;
    stream_.next_in = reinterpret_cast<Bytef*>(input_.data());
    stream_.avail_in += static_cast<uInt>(count);
    return count > 0;
  }

  [[noreturn]] void fail(std::string_view found, std::string_view expected) const {
    throw IoError(fmt::format("{}: {}, byte {} of the gzip file: found {}, expected {}", reader_.function_,
                              reader_.name_, taken_ - stream_.avail_in, found, expected));
  }

  /// zlib's own few kilobytes could not be had.
  [[noreturn]] void fail_memory() const {
    throw IoError(fmt::format("{}: cannot unpack {}: {}", reader_.function_, reader_.name_,
                              std::generic_category().message(ENOMEM)));
  }

  ByteReader& reader_;
  std::vector<std::byte> input_;
  std::uint64_t taken_ = 0;  // bytes of the file that have come into input_
  z_stream stream_{};
  bool in_member_ = true;
};

ByteReader::ByteReader(std::string_view function, const std::string& path)
    : function_(function), name_(path), source_(std::make_unique<File>(function_, name_)) {
  detect_gzip();
}

ByteReader::ByteReader(std::string_view function, std::span<const std::byte> bytes, std::string name)
    : function_(function), name_(std::move(name)), source_(std::make_unique<Memory>(bytes)) {
  detect_gzip();
}

ByteReader::~ByteReader() = default;

void ByteReader::detect_gzip() {
  constexpr std::size_t enough = 64;  // to know gzip, and what is no data at all
  peeked_.resize(enough);
  std::size_t have = 0;
  while (have < peeked_.size()) {
    const std::size_t count = source_->read_some(std::span(peeked_).subspan(have));
    if (count == 0) break;
    have += count;
  }
  peeked_.resize(have);
  if (begins_with_gzip_magic(peeked_)) {
    gzip_ = std::make_unique<Gzip>(*this, peeked_);
    peeked_.clear();
  }
  const std::string_view begin(reinterpret_cast<const char*>(peeked_.data()), peeked_.size());
  const std::string kind = xtgrad::detail::stand_in_kind(begin);
  if (!kind.empty()) throw IoError(fmt::format("{}: {}: this is {}", function_, name_, kind));
}

std::size_t ByteReader::read_plain(std::span<std::byte> out) {
  std::size_t done = std::min(out.size(), peeked_.size());
  std::copy_n(peeked_.begin(), done, out.begin());
  peeked_.erase(peeked_.begin(), peeked_.begin() + static_cast<std::ptrdiff_t>(done));
  while (done < out.size()) {
    const std::size_t count = source_->read_some(out.subspan(done));
    if (count == 0) break;
    done += count;
  }
  return done;
}

std::size_t ByteReader::read(std::span<std::byte> out) {
  const std::size_t count = gzip_ ? gzip_->read(out) : read_plain(out);
  offset_ += count;
  return count;
}

/// Makes `bytes`, the last that were read, `size` long.
void ByteReader::grow(std::vector<std::byte>& bytes, std::uint64_t size) const {
  const auto fail = [&] {
    fail_memory(
        fmt::format("{} bytes of its {}content", offset_ - bytes.size() + size, gzip_ ? "unpacked " : ""));
  };
  try {
    bytes.reserve(size);  // exactly so many, where resize might take twice as many as there were
    bytes.resize(size);
  } catch (const std::bad_alloc&) {
    fail();
  } catch (const std::length_error&) {
    fail();
  }
}

std::vector<std::byte> ByteReader::read_exactly(std::uint64_t count, std::string_view what) {
  const std::uint64_t begin = offset_;
  const auto fail_short = [&](std::uint64_t there) {
    fail(begin + there, "the end of the content",
         fmt::format("{}: {} bytes from byte {} on", what, count, begin));
  };
  std::vector<std::byte> bytes;
  std::uint64_t step = piece;
  if (const auto left = gzip_ ? std::nullopt : source_->left()) {
    const std::uint64_t there = *left + peeked_.size();
    if (there < count) fail_short(there);
    step = count;
  }
  while (bytes.size() < count) {
    const std::size_t before = bytes.size();
    // As many as there are already, so that what is reserved is at most about twice what was read.
    step = std::max<std::uint64_t>(step, before);
    grow(bytes, std::min(count, before + step));
    const std::size_t asked = bytes.size() - before;
    const std::size_t got = read(std::span(bytes).subspan(before));
    if (got < asked) fail_short(before + got);
  }
  return bytes;
}

std::vector<std::byte> ByteReader::read_at_most(std::size_t most) {
  std::vector<std::byte> bytes;
  grow(bytes, most);
  bytes.resize(read(bytes));
  return bytes;
}

void ByteReader::expect_end(std::string_view what) {
  const std::uint64_t end = offset_;
  std::byte next{};
  if (read({&next, 1}) != 0) {
    fail(end, fmt::format("another byte, 0x{:02x}", std::to_integer<int>(next)),
         fmt::format("the end of the content after {}", what));
  }
}

void ByteReader::fail(std::uint64_t offset, std::string_view found, std::string_view expected) const {
  throw IoError(fmt::format("{}: {}, byte {}{}: found {}, expected {}", function_, name_, offset,
                            gzip_ ? " of the unpacked content" : "", found, expected));
}

void ByteReader::fail_memory(std::string_view what) const {
  throw IoError(fmt::format("{}: {} does not fit in memory: no room for {}", function_, name_, what));
}

}  // namespace xtgrad::v1::datasets::detail
