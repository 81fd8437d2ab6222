#include "xtgrad/datasets/mnist.h"

#include <fmt/format.h>

#include <array>
#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

#include "xtgrad/autograd/errors.h"
#include "xtgrad/datasets/byte_reader.h"
#include "xtgrad/datasets/find.h"
#include "xtgrad/datasets/idx_file.h"

namespace xtgrad::inline v1::datasets {

namespace {

constexpr std::string_view digit_names = "0123456789";
constexpr std::string_view upper_names = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
constexpr std::string_view lower_names = "abcdefghijklmnopqrstuvwxyz";
// The small letters that do not look like their capitals; the others share the capital's class.
constexpr std::string_view unmerged_lower_names = "abdefghnqrt";

std::vector<std::string> one_name_a_letter(std::string_view letters) {
  std::vector<std::string> names;
  names.reserve(letters.size());
  for (const char letter : letters) names.emplace_back(1, letter);
  return names;
}

/// "train-images-idx3-ubyte" and "train-images.idx3-ubyte", as the files are called after some unpackers.
detail::FileNames idx_names(std::string_view stem, std::string_view ending) {
  return {fmt::format("{}-{}", stem, ending), fmt::format("{}.{}", stem, ending)};
}

/// Files whose names begin with `prefix`; `options` but for the paths.
Dataset read(std::string_view function, const detail::DataSource& source, const std::string& root,
             std::string_view prefix, const IdxDatasetOptions& options) {
  const std::array files = {idx_names(fmt::format("{}-images", prefix), "idx3-ubyte"),
                            idx_names(fmt::format("{}-labels", prefix), "idx1-ubyte")};
  const std::vector<std::string> paths = detail::find_data(function, root, source, files);
  detail::ByteReader images(function, paths[0]);
  detail::ByteReader labels(function, paths[1]);
  return detail::idx_dataset(images, labels, options, detail::ImageSize{.height = 28, .width = 28});
}

Dataset read_mnist(std::string_view function, const detail::DataSource& source, const MnistOptions& options,
                   std::vector<std::string> class_names) {
  return read(
      function, source, options.root, options.train ? "train" : "t10k",
      {.class_names = std::move(class_names), .unit_range = options.unit_range, .dtype = options.dtype});
}

struct EmnistSplit {
  std::string class_letters;
  std::int64_t first_label = 0;
};

EmnistSplit emnist_split(const std::string& name) {
  if (name == "byclass") return {fmt::format("{}{}{}", digit_names, upper_names, lower_names)};
  if (name == "bymerge" || name == "balanced") {
    return {fmt::format("{}{}{}", digit_names, upper_names, unmerged_lower_names)};
  }
  if (name == "letters") return {std::string(lower_names), 1};
  if (name == "digits" || name == "mnist") return {std::string(digit_names)};
  throw ValueError(fmt::format(
      "emnist: split must be byclass, bymerge, balanced, letters, digits or mnist: got '{}'", name));
}

}  // namespace

Dataset mnist(const MnistOptions& options) {
  return read_mnist("mnist", detail::mnist_source(), options, one_name_a_letter(digit_names));
}

Dataset fashion_mnist(const MnistOptions& options) {
  return read_mnist("fashion_mnist", detail::fashion_mnist_source(), options,
                    {"T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker",
                     "Bag", "Ankle boot"});
}

Dataset emnist(const EmnistOptions& options) {
  const EmnistSplit split = emnist_split(options.split);
  return read("emnist", detail::emnist_source(), options.root,
              fmt::format("emnist-{}-{}", options.split, options.train ? "train" : "test"),
              {.first_label = split.first_label,
               .class_names = one_name_a_letter(split.class_letters),
               .transposed = true,
               .unit_range = options.unit_range,
               .dtype = options.dtype});
}

}  // namespace xtgrad::v1::datasets
