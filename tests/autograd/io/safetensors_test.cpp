#include "xtgrad/autograd/io/safetensors.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "tests/support/program.h"
#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/errors.h"

using namespace xtgrad;

namespace {

constexpr double inf = std::numeric_limits<double>::infinity();

std::vector<NamedTensor> every_kind() {
  return {{"flags", tensor({true, false, true}, {.dtype = boolean})},
          {"layer.weight", tensor({{0.1, -0.0}, {inf, 1e-45}})},
          {"stream", tensor({std::int64_t{1} << 62, -7}, {.dtype = int64})},
          {"layer.bias", tensor({0.1, 5e-324}, {.dtype = float64})},
          {"step", tensor(3, {.dtype = int64})},
          {"none", zeros({0, 4})},
          {"größe \"\\\n", tensor(1.5)}};
}

std::string length_of(std::uint64_t length) { return std::string(reinterpret_cast<const char*>(&length), 8); }

std::string file_of(const std::string& header, const std::string& data = {}) {
  return length_of(header.size()) + header + data;
}

/// A file of one tensor "a".
std::string with(const std::string& entry, const std::string& data = {}) {
  return file_of(R"({"a":)" + entry + "}", data);
}

std::string with_shape(const std::string& shape) {
  return with(R"({"dtype":"F32","shape":)" + shape + R"(,"data_offsets":[0,4]})", "1234");
}

std::string error_of(const std::string& bytes) {
  try {
    static_cast<void>(decode_safetensors(bytes, "w"));
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

}  // namespace

TEST_CASE("tensors and metadata come back from a safetensors file with every bit and in order") {
  const std::vector<NamedTensor> tensors = every_kind();
  const testing::TemporaryFolder folder;
  save_safetensors(folder.path() / "w",
                   {.tensors = tensors, .metadata = {{"made by", "a test"}, {"note", "two\nlines"}}});
  const Safetensors loaded = load_safetensors(folder.path() / "w");
  REQUIRE(loaded.tensors.size() == tensors.size());
  for (std::size_t i = 0; i < tensors.size(); ++i) {
    CAPTURE(tensors[i].name);
    CHECK(loaded.tensors[i].name == tensors[i].name);
    CHECK(loaded.tensors[i].value.dtype() == tensors[i].value.dtype());
    CHECK(loaded.tensors[i].value.shape() == tensors[i].value.shape());
  }
  CHECK(encode_safetensors(loaded) == testing::file_text(folder.path() / "w"));
  CHECK(elements<bool>(loaded.tensors[0].value) == std::vector<bool>{true, false, true});
  const std::vector<float> weight = elements<float>(loaded.tensors[1].value);
  CHECK(weight[0] == 0.1F);
  CHECK(std::signbit(weight[1]));
  CHECK(weight[2] == std::numeric_limits<float>::infinity());
  CHECK(weight[3] == std::numeric_limits<float>::denorm_min());
  CHECK(elements<std::int64_t>(loaded.tensors[2].value) ==
        std::vector<std::int64_t>{std::int64_t{1} << 62, -7});
  CHECK(elements<double>(loaded.tensors[3].value) ==
        std::vector<double>{0.1, std::numeric_limits<double>::denorm_min()});
  CHECK(loaded.tensors[4].value.item_int64() == 3);
  REQUIRE(loaded.metadata.size() == 2);
  CHECK(loaded.metadata[0].key == "made by");
  CHECK(loaded.metadata[0].text == "a test");
  CHECK(loaded.metadata[1].text == "two\nlines");
}

TEST_CASE("tensors are laid out as the safetensors format says") {
  const std::string bytes =
      encode_safetensors({.tensors = {{"a", tensor({1, 2, 3})}, {"n", tensor(-2, {.dtype = int64})}}});
  std::uint64_t length = 0;
  std::memcpy(&length, bytes.data(), 8);
  CHECK(length % 8 == 0);
  REQUIRE(bytes.size() == 8 + length + 8 + 12);
  const auto header = nlohmann::json::parse(bytes.substr(8, length));
  CHECK(header.at("__metadata__") == nlohmann::json({{"format_version", "1"}}));
  // The int64 comes first, so that it is aligned.
  CHECK(header.at("n") ==
        nlohmann::json({{"dtype", "I64"}, {"shape", nlohmann::json::array()}, {"data_offsets", {0, 8}}}));
  CHECK(header.at("a") == nlohmann::json({{"dtype", "F32"}, {"shape", {3}}, {"data_offsets", {8, 20}}}));
  CHECK(static_cast<unsigned char>(bytes[8 + length]) == 0xfe);  // the low byte of -2
  float third = 0;
  std::memcpy(&third, bytes.data() + bytes.size() - 4, 4);
  CHECK(third == 3);
}

TEST_CASE("no tensors at all are a safetensors file, too") {
  CHECK(decode_safetensors(encode_safetensors({}), "w").tensors.empty());
  CHECK(decode_safetensors(file_of("{}"), "w").tensors.empty());
}

TEST_CASE("a safetensors file of another program needs no version, order or padding") {
  const Safetensors loaded = decode_safetensors(
      file_of(R"( {"b" : {"data_offsets":[4,8],"shape":[1],"dtype":"F32"}, "__metadata__":{"format":"pt"},)"
              R"("empty":{"dtype":"F64","shape":[2,0],"data_offsets":[4,4]},)"
              R"("a":{"dtype":"BOOL","shape":[2,2],"data_offsets":[0,4]}}   )",
              std::string("\0\1\2\0\0\0\x80\x3f", 8)),
      "w");
  REQUIRE(loaded.tensors.size() == 3);
  CHECK(loaded.tensors[0].name == "b");
  CHECK(loaded.tensors[0].value.item() == 1);
  CHECK(loaded.tensors[1].value.shape() == Shape{2, 0});
  CHECK(elements<bool>(loaded.tensors[2].value) == std::vector<bool>{false, true, true, false});
  REQUIRE(loaded.metadata.size() == 1);
  CHECK(loaded.metadata[0].key == "format");
  CHECK(loaded.metadata[0].text == "pt");
}

TEST_CASE("elements become the dtype of their name, or one that holds every value of theirs") {
  struct Case {
    std::string dtype;
    std::string bytes;
    std::vector<double> values;
    Dtype becomes;
  };
  const auto bytes = [](std::initializer_list<int> list) {
    std::string text;
    for (const int byte : list) text += static_cast<char>(byte);
    return text;
  };
  for (const Case& c : std::vector<Case>{
           {"U8", bytes({0, 255}), {0, 255}, uint8},
           {"I8", bytes({127, 128}), {127, -128}, int64},
           {"U16", bytes({1, 2, 255, 255}), {513, 65535}, int64},
           {"I16", bytes({1, 2, 254, 255}), {513, -2}, int64},
           {"U32", bytes({0, 0, 0, 128, 255, 255, 255, 255}), {2147483648.0, 4294967295.0}, int64},
           {"I32", bytes({0, 0, 0, 128, 255, 255, 255, 255}), {-2147483648.0, -1}, int32},
           // 1, -2, largest, smallest normal, smallest subnormal, largest subnormal, -0, -inf
           {"F16",
            bytes({0, 0x3c, 0, 0xc0, 0xff, 0x7b, 0, 0x04, 1, 0, 0xff, 0x03, 0, 0x80, 0, 0xfc}),
            {1, -2, 65504, 0x1p-14, 0x1p-24, 1023 * 0x1p-24, -0.0, -inf},
            float32},
           {"BF16",
            bytes({0x80, 0x3f, 0x49, 0x40, 1, 0, 0, 0x80}),
            {1, 3.140625, 0x1p-133, -0.0},
            float32}}) {
    CAPTURE(c.dtype);
    const std::string n = std::to_string(c.values.size());
    const Safetensors loaded =
        decode_safetensors(with(R"({"dtype":")" + c.dtype + R"(","shape":[)" + n + R"(],"data_offsets":[0,)" +
                                    std::to_string(c.bytes.size()) + "]}",
                                c.bytes),
                           "w");
    const Tensor& value = loaded.tensors.at(0).value;
    CHECK(value.dtype() == c.becomes);
    REQUIRE(value.shape() == Shape{static_cast<std::int64_t>(c.values.size())});
    for (std::size_t i = 0; i < c.values.size(); ++i) {
      const double found = value.at({static_cast<std::int64_t>(i)});
      CHECK(found == c.values[i]);
      CHECK(std::signbit(found) == std::signbit(c.values[i]));
    }
  }
  const Tensor nan =
      decode_safetensors(
          with(R"({"dtype":"F16","shape":[],"data_offsets":[0,2]})", std::string("\x01\x7c", 2)), "w")
          .tensors.at(0)
          .value;
  CHECK(std::isnan(nan.item()));
}

TEST_CASE("every half-precision number is read exactly") {
  std::string bytes;
  for (int i = 0; i < 0x7c00; ++i) {
    bytes += static_cast<char>(i & 0xff);
    bytes += static_cast<char>(i >> 8);
  }
  const Tensor halves =
      decode_safetensors(with(R"({"dtype":"F16","shape":[31744],"data_offsets":[0,63488]})", bytes), "w")
          .tensors.at(0)
          .value;
  const std::vector<float> found = elements<float>(halves);
  int wrong = 0;
  for (int i = 0; i < 0x7c00; ++i) {
    const int exponent = i >> 10;
    const double expected =
        exponent == 0 ? std::ldexp(i, -24) : std::ldexp(1024 + (i & 0x3ff), exponent - 25);
    if (static_cast<double>(found[static_cast<std::size_t>(i)]) != expected) ++wrong;
  }
  CHECK(wrong == 0);
}

TEST_CASE("damaged and hostile safetensors files are refused with place, found and expected") {
  const std::string good = R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}})";
  REQUIRE(error_of(file_of(good, "12345678")) == "no error");
  const std::string long_name(1000, 'x');
  struct Case {
    std::string bytes;
    std::string reason;
  };
  const auto pair = [](const std::string& second, const std::string& data) {
    return file_of(R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},)" + second + "}", data);
  };
  for (const Case& c : std::vector<Case>{
           // length of the header
           {"", "byte 0: 0 bytes in all, expected 8 with the header's length"},
           {"1234567", "byte 0: 7 bytes in all, expected 8 with the header's length"},
           {file_of(good).substr(0, 20), "byte 0: a header of 54 bytes, the file has 12 more"},
           {std::string(8, '\xff'), "byte 0: a header of 18446744073709551615 bytes, the file has 0 more"},
           // no JSON
           {file_of(""), "byte 8: expected JSON, found the end of the header"},
           {file_of("\xef\xbb\xbf{}"), "byte 8: expected the header's {, found 0xef"},
           {file_of("{"), "byte 9: expected JSON, found the end of the header"},
           {file_of("{}}"), "byte 10: expected JSON, found \"}\""},
           {file_of(R"({"a":)"), "byte 13: expected JSON, found the end of the header"},
           {file_of("{\"\xff\":1}"), "byte 10: expected JSON, found \"\\xff\\x22:1}\""},
           {file_of(R"({"a":1e999})"), "byte 17: expected JSON, found \"9}\""},
           // JSON of another form
           {file_of("[1, 2]"), "byte 8: the header is a list, expected an object"},
           {file_of("null"), "byte 8: the header is null, expected an object"},
           {file_of("7"), "byte 8: the header is 7, expected an object"},
           {with("[]"), "\"a\": expected an object, found a list"},
           {with("true"), "\"a\": expected an object, found true"},
           {with(R"({"dtype":4})"), "tensor \"a\": dtype: expected a string, found 4"},
           {with(R"({"dtype":{}})"), "tensor \"a\": dtype: expected a string, found an object"},
           {with(R"({"shape":"[2]"})"), "tensor \"a\": shape: expected a list of sizes, found \"[2]\""},
           {with_shape("[[1]]"), "tensor \"a\": shape: expected sizes of 0 and more, found a list"},
           {with_shape(R"(["1"])"), "tensor \"a\": shape: expected sizes of 0 and more, found \"1\""},
           {with(R"({"data_offsets":[0]})"),
            "tensor \"a\": data_offsets: expected [begin, end], found 1 numbers"},
           {with(R"({"data_offsets":[0,4,8]})"),
            "tensor \"a\": data_offsets: expected [begin, end], found 8"},
           {with(R"({"data_offsets":[-4,4]})"),
            "tensor \"a\": data_offsets: expected [begin, end], found -4"},
           {with(R"({"data_offsets":[0,4.0]})"),
            "tensor \"a\": data_offsets: expected [begin, end], found 4.0"},
           {with("{}"), "tensor \"a\": dtype is missing"},
           {with(R"({"dtype":"F32","data_offsets":[0,4]})"), "tensor \"a\": shape is missing"},
           {with(R"({"dtype":"F32","shape":[]})"), "tensor \"a\": data_offsets is missing"},
           {with(R"({"dtype":"F32","strides":[1]})"),
            "tensor \"a\": expected dtype, shape and data_offsets, found \"strides\""},
           // keys twice
           {pair(R"("a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]})", "1234"),
            "the name \"a\" is there twice"},
           {with(R"({"dtype":"F32","dtype":"F64"})"), "tensor \"a\": the key \"dtype\" is there twice"},
           {file_of(R"({"__metadata__":{"k":"1","k":"2"}})"), "__metadata__: the key \"k\" is there twice"},
           {file_of(R"({"__metadata__":{},"__metadata__":{}})"), "the name \"__metadata__\" is there twice"},
           // metadata
           {file_of(R"({"__metadata__":"1"})"), "\"__metadata__\": expected an object, found \"1\""},
           {file_of(R"({"__metadata__":{"k":1}})"), "__metadata__: \"k\": expected a string, found 1"},
           {file_of(R"({"__metadata__":{"k":{}}})"),
            "__metadata__: \"k\": expected a string, found an object"},
           {file_of(R"({"__metadata__":{"format_version":"2"}})"),
            "format_version is \"2\", this xtgrad reads \"1\"; a newer one may read the file"},
           {file_of(R"({"__metadata__":{"format_version":""}})"),
            "format_version is \"\", this xtgrad reads \"1\"; a newer one may read the file"},
           // dtypes
           {with(R"({"dtype":"U64","shape":[1],"data_offsets":[0,8]})", "12345678"),
            "tensor \"a\": dtype \"U64\" is none of BOOL, I8, I16, I32, I64, U8, U16, U32, F16, BF16, F32, "
            "F64"},
           {with(R"({"dtype":"f32)" + std::string("\\u0007") + R"(","shape":[1],"data_offsets":[0,4]})",
                 "1234"),
            "tensor \"a\": dtype \"f32\\x07\" is none of BOOL, I8, I16, I32, I64, U8, U16, U32, F16, BF16, "
            "F32, F64"},
           // shapes
           {with_shape("[-1]"), "tensor \"a\": shape: expected sizes of 0 and more, found -1"},
           {with_shape("[1.5]"), "tensor \"a\": shape: expected sizes of 0 and more, found 1.5"},
           {with_shape("[18446744073709551616]"),
            "tensor \"a\": shape: expected sizes of 0 and more, found 18446744073709551616"},
           {with_shape("[9223372036854775808]"), "tensor \"a\": shape [9223372036854775808] is too large"},
           {with_shape("[4294967296,4294967296]"),
            "tensor \"a\": shape [4294967296, 4294967296] is too large"},
           {with_shape("[0,9223372036854775807,9223372036854775807]"),
            "tensor \"a\": shape [0, 9223372036854775807, 9223372036854775807] is too large"},
           {with_shape("[1,1,1,1,1,1,1,1,1]"),
            "tensor \"a\": shape [1, 1, 1, 1, 1, 1, 1, 1, ...] has more than 8 dimensions"},
           {with_shape("[3]"), "tensor \"a\": shape [3] of F32 needs 12 bytes, data_offsets [0, 4] hold 4"},
           {with_shape("[1000000000000]"),
            "tensor \"a\": shape [1000000000000] of F32 needs 4000000000000 bytes, data_offsets [0, 4] hold "
            "4"},
           // offsets
           {with(R"({"dtype":"F32","shape":[2],"data_offsets":[8,0]})", "12345678"),
            "tensor \"a\": data_offsets [8, 0] end before they begin"},
           {with(R"({"dtype":"F32","shape":[2],"data_offsets":[4,12]})", "123456789012"),
            "tensor \"a\": begins at offset 4, expected 0, where the tensor before it ends"},
           {with(R"({"dtype":"F32","shape":[1000000000000],"data_offsets":[0,4000000000000]})", "1234"),
            "tensor \"a\": ends at offset 4000000000000, the file has 4 bytes of data"},
           {with(R"({"dtype":"U8","shape":[4],"data_offsets":[18446744073709551611,18446744073709551615]})"),
            "tensor \"a\": begins at offset 18446744073709551611, expected 0, where the tensor before it "
            "ends"},
           {pair(R"("b":{"dtype":"F32","shape":[1],"data_offsets":[0,4]})", "1234"),
            "tensor \"b\": begins at offset 0, expected 4, where the tensor before it ends"},
           {pair(R"("b":{"dtype":"F32","shape":[1],"data_offsets":[2,6]})", "123456"),
            "tensor \"b\": begins at offset 2, expected 4, where the tensor before it ends"},
           {pair(R"("b":{"dtype":"F32","shape":[1],"data_offsets":[8,12]})", "123456789012"),
            "tensor \"b\": begins at offset 8, expected 4, where the tensor before it ends"},
           {file_of(good, "1234567"), "tensor \"a\": ends at offset 8, the file has 7 bytes of data"},
           {file_of(good, "123456789"), "offset 8: the last tensor ends here, the file has 9 bytes of data"},
           // names are shown, but never all of a long one
           {file_of("{\"" + long_name + "\":1}"),
            "\"" + std::string(64, 'x') + "...\" (1000 bytes): expected an object, found 1"}}) {
    CHECK(error_of(c.bytes) == "load_safetensors: w: " + c.reason);
  }
}

TEST_CASE("a safetensors header nested without end, or longer than allowed, ends the reading at once") {
  CHECK(error_of(file_of(std::string(1 << 20, '['))) ==
        "load_safetensors: w: byte 8: the header is a list, expected an object");
  std::string nested;
  for (int i = 0; i < 100'000; ++i) nested += R"({"a":)";
  CHECK(error_of(file_of(nested)) ==
        "load_safetensors: w: tensor \"a\": expected dtype, shape and "
        "data_offsets, found \"a\"");
  CHECK(error_of(file_of(std::string(100'000'001, ' '))) ==
        "load_safetensors: w: byte 0: a header of 100000001 bytes, at most 100000000 are allowed");
}

TEST_CASE("every beginning of a safetensors file is refused") {
  const std::string bytes = encode_safetensors({.tensors = every_kind()});
  for (std::size_t length = 0; length < bytes.size(); ++length) {
    CAPTURE(length);
    CHECK(error_of(bytes.substr(0, length)) != "no error");
  }
}

TEST_CASE("what a safetensors file cannot hold is refused before anything is written") {
  const testing::TemporaryFolder folder;
  const std::string file = folder.path() / "w";
  const auto save = [&](const Safetensors& contents) { save_safetensors(file, contents); };
  const Tensor x = tensor(1);
  CHECK_THROWS_WITH_AS(save({.tensors = {{"a", x}, {"a", x}}}),
                       "save_safetensors: the name \"a\" is there twice", ValueError);
  CHECK_THROWS_WITH_AS(save({.tensors = {{"__metadata__", x}}}),
                       "save_safetensors: the name \"__metadata__\" is reserved", ValueError);
  CHECK_THROWS_WITH_AS(save({.tensors = {}, .metadata = {{"k", "1"}, {"k", "2"}}}),
                       "save_safetensors: the metadata key \"k\" is there twice", ValueError);
  CHECK_THROWS_WITH_AS(save({.tensors = {}, .metadata = {{"format_version", "1"}}}),
                       "save_safetensors: the metadata key \"format_version\" is reserved", ValueError);
  CHECK_THROWS_WITH_AS(save({.tensors = {{"a", Tensor()}}}),
                       "save_safetensors: tensor \"a\" is an empty handle", ValueError);
  CHECK_THROWS_WITH_AS(save({.tensors = {{"\xff", x}}}), "save_safetensors: \"\\xff\" is not UTF-8",
                       ValueError);
  CHECK(!std::filesystem::exists(file));
}

TEST_CASE("names and notes in a safetensors file count towards the limit, whatever is read of it") {
  const testing::TemporaryFolder folder;
  const std::string file = folder.path() / "names";
  const auto refuses = [](const auto& read) {
    try {
      read();
    } catch (const IoError& error) {
      return std::string(error.what()).find("ReadLimits::max_bytes") != std::string::npos;
    }
    return false;
  };
  for (const bool of_notes : {false, true}) {
    CAPTURE(of_notes);
    Safetensors contents;
    contents.tensors.push_back({"x", zeros({1})});
    for (int i = 0; i < 2000; ++i) {
      const std::string name = std::string(1000, 'n') + std::to_string(i);
      if (of_notes) {
        contents.metadata.push_back({name, std::string(1000, 't')});
      } else {
        contents.tensors.push_back({name, zeros({1})});
      }
    }
    save_safetensors(file, contents);
    const std::uint64_t all = std::filesystem::file_size(file) + std::uint64_t{2000} * 3000;
    const ReadLimits few{.max_bytes = all};
    const ReadLimits enough{.max_bytes = all + 4'000'000};
    CHECK(refuses([&] { static_cast<void>(load_safetensors(file, few)); }));
    CHECK(refuses([&] { static_cast<void>(load_safetensors_entries(file, {"x"}, few)); }));
    CHECK(refuses([&] { static_cast<void>(safetensors_names(file, few)); }));
    CHECK(load_safetensors(file, enough).tensors.size() == contents.tensors.size());
    CHECK(load_safetensors_entries(file, {"x"}, enough).tensors.size() == 1);
    CHECK(safetensors_names(file, enough).size() == contents.tensors.size());
  }
}

TEST_CASE("loading a safetensors file names the file, and heeds the limit") {
  const testing::TemporaryFolder folder;
  const std::string file = folder.path() / "w";
  write_file_atomically(file, "{}");
  CHECK_THROWS_WITH_AS(
      static_cast<void>(load_safetensors(file)),
      ("load_safetensors: " + file + ": byte 0: 2 bytes in all, expected 8 with the header's length").c_str(),
      IoError);
  save_safetensors(file, {.tensors = {{"a", zeros({100})}}});
  CHECK_THROWS_WITH_AS(static_cast<void>(load_safetensors(file, {.max_bytes = 400})),
                       doctest::Contains("ReadLimits::max_bytes is 400"), IoError);
  // The file, its tensors, their names and the version are in memory at once.
  const std::uint64_t names = (512 + 3 * 12 + 256 + 3 * 14 + 1) + (512 + 3 * 1);
  const std::uint64_t both = std::filesystem::file_size(file) + names + 400;
  CHECK_NOTHROW(static_cast<void>(load_safetensors(file, {.max_bytes = both})));
  CHECK_THROWS_WITH_AS(static_cast<void>(load_safetensors(file, {.max_bytes = both - 1})),
                       doctest::Contains("it needs 400 bytes of memory, 399 bytes are left of"), IoError);
  CHECK_THROWS_WITH_AS(static_cast<void>(load_safetensors("no/such/file")),
                       "load_safetensors: cannot open no/such/file: No such file or directory", IoError);
  CHECK_THROWS_WITH_AS(save_safetensors("/dev/null", {}),
                       "save_safetensors: cannot write /dev/null: it is there, and no regular file", IoError);
}

TEST_CASE("tensors of dtypes that there are none of leave the others of a safetensors file readable") {
  const testing::TemporaryFolder folder;
  const std::string file = folder.path() / "a.safetensors";
  write_file_atomically(file, file_of(R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},)"
                                      R"("u":{"dtype":"U64","shape":[1],"data_offsets":[4,12]},)"
                                      R"("b":{"dtype":"U8","shape":[2],"data_offsets":[12,14]}})",
                                      std::string("\0\0\x80\x3f", 4) + "12345678" + "\1\2"));
  const Safetensors all = load_safetensors(file);
  REQUIRE(all.tensors.size() == 2);
  CHECK(all.tensors[0].name == "a");
  CHECK(all.tensors[0].value.at({0}) == 1);
  CHECK(all.tensors[1].name == "b");
  CHECK(safetensors_names(file) == std::vector<std::string>{"a", "u", "b"});
  const Safetensors chosen = load_safetensors_entries(file, {"b"});
  REQUIRE(chosen.tensors.size() == 1);
  CHECK(chosen.tensors[0].value.dtype() == uint8);
  CHECK(chosen.tensors[0].value.at({1}) == 2);
  const std::string start = "load_safetensors_entries: " + file + ": ";
  CHECK_THROWS_WITH_AS(
      static_cast<void>(load_safetensors_entries(file, {"u"})),
      (start + "tensor \"u\": dtype \"U64\" is none of BOOL, I8, I16, I32, I64, U8, U16, U32, "
               "F16, BF16, F32, F64")
          .c_str(),
      IoError);
  CHECK_THROWS_WITH_AS(static_cast<void>(load_safetensors_entries(file, {"c"})),
                       (start + "there is no tensor \"c\"").c_str(), IoError);
}
