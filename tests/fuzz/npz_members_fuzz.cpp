// The npz reader on archives that are in order, checksums included, around members of any content, so that
// the conversion of members is reached: what it takes it writes and reads again unchanged, all else throws
// IoError. The input on its own, of which hardly anything has a right checksum, is npz_fuzz's.
#include <zlib.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "tests/fuzz/choices.h"
#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/io/npz.h"

using namespace xtgrad;

namespace {

/// A zip archive with each of its checksums and sizes right.
class Zip {
 public:
  void add(const std::string& name, std::string_view content, bool deflated) {
    const std::string packed = deflated ? deflate_raw(content) : std::string(content);
    const auto offset = static_cast<std::uint32_t>(file_.size());
    const auto* bytes = reinterpret_cast<const Bytef*>(content.data());
    std::string fields;  // what both headers of a member have
    put(fields, 20, 2);  // version needed
    put(fields, 0, 2);
    put(fields, deflated ? 8 : 0, 2);
    put(fields, 0, 2);   // time and
    put(fields, 33, 2);  // date: 1 January 1980
    put(fields, static_cast<std::uint32_t>(::crc32(0, bytes, static_cast<uInt>(content.size()))), 4);
    put(fields, static_cast<std::uint32_t>(packed.size()), 4);
    put(fields, static_cast<std::uint32_t>(content.size()), 4);
    put(fields, static_cast<std::uint32_t>(name.size()), 2);
    put(fields, 0, 2);
    file_.append("PK\3\4", 4).append(fields).append(name).append(packed);
    list_.append("PK\1\2\24\0", 6).append(fields).append(10, '\0');
    put(list_, offset, 4);
    list_.append(name);
    ++members_;
  }

  [[nodiscard]] std::string finished() const {
    std::string end("PK\5\6\0\0\0\0", 8);
    put(end, members_, 2);
    put(end, members_, 2);
    put(end, static_cast<std::uint32_t>(list_.size()), 4);
    put(end, static_cast<std::uint32_t>(file_.size()), 4);
    put(end, 0, 2);
    return file_ + list_ + end;
  }

 private:
  static void put(std::string& out, std::uint32_t value, int bytes) {
    for (int i = 0; i < bytes; ++i) out += static_cast<char>(value >> (8 * i) & 0xff);
  }

  static std::string deflate_raw(std::string_view content) {
    z_stream stream{};
    if (deflateInit2(&stream, 1, Z_DEFLATED, -MAX_WBITS, 8, Z_DEFAULT_STRATEGY) != Z_OK) std::abort();
    std::string packed(deflateBound(&stream, content.size()), '\0');
    stream.next_in = const_cast<Bytef*>(reinterpret_cast<const Bytef*>(content.data()));
    stream.avail_in = static_cast<uInt>(content.size());
    stream.next_out = reinterpret_cast<Bytef*>(packed.data());
    stream.avail_out = static_cast<uInt>(packed.size());
    if (deflate(&stream, Z_FINISH) != Z_STREAM_END) std::abort();
    packed.resize(stream.total_out);
    deflateEnd(&stream);
    return packed;
  }

  std::string file_;
  std::string list_;
  std::uint32_t members_ = 0;
};

/// The content as it is, or with what an npy file begins with before it.
std::string member_of(std::string_view content, unsigned choice) {
  if ((choice & 1) == 0 || content.size() > 0xffff) return std::string(content);
  std::string file = "\x93NUMPY";
  if ((choice & 2) != 0) {
    // The whole content is the header, and some elements follow.
    file.append({1, 0, static_cast<char>(content.size() & 0xff), static_cast<char>(content.size() >> 8)});
    return file.append(content).append(std::size_t{4} * (choice >> 4), '\1');
  }
  return file.append(content);
}

void read(const std::string& archive, const ReadLimits& limits) {
  std::vector<NamedTensor> tensors;
  try {
    tensors = decode_npz(archive, "input", limits);
  } catch (const IoError&) {
    return;
  }
  for (const bool compress : {false, true}) {
    const std::string written = encode_npz(tensors, {.compress = compress});
    if (encode_npz(decode_npz(written, "written"), {.compress = compress}) != written) std::abort();
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::Choices choices({data, size});
  const unsigned members = 1 + choices.byte() % 3U;
  std::vector<unsigned> kinds;
  for (unsigned i = 0; i < members; ++i) kinds.push_back(choices.byte());
  const std::size_t taken = std::min<std::size_t>(size, 1 + members);
  std::string_view rest(reinterpret_cast<const char*>(data) + taken, size - taken);
  Zip zip;
  for (unsigned i = 0; i < members; ++i) {
    // The last has what is left, those before it no more than fits their choice.
    const std::size_t length =
        i + 1 == members ? rest.size() : std::min<std::size_t>(rest.size(), 16U * (kinds[i] >> 4));
    const std::string name = std::string(1, static_cast<char>('a' + i)) + ((kinds[i] & 8) != 0 ? "" : ".npy");
    zip.add(name, member_of(rest.substr(0, length), kinds[i]), (kinds[i] & 4) != 0);
    rest.remove_prefix(length);
  }
  // The smaller limit is met by small files, too.
  for (const std::uint64_t most : {std::uint64_t{1} << 20, std::uint64_t{3000}}) {
    read(zip.finished(), {.max_bytes = most});
  }
  return 0;
}
