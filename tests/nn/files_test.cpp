#include "xtgrad/nn/files.h"

#include <doctest/doctest.h>

#include <fstream>
#include <string>
#include <vector>

#include "tests/support/program.h"
#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/errors.h"
#include "xtgrad/nn/dropout.h"
#include "xtgrad/nn/linear.h"
#include "xtgrad/nn/mlp.h"
#include "xtgrad/nn/sequential.h"

using namespace xtgrad;
using nn::StateDict;

TEST_CASE("a model's state comes back from its file, in order and bit by bit") {
  const testing::TemporaryFolder folder;
  const std::string file = folder.path() / "model.safetensors";
  nn::MLP model({.sizes = {4, 3, 2}});
  const StateDict state = model.state_dict();
  nn::save(file, state);
  const StateDict loaded = nn::load(file);
  REQUIRE(loaded.size() == state.size());
  auto other = loaded.begin();
  for (const auto& [name, value] : state) {
    const auto& shown_name = name;
    CAPTURE(shown_name);
    CHECK(other->name == name);
    CHECK(other->value.shape() == value.shape());
    CHECK(other->value.dtype() == value.dtype());
    CHECK(std::equal(value.data<float>().begin(), value.data<float>().end(),
                     other->value.data<float>().begin()));
    ++other;
  }
  nn::MLP another({.sizes = {4, 3, 2}});
  const Tensor x = randn({5, 4});
  CHECK(another(x).at({0, 0}) != model(x).at({0, 0}));
  another.load_state_dict(nn::load(file));
  CHECK(another(x).at({0, 0}) == model(x).at({0, 0}));
  CHECK(another(x).at({4, 1}) == model(x).at({4, 1}));
}

TEST_CASE("a file of another model is refused by names and shapes, a missing one by its name") {
  const testing::TemporaryFolder folder;
  const std::string file = folder.path() / "model.safetensors";
  nn::save(file, nn::MLP({.sizes = {4, 3, 2}}).state_dict());
  nn::MLP other({.sizes = {4, 5, 2}});
  CHECK_THROWS_WITH_AS(other.load_state_dict(nn::load(file)),
                       doctest::Contains("layers.0.weight is float32 [5, 4], the state has float32 [3, 4]"),
                       ValueError);
  CHECK_THROWS_WITH_AS(static_cast<void>(nn::load("no/such/file")),
                       "nn::load: cannot open no/such/file: No such file or directory", IoError);
}

TEST_CASE("errors of saving and loading name nn::save and nn::load") {
  const testing::TemporaryFolder folder;
  const std::string file = folder.path() / "model.safetensors";
  std::ofstream(file) << "{}";
  CHECK_THROWS_WITH_AS(
      static_cast<void>(nn::load(file)),
      ("nn::load: " + file + ": byte 0: 2 bytes in all, expected 8 with the header's length").c_str(),
      IoError);
  CHECK_THROWS_WITH_AS(
      static_cast<void>(nn::load(file, {.max_bytes = 1})),
      ("nn::load: " + file + " is too long: it has 2 bytes, ReadLimits::max_bytes is 1").c_str(), IoError);
  CHECK_THROWS_WITH_AS(nn::save("/dev/null", {}),
                       "nn::save: cannot write /dev/null: it is there, and no regular file", IoError);
  nn::StateDict reserved;
  reserved.add("__metadata__", zeros({1}));
  CHECK_THROWS_WITH_AS(nn::save(file, reserved), "nn::save: the name \"__metadata__\" is reserved",
                       ValueError);
  CHECK(testing::file_text(file) == "{}");
}

TEST_CASE("a state is saved without its random streams where that is asked for") {
  const testing::TemporaryFolder folder;
  const std::string file = folder.path() / "model.safetensors";
  nn::Sequential model{nn::Linear{2, 2}, nn::Dropout{{.p = 0.5}}};
  // A buffer of a stream's shape and dtype is none.
  StateDict state = model.state_dict();
  state.add("sizes", tensor({3, 4}, {.dtype = int64}));
  nn::save(file, state, {.streams = false});
  const StateDict loaded = nn::load(file);
  CHECK(loaded.size() == 3);
  CHECK(loaded.contains("sizes"));
  CHECK_FALSE(loaded.contains("1.stream"));
  nn::save(file, state);
  CHECK(nn::load(file).contains("1.stream"));
  StateDict joined;
  joined.add("model", model.state_dict());
  nn::save(file, joined, {.streams = false});
  CHECK(nn::load(file).size() == 2);
}
