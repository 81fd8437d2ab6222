// The gzip layer: any bytes behind the magic number are unpacked or refused with IoError; what was packed
// comes back as it was, whatever the sizes of the pieces it is read in.
#include <zlib.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <span>
#include <vector>

#include "xtgrad/autograd/errors.h"
#include "xtgrad/datasets/byte_reader.h"

using namespace xtgrad;
using datasets::detail::ByteReader;

namespace {

void unpack_any(std::span<const std::byte> bytes) {
  std::vector<std::byte> file = {std::byte{0x1f}, std::byte{0x8b}};
  file.insert(file.end(), bytes.begin(), bytes.end());
  try {
    ByteReader reader("gzip_fuzz", file, "input");
    // A few kilobytes may hold a thousand times as much: in pieces, for the memory is not what is tested.
    std::vector<std::byte> piece(4096);
    while (reader.read(piece) == piece.size()) {
    }
  } catch (const IoError&) {
  }
}

/// Adds a gzip member; `level` as in zlib.
void pack(std::span<const std::byte> bytes, int level, std::vector<std::byte>& file) {
  z_stream stream{};
  if (deflateInit2(&stream, level, Z_DEFLATED, 16 + MAX_WBITS, 8, Z_DEFAULT_STRATEGY) != Z_OK) std::abort();
  const std::size_t before = file.size();
  file.resize(before + deflateBound(&stream, bytes.size()));
  stream.next_in = const_cast<Bytef*>(reinterpret_cast<const Bytef*>(bytes.data()));
  stream.avail_in = static_cast<uInt>(bytes.size());
  stream.next_out = reinterpret_cast<Bytef*>(file.data() + before);
  stream.avail_out = static_cast<uInt>(file.size() - before);
  if (deflate(&stream, Z_FINISH) != Z_STREAM_END) std::abort();
  file.resize(before + stream.total_out);
  deflateEnd(&stream);
}

/// In two members, cut where the first byte says.
void pack_and_unpack(std::span<const std::byte> bytes) {
  if (bytes.empty()) return;
  const auto choice = std::to_integer<std::size_t>(bytes[0]);
  const std::size_t cut = std::min(choice, bytes.size());
  std::vector<std::byte> file;
  pack(bytes.first(cut), static_cast<int>(choice % 10), file);
  pack(bytes.subspan(cut), 6, file);

  ByteReader reader("gzip_fuzz", file, "packed");
  std::vector<std::byte> content = reader.read_exactly(cut, "the first member");
  const std::vector<std::byte> rest = reader.read_at_most(bytes.size() + 1);
  content.insert(content.end(), rest.begin(), rest.end());
  if (!std::equal(content.begin(), content.end(), bytes.begin(), bytes.end())) std::abort();

  // One byte less is noticed, wherever the content ends.
  file.pop_back();
  bool refused = false;
  try {
    ByteReader cut_short("gzip_fuzz", file, "cut short");
    (void)cut_short.read_at_most(bytes.size() + 1);
  } catch (const IoError&) {
    refused = true;
  }
  if (!refused) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto bytes = std::as_bytes(std::span(data, size));
  unpack_any(bytes);
  pack_and_unpack(bytes);
  return 0;
}
