#include "xtgrad/autograd/io/npz.h"

#include <fmt/format.h>

#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/io/on_behalf.h"

#ifdef XTGRAD_HAS_LIBZIP
#include <zip.h>
#include <zlib.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <memory>
#include <new>
#include <optional>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include "xtgrad/autograd/io/elements.h"
#include "xtgrad/autograd/io/memory_budget.h"
#include "xtgrad/autograd/io/npy.h"
#include "xtgrad/autograd/io/npy_header.h"
#include "xtgrad/autograd/io/saving.h"
#include "xtgrad/autograd/io/unread_kind.h"
#endif

namespace xtgrad::inline v1 {

#ifdef XTGRAD_HAS_LIBZIP

namespace {

using detail::in_quotes;

constexpr std::string_view saving = "save_npz";
constexpr std::string_view loading = "load_npz";
constexpr std::string_view extension = ".npy";
constexpr std::size_t chunk_bytes = std::size_t{1} << 16;

struct Discard {
  void operator()(zip_t* archive) const { ::zip_discard(archive); }
};
struct Free {
  void operator()(zip_source_t* source) const { ::zip_source_free(source); }
};
struct Close {
  void operator()(zip_file_t* file) const { ::zip_fclose(file); }
};
using Archive = std::unique_ptr<zip_t, Discard>;
using Source = std::unique_ptr<zip_source_t, Free>;
using File = std::unique_ptr<zip_file_t, Close>;

/// What libzip says; memory that it did not get is a std::bad_alloc.
std::string reason_of(zip_error_t* error) {
  const int code = ::zip_error_code_zip(error);
  if (code == ZIP_ER_MEMORY || (code == ZIP_ER_ZLIB && ::zip_error_code_system(error) == Z_MEM_ERROR)) {
    throw std::bad_alloc();
  }
  return ::zip_error_strerror(error);
}

/// Where libzip leaves its reason when there is no archive yet to ask.
class Reason {
 public:
  Reason() { ::zip_error_init(&error_); }
  ~Reason() { ::zip_error_fini(&error_); }
  Reason(const Reason&) = delete;
  Reason& operator=(const Reason&) = delete;

  [[nodiscard]] zip_error_t* get() { return &error_; }
  [[nodiscard]] std::string text() { return reason_of(&error_); }

 private:
  zip_error_t error_{};
};

std::string reason_of(zip_t* archive) { return reason_of(::zip_get_error(archive)); }

/// An archive in memory; it reads `bytes`, which must outlive it, and where writing it grows a copy.
Archive open_archive(std::string_view bytes, int flags, Source* kept = nullptr) {
  Reason reason;
  Source source(::zip_source_buffer_create(bytes.data(), bytes.size(), 0, reason.get()));
  if (!source) throw IoError(reason.text());
  Archive archive(::zip_open_from_source(source.get(), flags, reason.get()));
  if (!archive) throw IoError(fmt::format("not a zip archive that can be read: {}", reason.text()));
  if (kept != nullptr) {
    ::zip_source_keep(source.get());
    kept->reset(source.get());
  }
  static_cast<void>(source.release());  // the archive's now
  return archive;
}

// --- Writing -------------------------------------------------------------------------------------

void check_names(const std::vector<NamedTensor>& tensors) {
  std::unordered_set<std::string_view> known;
  for (const NamedTensor& tensor : tensors) {
    const std::string shown = in_quotes(tensor.name);
    if (!tensor.value.defined())
      throw ValueError(fmt::format("{}: tensor {} is an empty handle", saving, shown));
    if (tensor.name.find('\0') != std::string::npos) {
      throw ValueError(fmt::format("{}: the name {} holds a zero byte", saving, shown));
    }
    if (!known.insert(tensor.name).second) {
      throw ValueError(fmt::format("{}: the name {} is there twice", saving, shown));
    }
  }
}

/// `file` must outlive the archive.
void add_entry(zip_t* archive, const std::string& name, const std::string& file, const NpzOptions& options) {
  Source source(::zip_source_buffer(archive, file.data(), file.size(), 0));
  if (!source) throw IoError(fmt::format("{}: {}", saving, reason_of(archive)));
  const zip_int64_t added =
      ::zip_file_add(archive, (name + std::string(extension)).c_str(), source.get(), ZIP_FL_ENC_UTF_8);
  if (added < 0)
    throw ValueError(fmt::format("{}: the name {}: {}", saving, in_quotes(name), reason_of(archive)));
  static_cast<void>(source.release());  // the archive's now
  const auto entry = static_cast<zip_uint64_t>(added);
  const zip_int32_t method = options.compress ? ZIP_CM_DEFLATE : ZIP_CM_STORE;
  // The first date that zip files know, 1 January 1980: the same tensors give the same bytes, at any time.
  constexpr zip_uint16_t first_date = 1 << 5 | 1;
  if (::zip_set_file_compression(archive, entry, method, 0) != 0 ||
      ::zip_file_set_dostime(archive, entry, 0, first_date, 0) != 0) {
    throw IoError(fmt::format("{}: {}", saving, reason_of(archive)));
  }
}

std::string read_all(zip_source_t* source) {
  zip_stat_t status;
  ::zip_stat_init(&status);
  std::string bytes;
  if (::zip_source_open(source) == 0 && ::zip_source_stat(source, &status) == 0) {
    bytes.resize(status.size);
    const zip_int64_t read = ::zip_source_read(source, bytes.data(), bytes.size());
    ::zip_source_close(source);
    if (read == static_cast<zip_int64_t>(bytes.size())) return bytes;
  }
  throw IoError(fmt::format("{}: {}", saving, reason_of(::zip_source_error(source))));
}

// --- Reading -------------------------------------------------------------------------------------

struct Entry {
  zip_uint64_t index = 0;
  std::string file;                 // its name in the archive
  std::string name;                 // of the tensor
  std::uint64_t claimed_bytes = 0;  // of the npy file
  std::string unread = {};          // why it is of no kind that is read
};

/// What the archive's list says of an entry.
Entry listed_entry(zip_t* archive, zip_uint64_t index) {
  zip_stat_t status;
  ::zip_stat_init(&status);
  if (::zip_stat_index(archive, index, 0, &status) != 0) {
    throw IoError(fmt::format("entry {}: {}", index, reason_of(archive)));
  }
  const std::string_view file = (status.valid & ZIP_STAT_NAME) != 0 ? status.name : "";
  Entry entry{
      .index = index, .file = std::string(file), .name = std::string(file), .claimed_bytes = status.size};
  if (!file.ends_with(extension)) {
    entry.unread = fmt::format("expected a name that ends in {}", extension);
    return entry;
  }
  entry.name.resize(file.size() - extension.size());
  if ((status.valid & ZIP_STAT_ENCRYPTION_METHOD) != 0 && status.encryption_method != ZIP_EM_NONE) {
    entry.unread = "is encrypted, which is not supported";
  } else if ((status.valid & ZIP_STAT_COMP_METHOD) == 0 ||
             (status.comp_method != ZIP_CM_STORE && status.comp_method != ZIP_CM_DEFLATE)) {
    entry.unread =
        fmt::format("compression method {}, expected 0 (stored) or 8 (deflated)", status.comp_method);
  }
  return entry;
}

/// Takes the memory of names from the budget: our list's, and that of libzip's, which is there by now.
std::vector<Entry> listed_entries(zip_t* archive, detail::MemoryBudget& budget) {
  constexpr std::uint64_t around = 640;  // the name: the entry in both lists, the tensor, room in the heap
  constexpr std::uint64_t copies = 5;
  std::vector<Entry> entries;
  std::unordered_set<std::string> known;
  const auto count = static_cast<zip_uint64_t>(std::max<zip_int64_t>(::zip_get_num_entries(archive, 0), 0));
  for (zip_uint64_t index = 0; index < count; ++index) {
    Entry entry = listed_entry(archive, index);
    budget.take(around + copies * entry.file.size());
    if (!known.insert(entry.file).second) {
      throw IoError(fmt::format("entry {}: the name is there twice", in_quotes(entry.file)));
    }
    entries.push_back(std::move(entry));
  }
  return entries;
}

/// The npy file in an entry. Grows with the bytes that really come, and stops at the first that is too many.
std::string read_entry(zip_t* archive, zip_uint64_t index, const detail::MemoryBudget& budget) {
  const File file(::zip_fopen_index(archive, index, 0));
  if (!file) throw IoError(reason_of(archive));
  std::string bytes;
  std::optional<std::uint64_t> expected;
  std::uint64_t tensor_bytes = 0;
  std::array<char, chunk_bytes> chunk{};
  while (true) {
    const zip_int64_t n = ::zip_fread(file.get(), chunk.data(), chunk.size());
    if (n < 0) {
      throw IoError(fmt::format("byte {}: {}", bytes.size(), reason_of(::zip_file_get_error(file.get()))));
    }
    if (n == 0) return bytes;
    bytes.append(chunk.data(), static_cast<std::size_t>(n));
    if (!expected) {
      if (const auto header = detail::parse_npy_header(bytes)) {
        expected = header->data_begin + header->data_bytes;
        tensor_bytes = detail::tensor_bytes(*header);
      }
    }
    budget.check(std::max<std::uint64_t>(bytes.size(), expected.value_or(0)) + tensor_bytes);
    if (expected && bytes.size() > *expected) {
      throw IoError(fmt::format("byte {}: goes on where, by its header, the array ends", *expected));
    }
  }
}

/// Takes the tensor's memory from the budget.
Tensor tensor_of(zip_t* archive, const Entry& entry, detail::MemoryBudget& budget) {
  if (!entry.unread.empty()) throw detail::UnreadKind(entry.unread);
  const std::string file = read_entry(archive, entry.index, budget);
  if (file.size() != entry.claimed_bytes) {
    throw IoError(fmt::format("it has {} bytes, the archive says {}", file.size(), entry.claimed_bytes));
  }
  Tensor tensor = detail::decode_npy_bytes(file, budget);
  // The file goes again, the tensor stays.
  budget.take(detail::tensor_bytes(*detail::parse_npy_header(file)));
  return tensor;
}

Archive open_for_reading(std::string_view bytes) {
  // To libzip, no bytes at all are an archive that is yet to be written.
  if (bytes.empty()) throw IoError("byte 0: the file is empty, expected a zip archive");
  return open_archive(bytes, ZIP_RDONLY);
}

/// Of all entries, or of those that are named.
std::vector<NamedTensor> decode(std::string_view bytes, const std::vector<std::string>* names,
                                detail::MemoryBudget budget) {
  const Archive archive = open_for_reading(bytes);
  const std::vector<Entry> entries = listed_entries(archive.get(), budget);
  std::vector<const Entry*> wanted;
  if (names == nullptr) {
    for (const Entry& entry : entries) wanted.push_back(&entry);
  } else {
    std::unordered_map<std::string_view, const Entry*> by_file;
    for (const Entry& entry : entries) by_file.emplace(entry.file, &entry);
    for (const std::string& name : *names) {
      const std::string file = name + std::string(extension);
      auto found = by_file.find(file);
      if (found == by_file.end()) found = by_file.find(name);
      if (found == by_file.end()) throw IoError(fmt::format("there is no entry {}", in_quotes(file)));
      wanted.push_back(found->second);
    }
  }
  std::vector<NamedTensor> tensors;
  std::string unread;  // of the first
  for (const Entry* entry : wanted) {
    const auto with_entry = [&](const IoError& error) {
      return fmt::format("entry {}: {}", in_quotes(entry->file), error.what());
    };
    try {
      tensors.push_back({entry->name, tensor_of(archive.get(), *entry, budget)});
    } catch (const detail::UnreadKind& error) {
      if (names != nullptr) throw IoError(with_entry(error));
      if (unread.empty()) unread = with_entry(error);
    } catch (const IoError& error) {
      throw IoError(with_entry(error));
    }
  }
  if (tensors.empty() && !unread.empty()) throw IoError(unread);
  return tensors;
}

std::string encode(const std::vector<NamedTensor>& tensors, const NpzOptions& options) {
  check_names(tensors);
  // libzip deletes an archive that ends up empty; this is the record that ends any.
  if (tensors.empty()) return std::string("PK\5\6") + std::string(18, '\0');
  std::vector<std::string> files;
  for (const NamedTensor& tensor : tensors) files.push_back(detail::encode_npy_bytes(tensor.value));
  Source written;
  Archive archive = open_archive({}, ZIP_TRUNCATE, &written);
  for (std::size_t i = 0; i < files.size(); ++i) add_entry(archive.get(), tensors[i].name, files[i], options);
  if (::zip_close(archive.get()) != 0) throw IoError(fmt::format("{}: {}", saving, reason_of(archive.get())));
  static_cast<void>(archive.release());  // zip_close freed it
  return read_all(written.get());
}

}  // namespace

std::string encode_npz(const std::vector<NamedTensor>& tensors, const NpzOptions& options) {
  return detail::saving(saving, detail::bytes_of(tensors), [&] { return encode(tensors, options); });
}

std::vector<NamedTensor> decode_npz(std::string_view bytes, std::string_view source,
                                    const ReadLimits& limits) {
  return detail::reading(loading, source, {detail::FileFormat::npz, bytes},
                         [&] { return decode(bytes, nullptr, detail::MemoryBudget(limits)); });
}

std::vector<NamedTensor> load_npz(const std::string& path, const ReadLimits& limits) {
  const std::string bytes = detail::read_file(loading, path, limits);
  return detail::reading(loading, path, {detail::FileFormat::npz, bytes},
                         [&] { return decode(bytes, nullptr, detail::budget_beside(bytes, limits)); });
}

std::vector<NamedTensor> load_npz_entries(const std::string& path, const std::vector<std::string>& names,
                                          const ReadLimits& limits) {
  constexpr std::string_view function = "load_npz_entries";
  const std::string bytes = detail::read_file(function, path, limits);
  return detail::reading(function, path, {detail::FileFormat::npz, bytes},
                         [&] { return decode(bytes, &names, detail::budget_beside(bytes, limits)); });
}

std::vector<std::string> npz_names(const std::string& path, const ReadLimits& limits) {
  constexpr std::string_view function = "npz_names";
  const std::string bytes = detail::read_file(function, path, limits);
  return detail::reading(function, path, {detail::FileFormat::npz, bytes}, [&] {
    std::vector<std::string> names;
    const Archive archive = open_for_reading(bytes);
    detail::MemoryBudget budget = detail::budget_beside(bytes, limits);
    std::vector<Entry> entries = listed_entries(archive.get(), budget);
    for (Entry& entry : entries) names.push_back(std::move(entry.name));
    return names;
  });
}

#else

namespace {

[[noreturn]] void fail_without_libzip(std::string_view function) {
  throw IoError(
      fmt::format("{}: this xtgrad was built without libzip: build it with libzip (Debian: libzip-dev), or "
                  "use npy or safetensors files",
                  function));
}

}  // namespace

std::string encode_npz(const std::vector<NamedTensor>&, const NpzOptions&) {
  fail_without_libzip("save_npz");
}

std::vector<NamedTensor> decode_npz(std::string_view, std::string_view, const ReadLimits&) {
  fail_without_libzip("load_npz");
}

std::vector<NamedTensor> load_npz(const std::string&, const ReadLimits&) { fail_without_libzip("load_npz"); }

std::vector<NamedTensor> load_npz_entries(const std::string&, const std::vector<std::string>&,
                                          const ReadLimits&) {
  fail_without_libzip("load_npz_entries");
}

std::vector<std::string> npz_names(const std::string&, const ReadLimits&) {
  fail_without_libzip("npz_names");
}

#endif

void save_npz(const std::string& path, const std::vector<NamedTensor>& tensors, const NpzOptions& options) {
  detail::write_file_atomically("save_npz", path, encode_npz(tensors, options));
}

}  // namespace xtgrad::v1
