#include "examples/train/weights.h"

#include <doctest/doctest.h>

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
using xtgrad::nn::StateDict;

namespace {

StateDict every_kind() {
  StateDict state;
  state.add("flags", tensor({true, false, true}, {.dtype = boolean}));
  state.add("layer.weight", tensor({{0.1, -0.0}, {std::numeric_limits<double>::infinity(), 1e-45}}));
  state.add("stream", tensor({std::int64_t{1} << 62, -7}, {.dtype = int64}));
  state.add("layer.bias", tensor({0.1, 5e-324}, {.dtype = float64}));
  state.add("step", tensor(3, {.dtype = int64}));
  state.add("none", zeros({0, 4}));
  return state;
}

std::string file_of(const std::string& header, const std::string& data = {}) {
  const std::uint64_t length = header.size();
  return std::string(reinterpret_cast<const char*>(&length), 8) + header + data;
}

std::string error_of(const std::string& bytes) {
  try {
    static_cast<void>(train::decode_weights(bytes, "w"));
  } catch (const IoError& error) {
    return error.what();
  }
  return "no error";
}

}  // namespace

TEST_CASE("weights come back from a file with every bit, name, dtype and shape") {
  const StateDict state = every_kind();
  const testing::TemporaryFolder folder;
  train::save_weights(folder.path() / "w.safetensors", state);
  const StateDict loaded = train::load_weights(folder.path() / "w.safetensors");
  CHECK(loaded.size() == state.size());
  for (const auto& [name, value] : state) {
    CAPTURE(name);
    REQUIRE(loaded.contains(name));
    const Tensor& other = loaded.at(name);
    CHECK(other.dtype() == value.dtype());
    CHECK(other.shape() == value.shape());
  }
  CHECK(train::encode_weights(loaded) == train::encode_weights(state));
  CHECK(loaded.at("flags").data<bool>()[0]);
  CHECK(!loaded.at("flags").data<bool>()[1]);
  CHECK(std::signbit(loaded.at("layer.weight").data<float>()[1]));
  CHECK(loaded.at("layer.weight").data<float>()[3] == std::numeric_limits<float>::denorm_min());
  CHECK(loaded.at("stream").data<std::int64_t>()[0] == std::int64_t{1} << 62);
  CHECK(loaded.at("layer.bias").data<double>()[0] == 0.1);
  CHECK(loaded.at("layer.bias").data<double>()[1] == std::numeric_limits<double>::denorm_min());
}

TEST_CASE("weights are laid out as the safetensors format says") {
  StateDict state;
  state.add("a", tensor({1, 2, 3}));
  state.add("n", tensor(-2, {.dtype = int64}));
  const std::string bytes = train::encode_weights(state);
  std::uint64_t length = 0;
  std::memcpy(&length, bytes.data(), 8);
  CHECK(length % 8 == 0);
  REQUIRE(bytes.size() == 8 + length + 8 + 12);
  const auto header = nlohmann::json::parse(bytes.substr(8, length));
  CHECK(header.at("__metadata__").at("format_version") == "1");
  // The int64 comes first, so that it is aligned.
  CHECK(header.at("n") ==
        nlohmann::json({{"dtype", "I64"}, {"shape", nlohmann::json::array()}, {"data_offsets", {0, 8}}}));
  CHECK(header.at("a") == nlohmann::json({{"dtype", "F32"}, {"shape", {3}}, {"data_offsets", {8, 20}}}));
  CHECK(static_cast<unsigned char>(bytes[8 + length]) == 0xfe);  // the low byte of -2
  float third = 0;
  std::memcpy(&third, bytes.data() + bytes.size() - 4, 4);
  CHECK(third == 3);
}

TEST_CASE("an empty state is a file, too") {
  CHECK(train::decode_weights(train::encode_weights(StateDict()), "w").empty());
}

TEST_CASE("damaged weights are refused with the reason") {
  const std::string good = R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}})";
  REQUIRE(error_of(file_of(good, "12345678")) == "no error");
  struct Expected {
    std::string bytes;
    std::string reason;
  };
  const auto with = [](const std::string& entry, const std::string& data) {
    return file_of(R"({"a":)" + entry + "}", data);
  };
  for (const Expected& expected : std::vector<Expected>{
           {"1234567", "shorter than the header's length"},
           {file_of(good).substr(0, 20), "a header of 54 bytes does not fit"},
           {std::string(8, '\xff'), "a header of 18446744073709551615 bytes does not fit"},
           {file_of("[1, 2]"), "the header is no JSON object"},
           {file_of(good, "1234567"), "the tensors are 8 bytes, the file has 7"},
           {file_of(good, "123456789"), "the tensors are 8 bytes, the file has 9"},
           {with(R"({"dtype":"F16","shape":[2],"data_offsets":[0,4]})", "1234"),
            "tensor a: dtype F16 is not supported"},
           {with(R"({"dtype":"F32","shape":[3],"data_offsets":[0,8]})", "12345678"),
            "tensor a: shape [3] of F32 needs 12 bytes, the offsets span 8"},
           {with(R"({"dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,8]})", "12345678"),
            "tensor a: shape [4294967296, 4294967296] is too large"},
           {with(R"({"dtype":"F32","shape":[2],"data_offsets":[8,0]})", "12345678"),
            "tensor a: data_offsets are not [begin, end]"},
           {with(R"({"dtype":"F32","shape":[2],"data_offsets":[4,12]})", "123456789012"),
            "tensor a begins at byte 4, expected 0"},
           {file_of(R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},)"
                    R"("b":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}})",
                    "1234"),
            "tensor b begins at byte 0, expected 4"}}) {
    CHECK(error_of(expected.bytes) == "w: not a safetensors file that xtgrad can read: " + expected.reason);
  }
  CHECK(error_of(file_of("{")).find("parse error") != std::string::npos);
  CHECK(error_of(with("{}", "")).find("tensor a: ") != std::string::npos);
  CHECK(error_of(with(R"({"dtype":"F32","shape":[1,1,1,1,1,1,1,1,1],"data_offsets":[0,4]})", "1234"))
            .find("at most 8") != std::string::npos);
}

TEST_CASE("a missing file of weights is named") {
  try {
    static_cast<void>(train::load_weights("no/such/file"));
    FAIL("no error");
  } catch (const IoError& error) {
    CHECK(std::string(error.what()) == "cannot read no/such/file: No such file or directory");
  }
}
