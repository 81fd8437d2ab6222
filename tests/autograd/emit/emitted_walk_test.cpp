// Every operation of the registry as C++: values and derivatives of two orders, as far as there are texts.
#include <doctest/doctest.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <map>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "tests/autograd/emit/emitted.h"
#include "tests/autograd/ops/op_walk.h"
#include "tests/support/emitted_operations.h"
#include "tests/support/share.h"
#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/grad.h"
#include "xtgrad/autograd/ops.h"
#include "xtgrad/nn/capture.h"

namespace xtgrad::inline v1::testing { namespace {

/// Of the elements, made once: a constant of the program.
Tensor weights_of(const Tensor& y) {
  static std::map<std::pair<Dtype, std::string>, Tensor> known;
  Tensor& weights = known[{y.dtype(), to_string(y.shape())}];
  if (!weights.defined()) {
    std::vector<double> values(static_cast<std::size_t>(y.numel()));
    for (std::size_t i = 0; i < values.size(); ++i)
      values[i] = (i % 2 == 0 ? 1 : -1) * (1 + 0.125 * static_cast<double>(i % 5));
    const std::span<const double> span(values);
    weights = from_span(span, y.shape()).to(y.dtype());
  }
  return weights;
}

/// Elements of which a file would be long, and say nothing else.
constexpr std::int64_t many = 4096;

/// What the operation computes, and derivatives of so many orders.
std::vector<Tensor> results_of(const Sample& sample, const std::vector<Tensor>& inputs, int orders) {
  const Tensor y = sample.apply(inputs);
  std::vector<Tensor> all{y};
  if (orders == 0 || !is_floating(y.dtype()) || !y.requires_grad()) return all;
  const Tensor weights = weights_of(y);
  const std::vector<Tensor> variables = differentiable_of(sample, inputs);
  const std::vector<Tensor> first =
      grad({sum(y * weights)}, variables, {.create_graph = orders > 1, .allow_unused = true});
  Tensor squares;
  for (const Tensor& gradient : first) {
    if (!gradient.defined()) continue;
    all.push_back(gradient);
    const Tensor square_sum = sum(square(gradient));
    squares = squares.defined() ? squares + square_sum : square_sum;
  }
  if (orders == 1 || !squares.defined() || !squares.requires_grad()) return all;
  for (const Tensor& gradient : grad({squares}, variables, {.allow_unused = true})) {
    if (gradient.defined()) all.push_back(gradient);
  }
  return all;
}

struct Case {
  std::string name;
  std::vector<Tensor> inputs, expected;
};

/// Adds the sample's program of the highest order that has a text, up to two; -1 if none has.
int add_case(const Op& op, const Sample& sample, Dtype dtype, Random& random, EmittedLibrary& library,
             std::vector<Case>& cases, std::string& refusal) {
  const auto draw = [&] { return make_inputs(sample, draw_inputs(sample, dtype, random), dtype, true); };
  for (int orders = 2; orders >= 0; --orders) {
    const auto f = [&](const std::vector<Tensor>& inputs) {
      std::vector<Tensor> all = results_of(sample, inputs, orders);
      for (Tensor& each : all) each = each.detach();
      return all;
    };
    auto replay = capture(f, draw());
    try {
      library.add(replay.program());
    } catch (const Error& error) {
      refusal = error.what();
      continue;
    }
    std::vector<Tensor> inputs = draw();
    std::vector<Tensor> expected = replay(inputs);
    cases.push_back({std::string(detail::to_string(op.id)) + "(" + sample.attributes + ") " +
                         std::string(to_string(dtype)),
                     std::move(inputs), std::move(expected)});
    return orders;
  }
  return -1;
}

/// Every second operation: the compiler's work takes minutes, which two programs share.
void check_every_second(std::size_t first) {
  const char* const only = std::getenv("XTGRAD_EMIT_ONLY");
  const Share part = share();
  for (std::size_t i = first; i < static_cast<std::size_t>(OpId::count_); i += 2) {
    if (!part.has(i / 2)) continue;
    const Op op = describe(static_cast<OpId>(i));
    const std::string name(detail::to_string(op.id));
    if (only != nullptr && name != only) continue;
    CAPTURE(name);
    Random random(seed_of(op));
    EmittedLibrary library;
    std::vector<Case> cases;
    int orders = 2;
    std::string refusal;
    for (const Dtype dtype : {float32, float64}) {
      std::vector<Sample> samples = op.samples;
      for (const Elementwise& elementwise : op.elementwise_operations) {
        for (Sample& sample : samples_of(elementwise)) samples.push_back(std::move(sample));
      }
      std::erase_if(samples, [](const Sample& sample) {
        return sample.decided == Decided::shape ||
               std::any_of(sample.inputs.begin(), sample.inputs.end(),
                           [](const auto& input) { return input.shape.numel() > many; });
      });
      if (samples.empty()) orders = -1;  // of what no program lists
      for (const Sample& sample : samples)
        orders = std::min(orders, add_case(op, sample, dtype, random, library, cases, refusal));
    }
    CAPTURE(refusal);
    CHECK(orders == emitted_orders(name));
    if (cases.empty()) continue;
    const bool is_elementwise = !op.elementwise_operations.empty();
    library.compile("-O1");
    for (std::size_t k = 0; k < cases.size(); ++k) {
      const auto& [sample, inputs, expected] = cases[k];
      CAPTURE(sample);
      const std::vector<Tensor> results = library.run(k, inputs);
      REQUIRE(results.size() == expected.size());
      for (std::size_t r = 0; r < results.size(); ++r) {
        CAPTURE(r);
        // A formula's value to the last digits; of what is summed, those of its terms.
        double least = r == 0 && is_elementwise ? 0 : size_of(expected[r]);
        for (const Tensor& input : inputs) {
          if (r != 0 || !is_elementwise) least = std::max(least, size_of(input));
        }
        // Sums of many terms, and products of several functions, end with more than the last digits; a second
        // derivative is made of first ones.
        const double most = r == 0 ? 4 : 32;
        CHECK(largest_difference(results[r], expected[r], least) <= most);
      }
    }
  }
}

TEST_CASE("operations that have a C++ text give their numbers, and their derivatives': the first half") {
  check_every_second(0);
}
TEST_CASE("operations that have a C++ text give their numbers, and their derivatives': the second half") {
  check_every_second(1);
}

}}  // namespace xtgrad::v1::testing
