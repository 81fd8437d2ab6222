#include "xtgrad/datasets/idx.h"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <numeric>

#include "tests/datasets/data_files.h"
#include "tests/support/program.h"
#include "xtgrad/datasets/byte_reader.h"
#include "xtgrad/datasets/idx_file.h"
#include "xtgrad/datasets/transforms.h"

using namespace xtgrad;
using namespace xtgrad::testing;

namespace {

Tensor read(const Bytes& file, const datasets::ReadIdxOptions& options = {}) {
  datasets::detail::ByteReader reader("read_idx", file, "some.idx");
  return datasets::detail::read_idx(reader, options);
}

std::string error_of(const Bytes& file) {
  return io_error([&] { (void)read(file); });
}

datasets::Dataset read_dataset(const Bytes& images, const Bytes& labels,
                               const datasets::IdxDatasetOptions& options) {
  datasets::detail::ByteReader images_reader("idx_dataset", images, "images");
  datasets::detail::ByteReader labels_reader("idx_dataset", labels, "labels");
  return datasets::detail::idx_dataset(images_reader, labels_reader, options);
}

std::string dataset_error(const Bytes& images, const Bytes& labels,
                          const datasets::IdxDatasetOptions& options) {
  return io_error([&] { (void)read_dataset(images, labels, options); });
}

/// 0, 1, 2, ...
Bytes counting(std::size_t size) {
  Bytes bytes(size);
  for (std::size_t i = 0; i < size; ++i) bytes[i] = static_cast<std::byte>(i);
  return bytes;
}

template <class T>
std::vector<T> values(const Tensor& tensor) {
  const auto data = tensor.data<T>();
  return {data.begin(), data.end()};
}

}  // namespace

TEST_CASE("read_idx: every element type, with its extreme values") {
  CHECK(values<std::int64_t>(read(idx_bytes(0x08, {3}, to_bytes("\x01\x7f\xff")))) ==
        std::vector<std::int64_t>{1, 127, 255});
  CHECK(values<std::int64_t>(read(idx_bytes(0x09, {3}, to_bytes("\x01\x7f\xff")))) ==
        std::vector<std::int64_t>{1, 127, -1});
  Bytes shorts;
  for (const std::uint64_t number : {0x0001UL, 0x7fffUL, 0x8000UL, 0xffffUL})
    append_number(shorts, number, 2);
  CHECK(values<std::int64_t>(read(idx_bytes(0x0b, {4}, shorts))) ==
        std::vector<std::int64_t>{1, 32767, -32768, -1});
  Bytes ints;
  for (const std::uint64_t number : {0x00010203u, 0x7fffffffu, 0x80000000u}) append_number(ints, number, 4);
  CHECK(values<std::int64_t>(read(idx_bytes(0x0c, {3}, ints))) ==
        std::vector<std::int64_t>{0x010203, 2147483647, -2147483648});
  Bytes floats;
  const std::vector<float> float_values = {0.1f, -3.5f, std::numeric_limits<float>::infinity(), 1e-45f};
  for (const float value : float_values) append_number(floats, std::bit_cast<std::uint32_t>(value), 4);
  CHECK(values<float>(read(idx_bytes(0x0d, {4}, floats))) == float_values);
  Bytes doubles;
  const std::vector<double> double_values = {0.1, -1e300, 5e-324};
  for (const double value : double_values) append_number(doubles, std::bit_cast<std::uint64_t>(value), 8);
  CHECK(values<double>(read(idx_bytes(0x0e, {3}, doubles))) == double_values);
}

TEST_CASE("read_idx: one to eight dimensions, empty ones, plain and gzip") {
  std::vector<std::uint32_t> sizes;
  for (std::size_t rank = 1; rank <= 8; ++rank) {
    sizes.push_back(rank < 5 ? 2 : 1);
    const auto count = std::accumulate(sizes.begin(), sizes.end(), std::size_t{1}, std::multiplies<>());
    const Bytes file = idx_bytes(0x08, sizes, counting(count));
    for (const Bytes& stored : {file, gzip(file)}) {
      const Tensor tensor = read(stored);
      REQUIRE(tensor.rank() == rank);
      CHECK(static_cast<std::size_t>(tensor.numel()) == count);
      CHECK(tensor.data<std::int64_t>().back() == static_cast<std::int64_t>(count) - 1);
    }
  }
  CHECK(read(idx_bytes(0x08, {2, 3}, counting(6))).at({1, 0}) == 3);
  CHECK(read(idx_bytes(0x08, {0, 28, 28}, {})).shape() == Shape{0, 28, 28});
  CHECK(read(idx_bytes(0x08, {3, 0}, {})).shape() == Shape{3, 0});
}

TEST_CASE("read_idx: a dtype that was asked for") {
  const Bytes file = idx_bytes(0x08, {2}, to_bytes("\x03\xff"));
  CHECK(read(file).dtype() == int64);
  CHECK(values<float>(read(file, {.dtype = float32})) == std::vector<float>{3, 255});
  CHECK(values<double>(read(file, {.dtype = float64})) == std::vector<double>{3, 255});
  Bytes tenth;
  append_number(tenth, std::bit_cast<std::uint64_t>(0.1), 8);
  CHECK(values<float>(read(idx_bytes(0x0e, {1}, tenth), {.dtype = float32})) == std::vector<float>{0.1f});
  CHECK_THROWS_WITH_AS(read(idx_bytes(0x0e, {1}, tenth), {.dtype = int64}),
                       "read_idx: int64 cannot hold the elements of some.idx, which are of type float64",
                       DtypeError);
  CHECK(values<std::uint8_t>(read(file, {.dtype = uint8})) == std::vector<std::uint8_t>{3, 255});
  CHECK(values<std::int32_t>(read(file, {.dtype = int32})) == std::vector<std::int32_t>{3, 255});
  CHECK(values<std::int32_t>(read(idx_bytes(0x09, {1}, to_bytes("\xff")), {.dtype = int32})) ==
        std::vector<std::int32_t>{-1});
  CHECK_THROWS_WITH_AS(read(idx_bytes(0x09, {1}, to_bytes("\xff")), {.dtype = uint8}),
                       "read_idx: uint8 cannot hold the elements of some.idx, which are of type signed byte",
                       DtypeError);
  CHECK_THROWS_AS(read(idx_bytes(0x0e, {1}, tenth), {.dtype = int32}), DtypeError);
  CHECK_THROWS_WITH_AS(read(file, {.dtype = boolean}),
                       "read_idx: bool cannot hold the elements of some.idx, which are of type unsigned byte",
                       DtypeError);
}

TEST_CASE(
    "read_idx: float64 too large for float32 is an error, what the file has of infinities and NaN is not") {
  constexpr double inf = std::numeric_limits<double>::infinity();
  // The least number that rounds to infinity, and the one before it.
  constexpr double too_large = 0x1.ffffffp+127;
  const double fits = std::nextafter(too_large, 0);
  const auto file = [](const std::vector<double>& numbers) {
    Bytes elements;
    for (const double number : numbers) append_number(elements, std::bit_cast<std::uint64_t>(number), 8);
    return idx_bytes(0x0e, {static_cast<std::uint32_t>(numbers.size())}, elements);
  };
  const Bytes good = file({fits, -fits, inf, -inf, std::nan(""), 1e-300});
  const std::vector<float> narrow = values<float>(read(good, {.dtype = float32}));
  constexpr float largest = std::numeric_limits<float>::max();
  CHECK(std::vector(narrow.begin(), narrow.begin() + 4) ==
        std::vector<float>{largest, -largest, std::numeric_limits<float>::infinity(),
                           -std::numeric_limits<float>::infinity()});
  CHECK(std::isnan(narrow[4]));
  CHECK(narrow[5] == 0);
  const std::string expected =
      "expected a number that float32 can hold: at most 3.4028235e+38 in size (for larger ones, set .dtype)";
  for (const double number : {1e300, -1e300, too_large, -too_large}) {
    const Bytes bad = file({1, inf, number, 1e301});
    CHECK(values<double>(read(bad))[2] == number);
    CHECK(io_error([&] { (void)read(bad, {.dtype = float32}); }) ==
          fmt::format("read_idx: some.idx, byte 24: found {}, {}", number, expected));
    CHECK(io_error([&] { (void)read(gzip(bad), {.dtype = float32}); }) ==
          fmt::format("read_idx: some.idx, byte 24 of the unpacked content: found {}, {}", number, expected));
  }
}

TEST_CASE("read_idx: foreign files are told by their first bytes") {
  CHECK(error_of(to_bytes("\x89PNG\r\n")) ==
        "read_idx: some.idx, byte 0: found the bytes 89 50 4e 47, expected an IDX file: 00 00, the element "
        "type, the "
        "number of dimensions");
  CHECK(error_of(idx_bytes(0x0a, {1}, counting(1))) ==
        "read_idx: some.idx, byte 2: found the element type 0x0a, expected 08, 09, 0b, 0c, 0d or 0e: "
        "unsigned or "
        "signed byte, int16, int32, float32, float64");
  CHECK(error_of(idx_bytes(0x08, {}, counting(1))) ==
        "read_idx: some.idx, byte 3: found 0 dimensions, expected 1 to 8");
  CHECK(error_of(idx_bytes(0x08, std::vector<std::uint32_t>(9, 1), counting(1))) ==
        "read_idx: some.idx, byte 3: found 9 dimensions, expected 1 to 8");
  CHECK(error_of({}) ==
        "read_idx: some.idx, byte 0: found the end of the content, expected the magic number of an IDX file: "
        "4 bytes "
        "from byte 0 on");
}

TEST_CASE("read_idx: a file cut short anywhere, or too long, is refused") {
  const Bytes file = idx_bytes(0x0b, {2, 3}, counting(12));
  for (std::size_t size = 0; size < file.size(); ++size) {
    const Bytes cut(file.begin(), file.begin() + static_cast<std::ptrdiff_t>(size));
    const std::string at = "byte " + std::to_string(size);
    CHECK(error_of(cut).find(at + ": found the end of the content, expected ") != std::string::npos);
    CHECK(error_of(gzip(cut)).find(
              at + " of the unpacked content: found the end of the content, expected ") != std::string::npos);
  }
  Bytes longer = file;
  longer.push_back(std::byte{0xab});
  CHECK(error_of(longer) ==
        "read_idx: some.idx, byte 24: found another byte, 0xab, expected the end of the content after [2, 3] "
        "elements "
        "(6, int16)");
  CHECK(error_of(gzip(longer)).find("byte 24 of the unpacked content: found another byte, 0xab") !=
        std::string::npos);
}

TEST_CASE("read_idx: forged sizes") {
  const std::uint32_t most = std::numeric_limits<std::uint32_t>::max();
  const Bytes much = idx_bytes(0x0e, {most, 1000}, counting(100));
  CHECK(error_of(much) ==
        "read_idx: some.idx, byte 112: found the end of the content, expected [4294967295, 1000] elements "
        "(4294967295000, float64): 34359738360000 bytes from byte 12 on");
  CHECK(error_of(gzip(much)).find("byte 112 of the unpacked content: found the end") != std::string::npos);
  CHECK(error_of(idx_bytes(0x08, {most, most, most}, {})) ==
        "read_idx: some.idx, byte 4: found the sizes ff ff ff ff ff ff ff ff ff ff ff ff, expected elements "
        "whose bytes 63 bits can count");
  // A zero does not undo an overflow.
  CHECK(error_of(idx_bytes(0x08, {most, most, most, 0}, {})).find("63 bits") != std::string::npos);
}

TEST_CASE("read_idx: any changed byte of a small file is read or refused, never worse") {
  const Bytes file = idx_bytes(0x08, {2, 2}, counting(4));
  std::size_t refused = 0;
  for (std::size_t i = 0; i < file.size(); ++i) {
    for (int value = 0; value < 256; ++value) {
      Bytes changed = file;
      changed[i] = static_cast<std::byte>(value);
      try {
        const std::int64_t count = read(changed).numel();  // outside CHECK, which would catch the exception
        CHECK(count == 4);
      } catch (const IoError&) {
        ++refused;
      }
    }
  }
  // All of the header but the right value, and signed bytes for unsigned ones.
  CHECK(refused == 12 * 255 - 1);
}

TEST_CASE("idx_dataset: images and labels") {
  const Bytes images = idx_bytes(
      0x08, {2, 2, 3}, to_bytes(std::string("\x00\x01\x02\x03\x04\x05\x06\x07\x08\x09\xfe\xff", 12)));
  const Bytes labels = idx_bytes(0x08, {2}, to_bytes(std::string("\x02\x00", 2)));
  const datasets::Dataset data = read_dataset(images, labels, {.class_names = {"a", "b", "c"}});
  CHECK(data.inputs().shape() == Shape{2, 1, 2, 3});
  CHECK(data.inputs().dtype() == float32);
  CHECK(data.classes() == 3);
  CHECK(data.class_names() == std::vector<std::string>{"a", "b", "c"});
  CHECK(values<std::int64_t>(data.labels()) == std::vector<std::int64_t>{2, 0});
  CHECK(data.inputs().at({1, 0, 1, 2}) == 1);

  for (const Dtype dtype : {float32, float64}) {
    const auto raw = read_dataset(images, labels, {.classes = 3, .unit_range = false, .dtype = dtype});
    const auto scaled = read_dataset(images, labels, {.classes = 3, .dtype = dtype});
    CHECK(raw.inputs().dtype() == dtype);
    CHECK(raw.inputs().at({1, 0, 1, 2}) == 255);
    // The same bits as the transform gives.
    const Tensor expected = datasets::unit_range(raw.inputs());
    if (dtype == float32) CHECK(values<float>(scaled.inputs()) == values<float>(expected));
    if (dtype == float64) CHECK(values<double>(scaled.inputs()) == values<double>(expected));
  }
}

TEST_CASE("idx_dataset: other ranks, no samples, other types of labels") {
  Bytes label;
  append_number(label, 1, 4);
  const Bytes labels = idx_bytes(0x0c, {1}, label);
  CHECK(read_dataset(idx_bytes(0x08, {1, 4}, counting(4)), labels, {.classes = 2}).inputs().shape() ==
        Shape{1, 4});
  CHECK(read_dataset(idx_bytes(0x08, {1, 3, 2, 1}, counting(6)), labels, {.classes = 2}).inputs().shape() ==
        Shape{1, 3, 2, 1});
  const auto none = read_dataset(idx_bytes(0x08, {0, 28, 28}, {}), idx_bytes(0x08, {0}, {}), {.classes = 2});
  CHECK(none.size() == 0);
  CHECK(none.inputs().shape() == Shape{0, 1, 28, 28});
}

TEST_CASE("idx_dataset: labels from 1 and transposed images, as EMNIST has them") {
  const Bytes images = idx_bytes(0x08, {2, 2, 3}, counting(12));  // columns of the pictures are rows here
  const Bytes labels = idx_bytes(0x08, {2}, to_bytes("\x01\x1a"));
  const auto data = read_dataset(images, labels,
                                 {.classes = 26, .first_label = 1, .transposed = true, .unit_range = false});
  CHECK(values<std::int64_t>(data.labels()) == std::vector<std::int64_t>{0, 25});
  CHECK(data.inputs().shape() == Shape{2, 1, 3, 2});
  CHECK(values<float>(data.inputs()) == std::vector<float>{0, 3, 1, 4, 2, 5, 6, 9, 7, 10, 8, 11});
}

TEST_CASE("idx_dataset: what does not fit together") {
  const Bytes images = idx_bytes(0x08, {2, 2, 2}, counting(8));
  CHECK(dataset_error(images, idx_bytes(0x08, {3}, counting(3)), {.classes = 10}) ==
        "idx_dataset: labels, byte 4: found 3 labels, expected 2, one for each image of images");
  CHECK(dataset_error(images, idx_bytes(0x08, {2}, to_bytes("\x09\x0a")), {.classes = 10}) ==
        "idx_dataset: labels, byte 9: found label 10 in row 1, expected 0 to 9, for 10 classes");
  CHECK(
      dataset_error(images, gzip(idx_bytes(0x09, {2}, to_bytes("\x09\xff"))), {.classes = 10}) ==
      "idx_dataset: labels, byte 9 of the unpacked content: found label -1 in row 1, expected 0 to 9, for 10 "
      "classes");
  CHECK(dataset_error(images, idx_bytes(0x08, {2}, counting(2)), {.classes = 10, .first_label = 1}) ==
        "idx_dataset: labels, byte 8: found label 0 in row 0, expected 1 to 10, for 10 classes");
  CHECK(dataset_error(images, images, {.classes = 10}) ==
        "idx_dataset: labels, byte 3: found sizes [2, 2, 2], expected labels [n]");
  CHECK(dataset_error(images, idx_bytes(0x0d, {2}, counting(8)), {.classes = 10}) ==
        "idx_dataset: labels, byte 2: found elements of type float32, expected labels that are integers");
  CHECK(dataset_error(idx_bytes(0x08, {2}, counting(2)), images, {.classes = 10}) ==
        "idx_dataset: images, byte 3: found sizes [2], expected images [n, ...]");
  CHECK(dataset_error(idx_bytes(0x08, {2, 2}, counting(4)), images, {.classes = 10, .transposed = true}) ==
        "idx_dataset: images, byte 3: found sizes [2, 2], expected images [n, w, h]");
  CHECK(dataset_error(idx_bytes(0x0d, {2, 1}, counting(8)), images, {.classes = 10}) ==
        "idx_dataset: images, byte 2: found elements of type float32, expected images of unsigned bytes");
}

TEST_CASE("idx_dataset: options") {
  const Bytes images = idx_bytes(0x08, {1, 2, 2}, counting(4));
  const Bytes labels = idx_bytes(0x08, {1}, counting(1));
  CHECK_THROWS_WITH_AS(read_dataset(images, labels, {}),
                       "idx_dataset: classes is missing: set .classes or .class_names", ValueError);
  CHECK_THROWS_WITH_AS(read_dataset(images, labels, {.classes = -1}),
                       "idx_dataset: classes must be at least 1: got -1", ValueError);
  CHECK_THROWS_WITH_AS(read_dataset(images, labels, {.classes = 3, .class_names = {"a"}}),
                       "idx_dataset: class_names must be one for each class: got 1 for 3", ValueError);
  CHECK_THROWS_WITH_AS(
      read_dataset(images, labels, {.classes = 3, .first_label = std::int64_t{1} << 40}),
      "idx_dataset: classes and first_label must fit the labels' 32 bits: got 3 and 1099511627776",
      ValueError);
  CHECK_THROWS_WITH_AS(read_dataset(images, labels, {.classes = 3, .dtype = int64}),
                       "idx_dataset: dtype must be float32 or float64: got int64", DtypeError);
  CHECK_THROWS_WITH_AS((void)datasets::idx_dataset({.labels = "x"}),
                       "idx_dataset: images is missing: set .images to a file", ValueError);
  CHECK_THROWS_WITH_AS((void)datasets::idx_dataset({.images = "x"}),
                       "idx_dataset: labels is missing: set .labels to a file", ValueError);
}

TEST_CASE("idx_dataset and read_idx: from files") {
  const TemporaryFolder folder;
  const std::string images = (folder.path() / "images").string();
  const std::string labels = (folder.path() / "labels").string();
  write_bytes(images, gzip(idx_bytes(0x08, {1, 2, 2}, counting(4))));
  write_bytes(labels, idx_bytes(0x08, {1}, counting(1)));
  CHECK(datasets::idx_dataset({.images = images, .labels = labels, .classes = 2}).size() == 1);
  CHECK(datasets::read_idx(images).shape() == Shape{1, 2, 2});
}
