#include "xtgrad/training/png.h"

#include <zlib.h>

#include <cstddef>
#include <string_view>

#include "xtgrad/autograd/errors.h"

namespace xtgrad::inline v1::training::detail {
namespace {

void append_big_endian(std::string& bytes, std::uint32_t value) {
  for (int shift = 24; shift >= 0; shift -= 8) bytes += static_cast<char>((value >> shift) & 0xff);
}

const Bytef* bytes_of(std::string_view text) { return reinterpret_cast<const Bytef*>(text.data()); }

/// Length, kind, data, and the CRC of the last two.
void append_chunk(std::string& file, std::string_view kind, std::string_view data) {
  append_big_endian(file, static_cast<std::uint32_t>(data.size()));
  const std::size_t begin = file.size();
  file += kind;
  file += data;
  const std::string_view summed = std::string_view(file).substr(begin);
  append_big_endian(file, static_cast<std::uint32_t>(crc32_z(0, bytes_of(summed), summed.size())));
}

std::string deflated(const std::string& data) {
  uLongf size = compressBound(static_cast<uLong>(data.size()));
  std::string out(size, '\0');
  const int result = compress2(reinterpret_cast<Bytef*>(out.data()), &size, bytes_of(data),
                               static_cast<uLong>(data.size()), Z_DEFAULT_COMPRESSION);
  if (result != Z_OK) throw InternalError("encode_png: zlib could not compress the pixels");
  out.resize(size);
  return out;
}

}  // namespace

std::string encode_png(const Bitmap& bitmap) {
  std::string header;
  append_big_endian(header, static_cast<std::uint32_t>(bitmap.width));
  append_big_endian(header, static_cast<std::uint32_t>(bitmap.height));
  header += '\x08';                                // bits a channel
  header += bitmap.channels == 1 ? '\0' : '\x02';  // grey or colours
  header.append(3, '\0');                          // the only compression, filters and order that there are

  std::string rows;
  const auto row_bytes = static_cast<std::size_t>(bitmap.width * bitmap.channels);
  for (std::size_t row = 0; row < static_cast<std::size_t>(bitmap.height); ++row) {
    rows += '\0';  // unfiltered
    rows.append(reinterpret_cast<const char*>(bitmap.pixels.data()) + row * row_bytes, row_bytes);
  }
  std::string file = "\x89PNG\r\n\x1a\n";
  append_chunk(file, "IHDR", header);
  append_chunk(file, "IDAT", deflated(rows));
  append_chunk(file, "IEND", {});
  return file;
}

}  // namespace xtgrad::v1::training::detail
