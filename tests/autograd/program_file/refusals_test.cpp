// Damaged and hostile files of programs: each is refused by name when it is loaded.
#include <doctest/doctest.h>

#include <algorithm>
#include <cstddef>
#include <string>
#include <vector>

#include "tests/autograd/program_file/saved_steps.h"
#include "tests/support/message_of.h"
#include "tests/support/values.h"
#include "xtgrad/xtgrad.h"

namespace xtgrad { namespace {

using testing::message_of;
using testing::same_bits;
using testing::saved_bytes;
using testing::steps_of;

/// A program's file, and what becomes of it with other words in its description.
class Saved {
 public:
  template <class F>
  Saved(const std::vector<Tensor>& inputs, const F& f)
      : contents_(decode_safetensors(saved_bytes(detail::simplified(steps_of(inputs, f))), "a file")) {}

  [[nodiscard]] const std::string& description() const { return contents_.metadata[0].text; }
  Safetensors& contents() { return contents_; }
  [[nodiscard]] LoadedProgram load() const { return decode_program(encode_safetensors(contents_), "f"); }

  /// Why a file with `to` in the place of the first `from` is refused.
  [[nodiscard]] std::string refusal(const std::string& from, const std::string& to) const {
    Safetensors other = contents_;
    std::string& text = other.metadata[0].text;
    const std::size_t at = text.find(from);
    REQUIRE_MESSAGE(at != std::string::npos, text);
    text.replace(at, from.size(), to);
    const std::string message =
        message_of<IoError>([&] { return decode_program(encode_safetensors(other), "f"); });
    const std::string before = "decode_program: f: ";
    CHECK_MESSAGE(message.starts_with(before), message);
    return message.substr(std::min(before.size(), message.size()));
  }

 private:
  Safetensors contents_;
};

Saved small_program() {
  return {{tensor({{1, 2, 3}, {4, 5, 6}})}, [](const auto& in) {
            const Tensor y = in[0] * tensor({1, 2, 3});
            return std::vector<Tensor>{sum(y, {.axes = {1}}), tanh(y)};
          }};
}

TEST_CASE("a program's description is what its header says") {
  const Saved saved = small_program();
  CHECK(saved.description() ==
        R"({"version":1,"xtgrad":"0.1.0","recorded_steps":3,)"
        R"("values":[["float32",[2,3]],["float32",[3]],["float32",[2,3]],["float32",[2]],["float32",[2,3]]],)"
        R"("inputs":[{"value":0,"name":"in0","wants_gradient":true}],"constants":[1],"state":[],)"
        R"("steps":[{"operation":"mul","attributes":{},"inputs":[0,1],"outputs":[2]},)"
        R"({"operation":"sum","attributes":{"axes":[1],"keepdim":false},"inputs":[2],"outputs":[3]},)"
        R"({"operation":"tanh","attributes":{},"inputs":[2],"outputs":[4]}],"results":[3,4]})");
  LoadedProgram program = saved.load();
  const std::vector<Tensor> got = program({tensor({{1, 0, 0}, {0, 1, 0}})});
  CHECK(same_bits(got[0], tensor({1, 2})));
}

TEST_CASE("versions, operations and attributes that are not known are refused by name") {
  const Saved saved = small_program();
  CHECK(saved.refusal(R"("version":1)", R"("version":2)") ==
        "the program's version is 2, this xtgrad reads 1; a newer one may read the file");
  CHECK(saved.refusal(R"("version":1)", R"("version":0)") ==
        "the program's version is 0, this xtgrad reads 1");
  CHECK(saved.refusal(R"("version":1,)", "") == "version is missing");
  CHECK(saved.refusal(R"("operation":"tanh")", R"("operation":"tahn")") ==
        "step 2 (\"tahn\"): no operation of that name is known here");
  CHECK(saved.refusal(R"("axes":[1])", R"("axes":[40])") ==
        "step 1 (\"sum\"): attribute \"axes\": axis 40 is no dimension, of which there are at most 8");
  CHECK(saved.refusal(R"("axes":[1])", R"("axes":[2])") ==
        "step 1 (sum): sum: axis 2 is no dimension of x, which is [2, 3]");
  CHECK(saved.refusal(R"("axes":[1])", R"("axes":"all")") ==
        "step 1 (\"sum\"): attribute \"axes\" is of another kind");
  CHECK(saved.refusal(R"("axes":[1])", R"("axes":[true])") ==
        "step 1 (\"sum\"): attribute \"axes\": expected a list of integers, found true or false");
  CHECK(saved.refusal(R"("axes":[1])", R"("axes":{"double":"1,5"})") ==
        "step 1 (\"sum\"): attribute \"axes\": expected a double as text, found \"1,5\"");
  CHECK(saved.refusal(R"("keepdim":false)", R"("keepdim":false,"more":1)") ==
        "step 1 (\"sum\"): there is no attribute \"more\"");
}

TEST_CASE("values that are there too early, twice or never, and of another spec are refused") {
  const Saved saved = small_program();
  CHECK(saved.refusal(R"("inputs":[0,1])", R"("inputs":[0,4])") ==
        "step 0 (mul): input 1: value 4 is not made yet");
  CHECK(saved.refusal(R"("inputs":[0,1])", R"("inputs":[0,9])") ==
        "step 0 (\"mul\"): inputs: expected a number from 0 to 4, found 9");
  CHECK(saved.refusal(R"("inputs":[0,1])", R"("inputs":[0])") == "step 0 (mul): mul: takes 2 inputs, got 1");
  CHECK(saved.refusal(R"("inputs":[0,1])", R"("inputs":[0,[1,[4]]])") ==
        "step 0 (mul): input 1: value 1 is float32[3], which cannot be seen as float32[4]");
  CHECK(saved.refusal(R"("inputs":[0,1])", R"("inputs":[0,[1,[3,1]]])") ==
        "step 0 (mul): mul: shapes do not broadcast: a is [2, 3], b is [3, 1]");
  CHECK(saved.refusal(R"("outputs":[3])", R"("outputs":[2])") ==
        "step 1 (sum): output 0: value 2 is there already");
  CHECK(saved.refusal(R"("outputs":[3])", R"("outputs":[4])") ==
        "step 1 (sum): output 0 is float32[2, 3], the operation makes float32[2]");
  CHECK(saved.refusal(R"("outputs":[3])", R"("outputs":[null])") == "step 1 (sum): it makes nothing");
  CHECK(saved.refusal(R"("outputs":[3])", R"("outputs":[3,4])") ==
        "step 1 (sum): sum: makes 1 outputs and 0 auxiliaries, got 2 in all");
  CHECK(saved.refusal(R"(["float32",[2]])", R"(["float64",[2]])") ==
        "step 1 (sum): output 0 is float64[2], the operation makes float32[2]");
  CHECK(saved.refusal(R"(["float32",[2]])", R"(["float32",[2]],["float32",[]])") ==
        "step 2 (tanh): output 0 is float32[], the operation makes float32[2, 3]");
  CHECK(saved.refusal(R"("results":[3,4])", R"("results":[3,5])") ==
        "results: expected a number from 0 to 4, found 5");
  CHECK(saved.refusal(R"("results":[3,4])", R"("results":[3,null])") ==
        "results: expected a number from 0 to 4, found nothing");
  CHECK(saved.refusal(R"("constants":[1])", R"("constants":[])") ==
        "tensor \"constant/1\" is none of the program's");
  CHECK(saved.refusal(R"("constants":[1])", R"("constants":[1,1])") ==
        "constants[1]: value 1 is an input, a constant or a state already");
  CHECK(saved.refusal(R"("constants":[1])", R"("constants":[1,4])") ==
        "constants[1]: there is no tensor \"constant/4\"");
  CHECK(saved.refusal(R"(["float32",[3]])", R"(["float32",[1,3]])") ==
        "constants[0]: value 1 is float32 [1, 3], the tensor \"constant/1\" is float32 [3]");
  CHECK(saved.refusal(R"("value":0)", R"("value":1)") ==
        "constants[0]: value 1 is an input, a constant or a state already");
}

TEST_CASE("descriptions that are no such description are refused") {
  const Saved saved = small_program();
  CHECK(saved.refusal(R"("recorded_steps":3,)", "") == "program.recorded_steps is missing");
  CHECK(saved.refusal(R"("results")", R"("more":0,"results")") ==
        "program: the key \"more\" is none that is known");
  CHECK(saved.refusal(R"("state")", R"("values":[],"state")") == "the key \"values\" is there twice");
  CHECK(saved.refusal(R"("steps":[)", R"("steps":[[)").starts_with("byte "));
  CHECK(saved.refusal(R"("recorded_steps":3)", R"("recorded_steps":3.5)") ==
        "\"recorded_steps\": expected an integer, found \"3.5\"");
  CHECK(saved.refusal(R"("recorded_steps":3)", R"("recorded_steps":-3)") ==
        "program.recorded_steps: expected a number from 0 to 9223372036854775806, found -3");
  CHECK(saved.refusal(R"("recorded_steps":3)", R"("recorded_steps":99999999999999999999)")
            .starts_with("\"recorded_steps\": expected an integer"));
  CHECK(saved.refusal(R"("recorded_steps":3)", R"("recorded_steps":[[[[[[[[[[[[[3]]]]]]]]]]]]])") ==
        "\"recorded_steps\": lists are nested deeper than 12");
  CHECK(saved.refusal(R"(["float32",[3]])", R"(["float8",[3]])").starts_with("values[1]: "));
  CHECK(saved.refusal(R"(["float32",[3]])", R"(["float32"])") ==
        "values[1]: expected [dtype, shape] or [dtype, shape, value], found 1 entries");
  CHECK(saved.refusal(R"(["float32",[3]])", R"(["float32",[3,-1]])") ==
        "values[1]: expected a number from 0 to 9223372036854775806, found -1");
  CHECK(saved.refusal(R"(["float32",[3]])", R"(["float32",[1,1,1,1,1,1,1,1,1]])") ==
        "values[1]: more than 8 dimensions");
  CHECK(saved.refusal(R"(["float32",[3]])", R"(["float32",[4294967296,4294967296]])") ==
        "values[1]: Shape: more than 2^63 - 1 elements: got [4294967296, 4294967296]");
  CHECK(
      saved.refusal(R"(["float32",[3]])", R"(["float32",[4611686018427387904]])").starts_with("values[1]: "));
  CHECK(saved.refusal(R"("name":"in0")", R"("name":0)") == "inputs[0].name: expected text, found 0");
  CHECK(saved.refusal(R"("wants_gradient":true)", R"("wants_gradient":1)") ==
        "inputs[0].wants_gradient: expected true or false, found 1");
  CHECK(saved.refusal(R"("operation":"mul")", R"("operation":"\ud800")").starts_with("byte "));
  CHECK(saved.refusal(R"("inputs":[0,1])", R"("inputs":[0,[1]])") ==
        "step 0 (\"mul\"): inputs: expected [value, shape], found 1 entries");
}

TEST_CASE("a file that is cut, that has a byte changed, or that has no program is refused") {
  const std::string bytes = saved_bytes(detail::simplified(steps_of({tensor({1, 2})}, [](const auto& in) {
    return std::vector<Tensor>{exp(in[0] * tensor({3, 4}))};
  })));
  static_cast<void>(decode_program(bytes, "f"));
  for (std::size_t n = 0; n < bytes.size(); ++n)
    CHECK_THROWS_AS(static_cast<void>(decode_program(std::string_view(bytes).substr(0, n), "f")), IoError);
  std::size_t refused = 0;
  for (std::size_t at = 0; at < bytes.size(); ++at) {
    for (const int change : {1, 0x20, 0x80}) {
      std::string other = bytes;
      other[at] = static_cast<char>(other[at] ^ change);
      try {
        LoadedProgram program = decode_program(other, "f");
        CHECK(program.inputs().size() <= 1);
      } catch (const IoError&) {
        ++refused;
      }
    }
  }
  CHECK(refused > bytes.size());
  CHECK(message_of<IoError>([&] { return decode_program(encode_safetensors({}), "f"); }) ==
        "decode_program: f: there is no program in it: the metadata have no \"program\"");
  CHECK(message_of<IoError>([] { return load_program("/no/such/file"); }).starts_with("load_program: "));
}

TEST_CASE("what a call would need is bounded, too") {
  const auto f = [](const auto& in) { return std::vector<Tensor>{sum(exp(in[0] + zeros({1 << 20})))}; };
  const std::string bytes = saved_bytes(detail::simplified(steps_of({tensor(1)}, f)));
  CHECK(bytes.size() < 4096);
  CHECK(message_of<IoError>([&] {
          return decode_program(bytes, "f", {.max_bytes = 1 << 20});
        }).starts_with("decode_program: f: too long: it needs "));
  static_cast<void>(decode_program(bytes, "f", {.max_bytes = 1 << 24}));
}

TEST_CASE("attributes that no call of a user would have are refused") {
  const Tensor x = tensor({{1, 2, 3}, {4, 5, 6}});
  const auto saved = [&](const auto& f) {
    return Saved({x}, [f](const auto& in) { return std::vector<Tensor>{f(in[0])}; });
  };
  const Saved slice =
      saved([](const Tensor& v) { return xtgrad::slice(v, {.axis = 1, .start = 1, .stop = 3}); });
  CHECK(slice.refusal(R"("start":1)", R"("start":2)") ==
        "step 0 (slice): slice: attribute count must be of elements that the axis has: got 2");
  CHECK(slice.refusal(R"("start":1)", R"("start":-1)") ==
        "step 0 (slice): slice: attribute start must be from 0 to the size of the axis: got -1");
  CHECK(slice.refusal(R"("step":1)", R"("step":0)") ==
        "step 0 (slice): slice: attribute step must be from 1 to the size of the axis: got 0");
  CHECK(slice.refusal(R"("axis":1)", R"("axis":-1)") ==
        "step 0 (slice): slice: axis -1 is no dimension of x, which is [2, 3]");
  const Saved permuted = saved([](const Tensor& v) { return transpose(v, 0, 1) * 2; });
  CHECK(permuted.refusal(R"("order":[1,0])", R"("order":[1,1])") ==
        "step 0 (transpose): transpose: the order must name every dimension once: x is [2, 3], the order is "
        "[1, 1]");
  const Saved moved = saved([](const Tensor& v) {
    return unfold2d(reshape(v, {1, 1, 2, 3}), {.kernel = {1, 2}});
  });
  CHECK(moved.refusal(R"("stride":[1,1])", R"("stride":[0,1])") ==
        "step 0 (unfold2d): unfold2d: stride must be at least 1, got 0x1");
  CHECK(moved.refusal(R"("stride":[1,1])", R"("stride":[1])")
            .starts_with("step 0 (\"unfold2d\"): attribute \"stride\": "));
}

}}  // namespace xtgrad
