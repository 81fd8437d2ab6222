#pragma once

#include <initializer_list>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace xtgrad::inline v1::datasets::detail {

/// Where a known data set may be found, and how to get it.
struct DataSource {
  std::string_view name;
  std::vector<std::string_view> folders = {};         ///< usual names inside a folder of data sets
  std::vector<std::string_view> system_folders = {};  ///< where a package of the system puts it
  std::vector<std::string_view> how_to_get = {};      ///< commands
};
[[nodiscard]] const DataSource& mnist_source();
[[nodiscard]] const DataSource& fashion_mnist_source();
[[nodiscard]] const DataSource& emnist_source();
[[nodiscard]] const DataSource& cifar10_source();

/// The usual names of one file, each of which may have ".gz" behind it. The first is the one messages name.
using FileNames = std::vector<std::string>;

/// The file in `folder` under one of its names, the plain one before the gzip one.
[[nodiscard]] std::optional<std::string> find_in_folder(const std::string& folder, const FileNames& names);

/// One path for each of `files`, all from the first folder that has them all. Looks in `root` alone if it is
/// given, else in the folder that the environment names as XTGRAD_DATA, in ./data, and where the system's
/// package puts the data set; in each in the usual sub-folders and then in the folder itself. Throws IoError
/// that lists where it looked, what was missing there, and how to get the data.
[[nodiscard]] std::vector<std::string> find_data(std::string_view function, const std::string& root,
                                                 const DataSource& source, std::span<const FileNames> files);

}  // namespace xtgrad::v1::datasets::detail
