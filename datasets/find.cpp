#include "xtgrad/datasets/find.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <iterator>
#include <system_error>

#include "xtgrad/autograd/errors.h"

namespace xtgrad::inline v1::datasets::detail {

namespace {

namespace fs = std::filesystem;

/// True if the last parts of `path` are those of `ending`.
bool ends_with(const fs::path& path, const fs::path& ending) {
  auto part = path.end();
  for (auto wanted = ending.end(); wanted != ending.begin();) {
    if (part == path.begin() || *--part != *--wanted) return false;
  }
  return true;
}

/// The other data set whose folder this is, going by its name; null if there is none. MNIST and Fashion-MNIST
/// have the same file names, sizes and counts: nothing but the folder tells one from the other.
const DataSource* folder_of_another(const fs::path& folder, const DataSource& source) {
  std::error_code ignored;
  const fs::path whole = fs::weakly_canonical(folder, ignored);
  for (const DataSource* other :
       {&mnist_source(), &fashion_mnist_source(), &emnist_source(), &cifar10_source()}) {
    if (other == &source) continue;
    for (const std::string_view name : other->folders) {
      if (ends_with(whole, name)) return other;
    }
  }
  return nullptr;
}

/// The folders to look in, and a line about each that had not all.
struct Search {
  const DataSource& source;
  std::span<const FileNames> files;
  std::string report = {};

  void note(std::string_view place, std::string_view what) {
    report += fmt::format("\n  {}: {}", place, what);
  }

  /// The paths if all are in `folder`, else none and a line in the report.
  std::vector<std::string> look_in(const fs::path& folder) {
    std::error_code ignored;
    if (!fs::is_directory(folder, ignored)) {
      note(folder.string(), "no such folder");
      return {};
    }
    std::vector<std::string> paths;
    std::string missing;
    for (const FileNames& names : files) {
      if (auto path = find_in_folder(folder.string(), names)) {
        paths.push_back(std::move(*path));
      } else {
        missing += fmt::format("{}{}", missing.empty() ? "" : ", ", names.front());
      }
    }
    if (missing.empty()) return paths;
    note(folder.string(), fmt::format("lacks {}", missing));
    return {};
  }

  /// As `look_in`, for a folder of data sets or the data set's own.
  std::vector<std::string> look_below(const fs::path& folder) {
    std::error_code ignored;
    if (!fs::is_directory(folder, ignored)) {
      note(folder.string(), "no such folder");
      return {};
    }
    for (const std::string_view name : source.folders) {
      std::vector<std::string> paths = look_in(folder / name);
      if (!paths.empty()) return paths;
    }
    if (const DataSource* other = folder_of_another(folder, source)) {
      note(folder.string(), fmt::format("not looked at, for its name says {}", other->name));
      return {};
    }
    return look_in(folder);
  }
};

}  // namespace

const DataSource& mnist_source() {
  static const DataSource source{.name = "mnist",
                                 .folders = {"mnist", "MNIST/raw", "MNIST"},
                                 .how_to_get = {"scripts/download_data.sh mnist"}};
  return source;
}

const DataSource& fashion_mnist_source() {
  static const DataSource source{
      .name = "fashion-mnist",
      .folders = {"fashion-mnist", "fashion_mnist", "FashionMNIST/raw", "FashionMNIST"},
      .system_folders = {"/usr/share/datasets/fashion-mnist"},
      .how_to_get = {"apt-get install dataset-fashion-mnist", "scripts/download_data.sh fashion-mnist"}};
  return source;
}

const DataSource& emnist_source() {
  static const DataSource source{
      .name = "emnist",
      .folders = {"emnist", "EMNIST/raw", "EMNIST", "gzip"},
      .how_to_get = {"the gzip archive of https://www.nist.gov/itl/products-and-services/emnist-dataset"}};
  return source;
}

const DataSource& cifar10_source() {
  static const DataSource source{.name = "cifar10",
                                 .folders = {"cifar-10-batches-bin", "cifar10",
                                             "cifar10/cifar-10-batches-bin", "cifar-10", "cifar10-subset"},
                                 .how_to_get = {"scripts/download_data.sh cifar10"}};
  return source;
}

std::optional<std::string> find_in_folder(const std::string& folder, const FileNames& names) {
  std::error_code ignored;
  for (const std::string_view ending : {"", ".gz"}) {
    for (const std::string& name : names) {
      const fs::path path = fs::path(folder) / fmt::format("{}{}", name, ending);
      if (fs::exists(path, ignored) && !fs::is_directory(path, ignored)) return path.string();
    }
  }
  return std::nullopt;
}

std::vector<std::string> find_data(std::string_view function, const std::string& root,
                                   const DataSource& source, std::span<const FileNames> files) {
  Search search{.source = source, .files = files};
  std::vector<std::string> paths;
  if (!root.empty()) {
    paths = search.look_below(root);
  } else {
    const char* named = std::getenv("XTGRAD_DATA");
    if (named == nullptr || *named == '\0') {
      search.note("XTGRAD_DATA", "not set in the environment");
    } else {
      paths = search.look_below(named);
    }
    if (paths.empty()) paths = search.look_below("data");
    for (const std::string_view folder : source.system_folders) {
      if (paths.empty()) paths = search.look_in(folder);
    }
  }
  if (!paths.empty()) return paths;

  std::string wanted;
  for (const FileNames& names : files)
    wanted += fmt::format("{}{}", wanted.empty() ? "" : ", ", names.front());
  std::string how;
  for (const std::string_view command : source.how_to_get) how += fmt::format("\n  {}", command);
  throw IoError(
      fmt::format("{}: no folder has all of {}, plain or .gz. Looked in{}\nHow to get the data:{}\n"
                  "In data/ or in a folder there it is found. Elsewhere name its folder in .root, or in the "
                  "environment variable XTGRAD_DATA.",
                  function, wanted, search.report, how));
}

}  // namespace xtgrad::v1::datasets::detail
