// Operations of several outputs: which cotangents their rules see, and what they cost.
#include "xtgrad/autograd/core/parts.h"

#include <doctest/doctest.h>

#include <cmath>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "tests/support/message_of.h"
#include "tests/support/values.h"
#include "xtgrad/autograd/check_grads.h"
#include "xtgrad/autograd/core/trace.h"
#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/grad.h"
#include "xtgrad/autograd/graph.h"
#include "xtgrad/autograd/ops.h"
#include "xtgrad/autograd/primitive.h"

namespace xtgrad { namespace {

using testing::message_of;
using testing::same_bits;
using testing::values;

/// e^x and its square, of which the rule reads the outputs it has kept: so derivatives of every order go
/// through nodes that the rule makes.
class ExpPair final : public DifferentiablePrimitive<ExpPair> {
 public:
  [[nodiscard]] std::string_view name() const override { return "exp_pair"; }
  [[nodiscard]] detail::Counts counts(detail::InputSpecs) const override { return {2, 0}; }
  [[nodiscard]] detail::OutputSet reads_outputs() const override { return 0b11; }
  void infer(detail::InputSpecs in, detail::OutputSpecs out) const override {
    for (detail::Spec* spec : out) *spec = *in[0];
  }
  void eval(detail::Inputs in, detail::Outputs out) const override {
    const auto* x = in[0]->data<double>();
    for (std::int64_t i = 0; i < in[0]->numel(); ++i) {
      out[0]->mutable_data<double>()[i] = std::exp(x[i]);
      out[1]->mutable_data<double>()[i] = std::exp(2 * x[i]);
    }
  }
  void vjp(detail::VjpContext& context) const override {
    present = (context.g(0).defined() ? 1 : 0) + (context.g(1).defined() ? 2 : 0);
    Tensor sum;
    if (context.g(0).defined()) sum = context.g(0) * context.output(0);
    if (context.g(1).defined()) {
      const Tensor term = context.g(1) * context.output(1) * 2;
      sum = sum.defined() ? sum + term : term;
    }
    context.set(0, sum);
  }

  static inline int present = 0;  ///< cotangents that the last rule saw, a bit for each
};

std::vector<Tensor> exp_pair(const Tensor& x) {
  const Tensor* const input = &x;
  return detail::apply_all(ExpPair(), std::span(&input, 1));
}

/// Bytes that computations allocate for results; what takes over a buffer costs none.
class FreshBytes final : public detail::Watcher {
 public:
  void before_eval(const detail::Primitive&, detail::Inputs in, detail::Outputs out) override {
    for (const detail::Array* array : out) {
      if (array == nullptr) continue;
      bool is_shared = false;
      for (const detail::Array* input : in)
        is_shared = is_shared || input->buffer.get() == array->buffer.get();
      if (!is_shared) bytes += static_cast<std::int64_t>(array->buffer.bytes());
    }
  }
  void after_eval(const detail::Primitive&, detail::Inputs, detail::Outputs) override {}

  std::int64_t bytes = 0;

 private:
  detail::WatchScope scope_{*this};
};

TEST_CASE("parts: an unused part's cotangent is absent") {
  const Tensor x = tensor({0.5, -1.0}, {.dtype = float64, .requires_grad = true});
  sum(exp_pair(x)[0]).backward();
  CHECK(ExpPair::present == 1);
  CHECK(values(x.grad()) == values(exp(x)));
  x.clear_grad();
  sum(exp_pair(x)[1]).backward();
  CHECK(ExpPair::present == 2);
  x.clear_grad();
  const std::vector<Tensor> both = exp_pair(x);
  sum(both[0] + both[1]).backward();
  CHECK(ExpPair::present == 3);
}

TEST_CASE("parts: orders 1 to 3 on each part alone and on all, where the rule reads its outputs") {
  const std::vector<Tensor> x = {tensor({0.3, -0.7, 1.1}, {.dtype = float64})};
  for (const std::size_t part : {0UL, 1UL}) {
    const auto report =
        check_grads([part](std::span<const Tensor> in) { return std::vector<Tensor>{exp_pair(in[0])[part]}; },
                    x, {.order = 3});
    CHECK_MESSAGE(report.ok(), report.message);
  }
  const auto all = check_grads([](std::span<const Tensor> in) { return exp_pair(in[0]); }, x, {.order = 3});
  CHECK_MESSAGE(all.ok(), all.message);
  const auto product = check_grads(
      [](std::span<const Tensor> in) {
        const std::vector<Tensor> both = exp_pair(in[0]);
        return std::vector<Tensor>{both[0] * both[1]};
      },
      x, {.order = 3});
  CHECK_MESSAGE(product.ok(), product.message);
}

TEST_CASE("parts: the only output of an operation that could have several, and of one that never has") {
  const Tensor x = tensor({1, 2, 3}, {.dtype = float64, .requires_grad = true});
  const std::vector<Tensor> whole = split(x, 3);
  REQUIRE(whole.size() == 1);
  CHECK(graph_of(whole[0]).count("part") == 0);
  sum(square(whole[0])).backward();
  CHECK(values(x.grad()) == std::vector<double>{2, 4, 6});
  CHECK(unbind(zeros({0, 2}, {.requires_grad = true})).empty());

  detail::Tracer tracer;
  static_cast<void>(tanh(x));
  const detail::Trace trace = tracer.take();
  const Tensor* const input = &x;
  const Tensor y = detail::apply_all(*trace.steps[0].primitive, std::span(&input, 1))[0];
  CHECK(same_bits(grad({sum(y)}, {x})[0], grad({sum(tanh(x))}, {x})[0]));
}

/// x times 1, 2, ... as `count` outputs, with a rule that each test chooses.
class Multiples final : public DifferentiablePrimitive<Multiples> {
 public:
  using Rule = void (*)(VjpContext& context);
  Multiples(std::size_t count, Rule rule) : count_(count), rule_(rule) {}

  [[nodiscard]] std::string_view name() const override { return "multiples"; }
  [[nodiscard]] Counts counts(InputSpecs) const override { return {count_, 0}; }
  [[nodiscard]] OutputSet reads_outputs() const override { return ~OutputSet{0}; }
  void infer(InputSpecs in, OutputSpecs out) const override {
    for (Spec* spec : out) *spec = *in[0];
  }
  void eval(Inputs in, Outputs out) const override {
    for (std::size_t k = 0; k < out.size(); ++k) {
      for (std::int64_t i = 0; i < in[0]->numel(); ++i) {
        out[k]->mutable_data<double>()[i] = in[0]->data<double>()[i] * static_cast<double>(k + 1);
      }
    }
  }
  void vjp(VjpContext& context) const override { rule_(context); }

 private:
  std::size_t count_;
  Rule rule_;
};

TEST_CASE("parts: a rule may name more outputs than there are, and is told of mistakes") {
  const Tensor x = tensor({1, 2}, {.dtype = float64, .requires_grad = true});
  const auto sweep = [&x](std::size_t count, Multiples::Rule rule) {
    const Tensor y = run_all(Multiples(count, rule), {x})[1];
    return grad({sum(y)}, {x})[0];
  };
  const auto reads = [](VjpContext& c) { c.set(0, c.g(1) * (c.output(1) / c.output(0))); };
  CHECK(values(sweep(3, reads)) == std::vector<double>{2, 2});
  CHECK(values(sweep(15, reads)) == std::vector<double>{2, 2});
  CHECK(message_of([&] { return sweep(16, reads); }) ==
        "graph: a recorded operation keeps at most 15 auxiliaries and outputs for its rule, got 16");
  CHECK(message_of([&] { return sweep(2, [](VjpContext& c) { c.set(0, c.output(2)); }); }) ==
        "multiples: its rule reads output 2, which it did not declare");
  CHECK(message_of([&] { return sweep(2, [](VjpContext& c) { c.set(0, c.g(2)); }); }) ==
        "multiples: its rule reads the cotangent of output 2, which it did not declare");
  CHECK(message_of([&] {
          return sweep(2, [](VjpContext& c) { c.set(0, c.g() * 2); });
        }).find("Tensor: the handle is empty") == 0);
}

/// The sum of its inputs, whose rule adds to sums wherever there are some.
class AddingSum final : public DifferentiablePrimitive<AddingSum> {
 public:
  [[nodiscard]] std::string_view name() const override { return "adding_sum"; }
  void infer(InputSpecs in, OutputSpecs out) const override { *out[0] = *in[0]; }
  void eval(Inputs in, Outputs out) const override {
    for (std::int64_t i = 0; i < in[0]->numel(); ++i) {
      out[0]->mutable_data<double>()[i] = in[0]->data<double>()[i] + in[1]->data<double>()[i];
    }
  }
  void vjp(VjpContext& context) const override {
    for (std::size_t i = 0; i < context.inputs(); ++i) {
      if (Tensor* sum = context.sum(i)) {
        context.add(*sum, context.g());
      } else {
        context.set(i, context.g());
      }
    }
  }
};

TEST_CASE("a rule finds no sum for an input that wants none") {
  const Tensor x = tensor({1, 2}, {.dtype = float64, .requires_grad = true});
  const Tensor w = tensor({3, 4}, {.dtype = float64, .requires_grad = true});
  const Tensor constant = w.detach();
  for (const auto& [a, b] : {std::pair(x, constant), std::pair(constant, x), std::pair(x, w)}) {
    const Tensor y = run(AddingSum(), {a, b}) + x;
    CHECK(values(grad({sum(y)}, {x})[0]) == std::vector<double>{2, 2});
    const Tensor z = run(AddingSum(), {a, b}) + x;
    x.clear_grad();
    sum(z).backward();
    CHECK(values(x.grad()) == std::vector<double>{2, 2});
  }
}

TEST_CASE("parts: without a graph they are plain tensors, and nothing is kept for a rule") {
  const Tensor x = tensor({1, 2, 3, 4}, {.dtype = float32});
  for (const Tensor& part : split(x, 2)) {
    CHECK(part.is_leaf());
    CHECK_FALSE(part.requires_grad());
  }
  const Tensor w = tensor({1, 2, 3, 4}, {.requires_grad = true});
  const NoGrad no_grad;
  CHECK_FALSE(sort(w).values.requires_grad());
}

TEST_CASE("parts: indices have no history, values have") {
  const Tensor x = tensor({3, 1, 2}, {.requires_grad = true});
  const auto [sorted, indices] = sort(x);
  CHECK(sorted.requires_grad());
  CHECK_FALSE(indices.requires_grad());
  CHECK(values(indices) == std::vector<double>{1, 2, 0});
  CHECK(indices.dtype() == int64);
}

TEST_CASE("parts: the operation is a node without a value, and keeps none that its rule does not read") {
  const Tensor x = ones({4, 256}, {.requires_grad = true});
  Tensor last = split(x, 1)[3];
  const Graph graph = graph_of(last);
  CHECK(graph.count("split") == 1);
  CHECK(graph.count("part") == 1);
  CHECK(graph.bytes_kept == (4 + 1) * 256 * 4);  // x, and the part that is held
  CHECK(to_string(graph) ==
        "0  leaf  float32 [4, 256]\n"
        "1  split(axis=0, sizes=[1, 1, 1, 1])  <- 0\n"
        "2  part(index=3)  float32 [1, 256]  <- 1\n");
  CHECK(to_dot(graph).find("split (axis=0, sizes=[1, 1, 1, 1])\"") != std::string::npos);
}

TEST_CASE("parts: a freed graph is refused by the operation's name, and gradients can be kept on parts") {
  const Tensor x = tensor({1, 2, 3, 4}, {.requires_grad = true});
  const std::vector<Tensor> parts = split(x, 2);
  parts[0].retain_grad();
  sum(square(parts[0])).backward();
  CHECK(values(parts[0].grad()) == std::vector<double>{2, 4});
  CHECK(values(x.grad()) == std::vector<double>{2, 4, 0, 0});
  CHECK_THROWS_WITH_AS(
      sum(parts[1]).backward(),
      "backward: the graph of split was freed by an earlier backward; pass {.keep_graph = true} "
      "to the first one to sweep it again. The gradients found before are partial, and none "
      "was stored; the graph of the operations passed by then is freed",
      GraphError);
}

TEST_CASE("parts: gradients of several roots, of inputs behind them and through them, by backward and grad") {
  const Tensor x = tensor({1, 2, 3, 4, 5, 6}, {.dtype = float64, .requires_grad = true});
  const Tensor y = x * 2;
  const std::vector<Tensor> parts = split(y, 2);
  const Tensor loss = sum(square(parts[0])) + sum(parts[2] * parts[0]);
  const std::vector<Tensor> wanted = {x, y, parts[0]};
  const std::vector<Tensor> got = grad(std::span(&loss, 1), wanted, {.keep_graph = true});
  CHECK(values(got[2]) == std::vector<double>{2 * 2 + 10, 2 * 4 + 12});
  CHECK(values(got[1]) == std::vector<double>{14, 20, 0, 0, 2, 4});
  CHECK(values(got[0]) == std::vector<double>{28, 40, 0, 0, 4, 8});
  loss.backward();
  CHECK(same_bits(x.grad(), got[0]));
}

TEST_CASE("slices and parts of one tensor: backward writes a few times its bytes, however many they are") {
  constexpr std::int64_t n = 64;
  for (const Dtype dtype : {float32, float64}) {
    for (const bool records : {false, true}) {
      const Tensor x = ones({n, 512}, {.dtype = dtype, .requires_grad = true});
      const auto bytes_of_backward = [&](auto pieces_of) {
        const Tensor y = x * 1.5;
        std::vector<Tensor> sums;
        for (const Tensor& piece : pieces_of(y)) sums.push_back(sum(piece * 3));
        const Tensor loss = sum(stack(sums));
        FreshBytes fresh;
        const Tensor g = grad({loss}, {x}, {.create_graph = records})[0];
        CHECK(values(g) == std::vector<double>(n * 512, 4.5));
        return fresh.bytes;
      };
      const auto bytes = static_cast<std::int64_t>(item_size(dtype)) * x.numel();
      const auto by_slice = [&](const Tensor& y) {
        std::vector<Tensor> pieces;
        for (std::int64_t i = 0; i < n; ++i) pieces.push_back(slice(y, {.start = i, .stop = i + 1}));
        return pieces;
      };
      const auto by_gather = [&](const Tensor& y) {
        std::vector<Tensor> pieces;
        for (std::int64_t i = 0; i < n; ++i)
          pieces.push_back(gather(y, 0, full({1, 512}, static_cast<double>(i), {.dtype = int64})));
        return pieces;
      };
      CHECK(bytes_of_backward(by_slice) <= 8 * bytes);
      CHECK(bytes_of_backward(by_gather) <= 8 * bytes);
      CHECK(bytes_of_backward([](const Tensor& y) { return unbind(y); }) <= 8 * bytes);
      CHECK(bytes_of_backward([](const Tensor& y) { return split(y, 1); }) <= 8 * bytes);
      CHECK(bytes_of_backward([](const Tensor& y) { return chunk(y, n); }) <= 8 * bytes);
    }
  }
}

TEST_CASE("slices that overlap add up in the order of the sweep, and derivatives of every order follow") {
  const std::vector<Tensor> x = {tensor({0.1, 0.5, -0.4, 0.8, -1.2}, {.dtype = float64})};
  const auto report = check_grads(
      [](std::span<const Tensor> in) {
        const Tensor y = tanh(in[0]);
        Tensor total = sum(square(slice(y, {.start = 0, .stop = 3})));
        total = total + sum(square(slice(y, {.start = 1, .step = 2})) * 3);
        total = total + sum(y * y * y);
        return std::vector<Tensor>{total + sum(exp(slice(y, {.start = 2})))};
      },
      x, {.order = 3});
  CHECK_MESSAGE(report.ok(), report.message);
}

TEST_CASE("a sum that somebody else holds is not written to") {
  const Tensor x = tensor({1, 2, 3, 4}, {.requires_grad = true});
  const Tensor y = x * 1;
  // The cotangent of the sum goes to y as it is, and to z, too; slices add to y's only.
  const Tensor z = tensor({0, 0, 0, 0}, {.requires_grad = true});
  const Tensor total = sum((y + z) * 1) + sum(slice(y, {.stop = 2}) * 5) + sum(slice(y, {.start = 3}) * 7);
  total.backward();
  CHECK(values(x.grad()) == std::vector<double>{6, 6, 1, 8});
  CHECK(values(z.grad()) == std::vector<double>{1, 1, 1, 1});
}

}}  // namespace xtgrad
