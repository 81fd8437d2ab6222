#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace xtgrad::inline v1::datasets::detail {

/// The content of a file from its first byte to its last, unpacked if it is gzip. What the content begins
/// with (1f 8b) says whether it is, not the file's name. Memory grows with the bytes that are really there,
/// never with what a header claims; the checksums of gzip are checked by whoever reads up to the end.
///
/// Every failure is an IoError; that of content reads `function: file, byte N: found ..., expected ...`.
class ByteReader {
 public:
  /// `function` begins every message and must outlive the reader.
  ByteReader(std::string_view function, const std::string& path);
  /// Over memory, which must outlive the reader; `name` stands for the file in messages.
  ByteReader(std::string_view function, std::span<const std::byte> bytes, std::string name);
  ~ByteReader();
  ByteReader(const ByteReader&) = delete;
  ByteReader& operator=(const ByteReader&) = delete;

  [[nodiscard]] const std::string& name() const { return name_; }
  [[nodiscard]] std::string_view function() const { return function_; }
  /// Bytes of the content that have been read.
  [[nodiscard]] std::uint64_t offset() const { return offset_; }

  /// Fills `out` and returns its size; returns less only at the end of the content.
  std::size_t read(std::span<std::byte> out);
  /// The next `count` bytes; `what` names them in the message if there are fewer.
  [[nodiscard]] std::vector<std::byte> read_exactly(std::uint64_t count, std::string_view what);
  /// The next `most` bytes; fewer only at the end of the content.
  [[nodiscard]] std::vector<std::byte> read_at_most(std::size_t most);
  /// Throws if there is more; `what` names what should have been the last.
  void expect_end(std::string_view what);

  /// Throws about the byte at `offset` of the content.
  [[noreturn]] void fail(std::uint64_t offset, std::string_view found, std::string_view expected) const;
  /// Throws because memory has no room for `what`.
  [[noreturn]] void fail_memory(std::string_view what) const;

 private:
  class Source;
  class File;
  class Memory;
  class Gzip;

  void detect_gzip();
  void grow(std::vector<std::byte>& bytes, std::uint64_t size) const;
  std::size_t read_plain(std::span<std::byte> out);

  std::string_view function_;
  std::string name_;
  std::uint64_t offset_ = 0;
  std::unique_ptr<Source> source_;
  std::vector<std::byte> peeked_;  // read to see what the content is, and not yet given out
  std::unique_ptr<Gzip> gzip_;     // null for plain content
};

}  // namespace xtgrad::v1::datasets::detail
