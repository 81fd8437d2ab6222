#include "xtgrad/autograd/io/npy.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

#if __has_include(<xtensor/io/xnpy.hpp>)  // 0.26 and later
#include <xtensor/io/xnpy.hpp>
#else
#include <xtensor/xnpy.hpp>
#endif

#include "tests/support/program.h"
#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/interop.h"
#include "xtgrad/autograd/ops.h"

using namespace xtgrad;

namespace {

/// A file of version 1.0 around a header that is not padded.
std::string file_of(const std::string& header, const std::string& data = {}) {
  std::string bytes = "\x93NUMPY";
  bytes.append({1, 0, static_cast<char>(header.size() & 0xff), static_cast<char>(header.size() >> 8)});
  return bytes + header + data;
}

std::string header_of(const std::string& kind, const std::string& shape, const std::string& order = "False") {
  return "{'descr': '" + kind + "', 'fortran_order': " + order + ", 'shape': " + shape + ", }";
}

std::string error_of(const std::string& bytes) {
  try {
    static_cast<void>(decode_npy(bytes, "f.npy"));
  } catch (const IoError& error) {
    return error.what();
  }
  return "no error";
}

template <class T>
std::vector<T> elements(const Tensor& tensor) {
  const auto data = tensor.data<T>();
  return {data.begin(), data.end()};
}

template <class T>
std::string bytes_of(const std::vector<T>& values) {
  return {reinterpret_cast<const char*>(values.data()), values.size() * sizeof(T)};
}

/// The same elements with their bytes the other way round.
template <class T>
std::string swapped(const std::vector<T>& values) {
  std::string bytes = bytes_of(values);
  for (std::size_t at = 0; at < bytes.size(); at += sizeof(T)) {
    std::reverse(bytes.data() + at, bytes.data() + at + sizeof(T));
  }
  return bytes;
}

}  // namespace

TEST_CASE("an npy file is laid out as NumPy's format says") {
  const std::string bytes = encode_npy(tensor({{1, 2, 3}, {4, 5, 6}}));
  REQUIRE(bytes.size() == 128 + 24);
  CHECK(bytes.substr(0, 10) == std::string("\x93NUMPY\x01\x00\x76\x00", 10));
  CHECK(bytes.substr(10, 60) == "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), } ");
  CHECK(bytes.substr(70, 57) == std::string(57, ' '));
  CHECK(bytes[127] == '\n');
  float last = 0;
  std::memcpy(&last, bytes.data() + 148, 4);
  CHECK(last == 6);
  CHECK(encode_npy(tensor({1, 2})).find("'shape': (2,), }") != std::string::npos);
  CHECK(encode_npy(tensor(1)).find("'shape': (), }") != std::string::npos);
  CHECK(encode_npy(zeros({1, 1, 1, 1, 1, 1, 1, 1}, {.dtype = boolean})).find("'descr': '|b1'") == 11);
}

TEST_CASE("tensors of every dtype and shape come back from an npy file") {
  const testing::TemporaryFolder folder;
  const std::string file = folder.path() / "x.npy";
  for (const Dtype dtype : {boolean, int64, float32, float64}) {
    for (const Shape& shape : {Shape{}, Shape{0}, Shape{1}, Shape{7}, Shape{2, 0, 3}, Shape{2, 3, 4},
                               Shape{1, 2, 1, 2, 1, 2, 1, 2}}) {
      CAPTURE(to_string(dtype));
      CAPTURE(to_string(shape));
      const Tensor x = uniform(shape, {.low = -3, .high = 3});
      const Tensor value = dtype == boolean ? greater(x, 0) : dtype == int64 ? x.to(int64) : x.to(dtype);
      save_npy(file, value);
      const Tensor loaded = load_npy(file);
      CHECK(loaded.dtype() == dtype);
      CHECK(loaded.shape() == shape);
      CHECK(encode_npy(loaded) == encode_npy(value));
      CHECK(encode_npy(loaded) == testing::file_text(file));
    }
  }
}

TEST_CASE("xtensor reads our npy files, and we read xtensor's") {
  const testing::TemporaryFolder folder;
  const std::string file = folder.path() / "x.npy";
  const Tensor x = randn({3, 4, 5});
  save_npy(file, x);
  CHECK(xt::load_npy<float>(file) == to_xarray<float>(x));
  save_npy(file, x.to(float64));
  CHECK(xt::load_npy<double>(file) == to_xarray<double>(x.to(float64)));
  save_npy(file, arange(6));
  CHECK(xt::load_npy<std::int64_t>(file) == to_xarray<std::int64_t>(arange(6)));

  const xt::xarray<double> rows = to_xarray<double>(x.to(float64));
  xt::dump_npy(file, rows);
  CHECK(to_xarray<double>(load_npy(file)) == rows);
  // xtensor writes a column-major array as it lies.
  xt::xarray<double, xt::layout_type::column_major> columns = rows;
  xt::dump_npy(file, columns);
  REQUIRE(testing::file_text(file).find("'fortran_order': True") != std::string::npos);
  CHECK(to_xarray<double>(load_npy(file)) == rows);
  const xt::xarray<std::int16_t> small = {{1, -2}, {300, 4}};
  xt::dump_npy(file, small);
  CHECK(elements<std::int64_t>(load_npy(file)) == std::vector<std::int64_t>{1, -2, 300, 4});
}

TEST_CASE("npy elements are converted from every kind and order of bytes") {
  struct Case {
    std::string kind;
    std::string bytes;
    Dtype becomes;
    std::vector<double> values;
  };
  for (const Case& c : std::vector<Case>{
           {"<f4", bytes_of<float>({1.5F, -2}), float32, {1.5, -2}},
           {">f4", swapped<float>({1.5F, -2}), float32, {1.5, -2}},
           {"<f8", bytes_of<double>({0.1, -2}), float64, {0.1, -2}},
           {">f8", swapped<double>({0.1, -2}), float64, {0.1, -2}},
           {"<f2", bytes_of<std::uint16_t>({0x3c00, 0xc100}), float32, {1, -2.5}},
           {">f2", swapped<std::uint16_t>({0x3c00, 0xc100}), float32, {1, -2.5}},
           {"|b1", std::string("\0\2", 2), boolean, {0, 1}},
           {"|i1", "\x7f\x80", int64, {127, -128}},
           {"|u1", "\x7f\x80", uint8, {127, 128}},
           {"<i2", bytes_of<std::int16_t>({-300, 4}), int64, {-300, 4}},
           {">i2", swapped<std::int16_t>({-300, 4}), int64, {-300, 4}},
           {">u2", swapped<std::uint16_t>({65000, 4}), int64, {65000, 4}},
           {"<i4", bytes_of<std::int32_t>({-300000, 4}), int32, {-300000, 4}},
           {">i4", swapped<std::int32_t>({-300000, 4}), int32, {-300000, 4}},
           {"<u4", bytes_of<std::uint32_t>({4000000000, 4}), int64, {4000000000, 4}},
           {">i8", swapped<std::int64_t>({-(std::int64_t{1} << 40), 4}), int64, {-0x1p40, 4}}}) {
    CAPTURE(c.kind);
    const Tensor x = decode_npy(file_of(header_of(c.kind, "(2,)"), c.bytes), "f.npy");
    CHECK(x.dtype() == c.becomes);
    REQUIRE(x.shape() == Shape{2});
    CHECK(x.at({0}) == c.values[0]);
    CHECK(x.at({1}) == c.values[1]);
  }
}

TEST_CASE("column-major npy elements are put in order") {
  std::vector<float> columns;
  for (int k = 0; k < 4; ++k) {
    for (int j = 0; j < 3; ++j) {
      for (int i = 0; i < 2; ++i) columns.push_back(static_cast<float>(100 * i + 10 * j + k));
    }
  }
  for (const bool big_endian : {false, true}) {
    const Tensor x = decode_npy(file_of(header_of(big_endian ? ">f4" : "<f4", "(2, 3, 4)", "True"),
                                        big_endian ? swapped(columns) : bytes_of(columns)),
                                "f.npy");
    REQUIRE(x.shape() == Shape{2, 3, 4});
    for (int i = 0; i < 2; ++i) {
      for (int j = 0; j < 3; ++j) {
        for (int k = 0; k < 4; ++k) CHECK(x.at({i, j, k}) == 100 * i + 10 * j + k);
      }
    }
  }
  for (const std::string shape : {"()", "(1,)"}) {
    CHECK(decode_npy(file_of(header_of("<f4", shape, "True"), bytes_of<float>({7})), "f.npy").item() == 7);
  }
  CHECK(decode_npy(file_of(header_of("<f4", "(3, 0)", "True")), "f.npy").shape() == Shape{3, 0});
}

TEST_CASE("npy headers of every version, and as other programs write them") {
  const std::string header = header_of("<f4", "(2,)");
  const std::string data = bytes_of<float>({1, 2});
  for (const char version : {'\2', '\3'}) {
    std::string bytes = "\x93NUMPY";
    bytes.append({version, 0, static_cast<char>(header.size()), 0, 0, 0});
    CHECK(elements<float>(decode_npy(bytes + header + data, "f.npy")) == std::vector<float>{1, 2});
  }
  for (const std::string other : {
           R"({"shape":(2,),"fortran_order":False,"descr":"<f4"})",
           "{ 'fortran_order' : False ,\n\t'descr' : '<f4',\r\n'shape' : ( 2 , ) }   \n",
           "{'descr': '<f4', 'fortran_order': False, 'shape': (2L,), }",
       }) {
    CAPTURE(other);
    CHECK(elements<float>(decode_npy(file_of(other, data), "f.npy")) == std::vector<float>{1, 2});
  }
}

TEST_CASE("damaged and hostile npy files are refused with place, found and expected") {
  const std::string good = header_of("<f4", "(2,)");
  REQUIRE(error_of(file_of(good, "12345678")) == "no error");
  const std::string kinds =
      " is not supported: expected < or > and one of b1, i1, i2, i4, i8, u1, u2, u4, f2, f4, f8";
  const auto with_kind = [](const std::string& kind) { return file_of(header_of(kind, "(2,)"), "12345678"); };
  const auto with_shape = [](const std::string& shape) {
    return file_of(header_of("<f4", shape), "12345678");
  };
  struct Case {
    std::string bytes;
    std::string reason;
  };
  for (const Case& c : std::vector<Case>{
           // beginning
           {"", "byte 0: the file ends within the header"},
           {"\x93NUM", "byte 4: the file ends within the header"},
           {"PK\3\4", "this is a zip archive; if NumPy wrote it, it is an npz file, and load_npz reads it"},
           {"\x93NUMPX", R"(byte 0: expected "\x93NUMPY", found "\x93NUMPX")"},
           {std::string("\x93NUMPY\4\0", 8), "byte 6: version 4.0, expected 1.0, 2.0 or 3.0"},
           {"\x93NUMPY\1\1", "byte 6: version 1.1, expected 1.0, 2.0 or 3.0"},
           {std::string("\x93NUMPY\1\0", 8), "byte 8: the file ends within the header"},
           {file_of(good).substr(0, 30), "byte 30: the file ends within the header"},
           {std::string("\x93NUMPY\2\0\xff\xff\0\0{}", 14), "byte 14: the file ends within the header"},
           // 200 MB, all of which could be there
           {std::string("\x93NUMPY\2\0\x00\xc2\xeb\x0b{}", 14),
            "byte 8: a header of 200000000 bytes, at most 65535 are allowed"},
           // no dict
           {file_of(""), "byte 10: expected a dict, found the end of the header"},
           {file_of("[]"), "byte 10: expected a dict, found \"[]\""},
           {file_of("{"), "byte 11: expected a key, found the end of the header"},
           {file_of("{3: 4}"), "byte 11: expected a key, found \"3: 4}\""},
           {file_of("{'descr"), "byte 11: expected a string that ends, found \"'descr\""},
           {file_of("{'descr' '<f4'}"), "byte 19: expected ':', found \"'<f4'}\""},
           {file_of("{'descr': '<f4' 'shape': ()}"), "byte 26: expected ',' or '}', found \"'shape': ()}\""},
           {file_of(good + "x"), "byte 67: expected the end of the header, found \"x\""},
           {file_of("{}"), "byte 10: the header has no descr"},
           {file_of("{'descr': '<f4'}"), "byte 10: the header has no fortran_order"},
           {file_of("{'descr': '<f4', 'fortran_order': True}"), "byte 10: the header has no shape"},
           {file_of("{'descr': '<f4', 'descr': '<f8'}"), "byte 41: the header has descr twice"},
           {file_of("{'strides': (4,)}"),
            "byte 22: the key \"strides\", expected descr, fortran_order or shape"},
           // kinds
           {with_kind("|O"), "byte 20: descr \"|O\"" + kinds},
           {with_kind("<c8"), "byte 20: descr \"<c8\"" + kinds},
           {with_kind("<U4"), "byte 20: descr \"<U4\"" + kinds},
           {with_kind("<u8"), "byte 20: descr \"<u8\"" + kinds},
           {with_kind("<f16"), "byte 20: descr \"<f16\"" + kinds},
           {with_kind("|f4"), "byte 20: descr \"|f4\"" + kinds},
           {with_kind("=f4"), "byte 20: descr \"=f4\"" + kinds},
           {with_kind(""), "byte 20: descr \"\"" + kinds},
           {file_of("{'descr': [('x', '<f4')], }"),
            "byte 20: expected a string such as '<f4'; records are not supported, found \"[('x', '<f4')], "
            "\""},
           // order
           {file_of(header_of("<f4", "(2,)", "0"), "12345678"),
            "byte 44: expected True or False, found \"0, 'shape': (2,)\""},
           // shapes
           {with_shape("2"), "byte 60: expected a tuple of sizes, found \"2, }\""},
           {with_shape("(2)"), "byte 62: expected ',', found \"), }\""},
           {with_shape("(2"), "byte 64: expected a size of 0 or more, found \"}\""},
           {with_shape("(,)"), "byte 61: expected a size of 0 or more, found \",), }\""},
           {with_shape("(1 2)"), "byte 63: expected ',', found \"2), }\""},
           {with_shape("(1,2 3)"), "byte 65: expected ',' or ')', found \"3), }\""},
           {with_shape("(-2,)"), "byte 61: expected a size of 0 or more, found \"-2,), }\""},
           {with_shape("(2.0,)"), "byte 62: expected ',', found \".0,), }\""},
           {with_shape("(1e3,)"), "byte 62: expected ',', found \"e3,), }\""},
           {with_shape("(18446744073709551616,)"),
            "byte 61: expected a size below 2^63, found \"1844674407370955\""},
           {with_shape("(18446744073709551615,)"), "byte 10: shape (18446744073709551615) is too large"},
           {with_shape("(4294967296, 4294967296)"), "byte 10: shape (4294967296, 4294967296) is too large"},
           {with_shape("(0, 9223372036854775807, 3)"),
            "byte 10: shape (0, 9223372036854775807, 3) is too large"},
           {with_shape("(1,1,1,1,1,1,1,1,1)"),
            "byte 78: shape (1, 1, 1, 1, 1, 1, 1, 1, ...) has more than 8 dimensions"},
           // data
           {file_of(good, "1234567"), "byte 67: the file has 7 bytes of data, shape [2] needs 8"},
           {file_of(good, "123456789"), "byte 67: the file has 9 bytes of data, shape [2] needs 8"},
           {with_shape("(1000000000000,)"),
            "byte 79: the file has 8 bytes of data, shape [1000000000000] needs 4000000000000"},
           {with_shape("(0,)"), "byte 67: the file has 8 bytes of data, shape [0] needs 0"}}) {
    CHECK(error_of(c.bytes) == "load_npy: f.npy: " + c.reason);
  }
}

TEST_CASE("every beginning of an npy file is refused") {
  const std::string bytes = encode_npy(tensor({{1, 2}, {3, 4}}));
  for (std::size_t length = 0; length < bytes.size(); ++length) {
    CAPTURE(length);
    CHECK(error_of(bytes.substr(0, length)) != "no error");
  }
}

TEST_CASE("an npy file holds a tensor, and is named where it cannot be read") {
  CHECK_THROWS_WITH_AS(static_cast<void>(encode_npy(Tensor())), "save_npy: the tensor is an empty handle",
                       ValueError);
  const testing::TemporaryFolder folder;
  const std::string file = folder.path() / "x.npy";
  write_file_atomically(file, "no");
  CHECK_THROWS_WITH_AS(static_cast<void>(load_npy(file)),
                       ("load_npy: " + file + ": byte 0: expected \"\\x93NUMPY\", found \"no\"").c_str(),
                       IoError);
  save_npy(file, zeros({100}));
  CHECK_THROWS_WITH_AS(static_cast<void>(load_npy(file, {.max_bytes = 400})),
                       doctest::Contains("ReadLimits::max_bytes is 400"), IoError);
  // The file and the tensor are in memory at once.
  CHECK_NOTHROW(static_cast<void>(load_npy(file, {.max_bytes = 528 + 400})));
  CHECK_THROWS_WITH_AS(static_cast<void>(load_npy(file, {.max_bytes = 528 + 399})),
                       ("load_npy: " + file +
                        ": too long: it needs 400 bytes of memory, 399 bytes are left of "
                        "ReadLimits::max_bytes, which is 927")
                           .c_str(),
                       IoError);
  CHECK_THROWS_WITH_AS(static_cast<void>(load_npy("no/such/file")),
                       "load_npy: cannot open no/such/file: No such file or directory", IoError);
  CHECK_THROWS_WITH_AS(save_npy("/dev/null", zeros({1})),
                       "save_npy: cannot write /dev/null: it is there, and no regular file", IoError);
}
