#include "xtgrad/autograd/io/safetensors.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <limits>
#include <new>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/io/elements.h"
#include "xtgrad/autograd/io/memory_budget.h"
#include "xtgrad/autograd/io/on_behalf.h"
#include "xtgrad/autograd/io/safetensors_header.h"
#include "xtgrad/autograd/io/saving.h"

namespace xtgrad::inline v1 {
namespace {

using detail::HeaderEntry;
using detail::in_quotes;

constexpr const char* saving = "save_safetensors";
constexpr const char* loading = "load_safetensors";
constexpr std::string_view version_key = "format_version";
constexpr std::string_view version = "1";
constexpr std::size_t length_bytes = 8;
constexpr std::uint64_t longest_header = 100'000'000;  // the format's own limit

// --- Writing -------------------------------------------------------------------------------------

/// Throws ValueError where `names` cannot all be keys of one JSON object beside `reserved`.
template <class Names, class NameOf>
void check_names(std::string_view kind, const Names& names, std::string_view reserved, NameOf name_of) {
  std::unordered_set<std::string_view> known;
  for (const auto& entry : names) {
    const std::string_view name = name_of(entry);
    if (name == reserved) {
      throw ValueError(fmt::format("{} {} is reserved", kind, in_quotes(name)));
    }
    if (!known.insert(name).second) {
      throw ValueError(fmt::format("{} {} is there twice", kind, in_quotes(name)));
    }
  }
}

void check(const Safetensors& contents) {
  check_names("the name", contents.tensors, detail::metadata_name,
              [](const NamedTensor& tensor) { return std::string_view(tensor.name); });
  check_names("the metadata key", contents.metadata, version_key,
              [](const Safetensors::Note& note) { return std::string_view(note.key); });
  for (const auto& [name, value] : contents.tensors) {
    if (!value.defined()) {
      throw ValueError(fmt::format("tensor {} is an empty handle", in_quotes(name)));
    }
  }
}

/// One entry a tensor, in order; their bytes by the size of an element, larger ones first.
std::vector<HeaderEntry> lay_out(const std::vector<NamedTensor>& tensors) {
  std::vector<HeaderEntry> entries;
  entries.reserve(tensors.size());
  std::vector<HeaderEntry*> order;
  for (const auto& [name, value] : tensors) {
    entries.push_back({.name = name, .element = detail::element_of(value.dtype()), .shape = value.shape()});
    order.push_back(&entries.back());
  }
  const auto size_of = [](const HeaderEntry* entry) { return detail::item_size(entry->element); };
  std::stable_sort(order.begin(), order.end(),
                   [&](const auto* a, const auto* b) { return size_of(a) > size_of(b); });
  std::uint64_t end = 0;
  for (HeaderEntry* entry : order) {
    entry->begin = end;
    end += size_of(entry) * static_cast<std::uint64_t>(entry->shape.numel());
    entry->end = end;
  }
  return entries;
}

std::string encode(const Safetensors& contents) {
  check(contents);
  detail::SafetensorsHeader header{.entries = lay_out(contents.tensors),
                                   .metadata = {{std::string(version_key), std::string(version)}}};
  header.metadata.insert(header.metadata.end(), contents.metadata.begin(), contents.metadata.end());
  std::string text = detail::format_safetensors_header(header);
  text.resize((text.size() + length_bytes - 1) / length_bytes * length_bytes, ' ');
  if (text.size() > longest_header) {
    throw ValueError(
        fmt::format("the header would have {} bytes, at most {} are allowed", text.size(), longest_header));
  }

  const std::uint64_t header_bytes = text.size();
  const std::size_t data_begin = length_bytes + text.size();
  std::uint64_t data_bytes = 0;
  for (const HeaderEntry& entry : header.entries) data_bytes = std::max(data_bytes, entry.end);
  std::string bytes;
  bytes.reserve(data_begin + data_bytes);
  bytes.append(reinterpret_cast<const char*>(&header_bytes), length_bytes).append(text);
  bytes.resize(data_begin + data_bytes);
  for (std::size_t i = 0; i < header.entries.size(); ++i) {
    const std::string_view elements = detail::bytes_of_elements(contents.tensors[i].value);
    std::copy(elements.begin(), elements.end(), bytes.data() + data_begin + header.entries[i].begin);
  }
  return bytes;
}

// --- Reading -------------------------------------------------------------------------------------

/// Throws IoError unless the tensors' bytes follow one another and fill the file.
void check_coverage(const std::vector<HeaderEntry>& entries, std::uint64_t data_bytes) {
  std::vector<const HeaderEntry*> order;
  for (const HeaderEntry& entry : entries) order.push_back(&entry);
  // By the end as well: an empty tensor begins where its successor does.
  std::sort(order.begin(), order.end(), [](const HeaderEntry* a, const HeaderEntry* b) {
    return std::pair(a->begin, a->end) < std::pair(b->begin, b->end);
  });
  std::uint64_t covered = 0;
  for (const HeaderEntry* entry : order) {
    if (entry->begin != covered) {
      throw IoError(
          fmt::format("tensor {}: begins at offset {}, expected {}, where the tensor before it ends",
                      in_quotes(entry->name), entry->begin, covered));
    }
    if (entry->end > data_bytes) {
      throw IoError(fmt::format("tensor {}: ends at offset {}, the file has {} bytes of data",
                                in_quotes(entry->name), entry->end, data_bytes));
    }
    covered = entry->end;
  }
  if (covered != data_bytes) {
    throw IoError(fmt::format("offset {}: the last tensor ends here, the file has {} bytes of data", covered,
                              data_bytes));
  }
}

/// Takes the version out of the metadata; there is none in other programs' files.
void check_version(std::vector<Safetensors::Note>& metadata) {
  const auto found = std::find_if(metadata.begin(), metadata.end(),
                                  [](const Safetensors::Note& note) { return note.key == version_key; });
  if (found == metadata.end()) return;
  if (found->text != version) {
    throw IoError(fmt::format("format_version is {}, this xtgrad reads \"{}\"; a newer one may read the file",
                              in_quotes(found->text), version));
  }
  metadata.erase(found);
}

/// Checks all that can be known without the elements, of which `bytes` then has the rest.
detail::SafetensorsHeader read_header(std::string_view& bytes, detail::MemoryBudget& budget) {
  if (bytes.size() < length_bytes) {
    throw IoError(fmt::format("byte 0: {} bytes in all, expected 8 with the header's length", bytes.size()));
  }
  std::uint64_t header_bytes = 0;
  std::memcpy(&header_bytes, bytes.data(), length_bytes);
  bytes.remove_prefix(length_bytes);
  if (header_bytes > bytes.size()) {
    throw IoError(
        fmt::format("byte 0: a header of {} bytes, the file has {} more", header_bytes, bytes.size()));
  }
  if (header_bytes > longest_header) {
    throw IoError(
        fmt::format("byte 0: a header of {} bytes, at most {} are allowed", header_bytes, longest_header));
  }
  detail::SafetensorsHeader header = detail::parse_safetensors_header(bytes.substr(0, header_bytes), budget);
  bytes.remove_prefix(header_bytes);
  check_version(header.metadata);
  check_coverage(header.entries, bytes.size());
  return header;
}

[[noreturn]] void throw_unread(const HeaderEntry& entry) {
  throw IoError(fmt::format("tensor {}: {}", in_quotes(entry.name), entry.unread));
}

/// All tensors that can be read, or those that are named.
Safetensors decode(std::string_view bytes, const std::vector<std::string>* names,
                   detail::MemoryBudget& budget) {
  detail::SafetensorsHeader header = read_header(bytes, budget);
  std::vector<const HeaderEntry*> wanted;
  if (names == nullptr) {
    for (const HeaderEntry& entry : header.entries) {
      if (entry.unread.empty()) wanted.push_back(&entry);
    }
    if (wanted.empty() && !header.entries.empty()) throw_unread(header.entries.front());
  } else {
    std::unordered_map<std::string_view, const HeaderEntry*> by_name;
    for (const HeaderEntry& entry : header.entries) by_name.emplace(entry.name, &entry);
    for (const std::string& name : *names) {
      const auto found = by_name.find(name);
      if (found == by_name.end()) throw IoError(fmt::format("there is no tensor {}", in_quotes(name)));
      if (!found->second->unread.empty()) throw_unread(*found->second);
      wanted.push_back(found->second);
    }
  }
  Safetensors contents{.tensors = {}, .metadata = std::move(header.metadata)};
  contents.tensors.reserve(wanted.size());
  for (const HeaderEntry* entry : wanted) {
    budget.take((entry->end - entry->begin) / detail::item_size(entry->element) *
                item_size(detail::dtype_of_element(entry->element)));
  }
  for (const HeaderEntry* entry : wanted) {
    Tensor value = detail::tensor_of_elements(bytes.substr(entry->begin, entry->end - entry->begin),
                                              entry->element, entry->shape);
    contents.tensors.push_back({entry->name, std::move(value)});
  }
  return contents;
}

}  // namespace

namespace detail {

std::string encode_safetensors(std::string_view function, const Safetensors& contents) {
  try {
    return detail::saving(function, bytes_of(contents.tensors), [&] { return encode(contents); });
  } catch (const ValueError& error) {
    throw ValueError(fmt::format("{}: {}", function, error.what()));
  }
}

void save_safetensors(std::string_view function, const std::string& path, const Safetensors& contents) {
  write_file_atomically(function, path, encode_safetensors(function, contents));
}

Safetensors load_safetensors(std::string_view function, const std::string& path, const ReadLimits& limits) {
  const std::string bytes = read_file(function, path, limits);
  return detail::reading(function, path, {detail::FileFormat::safetensors, bytes}, [&] {
    MemoryBudget budget = budget_beside(bytes, limits);
    return decode(bytes, nullptr, budget);
  });
}

Safetensors decode_safetensors(std::string_view bytes, MemoryBudget& budget) {
  return decode(bytes, nullptr, budget);
}

}  // namespace detail

std::string encode_safetensors(const Safetensors& contents) {
  return detail::encode_safetensors(saving, contents);
}

Safetensors decode_safetensors(std::string_view bytes, std::string_view source) {
  constexpr ReadLimits no_limits{.max_bytes = std::numeric_limits<std::uint64_t>::max()};
  return detail::reading(loading, source, {detail::FileFormat::safetensors, bytes}, [&] {
    detail::MemoryBudget budget(no_limits);
    return decode(bytes, nullptr, budget);
  });
}

void save_safetensors(const std::string& path, const Safetensors& contents) {
  detail::save_safetensors(saving, path, contents);
}

Safetensors load_safetensors(const std::string& path, const ReadLimits& limits) {
  return detail::load_safetensors(loading, path, limits);
}

Safetensors load_safetensors_entries(const std::string& path, const std::vector<std::string>& names,
                                     const ReadLimits& limits) {
  constexpr std::string_view function = "load_safetensors_entries";
  const std::string bytes = detail::read_file(function, path, limits);
  return detail::reading(function, path, {detail::FileFormat::safetensors, bytes}, [&] {
    detail::MemoryBudget budget = detail::budget_beside(bytes, limits);
    return decode(bytes, &names, budget);
  });
}

std::vector<std::string> safetensors_names(const std::string& path, const ReadLimits& limits) {
  constexpr std::string_view function = "safetensors_names";
  const std::string bytes = detail::read_file(function, path, limits);
  return detail::reading(function, path, {detail::FileFormat::safetensors, bytes}, [&] {
    std::string_view rest = bytes;
    std::vector<std::string> names;
    detail::MemoryBudget budget = detail::budget_beside(bytes, limits);
    detail::SafetensorsHeader header = read_header(rest, budget);
    for (HeaderEntry& entry : header.entries) names.push_back(std::move(entry.name));
    return names;
  });
}

}  // namespace xtgrad::v1
