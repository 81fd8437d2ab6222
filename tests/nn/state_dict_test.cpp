#include "xtgrad/nn/state_dict.h"

#include <doctest/doctest.h>

#include <ctime>
#include <map>
#include <string>
#include <vector>

#include "tests/nn/models.h"
#include "tests/nn/support.h"
#include "xtgrad/autograd/errors.h"

using namespace xtgrad;
using nn_test::Classifier;
using nn_test::elements;
using nn_test::Everything;

namespace {

std::vector<std::string> names_of(const nn::StateDict& state) {
  std::vector<std::string> names;
  for (const auto& entry : state) names.push_back(entry.name);
  return names;
}

/// Every value of a state, to see whether anything changed.
std::vector<std::vector<double>> snapshot(const nn::Stateful& object) {
  std::vector<std::vector<double>> values;
  for (const auto& entry : object.state_dict()) values.push_back(elements(entry.value));
  return values;
}

}  // namespace

TEST_CASE("a state dict keeps the order, replaces and erases") {
  nn::StateDict state;
  CHECK(state.empty());
  state.add("b", ones({1}));
  state.add("a", ones({2}));
  state.add("c", ones({3}));
  state.set("a", zeros({4}));
  CHECK(names_of(state) == std::vector<std::string>{"b", "a", "c"});
  CHECK(state.at("a").shape() == Shape{4});
  CHECK(state.erase("b"));
  CHECK_FALSE(state.erase("b"));
  CHECK(names_of(state) == std::vector<std::string>{"a", "c"});
  CHECK(state.at("c").shape() == Shape{3});
  CHECK(state.find("b") == nullptr);
  CHECK_THROWS_WITH_AS(state.add("c", ones({1})), "StateDict: the name \"c\" is there already", ValueError);
  CHECK_THROWS_WITH_AS(static_cast<void>(state.at("d")), "StateDict: no name \"d\"; there are: a, c",
                       ValueError);
  CHECK_THROWS_WITH_AS(static_cast<void>(nn::StateDict().at("d")),
                       "StateDict: no name \"d\"; there are: none", ValueError);
}

TEST_CASE("a state dict finds what a map would, after names came and went in any order") {
  nn::StateDict state;
  std::map<std::string, double> wanted;
  Random random(1);
  for (int i = 0; i < 2000; ++i) {
    const std::string name = "layers." + std::to_string(static_cast<int>(random.next_uniform() * 200));
    if (random.next_uniform() < 0.3) {
      CHECK(state.erase(name) == (wanted.erase(name) == 1));
    } else {
      wanted[name] = i;
      state.set(name, tensor(i));
    }
  }
  CHECK(state.size() == wanted.size());
  for (const auto& [name, value] : wanted) CHECK(state.at(name).item() == value);
  for (const auto& entry : state) CHECK(wanted.at(entry.name) == entry.value.item());
}

TEST_CASE("a state of 100,000 names is made, copied and asked in the time that each name takes") {
  constexpr int count = 100'000;
  const Tensor value = ones({1});
  const auto begin = std::clock();  // of the processor, whatever else runs
  nn::StateDict state;
  for (int i = 0; i < count; ++i) state.add("layers." + std::to_string(count - i) + ".weight", value);
  nn::StateDict all;
  all.add("model", state);
  const nn::StateDict part = all.under("model");
  for (const auto& entry : state) REQUIRE(part.contains(entry.name));
  CHECK(names_of(part) == names_of(state));
  CHECK(static_cast<double>(std::clock() - begin) / CLOCKS_PER_SEC < 3);  // 0.1 s; in quadratic time 60 s
}

TEST_CASE("many states under prefixes of their own take no longer than one with all their names") {
  constexpr int count = 20'000;
  const auto begin = std::clock();
  nn::StateDict all;
  for (int i = 0; i < count; ++i) {
    nn::StateDict one;
    one.add("weight", tensor(i));
    all.add("layer" + std::to_string(i), one);
  }
  CHECK(all.size() == count);
  CHECK(all.at("layer777.weight").item() == 777);
  CHECK(static_cast<double>(std::clock() - begin) / CLOCKS_PER_SEC < 3);
}

TEST_CASE("a state that cannot be added whole leaves no trace, and one may be added to itself") {
  nn::StateDict state;
  state.add("a", tensor(1));
  state.add("twice.c", tensor(2));
  nn::StateDict other;
  for (const char* name : {"x", "y", "c", "z"}) other.add_stream(name, tensor({1, 2}, {.dtype = int64}));
  CHECK_THROWS_WITH_AS(state.add("twice", other), "StateDict: the name \"twice.c\" is there already",
                       ValueError);
  CHECK(names_of(state) == std::vector<std::string>{"a", "twice.c"});
  CHECK(!state.contains("twice.x"));
  CHECK(!state.contains("twice.z"));
  state.add("once", other);
  CHECK(state.is_stream("once.c"));
  CHECK(!state.is_stream("twice.c"));
  CHECK(state.at("once.z").shape() == Shape{2});
  state.add("self", state);
  CHECK(state.size() == 12);
  CHECK(state.at("self.twice.c").item() == 2);
  CHECK(state.is_stream("self.once.x"));
  CHECK_THROWS_AS(state.add("", state), ValueError);
  CHECK(state.size() == 12);
  CHECK(state.erase("self.once.x"));
  CHECK(!state.is_stream("self.once.x"));
  CHECK(state.is_stream("self.once.y"));
}

TEST_CASE("a model's state has parameters, buffers, streams and counters in the order of members") {
  const Everything model;
  const nn::StateDict state = model.state_dict();
  CHECK(names_of(state) ==
        std::vector<std::string>{"linear.weight", "linear.bias", "scale", "average", "stream", "batches"});
  CHECK(elements(state.at("stream")) == std::vector<double>{7, 0});
  CHECK(state.at("stream").dtype() == int64);
  CHECK(state.at("batches").shape() == Shape{});
  CHECK(state.at("batches").dtype() == int64);
  CHECK_FALSE(state.at("scale").requires_grad());
}

TEST_CASE("a state is a picture of its moment") {
  Everything model;
  const nn::StateDict state = model.state_dict();
  model.scale.set_value(tensor({8, 9}));
  static_cast<void>(model(ones({1, 2})));
  CHECK(elements(state.at("scale")) == std::vector<double>{1, 1});
  CHECK(state.at("batches").item_int64() == 0);
}

TEST_CASE("state goes from one model to another and back, every kind of member") {
  manual_seed(3);
  Everything model;
  // A seed whose highest bit is set must survive the trip through int64.
  model.stream.set_state(0xfedcba9876543210, 5);
  model.mask = tensor({true, false}, {.dtype = boolean});
  static_cast<void>(model(tensor({{1, 2}})));
  Everything other;
  sum(other(ones({1, 2}))).backward();
  const nn::ParameterRef slot = other.scale.cell();
  const nn::LoadReport report = other.load_state_dict(model.state_dict());
  CHECK(report.missing.empty());
  CHECK(report.unexpected.empty());
  CHECK(snapshot(other) == snapshot(model));
  CHECK(other.stream.seed() == 0xfedcba9876543210);
  CHECK(other.stream.position() == 6);
  CHECK(other.batches == 1);
  CHECK(other.mask.dtype() == boolean);
  // The slot is the same, so optimizers go on; its gradient is the optimizer's to clear.
  CHECK(other.scale.cell() == slot);
  CHECK(other.scale.grad().defined());
  CHECK(elements(other(tensor({{3, 4}}))) == elements(model(tensor({{3, 4}}))));
}

TEST_CASE("one message lists what is missing, unexpected and different, and nothing is changed") {
  Everything model;
  nn::StateDict state = model.state_dict();
  state.erase("linear.bias");
  state.erase("batches");
  state.set("scale", ones({3}));
  state.set("average", zeros({2}, {.dtype = float64}));
  state.set("stream", tensor({1}, {.dtype = int64}));
  state.set("linear.weight", zeros({2, 2}));
  state.set("fc.weight", ones({1}));
  state.set("fc.bias", ones({1}));
  const auto before = snapshot(model);
  CHECK_THROWS_WITH_AS(
      model.load_state_dict(state),
      "load_state_dict: the state does not fit this Everything, which was left as it is:\n"
      "  missing: linear.bias, batches\n"
      "  unexpected: fc.weight, fc.bias\n"
      "  different: scale is float32 [2], the state has float32 [3]; average is float32 [2], the "
      "state has float64 [2]; stream is int64 [2], the state has int64 [1]\n"
      "  to keep what differs as it is, leave it out: state.erase(\"scale\"), and pass {.strict "
      "= "
      "false}",
      ValueError);
  CHECK(snapshot(model) == before);
}

TEST_CASE("counters and streams may come as narrower integers, as other programs save them") {
  Everything model;
  nn::StateDict state = model.state_dict();
  state.set("batches", tensor(7, {.dtype = int32}));
  state.set("stream", tensor({3, 200}, {.dtype = uint8}));
  model.load_state_dict(state);
  const nn::StateDict loaded = model.state_dict();
  CHECK(loaded.find("batches")->item_int64() == 7);
  CHECK(loaded.find("stream")->dtype() == int64);
  CHECK(loaded.find("stream")->at({1}) == 200);
  state.set("average", zeros({2}, {.dtype = int32}));
  CHECK_THROWS_WITH_AS(model.load_state_dict(state),
                       doctest::Contains("average is float32 [2], the state has int32 [2]"), ValueError);
}

TEST_CASE("not strict: names that are missing or unexpected are skipped and returned") {
  Everything model;
  nn::StateDict state;
  state.add("scale", tensor({5, 6}));
  state.add("fc.weight", ones({1}));
  const auto before = snapshot(model);
  CHECK_THROWS_WITH_AS(model.load_state_dict(state),
                       "load_state_dict: the state does not fit this Everything, which was left as it is:\n"
                       "  missing: linear.weight, linear.bias, average, stream, batches\n"
                       "  unexpected: fc.weight\n"
                       "  pass {.strict = false} to load the rest",
                       ValueError);
  CHECK(snapshot(model) == before);
  const nn::LoadReport report = model.load_state_dict(state, {.strict = false});
  CHECK(report.missing ==
        std::vector<std::string>{"linear.weight", "linear.bias", "average", "stream", "batches"});
  CHECK(report.unexpected == std::vector<std::string>{"fc.weight"});
  CHECK(elements(model.scale) == std::vector<double>{5, 6});
}

TEST_CASE("not strict does not excuse a different shape") {
  Everything model;
  nn::StateDict state;
  state.add("scale", ones({3}));
  state.add("average", tensor({8, 9}));
  CHECK_THROWS_WITH_AS(model.load_state_dict(state, {.strict = false}),
                       doctest::Contains("\n  to keep what differs as it is, leave it out: "
                                         "state.erase(\"scale\"), and pass {.strict = false}"),
                       ValueError);
  CHECK(elements(model.scale) == std::vector<double>{1, 1});
  // What the message says to do.
  state.erase("scale");
  CHECK_NOTHROW(model.load_state_dict(state, {.strict = false}));
  CHECK(elements(model.scale) == std::vector<double>{1, 1});
  CHECK(elements(model.average) == std::vector<double>{8, 9});
}

TEST_CASE("states join under a prefix, and come apart again") {
  Everything model;
  const nn::StateDict part = model.state_dict();
  nn::StateDict all;
  all.add("epoch", tensor(3, {.dtype = int64}));
  all.add("model", part);
  all.add("model.old", part);
  all.add("", part);
  CHECK(all.size() == 1 + 3 * part.size());
  CHECK(all.contains("model.linear.weight"));
  CHECK(all.contains("model.old.scale"));
  CHECK(all.contains("scale"));
  CHECK(all.is_stream("model.stream"));
  CHECK_FALSE(all.is_stream("model.scale"));
  CHECK_FALSE(all.is_stream("no such name"));
  const nn::StateDict old = all.under("model.old");
  REQUIRE(old.size() == part.size());
  auto expected = part.begin();
  for (const auto& [name, value] : old) {
    CHECK(name == expected->name);
    CHECK(value.node() == expected->value.node());
    CHECK(old.is_stream(name) == part.is_stream(name));
    ++expected;
  }
  Everything other;
  other.load_state_dict(all.under("model.old"));
  CHECK(snapshot(other) == snapshot(model));
  // "model" has the names of "model.old", too, and "mod" none: a prefix ends at a dot.
  CHECK(all.under("model").size() == 2 * part.size());
  CHECK(all.under("mod").empty());
  CHECK(all.under("").empty());
  CHECK(nn::StateDict().under("model").empty());
}

TEST_CASE("a prefix adds all or nothing") {
  nn::StateDict state, part;
  part.add("a", ones({1}));
  part.add("b", ones({1}));
  state.add("x.b", zeros({1}));
  CHECK_THROWS_WITH_AS(state.add("x", part), "StateDict: the name \"x.b\" is there already", ValueError);
  CHECK(state.size() == 1);
  CHECK_FALSE(state.contains("x.a"));
  state.add("y", state);  // of itself
  CHECK(state.contains("y.x.b"));
  CHECK(state.size() == 2);
}

TEST_CASE("what is a stream stays known when others come and go") {
  nn::StateDict state;
  state.add("a", ones({1}));
  state.add_stream("s", zeros({2}, {.dtype = int64}));
  state.add("z", ones({1}));
  state.erase("a");
  CHECK(state.is_stream("s"));
  CHECK_FALSE(state.is_stream("z"));
  state.erase("s");
  CHECK_FALSE(state.is_stream("z"));
  CHECK_FALSE(state.is_stream("s"));
  CHECK_THROWS_AS(state.add_stream("z", ones({1})), ValueError);
  CHECK_FALSE(state.is_stream("z"));
}

TEST_CASE("an empty buffer may be missing, and takes what it is given") {
  Everything model;
  nn::StateDict state = model.state_dict();
  CHECK_NOTHROW(model.load_state_dict(state));
  CHECK_FALSE(model.mask.defined());
  state.add("mask", ones({7}));
  model.load_state_dict(state);
  CHECK(model.mask.shape() == Shape{7});
}

TEST_CASE("loaded values carry no history") {
  Everything model;
  nn::StateDict state = model.state_dict();
  const Tensor learnt = tensor({1, 2}, {.requires_grad = true}) * 2;
  state.set("average", learnt);
  state.set("scale", learnt);
  model.load_state_dict(state);
  CHECK_FALSE(model.average.requires_grad());
  CHECK(model.scale.tensor().is_leaf());
}

TEST_CASE("a frozen parameter is loaded and stays frozen") {
  Everything model;
  nn::StateDict state = model.state_dict();
  state.set("scale", tensor({3, 3}));
  model.scale.set_requires_grad(false);
  model.load_state_dict(state);
  CHECK(elements(model.scale) == std::vector<double>{3, 3});
  CHECK_FALSE(model.scale.requires_grad());
}

TEST_CASE("dropout continues from a restored state") {
  Classifier model;
  const nn::StateDict state = model.state_dict();
  const std::vector<double> first = elements(model(ones({4, 4})));
  CHECK(elements(model(ones({4, 4}))) != first);
  model.load_state_dict(state);
  CHECK(elements(model(ones({4, 4}))) == first);
}

TEST_CASE(
    "strict: random streams may be missing, as in PyTorch's files, and stay as they are; nothing else may") {
  const auto check = [](nn::Module& model, const std::vector<std::string>& streams,
                        const std::string& other) {
    nn::StateDict state = model.state_dict();
    for (const std::string& stream : streams) REQUIRE(state.erase(stream));
    for (const auto& entry : state) REQUIRE(entry.name.find("stream") == std::string::npos);
    state.set(other, full(state.at(other).shape(), 3));
    const nn::StateDict before = model.state_dict();

    const nn::LoadReport report = model.load_state_dict(state);
    CHECK(report.missing == streams);
    CHECK(report.unexpected.empty());
    const nn::StateDict after = model.state_dict();
    for (const std::string& stream : streams)
      CHECK(elements(after.at(stream)) == elements(before.at(stream)));
    CHECK(elements(after.at(other)) == elements(state.at(other)));

    state.erase(other);
    CHECK_THROWS_WITH_AS(model.load_state_dict(state), doctest::Contains(other.c_str()), ValueError);
    CHECK(model.load_state_dict(state, {.strict = false}).missing.size() == streams.size() + 1);
  };
  nn::ConvNet net{{.image = {8, 8}, .channels = {4, 4}, .hidden = {8}, .batch_norm = true, .dropout = 0.5}};
  check(net, {"dropouts.0.stream", "dropouts.1.stream"}, "norms.1.running_var");
  nn::Sequential layers{nn::Linear{4, 3}, nn::Dropout{}, nn::Dropout2d{}, nn::Linear{3, 2}};
  check(layers, {"1.stream", "2.stream"}, "3.bias");
}

TEST_CASE("strict: a BatchNorm's counter may not be missing, as it is in PyTorch's files before 0.4.1") {
  nn::BatchNorm2d norm{{.num_features = 2}};
  nn::StateDict state = norm.state_dict();
  REQUIRE(state.erase("num_batches_tracked"));
  CHECK_THROWS_WITH_AS(norm.load_state_dict(state), doctest::Contains("\n  missing: num_batches_tracked\n"),
                       ValueError);
  CHECK(norm.load_state_dict(state, {.strict = false}).missing ==
        std::vector<std::string>{"num_batches_tracked"});
}
