// What is read of a temporary is a value of its own, or does not compile: a reference would be left with
// freed memory. And what is read of a parameter stays what it was when the parameter gets a new value.
#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "xtgrad/autograd/transforms.h"
#include "xtgrad/optim/weight_average.h"
#include "xtgrad/training/training.h"
#include "xtgrad/xtgrad.h"

using namespace xtgrad;

namespace {

/// Whether `read`, of a temporary T, const or not, gives a value.
template <class T, class Read>
constexpr bool gives_values(Read) {
  return !std::is_reference_v<std::invoke_result_t<Read, T&&>> &&
         !std::is_reference_v<std::invoke_result_t<Read, const T&&>>;
}

#define VALUE_OF_TEMPORARY(type, call)                                                           \
  static_assert(gives_values<type>([](auto&& x) -> decltype(std::forward<decltype(x)>(x).call) { \
    return std::forward<decltype(x)>(x).call;                                                    \
  }))

VALUE_OF_TEMPORARY(Tensor, shape());
VALUE_OF_TEMPORARY(Tensor, retain_grad());
VALUE_OF_TEMPORARY(Tensor, set_name("x"));
static_assert(!std::is_reference_v<decltype(Tensor().set_requires_grad())>);
VALUE_OF_TEMPORARY(Pullback, outputs());
VALUE_OF_TEMPORARY(nn::Parameter, shape());
VALUE_OF_TEMPORARY(nn::Parameter, name());
VALUE_OF_TEMPORARY(nn::Parameter, cell());
VALUE_OF_TEMPORARY(nn::StateDict, at("weight"));
VALUE_OF_TEMPORARY(nn::StateDict, under("layer"));
VALUE_OF_TEMPORARY(nn::BatchNorm1d, options());
VALUE_OF_TEMPORARY(nn::Conv2d, options());
VALUE_OF_TEMPORARY(nn::ConvNet, options());
VALUE_OF_TEMPORARY(nn::Embedding, options());
VALUE_OF_TEMPORARY(nn::LayerNorm, options());
VALUE_OF_TEMPORARY(nn::MaxPool2d, options());
VALUE_OF_TEMPORARY(nn::Sequential, names());
VALUE_OF_TEMPORARY(optim::Hyper, tensor());
VALUE_OF_TEMPORARY(optim::ScheduledLr, initial());
VALUE_OF_TEMPORARY(optim::ScheduledLr, schedule());
VALUE_OF_TEMPORARY(optim::SGD, options());
VALUE_OF_TEMPORARY(optim::WeightAverage, parameters());
VALUE_OF_TEMPORARY(optim::WeightAverage, values());
VALUE_OF_TEMPORARY(datasets::Dataset, inputs());
VALUE_OF_TEMPORARY(datasets::Dataset, stored_inputs());
VALUE_OF_TEMPORARY(datasets::Dataset, labels());
VALUE_OF_TEMPORARY(datasets::Dataset, class_names());
VALUE_OF_TEMPORARY(datasets::Dataset, feature_names());
VALUE_OF_TEMPORARY(datasets::Dataset, pixels());
VALUE_OF_TEMPORARY(datasets::Loader, data());
VALUE_OF_TEMPORARY(datasets::Loader, options());
VALUE_OF_TEMPORARY(datasets::Normalizer, mean());
VALUE_OF_TEMPORARY(datasets::Normalizer, scale());
VALUE_OF_TEMPORARY(training::AnyOf, rules());
VALUE_OF_TEMPORARY(training::F1, matrix());

template <class T>
concept FindsInTemporary = requires(T (*make)()) {
  make().find("weight");
};
template <class T>
concept IteratesOverTemporary = requires(T (*make)()) {
  make().begin();
};
template <class T>
concept IndexesTemporary = requires(T (*make)()) {
  make()[0];
};

static_assert(!FindsInTemporary<nn::StateDict> && !IteratesOverTemporary<nn::StateDict>);
static_assert(!IteratesOverTemporary<nn::Sequential> && !IndexesTemporary<nn::Sequential>);
static_assert(!IteratesOverTemporary<nn::ModuleList> && !IndexesTemporary<nn::ModuleList>);
static_assert(!std::is_reference_v<decltype(*std::declval<datasets::Loader&>().begin())>);
static_assert(std::is_same_v<decltype(*std::declval<datasets::Loader::Iterator&>()), datasets::Batch&>);
static_assert(std::is_same_v<decltype(nn::Sequential().add(nn::Linear(1, 1))), nn::Sequential>);
static_assert(std::is_same_v<decltype(nn::ModuleList().append(nn::Linear(1, 1))), nn::ModuleList>);

}  // namespace

TEST_CASE("a parameter's shape and name are those of the moment when they were asked for") {
  nn::Linear model(3, 2);
  static_cast<void>(model.named_parameters());
  const auto& shape = model.weight.shape();
  const auto& name = model.weight.name();
  model.to(float64);
  model.weight.set_value(zeros({2, 3}, {.dtype = float64}));
  model = nn::Linear(5, 4);
  CHECK(shape == Shape{2, 3});
  CHECK(name == "weight");
  // A loop over them may replace them on the way.
  std::vector<std::int64_t> seen;
  for (const std::int64_t size : model.weight.shape()) {
    model.weight = nn::Parameter(zeros({7, 7}));
    seen.push_back(size);
  }
  CHECK(seen == std::vector<std::int64_t>{4, 5});
}

TEST_CASE("what was read of a temporary is there when the temporary has gone") {
  const auto& named = tensor({1, 2}).set_requires_grad().set_name("named");
  CHECK(named.name() == "named");
  CHECK(named.requires_grad());
  const auto make = [] { return nn::Linear(3, 2); };
  const auto& weight = make().state_dict().at("weight");
  CHECK(weight.shape() == Shape{2, 3});
  std::size_t count = 0;
  for (const auto& [name, value] : make().state_dict()) count += value.defined() && !name.empty() ? 1 : 0;
  CHECK(count == 2);
  nn::Sequential model = nn::Sequential().add(nn::Linear(3, 2)).add("last", nn::ReLU());
  CHECK(model.size() == 2);
  CHECK(model.names() == std::vector<std::string>{"0", "last"});
  datasets::Loader loader(datasets::Dataset({.inputs = tensor({{1, 2}, {3, 4}}), .labels = tensor({5, 6})}),
                          {.batch_size = 1});
  const auto& [x, y] = *loader.begin();
  CHECK(x.at({0, 1}) == 2);
  CHECK(y.at({0}) == 5);
  const auto& inputs = datasets::Dataset(loader.data()).inputs();
  CHECK(inputs.at({1, 0}) == 3);
}
