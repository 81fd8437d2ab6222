// Files that were written when the format's version 1 was new: they can still be read, and give what they
// gave. Those of a newer version are made beside them, by this test:
//   XTGRAD_WRITE_GOLDEN=tests/nn/golden_programs/v2 build/release/tests/nn_test -tc="golden*"
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <limits>
#include <string>
#include <tuple>
#include <vector>

#include "tests/support/values.h"
#include "xtgrad/autograd/io/safetensors.h"
#include "xtgrad/autograd/loaded_program.h"
#include "xtgrad/nn/capture.h"
#include "xtgrad/nn/nn.h"
#include "xtgrad/optim/optim.h"
#include "xtgrad/xtgrad.h"

namespace xtgrad { namespace {

namespace fs = std::filesystem;

constexpr int calls = 2;

fs::path golden() { return fs::path(XTGRAD_SOURCE_DIR) / "tests/nn/golden_programs/v1"; }

/// What a program takes in a call.
std::vector<Tensor> inputs_of(const LoadedProgram& program, int call) {
  std::vector<Tensor> inputs;
  for (const auto& [name, spec] : program.inputs()) {
    const std::int64_t n = spec.shape.numel();
    if (is_floating(spec.dtype)) {
      inputs.push_back(reshape(linspace(-1, 1 + call, n, {.dtype = spec.dtype}), Dims(spec.shape)));
      continue;
    }
    std::vector<std::int64_t> numbers;
    for (std::int64_t i = 0; i < n; ++i) numbers.push_back((i + call) % 3);
    inputs.push_back(reshape(from_vector(numbers, {.dtype = spec.dtype}), Dims(spec.shape)));
  }
  return inputs;
}

/// The results of two calls, and the state after them.
Safetensors results_of(LoadedProgram program) {
  Safetensors results;
  for (int call = 0; call < calls; ++call) {
    const std::vector<Tensor> outputs = program(inputs_of(program, call));
    for (std::size_t k = 0; k < outputs.size(); ++k)
      results.tensors.push_back({"call" + std::to_string(call) + "/" + std::to_string(k), outputs[k]});
  }
  for (NamedTensor& state : program.state()) results.tensors.push_back({"state/" + state.name, state.value});
  return results;
}

/// Kernels of other instructions add up in another order.
void check_close(const Tensor& got, const Tensor& wanted) {
  REQUIRE(got.shape() == wanted.shape());
  REQUIRE(got.dtype() == wanted.dtype());
  const std::vector<double> a = testing::values(got), b = testing::values(wanted);
  for (std::size_t i = 0; i < a.size(); ++i)
    CHECK(std::abs(a[i] - b[i]) <= 2e-5 * std::max(1.0, std::abs(b[i])));
}

void save_training(const std::string& path) {
  manual_seed(1);
  nn::MLP model({.sizes = {3, 4, 3}});
  optim::Adam adam(model.parameters(), {.lr = 1e-2});
  auto step = capture(
      [&](const Tensor& x, const Tensor& y) {
        Tensor loss = nn::cross_entropy(model(x), y);
        adam.zero_grad();
        loss.backward();
        adam.step();
        return loss;
      },
      {zeros({4, 3}), zeros({4}, {.dtype = int64})}, {&model, &adam});
  step.save(path);
}

void save_convolutions(const std::string& path) {
  manual_seed(2);
  nn::ConvNet model(
      {.image = 6, .channels = {2}, .hidden = {3}, .classes = 2, .batch_norm = true, .dropout = 0.3});
  optim::SGD sgd(model.parameters(), {.lr = 0.1, .momentum = 0.9});
  auto step = capture(
      [&](const Tensor& x) {
        sgd.zero_grad();
        Tensor loss = mean(square(model(x)));
        loss.backward();
        optim::clip_grad_norm(model.parameters(), 0.7);
        sgd.step();
        return loss;
      },
      zeros({2, 1, 6, 6}), {&model, &sgd});
  step.save(path);
}

void save_draws(const std::string& path) {
  Random random(7);
  auto draws = capture(
      [&](const Tensor& x) {
        return x + randn({2, 3}, random, {.dtype = float64}) +
               where(bernoulli({2, 3}, 0.5, random), x, uniform({2, 3}, {}, random, {.dtype = float64}));
      },
      zeros({2, 3}, {.dtype = float64}), {&random});
  draws.save(path);
}

void save_places(const std::string& path) {
  auto places = capture(
      [](const Tensor& x, const Tensor& index) {
        const auto [sorted, order] = sort(gather(x, 1, index), {.axis = 1, .descending = true});
        const std::vector<Tensor> parts = split(sorted, 1, 1);
        const double nan = std::numeric_limits<double>::quiet_NaN();
        return std::vector<Tensor>{order,
                                   concat({parts[1], parts[0]}, 1),
                                   leaky_relu(x, 0.1),
                                   clamp(x, {.min = -0.0}),
                                   one_hot(index, 4),
                                   x < nan};
      },
      std::tuple(zeros({2, 4}), zeros({2, 3}, {.dtype = int64})));
  places.save(path);
}

TEST_CASE("golden programs of version 1 are read, and give what they gave") {
  if (const char* folder = std::getenv("XTGRAD_WRITE_GOLDEN")) {
    fs::create_directories(folder);
    const auto path = [&](const char* name) { return (fs::path(folder) / name).string(); };
    save_training(path("training.program"));
    save_convolutions(path("convolutions.program"));
    save_draws(path("draws.program"));
    save_places(path("places.program"));
    for (const char* name : {"training", "convolutions", "draws", "places"}) {
      const std::string file = path(name);
      save_safetensors(file + ".safetensors", results_of(load_program(file + ".program")));
    }
  }
  std::size_t count = 0;
  for (const auto& entry : fs::directory_iterator(golden())) {
    if (entry.path().extension() != ".program") continue;
    ++count;
    const std::string file = entry.path().string();
    CAPTURE(file);
    const Safetensors got = results_of(load_program(file));
    const Safetensors wanted =
        load_safetensors(fs::path(entry.path()).replace_extension(".safetensors").string());
    REQUIRE(got.tensors.size() == wanted.tensors.size());
    for (std::size_t i = 0; i < got.tensors.size(); ++i) {
      const std::string& name = got.tensors[i].name;
      CAPTURE(name);
      CHECK(name == wanted.tensors[i].name);
      check_close(got.tensors[i].value, wanted.tensors[i].value);
    }
  }
  CHECK(count == 4);
}

}}  // namespace xtgrad
