// Elementwise operations can be bound to their dtype, and run on any part of their elements; see TileKernel.
#include <doctest/doctest.h>

#include <functional>
#include <string>
#include <vector>

#include "tests/support/values.h"
#include "xtgrad/autograd/core/trace.h"
#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/grad.h"
#include "xtgrad/autograd/ops.h"

namespace xtgrad { namespace {

using Function = std::function<Tensor(const Tensor&, const Tensor&)>;

struct Elementwise {
  std::string name;
  Function apply;
};

std::vector<Elementwise> elementwise() {
  return {{"tanh", [](const Tensor& x, const Tensor&) { return tanh(x); }},
          {"exp", [](const Tensor& x, const Tensor&) { return exp(x); }},
          {"relu", [](const Tensor& x, const Tensor&) { return relu(x); }},
          {"gelu", [](const Tensor& x, const Tensor&) { return gelu(x); }},
          {"leaky_relu", [](const Tensor& x, const Tensor&) { return leaky_relu(x, 0.1); }},
          {"add", [](const Tensor& x, const Tensor& y) { return x + y; }},
          {"div", [](const Tensor& x, const Tensor& y) { return x / y; }},
          {"maximum", [](const Tensor& x, const Tensor& y) { return maximum(x, y); }},
          {"a number", [](const Tensor& x, const Tensor&) { return x * 2.5; }}};
}

/// Runs a step's kernel on elements `first` to `first + n` of its operands, some of which may be one element.
void run_part(const detail::TracedStep& step, const std::vector<const Tensor*>& in, Tensor& out,
              std::int64_t first, std::int64_t n) {
  std::vector<const Spec*> specs;
  for (const Tensor* operand : in) specs.push_back(&detail::array_of(*operand));
  const TileKernel kernel = step.primitive->bind(specs);
  const bool is_bound = kernel != nullptr;
  REQUIRE(is_bound);
  const auto bytes = static_cast<std::int64_t>(item_size(out.dtype()));
  std::vector<const void*> pointers;
  InputSet repeated = 0;
  for (std::size_t i = 0; i < in.size(); ++i) {
    const auto* data = static_cast<const std::byte*>(detail::array_of(*in[i]).buffer.data());
    if (in[i]->numel() == 1) {
      repeated |= InputSet{1} << i;
      pointers.push_back(data);
    } else {
      pointers.push_back(data + first * bytes);
    }
  }
  void* const result = static_cast<std::byte*>(detail::node_of(out).array.buffer.data()) + first * bytes;
  kernel(*step.primitive, n, pointers.data(), repeated, &result);
}

TEST_CASE("tile kernels: every elementwise family has one, whose parts make up the whole") {
  constexpr std::int64_t n = 256;
  for (const Dtype dtype : {float32, float64}) {
    Random random(3);
    const Tensor x = randn({n}, random, {.dtype = dtype});
    const Tensor y = randn({n}, random, {.dtype = dtype});
    const Tensor one = randn({1}, random, {.dtype = dtype});
    for (const Elementwise& each : elementwise()) {
      CAPTURE(each.name);
      for (const Tensor& other : {y, one}) {
        detail::Tracer tracer;
        const Tensor whole = each.apply(x, other);
        const detail::Trace trace = tracer.take();
        REQUIRE(trace.steps.size() == 1);
        const detail::TracedStep& step = trace.steps[0];
        std::vector<const Tensor*> in{&x};
        if (step.inputs.size() == 2) in.push_back(&other);
        REQUIRE(step.inputs.size() <= 2);
        Tensor parts = zeros({n}, {.dtype = dtype});
        for (std::int64_t first = 0; first < n; first += 64) run_part(step, in, parts, first, 64);
        CHECK(testing::same_bits(parts, whole));
      }
    }
  }
}

}}  // namespace xtgrad
