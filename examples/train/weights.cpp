#include "weights.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cstdint>
#include <cstring>
#include <memory>
#include <nlohmann/json.hpp>
#include <span>
#include <type_traits>
#include <utility>
#include <vector>

#include "files.h"
#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/errors.h"

namespace train {
namespace {

using nlohmann::ordered_json;
using xtgrad::Dtype;
using xtgrad::IoError;
using xtgrad::Shape;
using xtgrad::Tensor;
using xtgrad::nn::StateDict;

static_assert(std::endian::native == std::endian::little, "elements are written as they lie in memory");

constexpr std::size_t length_bytes = 8;
constexpr std::uint64_t longest_header = 100'000'000;  // the format's own limit
constexpr std::string_view metadata = "__metadata__";

constexpr std::pair<Dtype, std::string_view> dtype_names[] = {
    {xtgrad::boolean, "BOOL"}, {xtgrad::int64, "I64"}, {xtgrad::float32, "F32"}, {xtgrad::float64, "F64"}};

/// Calls `f(T())`, T being the C++ type of the elements.
template <class F>
auto with_element_type(Dtype dtype, F f) {
  switch (dtype) {
    case Dtype::boolean:
      return f(bool());
    case Dtype::int64:
      return f(std::int64_t());
    case Dtype::float32:
      return f(float());
    case Dtype::float64:
      return f(double());
  }
  throw xtgrad::DtypeError("weights: a dtype without a C++ type");
}

// --- Writing -------------------------------------------------------------------------------------

std::string_view name_of(Dtype dtype) {
  const auto found = std::find_if(std::begin(dtype_names), std::end(dtype_names),
                                  [&](const auto& entry) { return entry.first == dtype; });
  return found->second;
}

std::string_view bytes_of(const Tensor& tensor) {
  return with_element_type(tensor.dtype(), [&](auto element) {
    const auto elements = tensor.data<decltype(element)>();
    return std::string_view(reinterpret_cast<const char*>(elements.data()), elements.size_bytes());
  });
}

// --- Reading -------------------------------------------------------------------------------------

struct Entry {
  std::string name;
  Dtype dtype = Dtype::float32;
  Shape shape;
  std::uint64_t begin = 0;
  std::uint64_t end = 0;
};

Dtype dtype_named(std::string_view name) {
  for (const auto& [dtype, known] : dtype_names) {
    if (known == name) return dtype;
  }
  throw IoError(fmt::format("dtype {} is not supported", name));
}

/// The shape in the header; throws IoError unless it describes exactly `bytes` bytes.
Shape checked_shape(const std::vector<std::uint64_t>& sizes, Dtype dtype, std::uint64_t bytes) {
  std::vector<std::int64_t> signed_sizes;
  std::uint64_t expected = xtgrad::item_size(dtype);
  for (const std::uint64_t size : sizes) {
    if (size > INT64_MAX || __builtin_mul_overflow(expected, size, &expected)) {
      throw IoError(fmt::format("shape [{}] is too large", fmt::join(sizes, ", ")));
    }
    signed_sizes.push_back(static_cast<std::int64_t>(size));
  }
  if (expected != bytes) {
    throw IoError(fmt::format("shape [{}] of {} needs {} bytes, the offsets span {}", fmt::join(sizes, ", "),
                              name_of(dtype), expected, bytes));
  }
  return Shape(signed_sizes);
}

Entry parse_entry(const std::string& name, const ordered_json& value) {
  try {
    const auto offsets = value.at("data_offsets").get<std::vector<std::uint64_t>>();
    if (offsets.size() != 2 || offsets[0] > offsets[1]) throw IoError("data_offsets are not [begin, end]");
    const Dtype dtype = dtype_named(value.at("dtype").get<std::string>());
    const auto sizes = value.at("shape").get<std::vector<std::uint64_t>>();
    return {name, dtype, checked_shape(sizes, dtype, offsets[1] - offsets[0]), offsets[0], offsets[1]};
  } catch (const std::exception& error) {
    throw IoError(fmt::format("tensor {}: {}", name, error.what()));
  }
}

/// The entries in the order of their bytes, which they must cover without gaps or overlaps.
std::vector<Entry> parse_header(std::string_view text, std::uint64_t data_bytes) {
  const ordered_json header = ordered_json::parse(text);
  if (!header.is_object()) throw IoError("the header is no JSON object");
  std::vector<Entry> entries;
  for (const auto& [name, value] : header.items()) {
    if (name != metadata) entries.push_back(parse_entry(name, value));
  }
  // By the end as well: an empty tensor begins where its successor does.
  std::stable_sort(entries.begin(), entries.end(), [](const Entry& a, const Entry& b) {
    return std::pair(a.begin, a.end) < std::pair(b.begin, b.end);
  });
  std::uint64_t covered = 0;
  for (const Entry& entry : entries) {
    if (entry.begin != covered) {
      throw IoError(
          fmt::format("tensor {} begins at byte {}, expected {}", entry.name, entry.begin, covered));
    }
    covered = entry.end;
  }
  if (covered != data_bytes) {
    throw IoError(fmt::format("the tensors are {} bytes, the file has {}", covered, data_bytes));
  }
  return entries;
}

Tensor tensor_of(std::string_view bytes, const Entry& entry) {
  return with_element_type(entry.dtype, [&](auto element) {
    using T = decltype(element);
    const std::size_t count = bytes.size() / sizeof(T);
    // Copied, for the bytes in a string need not be aligned.
    const auto elements = std::make_unique<T[]>(count);
    if constexpr (std::is_same_v<T, bool>) {
      for (std::size_t i = 0; i < count; ++i) elements[i] = bytes[i] != 0;
    } else if (count > 0) {
      std::memcpy(elements.get(), bytes.data(), bytes.size());
    }
    return xtgrad::from_span(std::span<const T>(elements.get(), count), entry.shape);
  });
}

StateDict decode(std::string_view bytes) {
  if (bytes.size() < length_bytes) throw IoError("shorter than the header's length");
  std::uint64_t header_bytes = 0;
  std::memcpy(&header_bytes, bytes.data(), length_bytes);
  bytes.remove_prefix(length_bytes);
  if (header_bytes > longest_header || header_bytes > bytes.size()) {
    throw IoError(fmt::format("a header of {} bytes does not fit", header_bytes));
  }
  const std::string_view header = bytes.substr(0, header_bytes);
  bytes.remove_prefix(header_bytes);
  StateDict state;
  for (const Entry& entry : parse_header(header, bytes.size())) {
    state.add(entry.name, tensor_of(bytes.substr(entry.begin, entry.end - entry.begin), entry));
  }
  return state;
}

}  // namespace

std::string encode_weights(const StateDict& state) {
  std::vector<StateDict::Entry> entries(state.begin(), state.end());
  std::stable_sort(entries.begin(), entries.end(), [](const auto& a, const auto& b) {
    return xtgrad::item_size(a.value.dtype()) > xtgrad::item_size(b.value.dtype());
  });
  ordered_json header;
  header[std::string(metadata)] = {{"format_version", "1"}};
  std::string data;
  for (const auto& [name, value] : entries) {
    const std::size_t begin = data.size();
    data += bytes_of(value);
    header[name] = {{"dtype", name_of(value.dtype())},
                    {"shape", std::vector<std::int64_t>(value.shape().begin(), value.shape().end())},
                    {"data_offsets", {begin, data.size()}}};
  }
  std::string text = header.dump();
  text.resize((text.size() + length_bytes - 1) / length_bytes * length_bytes, ' ');
  const std::uint64_t header_bytes = text.size();
  std::string bytes(reinterpret_cast<const char*>(&header_bytes), length_bytes);
  return bytes + text + data;
}

StateDict decode_weights(std::string_view bytes, std::string_view source) {
  try {
    return decode(bytes);
  } catch (const std::exception& error) {
    throw IoError(fmt::format("{}: not a safetensors file that xtgrad can read: {}", source, error.what()));
  }
}

void save_weights(const std::filesystem::path& path, const StateDict& state) {
  write_file(path, encode_weights(state));
}

StateDict load_weights(const std::filesystem::path& path) {
  return decode_weights(read_file(path), path.string());
}

}  // namespace train
