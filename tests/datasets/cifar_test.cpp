#include "xtgrad/datasets/cifar.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdint>
#include <string>

#include "tests/datasets/data_files.h"
#include "tests/support/program.h"

using namespace xtgrad;
using namespace xtgrad::testing;

namespace {

/// A record with each plane of one value.
Bytes record(int label, int red, int green, int blue) {
  Bytes bytes(1, static_cast<std::byte>(label));
  for (const int value : {red, green, blue}) bytes.insert(bytes.end(), 1024, static_cast<std::byte>(value));
  return bytes;
}

Bytes records(const std::vector<int>& labels) {
  Bytes bytes;
  for (const int label : labels) {
    const Bytes one = record(label, label, 100, 255);
    bytes.insert(bytes.end(), one.begin(), one.end());
  }
  return bytes;
}

std::string error_of(const std::filesystem::path& file) {
  return io_error([&] { (void)datasets::cifar10_files({.files = {file.string()}}); });
}

}  // namespace

TEST_CASE("cifar10: the published images, as many as are there") {
  const auto root = real_data("cifar10-subset/data_batch_1.bin");
  if (!root) return;
  struct Expected {
    bool train;
    std::vector<std::int64_t> counts;
    std::vector<double> means;
  };
  for (const Expected& expected :
       {Expected{true, {396, 366, 420, 384, 422, 393, 414, 385, 407, 413}, {125.36, 122.85, 113.39}},
        Expected{false, {103, 89, 100, 103, 90, 86, 112, 102, 106, 109}, {126.67, 124.10, 115.01}}}) {
    const datasets::Dataset data =
        datasets::cifar10({.root = root->string(), .train = expected.train, .unit_range = false});
    CHECK(data.class_counts() == expected.counts);
    CHECK(data.inputs().shape() == Shape{expected.train ? 4000 : 1000, 3, 32, 32});
    CHECK(data.class_names().front() == "airplane");
    CHECK(data.class_names().back() == "truck");
    std::vector<double> sums(3, 0);
    const auto pixels = data.inputs().data<float>();
    for (std::size_t i = 0; i < pixels.size(); ++i) sums[i / 1024 % 3] += pixels[i];
    for (std::size_t channel = 0; channel < 3; ++channel) {
      CHECK(sums[channel] / static_cast<double>(data.size() * 1024) ==
            doctest::Approx(expected.means[channel]).epsilon(0.0001));
    }
  }
}

TEST_CASE("cifar10_files: any number of records, several files, plain and gzip, both dtypes") {
  const TemporaryFolder folder;
  const std::string one = (folder.path() / "one.bin").string();
  const std::string two = (folder.path() / "two.bin").string();
  write_bytes(one, records({3}));
  write_bytes(two, gzip(records({9, 0})));
  const auto data = datasets::cifar10_files({.files = {two, one}});
  CHECK(data.inputs().shape() == Shape{3, 3, 32, 32});
  CHECK(data.labels().at({0}) == 9);
  CHECK(data.labels().at({2}) == 3);
  CHECK(data.classes() == 10);
  CHECK(data.class_names()[5] == "dog");
  CHECK(data.inputs().at({0, 2, 31, 31}) == 1);
  CHECK(data.inputs().at({0, 1, 0, 0}) == static_cast<double>(100.0f / 255.0f));
  CHECK(data.stored_inputs().data<std::uint8_t>().size_bytes() == 3u * 3072);
  const auto raw = datasets::cifar10_files({.files = {one}, .unit_range = false, .dtype = float64});
  CHECK(raw.inputs().dtype() == float64);
  CHECK(raw.inputs().at({0, 0, 31, 31}) == 3);
  CHECK(raw.inputs().at({0, 1, 0, 0}) == 100);
  CHECK(raw.inputs().at({0, 2, 31, 31}) == 255);
}

TEST_CASE("cifar10: the batches of a folder, and its class names") {
  const TemporaryFolder folder;
  const auto inside = folder.path() / "cifar-10-batches-bin";
  const std::string root = folder.path().string();
  write_bytes(inside / "test_batch.bin", records({1}));
  write_bytes(inside / "data_batch_1.bin", records({1, 2}));
  CHECK(datasets::cifar10({.root = root}).size() == 2);
  CHECK(datasets::cifar10({.root = root}).class_names()[1] == "automobile");
  write_bytes(inside / "data_batch_2.bin.gz", gzip(records({3})));
  CHECK(datasets::cifar10({.root = root}).size() == 3);
  CHECK(datasets::cifar10({.root = inside.string(), .train = false}).size() == 1);

  write_bytes(inside / "batches.meta.txt",
              to_bytes("a\r\nb\r\nc\r\nd\r\ne\r\nf\r\ng\r\nh\r\ni\r\nj k\r\n\r\n"));
  CHECK(datasets::cifar10({.root = root}).class_names() ==
        std::vector<std::string>{"a", "b", "c", "d", "e", "f", "g", "h", "i", "j k"});

  write_bytes(inside / "data_batch_4.bin", records({3}));
  CHECK(io_error([&] { (void)datasets::cifar10({.root = root}); }) ==
        "cifar10: " + inside.string() + " has data_batch_4.bin but lacks data_batch_3.bin");
}

TEST_CASE("cifar10: damaged and foreign files") {
  const TemporaryFolder folder;
  const auto file = folder.path() / "data_batch_1.bin";
  const std::string name = "cifar10_files: " + file.string();
  write_bytes(file, {});
  CHECK(error_of(file) == name + ", byte 0: found the end of the content, expected records of 3073 bytes");

  Bytes bytes = records({1, 2});
  bytes.pop_back();
  write_bytes(file, bytes);
  CHECK(error_of(file) ==
        name +
            ", byte 6145: found the end of the content after 3072 bytes of record 1, expected "
            "whole records of 3073 bytes");
  write_bytes(file, gzip(bytes));
  CHECK(error_of(file).find("byte 6145 of the unpacked content: found the end of the content") !=
        std::string::npos);

  write_bytes(file, records({1, 9, 10}));
  CHECK(error_of(file) == name + ", byte 6146: found label 10 in record 2, expected 0 to 9");

  CHECK(error_of(folder.path() / "none").find("cannot open") != std::string::npos);
  CHECK_THROWS_WITH_AS((void)datasets::cifar10_files({}),
                       "cifar10_files: files is missing: name at least one in .files", ValueError);
  CHECK_THROWS_WITH_AS((void)datasets::cifar10_files({.files = {file.string()}, .dtype = int64}),
                       "cifar10_files: dtype must be float32 or float64: got int64", DtypeError);
}

TEST_CASE("cifar10: class names that are none") {
  const TemporaryFolder folder;
  const auto file = folder.path() / "data_batch_1.bin";
  const auto meta = folder.path() / "batches.meta.txt";
  write_bytes(file, records({1}));
  const auto error = [&](const std::string& text) {
    write_bytes(meta, to_bytes(text));
    return io_error([&] { (void)datasets::cifar10({.root = folder.path().string()}); });
  };
  const std::string name = "cifar10: " + meta.string();
  CHECK(error("a\nb\n") == name + ", byte 4: found 2 class names, expected 10, one a line");
  CHECK(error("a\nb\na\n") == name + ", byte 4: found the class name 'a' again, expected ten different ones");
  CHECK(error("a\n\x01\n") == name + ", byte 2: found a line with control characters, expected a class name");
  CHECK(error(std::string(5000, 'x')) ==
        name + ", byte 4096: found yet more text, expected ten class names, one a line");
}
