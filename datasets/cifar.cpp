#include "xtgrad/datasets/cifar.h"

#include <fmt/format.h>

#include <array>
#include <filesystem>
#include <string_view>
#include <utility>

#include "xtgrad/autograd/errors.h"
#include "xtgrad/datasets/byte_reader.h"
#include "xtgrad/datasets/checks.h"
#include "xtgrad/datasets/cifar_records.h"
#include "xtgrad/datasets/find.h"

namespace xtgrad::inline v1::datasets {

namespace detail { namespace {

Dataset read_files(std::string_view function, const Cifar10FilesOptions& options) {
  inputs_dtype(function, options.dtype);  // a wrong one is told before hundreds of megabytes are read
  std::vector<std::string> names = {"airplane", "automobile", "bird",  "cat",  "deer",
                                    "dog",      "frog",       "horse", "ship", "truck"};
  if (!options.class_names.empty()) {
    ByteReader reader(function, options.class_names);
    names = read_cifar10_class_names(reader);
  }
  Cifar10Records records;
  for (const std::string& path : options.files) {
    ByteReader reader(function, path);
    read_cifar10_records(reader, records);
  }
  return cifar10_dataset(function, std::move(records), std::move(names), options.unit_range, options.dtype);
}

FileNames batch_names(int number) { return {fmt::format("data_batch_{}.bin", number)}; }

/// The training batches that follow the first, in its folder.
void add_other_batches(const std::string& folder, std::vector<std::string>& files) {
  int missing = 0;
  for (int number = 2; number <= 5; ++number) {
    auto path = find_in_folder(folder, batch_names(number));
    if (!path) {
      if (missing == 0) missing = number;
    } else if (missing != 0) {
      throw IoError(fmt::format("cifar10: {} has data_batch_{}.bin but lacks data_batch_{}.bin", folder,
                                number, missing));
    } else {
      files.push_back(std::move(*path));
    }
  }
}

}}  // namespace detail

Dataset cifar10(const Cifar10Options& options) {
  const std::array wanted = {options.train ? detail::batch_names(1) : detail::FileNames{"test_batch.bin"}};
  std::vector<std::string> files =
      detail::find_data("cifar10", options.root, detail::cifar10_source(), wanted);
  const std::string folder = std::filesystem::path(files.front()).parent_path().string();
  if (options.train) detail::add_other_batches(folder, files);
  const auto class_names = detail::find_in_folder(folder, {"batches.meta.txt"});
  return detail::read_files("cifar10", {.files = std::move(files),
                                        .class_names = class_names.value_or(""),
                                        .unit_range = options.unit_range,
                                        .dtype = options.dtype});
}

Dataset cifar10_files(const Cifar10FilesOptions& options) {
  if (options.files.empty()) throw ValueError("cifar10_files: files is missing: name at least one in .files");
  return detail::read_files("cifar10_files", options);
}

}  // namespace xtgrad::v1::datasets
