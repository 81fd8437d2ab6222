// What a loaded program is to those who call it.
#include "xtgrad/autograd/loaded_program.h"

#include <doctest/doctest.h>

#include <string>
#include <utility>
#include <vector>

#include "tests/support/message_of.h"
#include "tests/support/program.h"
#include "tests/support/values.h"
#include "xtgrad/autograd/memory.h"
#include "xtgrad/nn/capture.h"
#include "xtgrad/nn/nn.h"
#include "xtgrad/optim/optim.h"
#include "xtgrad/xtgrad.h"

namespace xtgrad { namespace {

using testing::message_of;
using testing::same_bits;

/// The function from a file.
template <class F>
LoadedProgram from_file(F& f) {
  const testing::TemporaryFolder folder;
  const std::string path = (folder.path() / "f.program").string();
  f.save(path);
  return load_program(path);
}

TEST_CASE("inputs that are not those of the capture are refused, and nothing has happened") {
  Counter counter;
  auto f = capture(
      [&](const Tensor& x, const Tensor& index) {
        ++counter;
        return index_select(x, 0, index) + counter.state().to(float32);
      },
      {tensor({1, 2, 3}), from_vector(std::vector<std::int64_t>{0, 1})}, {&counter});
  LoadedProgram program = from_file(f);
  const Tensor x = tensor({4, 5, 6}), index = from_vector(std::vector<std::int64_t>{2, 0});
  const auto refusal = [&](std::vector<Tensor> inputs) {
    return message_of<Error>([&] { return program(inputs); });
  };
  CHECK(refusal({x}) == "LoadedProgram: got 1 tensors, the program takes 2");
  CHECK(refusal({x, index, x}) == "LoadedProgram: got 3 tensors, the program takes 2");
  CHECK(refusal({x, x}) == "LoadedProgram: input 1 must be int64 [2], got float32 [3]");
  CHECK(refusal({tensor({1, 2}), index}) == "LoadedProgram: input 0 must be float32 [3], got float32 [2]");
  CHECK(refusal({x, Tensor()}) == "LoadedProgram: input 1 is an empty handle");
  CHECK(refusal({tensor({1, 2, 3}, {.requires_grad = true}), index})
            .starts_with("LoadedProgram: input 0 wants a gradient, and wanted none when"));
  CHECK(refusal({x, from_vector(std::vector<std::int64_t>{0, 3})})
            .find("the index is out of range: 3 at [1]") != std::string::npos);
  CHECK(program.state("counter").item_int64() == 0);
  CHECK(same_bits(program({x, index})[0], tensor({7, 5})));
  CHECK(program.state("counter").item_int64() == 1);
  CHECK(same_bits(program({x, index})[0], f(x, index) + 1.0));
}

TEST_CASE("results may be inputs, state, constants, one value twice, and another shape of one") {
  const Tensor w = tensor({1, 2}), c = tensor({3, 4});
  auto f = capture(
      [&](const Tensor& x) {
        const Tensor y = exp(x);
        return std::vector<Tensor>{x, w, c, y, y, reshape(y, {2, 1}), reshape(x, {1, 2})};
      },
      tensor({5, 6}), {w});
  LoadedProgram program = from_file(f);
  for (int call = 0; call < 2; ++call) {
    const Tensor x = tensor({0.5, call});
    const std::vector<Tensor> wanted = f(x), got = program({x});
    REQUIRE(got.size() == wanted.size());
    for (std::size_t k = 0; k < got.size(); ++k) CHECK(same_bits(got[k], wanted[k]));
  }
}

TEST_CASE("no elements, no dimensions, and dtypes of all kinds") {
  const auto f = [](const std::vector<Tensor>& in) {
    std::vector<Tensor> results;
    for (const Tensor& x : in) results.push_back(concat({reshape(x, {-1}), reshape(x, {-1})}, 0));
    results.push_back(sum(in[0]));
    results.push_back(in[1] * 3);
    results.push_back(in[2] == 2);
    results.push_back(in[2].to(float64) / 3.0);
    return results;
  };
  std::vector<Tensor> inputs{zeros({0, 3}),
                             tensor(2.5, {.dtype = float64}),
                             from_vector(std::vector<std::int64_t>{1, 2}),
                             tensor({1, 0}).to(boolean),
                             tensor({7, 255}).to(uint8),
                             tensor({-7}).to(int32)};
  auto captured = capture(f, inputs);
  LoadedProgram program = from_file(captured);
  const std::vector<Tensor> wanted = captured(inputs), got = program(inputs);
  REQUIRE(got.size() == wanted.size());
  for (std::size_t k = 0; k < got.size(); ++k) CHECK(same_bits(got[k], wanted[k]));
}

TEST_CASE("what is held of state and results is not written over") {
  nn::Linear model({.in_features = 2, .out_features = 1});
  optim::SGD sgd(model.parameters(), {.lr = 0.1, .momentum = 0.5});
  auto step = capture(
      [&](const Tensor& x) {
        sgd.zero_grad();
        Tensor loss = sum(square(model(x)));
        loss.backward();
        sgd.step();
        return loss;
      },
      tensor({{1, 2}}), {&model, &sgd});
  LoadedProgram program = from_file(step);
  const Tensor x = tensor({{3, 4}});
  const Tensor first = program({x})[0], weight = program.state("weight"), copy = weight * 1.0;
  const double loss = first.item();
  const std::string before = program.encode();
  static_cast<void>(program({x}));
  CHECK(same_bits(weight, copy));
  CHECK(first.item() == loss);
  CHECK_FALSE(same_bits(program.state("weight"), copy));
  // The file has the state of its moment, and goes on from there.
  LoadedProgram again = decode_program(before, "before");
  CHECK(same_bits(again.state("weight"), copy));
  static_cast<void>(again({x}));
  CHECK(again.encode() == program.encode());
}

TEST_CASE("once it has run, a call asks for no memory of its own") {
  auto f = capture([](const Tensor& x) { return exp(x) + sum(x); }, zeros({1000}));
  LoadedProgram program = from_file(f);
  const Tensor x = ones({1000});
  Tensor y = program({x})[0];
  y = Tensor();
  const std::int64_t in_use = memory_in_use();
  for (int call = 0; call < 3; ++call) y = program({x})[0];
  y = Tensor();
  CHECK(memory_in_use() == in_use);
}

TEST_CASE("a program is moved, and is none of what is captured") {
  auto f = capture([](const Tensor& x) { return tanh(x); }, tensor({1, 2}));
  LoadedProgram program = from_file(f);
  LoadedProgram other = std::move(program);
  const Tensor x = tensor({3, 4});
  CHECK(same_bits(other({x})[0], tanh(x)));
  CHECK(message_of<GraphError>([&] {
          return capture([&](const Tensor& v) { return other({v})[0]; }, x);
        }).starts_with("LoadedProgram: called while a function is captured"));
  CHECK(same_bits(other({x})[0], tanh(x)));
}

}}  // namespace xtgrad
