#include "xtgrad/datasets/image_folder.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <filesystem>
#include <string_view>

#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/errors.h"
#include "xtgrad/datasets/checks.h"
#include "xtgrad/datasets/image_file.h"
#include "xtgrad/datasets/image_sample.h"
#include "xtgrad/datasets/resize.h"
#include "xtgrad/datasets/transform_rows.h"

namespace xtgrad::inline v1::datasets {

namespace {

namespace fs = std::filesystem;

bool is_hidden(const fs::path& path) { return path.filename().native().starts_with('.'); }

bool has_name_of_image(const fs::path& path) {
  std::string end = path.extension().string();
  for (char& letter : end) {
    if (letter >= 'A' && letter <= 'Z') letter = static_cast<char>(letter - 'A' + 'a');
  }
  return end == ".png" || end == ".jpg" || end == ".jpeg";
}

/// Names of the sub-folders, in order.
std::vector<std::string> folders_in(const fs::path& root) {
  std::vector<std::string> names;
  for (const fs::directory_entry& entry : fs::directory_iterator(root)) {
    if (entry.is_directory() && !is_hidden(entry.path())) names.push_back(entry.path().filename().string());
  }
  std::sort(names.begin(), names.end());
  return names;
}

/// Paths of the images in a folder and in those inside of it, in order.
std::vector<std::string> images_in(const fs::path& folder) {
  std::vector<std::string> paths;
  for (auto at = fs::recursive_directory_iterator(folder); at != fs::recursive_directory_iterator(); ++at) {
    if (is_hidden(at->path())) {
      at.disable_recursion_pending();
    } else if (at->is_regular_file() && has_name_of_image(at->path())) {
      paths.push_back(at->path().string());
    }
  }
  std::sort(paths.begin(), paths.end());
  return paths;
}

void check_options(const ImageFolderOptions& options) {
  if (options.channels != 1 && options.channels != 3) {
    throw ValueError(fmt::format("ImageFolder: channels must be 1 or 3: got {}", options.channels));
  }
  if (options.size) detail::require_size("ImageFolder", *options.size);
  detail::require_at_least("ImageFolder", "max_pixels", options.max_pixels, 1);
  if (!is_floating(options.pixels.dtype)) {
    throw DtypeError(fmt::format("ImageFolder: pixels.dtype must be float32 or float64: got {}",
                                 to_string(options.pixels.dtype)));
  }
}

[[noreturn]] void fail(const fs::path& path, std::string_view what) {
  throw IoError(fmt::format("ImageFolder: {}: {}", path.string(), what));
}

}  // namespace

ImageFolder::ImageFolder(const std::string& root, const ImageFolderOptions& options) : options_(options) {
  check_options(options);
  std::vector<std::int64_t> labels;
  try {
    if (!fs::is_directory(root)) fail(root, "there is no such folder");
    class_names_ = folders_in(root);
    if (class_names_.empty()) fail(root, "needs a sub-folder for each class, and there is none");
    for (const std::string& name : class_names_) {
      const fs::path folder = fs::path(root) / name;
      std::vector<std::string> paths = images_in(folder);
      if (paths.empty()) fail(folder, "no file ends in .png, .jpg or .jpeg, and a class needs an image");
      const auto label = static_cast<std::int64_t>(&name - class_names_.data());
      labels.insert(labels.end(), paths.size(), label);
      std::move(paths.begin(), paths.end(), std::back_inserter(paths_));
    }
  } catch (const fs::filesystem_error& error) {
    throw IoError(fmt::format("ImageFolder: {}", error.what()));
  }
  labels_ = from_vector(labels);
}

Sample ImageFolder::get(std::int64_t index) const {
  if (index < 0 || index >= size()) {
    throw ValueError(fmt::format("ImageFolder: index out of range: got {}, size is {}", index, size()));
  }
  const auto i = static_cast<std::size_t>(index);
  Tensor image = read_image(
      paths_[i],
      {.channels = options_.channels, .max_pixels = options_.max_pixels, .upright = options_.upright});
  if (options_.size) {
    const SampleTransform to_size =
        resize({.size = *options_.size, .antialias = options_.antialias, .crop = options_.crop});
    image = detail::transform_sample("ImageFolder", image, std::nullopt, to_size, 0, 0);
  }
  return {image, full({}, labels_.data<std::int64_t>()[i], {.dtype = int64})};
}

SourceInfo ImageFolder::info() const {
  return {.pixels = options_.pixels, .classes = classes(), .class_names = class_names_};
}

std::string ImageFolder::name_of(std::int64_t index) const {
  return fmt::format("sample {} ({})", index, paths_[static_cast<std::size_t>(index)]);
}

}  // namespace xtgrad::v1::datasets
