#include "xtgrad/datasets/mnist.h"

#include <doctest/doctest.h>

#include <cmath>
#include <cstdint>
#include <span>

#include "tests/datasets/data_files.h"
#include "tests/support/program.h"
#include "tests/support/skip.h"
#include "xtgrad/datasets/byte_reader.h"

using namespace xtgrad;
using namespace xtgrad::testing;

namespace {

/// Made-up files in MNIST's form: `count` images whose pixels are their number, labels 0, 1, ... from
/// `first_label`.
void write_images(const std::filesystem::path& folder, const std::string& images, const std::string& labels,
                  std::uint32_t count, int first_label = 0) {
  Bytes pixels;
  Bytes label;
  for (std::uint32_t i = 0; i < count; ++i) {
    for (int pixel = 0; pixel < 784; ++pixel) {
      pixels.push_back(static_cast<std::byte>(pixel == 1 ? 255u : i));  // the second pixel of the first row
    }
    label.push_back(static_cast<std::byte>(static_cast<int>(i) + first_label));
  }
  write_bytes(folder / images, gzip(idx_bytes(0x08, {count, 28, 28}, pixels)));
  write_bytes(folder / labels, idx_bytes(0x08, {count}, label));
}

struct Moments {
  double mean = 0;
  double deviation = 0;
};

Moments moments(std::span<const float> values) {
  double sum = 0;
  double squares = 0;
  for (const float value : values) {
    sum += value;
    squares += double{value} * value;
  }
  const auto n = static_cast<double>(values.size());
  return {.mean = sum / n, .deviation = std::sqrt(squares / n - sum / n * (sum / n))};
}

}  // namespace

TEST_CASE("mnist: the published training set") {
  const auto root = real_data("mnist/train-images-idx3-ubyte.gz");
  if (!root) return;
  const datasets::Dataset data = datasets::mnist({.root = root->string()});
  CHECK(data.inputs().shape() == Shape{60000, 1, 28, 28});
  CHECK(data.inputs().dtype() == float32);
  CHECK(data.stored_inputs().dtype() == uint8);
  CHECK(data.stored_inputs().data<std::uint8_t>().size_bytes() == 60000u * 784);
  CHECK(data.class_counts() ==
        std::vector<std::int64_t>{5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949});
  CHECK(data.class_names()[3] == "3");
  const Moments all = moments(data.inputs().data<float>());
  CHECK(all.mean == doctest::Approx(0.1307).epsilon(0.0003));
  CHECK(all.deviation == doctest::Approx(0.3081).epsilon(0.0003));
  // The five that every introduction shows: upright, ink in row 5 from column 12 on.
  CHECK(data.labels().at({0}) == 5);
  CHECK(data.inputs().at({0, 0, 5, 11}) == 0);
  CHECK(data.inputs().at({0, 0, 5, 12}) == static_cast<double>(3.0f / 255.0f));
}

TEST_CASE("mnist: the published test set, plain as well as gzip") {
  const auto root = real_data("mnist/t10k-images-idx3-ubyte.gz");
  if (!root) return;
  const datasets::Dataset data = datasets::mnist({.root = root->string(), .train = false, .dtype = float64});
  CHECK(data.inputs().shape() == Shape{10000, 1, 28, 28});
  CHECK(data.class_counts() ==
        std::vector<std::int64_t>{980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009});

  const TemporaryFolder folder;
  for (const std::string name : {"t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"}) {
    datasets::detail::ByteReader reader("test", (*root / "mnist" / (name + ".gz")).string());
    write_bytes(folder.path() / name, reader.read_at_most(10000000));
  }
  const datasets::Dataset plain =
      datasets::mnist({.root = folder.path().string(), .train = false, .dtype = float64});
  const auto a = data.inputs().data<double>();
  const auto b = plain.inputs().data<double>();
  CHECK(std::equal(a.begin(), a.end(), b.begin(), b.end()));
}

TEST_CASE("fashion_mnist: the published sets") {
  const auto root = real_data("fashion-mnist/train-images-idx3-ubyte.gz");
  if (!root) return;
  const datasets::Dataset train = datasets::fashion_mnist({.root = root->string()});
  CHECK(train.inputs().shape() == Shape{60000, 1, 28, 28});
  CHECK(train.class_counts() == std::vector<std::int64_t>(10, 6000));
  CHECK(moments(train.inputs().data<float>()).mean == doctest::Approx(0.2860).epsilon(0.0003));
  CHECK(train.class_names()[9] == "Ankle boot");
  CHECK(train.labels().at({0}) == 9);
  const datasets::Dataset test = datasets::fashion_mnist({.root = root->string(), .train = false});
  CHECK(test.class_counts() == std::vector<std::int64_t>(10, 1000));
}

TEST_CASE("fashion_mnist: Debian's package is found without a word") {
  if (!std::filesystem::exists("/usr/share/datasets/fashion-mnist/t10k-images-idx3-ubyte.gz")) {
    skip("the package dataset-fashion-mnist is not installed");
    return;
  }
  const TemporaryFolder folder;
  const WorkingFolder here(folder.path());
  const Environment unset("XTGRAD_DATA", std::nullopt);
  CHECK(datasets::fashion_mnist({.train = false}).class_counts() == std::vector<std::int64_t>(10, 1000));
}

TEST_CASE("mnist: small files of the same form, by root and by XTGRAD_DATA") {
  const TemporaryFolder folder;
  write_images(folder.path() / "mnist", "train-images.idx3-ubyte.gz", "train-labels-idx1-ubyte", 4);
  write_images(folder.path() / "mnist", "t10k-images-idx3-ubyte.gz", "t10k-labels-idx1-ubyte", 2);
  const auto train = datasets::mnist({.root = folder.path().string(), .unit_range = false});
  CHECK(train.inputs().shape() == Shape{4, 1, 28, 28});
  CHECK(train.inputs().at({3, 0, 0, 0}) == 3);
  CHECK(train.inputs().at({3, 0, 0, 1}) == 255);
  CHECK(train.stored_inputs().dtype() == uint8);
  const Environment set("XTGRAD_DATA", folder.path().string());
  const auto test = datasets::mnist({.train = false});
  CHECK(test.size() == 2);
  CHECK(test.inputs().at({0, 0, 0, 1}) == 1);
  CHECK(test.class_names().size() == 10);
}

TEST_CASE("mnist: errors name the function and the file") {
  const TemporaryFolder folder;
  const std::string root = folder.path().string();
  write_images(folder.path(), "train-images-idx3-ubyte", "train-labels-idx1-ubyte", 11);
  CHECK(io_error([&] { (void)datasets::mnist({.root = root}); }) ==
        "mnist: " + root +
            "/train-labels-idx1-ubyte, byte 18: found label 10 in row 10, expected 0 to 9, for 10 "
            "classes");
  write_bytes(folder.path() / "t10k-images-idx3-ubyte", idx_bytes(0x08, {1, 32, 32}, Bytes(1024)));
  write_bytes(folder.path() / "t10k-labels-idx1-ubyte", idx_bytes(0x08, {1}, Bytes(1)));
  CHECK(io_error([&] { (void)datasets::fashion_mnist({.root = root, .train = false}); }) ==
        "fashion_mnist: " + root +
            "/t10k-images-idx3-ubyte, byte 3: found sizes [1, 32, 32], expected images "
            "[n, 28, 28]");
  CHECK_THROWS_WITH_AS((void)datasets::mnist({.root = root, .dtype = int64}),
                       "mnist: dtype must be float32 or float64: got int64", DtypeError);
}

TEST_CASE("emnist: upright, labels from 0, names by split") {
  const TemporaryFolder folder;
  const std::string root = folder.path().string();
  const auto raw = folder.path() / "EMNIST" / "raw";
  write_images(raw, "emnist-letters-train-images-idx3-ubyte.gz", "emnist-letters-train-labels-idx1-ubyte", 26,
               1);
  const auto letters = datasets::emnist({.split = "letters", .root = root, .unit_range = false});
  CHECK(letters.class_counts() == std::vector<std::int64_t>(26, 1));
  CHECK(letters.class_names()[25] == "z");
  CHECK(letters.inputs().at({7, 0, 0, 1}) == 7);
  CHECK(letters.inputs().at({7, 0, 1, 0}) == 255);

  struct Split {
    std::string name;
    std::uint32_t classes;
    std::string last_class;
  };
  for (const Split& split : std::vector<Split>{{"byclass", 62, "z"},
                                               {"bymerge", 47, "t"},
                                               {"balanced", 47, "t"},
                                               {"digits", 10, "9"},
                                               {"mnist", 10, "9"}}) {
    CAPTURE(split.name);
    write_images(raw, "emnist-" + split.name + "-test-images-idx3-ubyte",
                 "emnist-" + split.name + "-test-labels-idx1-ubyte", split.classes);
    const auto data = datasets::emnist({.split = split.name, .root = root, .train = false});
    CHECK(data.classes() == split.classes);
    CHECK(data.class_names().back() == split.last_class);
    CHECK(data.labels().at({data.size() - 1}) == split.classes - 1);
  }
  CHECK_THROWS_WITH_AS(
      (void)datasets::emnist({.split = "words"}),
      "emnist: split must be byclass, bymerge, balanced, letters, digits or mnist: got 'words'", ValueError);
}
