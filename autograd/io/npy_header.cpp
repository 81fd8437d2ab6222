#include "xtgrad/autograd/io/npy_header.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstddef>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/io/unread_kind.h"

// xtensor's own reader (xtensor/xnpy.hpp) trusts the header: it multiplies sizes without a check, allocates
// the product, ignores the order of bytes and wants keys in one order. It is the tests' second opinion
// instead.

namespace xtgrad::inline v1::detail {
namespace {

// What version 1.0 can hold; longer ones describe structures, which no tensor is.
constexpr std::size_t longest_header = 65'535;
constexpr std::string_view magic = "\x93NUMPY";

constexpr std::array<std::pair<std::string_view, Element>, 11> kinds{{{"b1", Element::boolean},
                                                                      {"i1", Element::int8},
                                                                      {"i2", Element::int16},
                                                                      {"i4", Element::int32},
                                                                      {"i8", Element::int64},
                                                                      {"u1", Element::uint8},
                                                                      {"u2", Element::uint16},
                                                                      {"u4", Element::uint32},
                                                                      {"f2", Element::float16},
                                                                      {"f4", Element::float32},
                                                                      {"f8", Element::float64}}};

/// Reads the Python dict: three keys in any order, a string, a bool and a tuple of integers as their values.
class DictReader {
 public:
  /// `begin` is where the text stands in the file.
  DictReader(std::string_view text, std::size_t begin) : text_(text), begin_(begin) {}

  NpyHeader read() {
    expect('{', "a dict");
    while (!accept('}')) {
      read_entry();
      if (!accept(',')) {
        expect('}', "',' or '}'");
        break;
      }
    }
    skip_blanks();
    if (at_ < text_.size()) fail("the end of the header");
    constexpr std::array<std::string_view, 3> keys{"descr", "fortran_order", "shape"};
    for (std::size_t i = 0; i < keys.size(); ++i) {
      if (!found_[i]) throw IoError(fmt::format("byte {}: the header has no {}", begin_, keys[i]));
    }
    check_size();
    return header_;
  }

 private:
  void read_entry() {
    const std::string_view key = read_string("a key");
    expect(':', "':'");
    skip_blanks();
    std::size_t which = 0;
    if (key == "descr") {
      read_kind();
    } else if (key == "fortran_order") {
      which = 1;
      read_order();
    } else if (key == "shape") {
      which = 2;
      read_shape();
    } else {
      throw IoError(fmt::format("byte {}: the key {}, expected descr, fortran_order or shape", begin_ + at_,
                                in_quotes(key)));
    }
    if (std::exchange(found_[which], true)) {
      throw IoError(fmt::format("byte {}: the header has {} twice", begin_ + at_, key));
    }
  }

  void read_kind() {
    const std::size_t begin = at_;
    if (skip_blanks(); at_ < text_.size() && text_[at_] == '[') {
      throw UnreadKind(
          fmt::format("byte {}: expected a string such as '<f4'; records are not supported, found {}",
                      begin_ + at_, in_quotes(text_.substr(at_, enough))));
    }
    const std::string_view kind = read_string("a string such as '<f4'; records are not supported");
    if (kind.size() >= 2) {
      const auto known = std::find_if(kinds.begin(), kinds.end(),
                                      [&](const auto& entry) { return entry.first == kind.substr(1); });
      // NumPy writes | where there is but one byte to order; = would be the writing machine's order, unknown
      // here.
      const bool is_order =
          kind[0] == '<' || kind[0] == '>' || (kind[0] == '|' && kind.size() == 3 && kind[2] == '1');
      if (known != kinds.end() && is_order) {
        header_.element = known->second;
        header_.layout.big_endian = kind[0] == '>';
        return;
      }
    }
    std::string names;
    for (const auto& entry : kinds) names += fmt::format("{}{}", names.empty() ? "" : ", ", entry.first);
    throw UnreadKind(fmt::format("byte {}: descr {} is not supported: expected < or > and one of {}",
                                 begin_ + begin, in_quotes(kind), names));
  }

  void read_order() {
    for (const bool value : {true, false}) {
      const std::string_view word = value ? "True" : "False";
      if (text_.substr(at_).starts_with(word)) {
        at_ += word.size();
        header_.layout.column_major = value;
        return;
      }
    }
    fail("True or False");
  }

  void read_shape() {
    expect('(', "a tuple of sizes");
    sizes_.clear();
    while (!accept(')')) {
      sizes_.push_back(read_size());
      if (sizes_.size() > Shape::max_rank) {
        throw IoError(fmt::format("byte {}: shape ({}, ...) has more than {} dimensions", begin_ + at_,
                                  fmt::join(sizes_.begin(), sizes_.end() - 1, ", "), Shape::max_rank));
      }
      if (accept(',')) continue;
      // In Python (3) is a number, and no tuple.
      if (sizes_.size() == 1) fail("','");
      expect(')', "',' or ')'");
      break;
    }
  }

  std::uint64_t read_size() {
    skip_blanks();
    std::uint64_t size = 0;
    const char* const first = text_.data() + at_;
    const auto [last, error] = std::from_chars(first, text_.data() + text_.size(), size);
    if (error == std::errc::result_out_of_range) fail("a size below 2^63");
    if (error != std::errc()) fail("a size of 0 or more");
    at_ += static_cast<std::size_t>(last - first);
    // Python 2 wrote long integers as 3L.
    if (at_ < text_.size() && text_[at_] == 'L') ++at_;
    return size;
  }

  void check_size() {
    const std::optional<std::uint64_t> bytes = checked_bytes(sizes_, item_size(header_.element));
    if (!bytes) {
      throw IoError(fmt::format("byte {}: shape ({}) is too large", begin_, fmt::join(sizes_, ", ")));
    }
    header_.data_bytes = *bytes;
    const std::vector<std::int64_t> sizes(sizes_.begin(), sizes_.end());
    header_.shape = Shape(std::span<const std::int64_t>(sizes));
  }

  /// A string without escapes: no key or kind has any.
  std::string_view read_string(std::string_view what) {
    skip_blanks();
    const char quote = at_ < text_.size() ? text_[at_] : '\0';
    if (quote != '\'' && quote != '"') fail(what);
    const std::size_t end = text_.find(quote, at_ + 1);
    if (end == std::string_view::npos) fail("a string that ends");
    const std::string_view string = text_.substr(at_ + 1, end - at_ - 1);
    at_ = end + 1;
    return string;
  }

  void skip_blanks() {
    while (at_ < text_.size() && std::string_view(" \t\n\r").find(text_[at_]) != std::string_view::npos)
      ++at_;
  }

  bool accept(char c) {
    skip_blanks();
    if (at_ >= text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }

  void expect(char c, std::string_view what) {
    if (!accept(c)) fail(what);
  }

  [[noreturn]] void fail(std::string_view expected) const {
    const std::string_view rest = text_.substr(at_, enough);
    throw IoError(fmt::format("byte {}: expected {}, found {}", begin_ + at_, expected,
                              rest.empty() ? "the end of the header" : in_quotes(rest)));
  }

  static constexpr std::size_t enough = 16;  // of what was found, for messages

  std::string_view text_;
  std::size_t begin_;
  std::size_t at_ = 0;
  std::array<bool, 3> found_{};
  std::vector<std::uint64_t> sizes_;
  NpyHeader header_;
};

}  // namespace

std::string npy_kind_of(Element element) {
  const auto known =
      std::find_if(kinds.begin(), kinds.end(), [&](const auto& entry) { return entry.second == element; });
  if (known == kinds.end()) throw InternalError("npy_kind_of: NumPy has no such elements");
  return fmt::format("{}{}", item_size(element) == 1 ? '|' : '<', known->first);
}

std::optional<NpyHeader> parse_npy_header(std::string_view bytes) {
  const std::string_view start = bytes.substr(0, magic.size());
  if (start != magic.substr(0, start.size())) {
    throw IoError(fmt::format(R"(byte 0: expected "\x93NUMPY", found {})", in_quotes(start)));
  }
  const std::size_t version_end = magic.size() + 2;
  if (bytes.size() < version_end) return std::nullopt;
  const int major = static_cast<unsigned char>(bytes[magic.size()]);
  const int minor = static_cast<unsigned char>(bytes[magic.size() + 1]);
  if (major < 1 || major > 3 || minor != 0) {
    throw IoError(
        fmt::format("byte {}: version {}.{}, expected 1.0, 2.0 or 3.0", magic.size(), major, minor));
  }
  const std::size_t header_begin = version_end + (major == 1 ? 2 : 4);
  if (bytes.size() < header_begin) return std::nullopt;
  std::size_t length = 0;
  for (std::size_t i = header_begin; i-- > version_end;) {
    length = length << 8 | static_cast<unsigned char>(bytes[i]);
  }
  if (length > longest_header) {
    throw IoError(fmt::format("byte {}: a header of {} bytes, at most {} are allowed", version_end, length,
                              longest_header));
  }
  if (bytes.size() - header_begin < length) return std::nullopt;
  NpyHeader header = DictReader(bytes.substr(header_begin, length), header_begin).read();
  header.data_begin = header_begin + length;
  return header;
}

std::uint64_t tensor_bytes(const NpyHeader& header) {
  return header.data_bytes / item_size(header.element) * item_size(dtype_of_element(header.element));
}

std::string encode_npy_bytes(const Tensor& tensor) {
  if (!tensor.defined()) throw ValueError("save_npy: the tensor is an empty handle");
  constexpr std::size_t alignment = 64;  // of the elements, for those who map the file
  const Shape& shape = tensor.shape();
  const std::string_view comma = shape.rank() == 1 ? "," : "";  // Python's tuple of one
  std::string header = fmt::format("{{'descr': '{}', 'fortran_order': False, 'shape': ({}{}), }}",
                                   npy_kind_of(element_of(tensor.dtype())), fmt::join(shape, ", "), comma);
  // Magic, version and length are 10 bytes; rank 8 at most keeps the header short enough for version 1.0.
  constexpr std::size_t before = 10;
  const std::size_t total = (before + header.size() + 1 + alignment - 1) / alignment * alignment;
  header.resize(total - before - 1, ' ');
  header += '\n';
  const auto length = static_cast<unsigned>(header.size());
  const std::string_view elements = bytes_of_elements(tensor);

  std::string bytes = "\x93NUMPY";
  bytes.reserve(total + elements.size());
  bytes.append({1, 0, static_cast<char>(length & 0xff), static_cast<char>(length >> 8)});
  return bytes.append(header).append(elements);
}

Tensor decode_npy_bytes(std::string_view bytes, const MemoryBudget& budget) {
  const std::optional<NpyHeader> header = parse_npy_header(bytes);
  if (!header) throw IoError(fmt::format("byte {}: the file ends within the header", bytes.size()));
  const std::uint64_t data_bytes = bytes.size() - header->data_begin;
  if (data_bytes != header->data_bytes) {
    throw IoError(fmt::format("byte {}: the file has {} bytes of data, shape {} needs {}", header->data_begin,
                              data_bytes, to_string(header->shape), header->data_bytes));
  }
  budget.check(tensor_bytes(*header));
  return tensor_of_elements(bytes.substr(header->data_begin), header->element, header->shape, header->layout);
}

}  // namespace xtgrad::v1::detail
