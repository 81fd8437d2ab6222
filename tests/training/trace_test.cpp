// That the door is the only one: whatever a training step computes is in a list of steps that can be run
// again.
#include "xtgrad/autograd/core/trace.h"

#include <doctest/doctest.h>

#include <cstring>
#include <string>
#include <vector>

#include "tests/support/thread_count.h"
#include "xtgrad/nn/nn.h"
#include "xtgrad/optim/optim.h"
#include "xtgrad/xtgrad.h"

using namespace xtgrad;

namespace {

/// Declares all state of a model or an optimizer as inputs.
class DeclareState final : public nn::Members {
 public:
  explicit DeclareState(detail::Tracer& tracer) : tracer_(tracer) {}

 private:
  void on_parameter(const std::string& path, nn::Parameter& parameter) override {
    tracer_.declare(path, parameter.tensor());
  }
  void on_buffer(const std::string& path, Tensor& buffer) override {
    if (buffer.defined()) tracer_.declare(path, buffer);
  }
  void on_stream(const std::string& path, Random& stream) override { tracer_.declare(path, stream.state()); }
  void on_counter(const std::string& path, Counter& counter) override {
    tracer_.declare(path, counter.state());
  }

  detail::Tracer& tracer_;
};

struct Training {
  nn::ConvNet model;
  optim::Adam adam;
  Tensor images;
  Tensor labels;

  Training(Dtype dtype, std::optional<double> momentum)
      : model({.in_channels = 2,
               .image = 12,
               .channels = {4, 6},
               .hidden = {16},
               .classes = 5,
               .batch_norm = true,
               .dropout = 0.3}),
        adam(prepared(dtype, momentum), {.lr = 1e-2, .weight_decay = 1e-3}) {
    Random random(5);
    images = randn({9, 2, 12, 12}, random, {.dtype = dtype});
    std::vector<std::int64_t> classes;
    for (int i = 0; i < 9; ++i) classes.push_back(random.next_below(5));
    labels = from_vector(classes);
  }

  std::vector<nn::ParameterRef> prepared(Dtype dtype, std::optional<double> momentum) {
    for (nn::BatchNorm2d& norm : model.norms) {
      norm = nn::BatchNorm2d({.num_features = norm.running_mean.numel(), .momentum = momentum});
    }
    model.to(dtype);
    return model.parameters();
  }

  void step() {
    const Tensor loss = nn::cross_entropy(model(images), labels, {.label_smoothing = 0.1});
    adam.zero_grad();
    loss.backward();
    optim::clip_grad_norm(model.parameters(), 0.5);
    adam.step();
  }
};

std::vector<std::byte> bytes_of(const detail::BufferRef& buffer, std::size_t bytes) {
  std::vector<std::byte> copy(bytes);
  if (bytes != 0) std::memcpy(copy.data(), buffer.data(), bytes);
  return copy;
}

bool contains(const detail::Trace& trace, std::string_view name) {
  for (const detail::TracedStep& step : trace.steps) {
    if (step.primitive->name() == name) return true;
  }
  return false;
}

void check_trace(Dtype dtype, int threads, std::optional<double> momentum) {
  CAPTURE(to_string(dtype));
  CAPTURE(threads);
  const testing::ThreadCount scope(threads);
  manual_seed(3);
  Training plain(dtype, momentum);
  manual_seed(3);
  Training traced(dtype, momentum);
  for (int i = 0; i < 2; ++i) {
    plain.step();
    traced.step();
  }

  detail::Trace trace;
  {
    detail::Tracer tracer;
    DeclareState declare(tracer);
    declare.visit(traced.model);
    declare.visit(traced.adam);
    tracer.declare("images", traced.images);
    tracer.declare("labels", traced.labels);
    traced.step();
    trace = tracer.take();
  }

  SUBCASE("every value is declared or made by a step") {
    for (std::size_t i = 0; i < trace.values.size(); ++i) {
      CAPTURE(i);
      CHECK((trace.values[i].is_declared || trace.values[i].is_made));
    }
    for (const char* name :
         {"conv2d", "batch_norm", "max_pool2d", "bernoulli", "advance_stream", "log_softmax", "gather",
          "relu.rule0", "batch_norm.rule0", "grad_norm", "clip_factor", "clip_scale", "advance_counter",
          "adam_rates", "adam_step", "channel_moment"}) {
      CAPTURE(name);
      CHECK(contains(trace, name));
    }
    CHECK(trace.text().find("adam_step[has_penalty](") != std::string::npos);
  }
  SUBCASE("the list runs again to the same bits, on poisoned memory") {
    const std::vector<detail::BufferRef> again = trace.run_again();
    for (std::size_t i = 0; i < trace.values.size(); ++i) {
      CAPTURE(i);
      const std::size_t bytes = trace.values[i].bytes;
      CHECK(bytes_of(again[i], bytes) == bytes_of(trace.values[i].buffer, bytes));
    }
  }
  SUBCASE("who watches changes nothing: parameters and state have the bits of an unwatched step") {
    plain.step();
    plain.step();
    traced.step();  // unwatched again
    const auto same = [](const nn::StateDict& a, const nn::StateDict& b) {
      REQUIRE(a.size() == b.size());
      for (const auto& [name, value] : a) {
        CAPTURE(name);
        const detail::Array& x = detail::array_of(value);
        const detail::Array& y = detail::array_of(b.at(name));
        CHECK(bytes_of(x.buffer, x.buffer.bytes()) == bytes_of(y.buffer, y.buffer.bytes()));
      }
    };
    same(plain.model.state_dict(), traced.model.state_dict());
    same(plain.adam.state_dict(), traced.adam.state_dict());
  }
}

}  // namespace

TEST_CASE("a tracer lists a conv net's whole training step, and runs it again") {
  check_trace(float32, 1, 0.1);
  check_trace(float64, 2, std::nullopt);
}

TEST_CASE("a tracer lists a conv net's whole training step in the other dtypes and thread counts") {
  check_trace(float64, 1, 0.1);
  check_trace(float32, 2, std::nullopt);
}

TEST_CASE("a value from outside is told apart, and a step of an unknown value is refused") {
  const Tensor x = ones({3});
  detail::Tracer tracer;
  const Tensor y = exp(x);
  const detail::Trace& trace = tracer.trace();
  REQUIRE(trace.values.size() == 2);
  CHECK_FALSE(trace.values[0].is_declared);
  CHECK_FALSE(trace.values[0].is_made);
  CHECK(trace.values[1].is_made);
  CHECK(trace.text() == "%1 = exp(%0)  float32 [3]\n");
}
