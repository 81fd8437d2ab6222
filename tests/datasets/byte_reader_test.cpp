#include "xtgrad/datasets/byte_reader.h"

#include <doctest/doctest.h>

#include <array>
#include <numeric>

#include "tests/datasets/data_files.h"
#include "tests/support/program.h"
#include "xtgrad/autograd/memory/pool.h"

using namespace xtgrad;
using namespace xtgrad::testing;
using datasets::detail::ByteReader;

namespace {

/// Bytes that gzip can shorten, but not to nothing.
Bytes content(std::size_t size) {
  Bytes bytes(size);
  std::uint32_t state = 1;
  for (std::byte& byte : bytes) {
    state = state * 1664525 + 1013904223;
    byte = static_cast<std::byte>(state >> 28);
  }
  return bytes;
}

Bytes joined(Bytes a, const Bytes& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

Bytes read_all(const Bytes& file) {
  ByteReader reader("test", file, "input");
  Bytes all;
  for (Bytes piece(4096); !piece.empty();) {
    piece = reader.read_at_most(4096);
    all.insert(all.end(), piece.begin(), piece.end());
  }
  return all;
}

std::string error_of(const Bytes& file) {
  return io_error([&] { (void)read_all(file); });
}

}  // namespace

TEST_CASE("byte_reader: plain and gzip content are the same, from files and from memory") {
  const TemporaryFolder folder;
  for (const std::size_t size : {0UL, 1UL, 2UL, 3UL, 65535UL, 65536UL, 65537UL, 300000UL}) {
    CAPTURE(size);
    const Bytes bytes = content(size);
    CHECK(read_all(bytes) == bytes);
    CHECK(read_all(gzip(bytes)) == bytes);
    // The name says nothing: a plain file may be called .gz, and the other way round.
    write_bytes(folder.path() / "plain.gz", bytes);
    write_bytes(folder.path() / "packed", gzip(bytes));
    for (const char* name : {"plain.gz", "packed"}) {
      ByteReader reader("test", (folder.path() / name).string());
      CHECK(reader.read_exactly(size, "all") == bytes);
      CHECK(reader.offset() == size);
      reader.expect_end("all");
    }
  }
}

TEST_CASE("byte_reader: pieces of any size meet without a gap") {
  const Bytes bytes = content(200001);
  for (const Bytes& file : {bytes, gzip(bytes),
                            joined(gzip(Bytes(bytes.begin(), bytes.begin() + 70000)),
                                   gzip(Bytes(bytes.begin() + 70000, bytes.end())))}) {
    for (const std::size_t size : {std::size_t{1}, std::size_t{7}, std::size_t{65536}, std::size_t{100000}}) {
      ByteReader reader("test", file, "input");
      Bytes all;
      Bytes piece(size);
      for (std::size_t count = size; count == size;) {
        count = reader.read(piece);
        all.insert(all.end(), piece.begin(), piece.begin() + static_cast<std::ptrdiff_t>(count));
        REQUIRE(reader.offset() == all.size());
      }
      CHECK(all == bytes);
    }
  }
}

TEST_CASE("byte_reader: members of a gzip file follow one another, empty ones too") {
  const Bytes a = to_bytes("the first, ");
  const Bytes b = to_bytes("the second");
  CHECK(read_all(joined(joined(gzip(a), gzip({})), gzip(b))) == joined(a, b));
}

TEST_CASE("byte_reader: what is cut short says where and what was expected") {
  const Bytes bytes = content(100);
  ByteReader plain("test", bytes, "some.bin");
  (void)plain.read_exactly(90, "a start");
  CHECK(io_error([&] { (void)plain.read_exactly(11, "a tail"); }) ==
        "test: some.bin, byte 100: found the end of the content, expected a tail: 11 bytes from byte 90 on");

  const Bytes packed = gzip(bytes);
  ByteReader unpacked("test", packed, "some.gz");
  CHECK(io_error([&] { (void)unpacked.read_exactly(101, "a head"); }) ==
        "test: some.gz, byte 100 of the unpacked content: found the end of the content, expected a head: 101 "
        "bytes "
        "from byte 0 on");
}

TEST_CASE("byte_reader: what is too long says so") {
  const Bytes bytes = to_bytes("abc");
  ByteReader reader("test", bytes, "some.bin");
  (void)reader.read_exactly(2, "two bytes");
  CHECK(io_error([&] { reader.expect_end("two bytes"); }) ==
        "test: some.bin, byte 2: found another byte, 0x63, expected the end of the content after two bytes");
}

TEST_CASE("byte_reader: a gzip file cut short anywhere is refused") {
  const Bytes packed = gzip(content(5000));
  for (std::size_t size = 2; size < packed.size(); ++size) {
    CAPTURE(size);
    const std::string error =
        error_of(Bytes(packed.begin(), packed.begin() + static_cast<std::ptrdiff_t>(size)));
    CHECK(error.find("of the gzip file: found the end of the file, expected more of a gzip member") !=
          std::string::npos);
  }
}

TEST_CASE("byte_reader: a flipped bit of a gzip file is noticed, or of no consequence") {
  const Bytes bytes = content(500);
  const Bytes packed = gzip(bytes);
  std::size_t refused = 0;
  for (std::size_t bit = 16; bit < packed.size() * 8; ++bit) {
    Bytes damaged = packed;
    damaged[bit / 8] ^= std::byte{1} << bit % 8;
    try {
      // The time stamp, the system's number and some flags may say anything, as may the bits that fill the
      // last byte before the checksum.
      const Bytes read = read_all(damaged);  // outside CHECK, which would catch the exception
      CHECK(read == bytes);
      CHECK((bit < 80 || bit / 8 == packed.size() - 9));
    } catch (const IoError& error) {
      ++refused;
      CHECK(std::string(error.what()).find("of the gzip file: found ") != std::string::npos);
    }
  }
  CHECK(refused > (packed.size() - 11) * 8);
}

TEST_CASE("byte_reader: gzip's checksum and length are checked") {
  Bytes packed = gzip(content(1000));
  Bytes wrong_sum = packed;
  wrong_sum[packed.size() - 8] ^= std::byte{1};
  CHECK(error_of(wrong_sum).find("found damaged data (incorrect data check), expected undamaged gzip data") !=
        std::string::npos);
  Bytes wrong_length = packed;
  wrong_length[packed.size() - 4] ^= std::byte{1};
  CHECK(error_of(wrong_length).find("found damaged data (incorrect length check)") != std::string::npos);
}

TEST_CASE("byte_reader: zeros may fill up a gzip file, and nothing but zeros") {
  const Bytes packed = gzip(to_bytes("abc"));
  for (const std::size_t zeros : {std::size_t{1}, std::size_t{2}, std::size_t{511}, std::size_t{1} << 20}) {
    CAPTURE(zeros);
    const Bytes padded = joined(packed, Bytes(zeros));
    CHECK(read_all(padded) == to_bytes("abc"));
    CHECK(error_of(joined(padded, to_bytes("g")))
              .find("found byte 0x67 after the zeros behind the last gzip member") != std::string::npos);
    CHECK(error_of(joined(padded, packed)).find("found byte 0x1f after the zeros") != std::string::npos);
  }
}

TEST_CASE("byte_reader: nothing else may follow the last gzip member") {
  const Bytes packed = gzip(to_bytes("abc"));
  const std::string at = std::to_string(packed.size());
  CHECK(error_of(joined(packed, to_bytes("garbage"))) ==
        "test: input, byte " + at +
            " of the gzip file: found byte 0x67 after the last gzip member, expected the end of the file or "
            "another "
            "member, which begins with 1f 8b");
  // The first byte of a magic number is not a member.
  CHECK(error_of(joined(packed, Bytes(1, std::byte{0x1f}))).find("found byte 0x1f after") !=
        std::string::npos);
}

TEST_CASE("byte_reader: a forged size is told as what is missing") {
  const std::uint64_t forged = std::uint64_t{1} << 50;
  for (const Bytes& file : {content(1000), gzip(content(1000))}) {
    ByteReader reader("test", file, "input");
    const std::string error = io_error([&] { (void)reader.read_exactly(forged, "much"); });
    CHECK(error.find("found the end of the content, expected much: 1125899906842624 bytes from byte 0") !=
          std::string::npos);
  }
}

TEST_CASE("byte_reader: files that are none") {
  const TemporaryFolder folder;
  const std::string missing = (folder.path() / "missing").string();
  CHECK(io_error([&] { ByteReader reader("test", missing); }) ==
        "test: cannot open " + missing + ": No such file or directory");
  CHECK(io_error([&] { ByteReader reader("test", folder.path().string()); }) ==
        "test: cannot read " + folder.path().string() + ": Is a directory");
}

TEST_CASE("byte_reader: a device without a size is read to its end") {
  ByteReader nothing("test", std::string("/dev/null"));
  CHECK(nothing.read_at_most(10).empty());
  ByteReader zeros("test", std::string("/dev/zero"));
  CHECK(zeros.read_exactly(200000, "zeros") == Bytes(200000));
}
