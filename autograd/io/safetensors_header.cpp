#include "xtgrad/autograd/io/safetensors_header.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <optional>
#include <span>
#include <string_view>
#include <unordered_set>
#include <utility>

#include "xtgrad/autograd/errors.h"

namespace xtgrad::inline v1::detail {
namespace {

using nlohmann::json;

constexpr std::size_t header_begin = 8;  // in the file

// Of a name: in its entry, among those that are known, and of the tensor.
constexpr std::uint64_t copies = 3;
constexpr std::uint64_t around_name = 512;
constexpr std::uint64_t around_note = 256;

constexpr std::array<std::pair<Element, std::string_view>, 12> element_names{{{Element::boolean, "BOOL"},
                                                                              {Element::int8, "I8"},
                                                                              {Element::int16, "I16"},
                                                                              {Element::int32, "I32"},
                                                                              {Element::int64, "I64"},
                                                                              {Element::uint8, "U8"},
                                                                              {Element::uint16, "U16"},
                                                                              {Element::uint32, "U32"},
                                                                              {Element::float16, "F16"},
                                                                              {Element::bfloat16, "BF16"},
                                                                              {Element::float32, "F32"},
                                                                              {Element::float64, "F64"}}};

std::string_view name_of(Element element) {
  return std::find_if(element_names.begin(), element_names.end(),
                      [&](const auto& entry) { return entry.first == element; })
      ->second;
}

/// Reads the header as it comes, event by event: no tree is built that a forged header could make large, and
/// what is not expected at a place ends the reading at once.
class HeaderReader final : public nlohmann::json_sax<json> {
 public:
  HeaderReader(std::string_view text, MemoryBudget& budget) : text_(text), budget_(budget) {}

  SafetensorsHeader header;

  bool null() override { refuse("null"); }
  bool boolean(bool value) override { refuse(value ? "true" : "false"); }
  bool number_integer(std::int64_t value) override { refuse(fmt::to_string(value)); }  // a negative one
  bool number_float(double, const std::string& text) override { refuse(text.substr(0, 40)); }
  bool binary(json::binary_t&) override { refuse("bytes"); }

  bool number_unsigned(std::uint64_t value) override {
    if (place_ == Place::shape) {
      if (sizes_.size() == Shape::max_rank) {
        throw IoError(fmt::format("tensor {}: shape [{}, ...] has more than {} dimensions", in_quotes(name_),
                                  fmt::join(sizes_, ", "), Shape::max_rank));
      }
      sizes_.push_back(value);
    } else if (place_ == Place::offsets && offsets_.size() < 2) {
      offsets_.push_back(value);
    } else {
      refuse(fmt::to_string(value));
    }
    return true;
  }

  bool string(std::string& text) override {
    if (place_ == Place::metadata) {
      budget_.take(text.size());
      header.metadata.push_back({key_, std::move(text)});
    } else if (place_ == Place::entry && key_ == "dtype") {
      set_element(text);
    } else {
      refuse(in_quotes(text));
    }
    return true;
  }

  bool start_object(std::size_t) override {
    if (place_ == Place::start) {
      place_ = Place::header;
    } else if (place_ == Place::header) {
      place_ = name_ == metadata_name ? Place::metadata : Place::entry;
      known_keys_.clear();
    } else {
      refuse("an object");
    }
    return true;
  }

  bool key(std::string& text) override {
    if (place_ == Place::header) {
      budget_.take(around_name + copies * text.size());
      if (!known_names_.insert(text).second)
        throw IoError(fmt::format("the name {} is there twice", in_quotes(text)));
      name_ = std::move(text);
      return true;
    }
    if (place_ == Place::entry && text != "dtype" && text != "shape" && text != "data_offsets") {
      throw IoError(fmt::format("tensor {}: expected dtype, shape and data_offsets, found {}",
                                in_quotes(name_), in_quotes(text)));
    }
    if (place_ == Place::metadata) budget_.take(around_note + copies * text.size());
    if (!known_keys_.insert(text).second) {
      throw IoError(fmt::format("{}: the key {} is there twice", owner(), in_quotes(text)));
    }
    key_ = std::move(text);
    return true;
  }

  bool end_object() override {
    if (place_ == Place::entry) add_entry();
    place_ = Place::header;  // at the end of it all, too, where nothing can follow
    return true;
  }

  bool start_array(std::size_t) override {
    if (place_ == Place::entry && key_ == "shape") {
      place_ = Place::shape;
      sizes_.clear();
    } else if (place_ == Place::entry && key_ == "data_offsets") {
      place_ = Place::offsets;
      offsets_.clear();
    } else {
      refuse("a list");
    }
    return true;
  }

  bool end_array() override {
    if (place_ == Place::offsets && offsets_.size() != 2) refuse(fmt::format("{} numbers", offsets_.size()));
    place_ = Place::entry;
    return true;
  }

  bool parse_error(std::size_t position, const std::string&, const nlohmann::detail::exception&) override {
    constexpr std::size_t enough = 16;
    const std::size_t at = std::min(std::max<std::size_t>(position, 1) - 1, text_.size());
    const std::string_view rest = text_.substr(at, enough);
    throw IoError(fmt::format("byte {}: expected JSON, found {}", header_begin + at,
                              rest.empty() ? "the end of the header" : in_quotes(rest)));
  }

 private:
  enum class Place { start, header, metadata, entry, shape, offsets };

  [[nodiscard]] std::string owner() const {
    return place_ == Place::metadata ? std::string(metadata_name)
                                     : fmt::format("tensor {}", in_quotes(name_));
  }

  [[noreturn]] void refuse(std::string_view found) const {
    switch (place_) {
      case Place::start:
        throw IoError(fmt::format("byte {}: the header is {}, expected an object", header_begin, found));
      case Place::header:
        throw IoError(fmt::format("{}: expected an object, found {}", in_quotes(name_), found));
      case Place::metadata:
        throw IoError(fmt::format("{}: {}: expected a string, found {}", owner(), in_quotes(key_), found));
      case Place::shape:
        throw IoError(fmt::format("{}: shape: expected sizes of 0 and more, found {}", owner(), found));
      case Place::entry:
      case Place::offsets:
        break;
    }
    const std::string_view expected = key_ == "dtype"   ? "a string"
                                      : key_ == "shape" ? "a list of sizes"
                                                        : "[begin, end]";
    throw IoError(fmt::format("{}: {}: expected {}, found {}", owner(), key_, expected, found));
  }

  void set_element(const std::string& name) {
    for (const auto& [element, known] : element_names) {
      if (known == name) {
        entry_.element = element;
        return;
      }
    }
    std::string names;
    for (const auto& [element, known] : element_names)
      names += fmt::format("{}{}", names.empty() ? "" : ", ", known);
    entry_.unread = fmt::format("dtype {} is none of {}", in_quotes(name), names);
  }

  void add_entry() {
    for (const char* key : {"dtype", "shape", "data_offsets"}) {
      if (!known_keys_.contains(key)) throw IoError(fmt::format("{}: {} is missing", owner(), key));
    }
    entry_.begin = offsets_[0];
    entry_.end = offsets_[1];
    if (entry_.begin > entry_.end) {
      throw IoError(
          fmt::format("{}: data_offsets [{}, {}] end before they begin", owner(), entry_.begin, entry_.end));
    }
    entry_.name = name_;
    if (!entry_.unread.empty()) {
      header.entries.push_back(std::exchange(entry_, {}));
      return;
    }
    const std::optional<std::uint64_t> bytes = checked_bytes(sizes_, item_size(entry_.element));
    if (!bytes) throw IoError(fmt::format("{}: shape [{}] is too large", owner(), fmt::join(sizes_, ", ")));
    if (*bytes != entry_.end - entry_.begin) {
      throw IoError(fmt::format("{}: shape [{}] of {} needs {} bytes, data_offsets [{}, {}] hold {}", owner(),
                                fmt::join(sizes_, ", "), name_of(entry_.element), *bytes, entry_.begin,
                                entry_.end, entry_.end - entry_.begin));
    }
    const std::vector<std::int64_t> sizes(sizes_.begin(), sizes_.end());
    entry_.shape = Shape(std::span<const std::int64_t>(sizes));
    header.entries.push_back(std::exchange(entry_, {}));
  }

  std::string_view text_;
  MemoryBudget& budget_;
  Place place_ = Place::start;
  std::string name_;  // the last key of the header
  std::string key_;   // the last key of the object that it names
  std::unordered_set<std::string> known_names_;
  std::unordered_set<std::string> known_keys_;
  HeaderEntry entry_;
  std::vector<std::uint64_t> sizes_;
  std::vector<std::uint64_t> offsets_;
};

std::string in_json(std::string_view text) {
  try {
    return json(text).dump();
  } catch (const json::exception&) {
    throw ValueError(fmt::format("{} is not UTF-8", in_quotes(text)));
  }
}

}  // namespace

std::string format_safetensors_header(const SafetensorsHeader& header) {
  std::string text;
  for (const auto& [key, note] : header.metadata) {
    text += fmt::format("{}{}:{}", text.empty() ? "" : ",", in_json(key), in_json(note));
  }
  text = fmt::format("{{{}:{{{}}}", in_json(metadata_name), text);
  for (const HeaderEntry& entry : header.entries) {
    text += fmt::format(R"(,{}:{{"dtype":"{}","shape":[{}],"data_offsets":[{},{}]}})", in_json(entry.name),
                        name_of(entry.element), fmt::join(entry.shape, ","), entry.begin, entry.end);
  }
  return text += '}';
}

SafetensorsHeader parse_safetensors_header(std::string_view text, MemoryBudget& budget) {
  HeaderReader reader(text, budget);
  // The parser would pass over the mark that some editors put before UTF-8.
  if (text.starts_with('\xef')) {
    throw IoError(fmt::format("byte {}: expected the header's {{, found 0x{:02x}", header_begin,
                              static_cast<unsigned char>(text[0])));
  }
  json::sax_parse(text.begin(), text.end(), &reader);
  return std::move(reader.header);
}

}  // namespace xtgrad::v1::detail
