// That the door is the only one: whatever a training step computes is in a list of steps that can be run
// again.
#include "xtgrad/autograd/core/trace.h"

#include <doctest/doctest.h>

#include <cstring>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "tests/support/thread_count.h"
#include "xtgrad/autograd/kernels/parallel.h"
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

struct Size {
  std::int64_t batch;
  std::int64_t image;
};
constexpr Size small{9, 12};
/// Convolutions, elementwise operations and reductions are of several tiles each.
constexpr Size large{64, 32};

struct Training {
  nn::ConvNet model;
  optim::Adam adam;
  Tensor images;
  Tensor labels;

  Training(Size size, Dtype dtype, std::optional<double> momentum)
      : model({.in_channels = 3,
               .image = size.image,
               .channels = {4, 6},
               .hidden = {16},
               .classes = 5,
               .batch_norm = true,
               .dropout = 0.3}),
        adam(prepared(dtype, momentum), {.lr = 1e-2, .weight_decay = 1e-3}) {
    Random random(5);
    images = randn({size.batch, 3, size.image, size.image}, random, {.dtype = dtype});
    std::vector<std::int64_t> classes;
    for (std::int64_t i = 0; i < size.batch; ++i) classes.push_back(random.next_below(5));
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

detail::Trace traced_step(Training& training) {
  detail::Tracer tracer;
  DeclareState declare(tracer);
  declare.visit(training.model);
  declare.visit(training.adam);
  tracer.declare("images", training.images);
  tracer.declare("labels", training.labels);
  training.step();
  return tracer.take();
}

std::mutex workers_mutex;
std::set<std::thread::id> workers;

/// How many threads ran tiles of the operations of `f`.
template <class F>
std::size_t workers_of(F f) {
  {
    const std::lock_guard lock(workers_mutex);
    workers.clear();
  }
  detail::set_tile_hook([](std::int64_t) {
    const std::lock_guard lock(workers_mutex);
    workers.insert(std::this_thread::get_id());
  });
  f();
  detail::set_tile_hook(nullptr);
  const std::lock_guard lock(workers_mutex);
  return workers.size();
}

void check_trace(Size size, Dtype dtype, int threads, std::optional<double> momentum) {
  CAPTURE(to_string(dtype));
  CAPTURE(threads);
  const testing::ThreadCount scope(threads);
  manual_seed(3);
  Training plain(size, dtype, momentum);
  manual_seed(3);
  Training traced(size, dtype, momentum);
  for (int i = 0; i < 2; ++i) {
    plain.step();
    traced.step();
  }

  detail::Trace trace;
  std::size_t worked = workers_of([&] { trace = traced_step(traced); });
  // A helper that is late has missed a step: the next one is as good.
  constexpr int most_steps = 50;
  for (int i = 0; i < most_steps && worked < static_cast<std::size_t>(threads) && threads > 1; ++i) {
    plain.step();
    worked = workers_of([&] { trace = traced_step(traced); });
  }
  if (threads > 1) {
    CHECK(worked >= static_cast<std::size_t>(threads));  // helpers may take turns
  } else {
    CHECK(worked == 0);
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
        const auto& shown_name = name;
        CAPTURE(shown_name);
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
  check_trace(small, float32, 1, 0.1);
  check_trace(large, float64, 2, std::nullopt);
}

TEST_CASE("a tracer lists a conv net's whole training step in the other dtypes and thread counts") {
  check_trace(small, float64, 1, 0.1);
  check_trace(large, float32, 2, std::nullopt);
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
