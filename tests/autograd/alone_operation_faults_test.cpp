// Lets every single request for memory fail of operations of many kinds, and every mapping of large tensors.
#include <sys/wait.h>
#include <unistd.h>

#include <cmath>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tests/autograd/failing_memory.h"
#include "xtgrad/autograd/checkpoint.h"
#include "xtgrad/autograd/hooks.h"
#include "xtgrad/autograd/primitive.h"
#include "xtgrad/xtgrad.h"

using namespace xtgrad;
using namespace xtgrad::testing;

namespace {

/// The square of its input, with an attribute that owns memory, so that copying it may fail.
class Named final : public DifferentiablePrimitive<Named> {
 public:
  [[nodiscard]] std::string_view name() const override { return "named"; }
  void infer(InputSpecs in, OutputSpecs out) const override {
    require_floating(name(), in);
    *out[0] = *in[0];
  }
  void eval(Inputs in, Outputs out) const override {
    if (in[0]->dtype == float32) {
      fill<float>(*in[0], *out[0]);
    } else {
      fill<double>(*in[0], *out[0]);
    }
  }
  [[nodiscard]] Reads reads(Wanted) const override { return input_bit(0); }
  void vjp(VjpContext& context) const override {
    context.set(0, context.g() * Tensor(context.input(0)) * 2.0);
  }

 private:
  template <class T>
  static void fill(const Array& x, Array& y) {
    for (std::int64_t i = 0; i < x.numel(); ++i) y.mutable_data<T>()[i] = x.data<T>()[i] * x.data<T>()[i];
  }

  std::string label_ = std::string(100, 'a');
};

struct Kind {
  const char* name;
  Tensor (*of)(const Tensor&);  // of four elements
};

const Kind operations[] = {
    {"split",
     [](const Tensor& x) {
       const std::vector<Tensor> pieces = split(x, 2);
       return pieces[0] * pieces[1];
     }},
    {"chunk",
     [](const Tensor& x) {
       const std::vector<Tensor> pieces = chunk(tanh(x), 2);
       return concat({pieces[0] * pieces[1], pieces[1]});
     }},
    {"unbind",
     [](const Tensor& x) {
       return unbind(reshape(x, {2, 2}))[1] * 2.0;
     }},
    {"sort",
     [](const Tensor& x) {
       const Tensor sorted = sort(tanh(x)).values;
       return sorted * sorted;
     }},
    {"an attribute that owns memory", [](const Tensor& x) { return run(Named{}, {tanh(x)}); }},
    {"concat",
     [](const Tensor& x) {
       return concat({x * 1.0, x * 2.0});
     }},
    {"slices",
     [](const Tensor& x) {
       const Tensor y = tanh(x);
       Tensor total = slice(y, {.start = 0, .stop = 2});
       for (int i = 0; i < 3; ++i) total = total + slice(y, {.start = 1, .stop = 3});
       return total;
     }},
    {"checkpoint of two outputs",
     [](const Tensor& x) {
       const auto [a, b] = checkpoint(
           [](const Tensor& t) { return std::pair(sort(t).values * t, run(Named{}, {t})); }, tanh(x));
       return a * b;
     }},
    {"custom_vjp",
     [](const Tensor& x) {
       return custom_vjp([](const Tensor& v) { return v * v; },
                         [](const Tensor& v, const Tensor&, const Tensor& g) { return g * v * 2; }, tanh(x));
     }},
    {"max_pool2d",
     [](const Tensor& x) {
       return max_pool2d(reshape(tanh(x), {1, 1, 2, 2}), {.kernel = 2});
     }},
    {"batch_norm",
     [](const Tensor& x) {
       const Tensor one = full({1}, 1, {.dtype = x.dtype()});
       const Tensor y = batch_norm(reshape(tanh(x), {4, 1}), one, one);
       return y * y * y;
     }},
    {"hooks",
     [](const Tensor& x) {
       Tensor y = tanh(x);
       on_gradient(y, [](const Tensor& g) { return g * 2.0; });
       on_rule(y, {.after = [](const RuleCall&) {}});
       y.retain_grad();
       return exp(y);
     }},
};

Tensor four(Dtype dtype) { return tensor({0.3, -0.4, 0.9, 0.5}, {.dtype = dtype, .requires_grad = true}); }

}  // namespace

TEST_CASE("every failed allocation of an operation's forward and backward leaves nothing behind") {
  set_num_threads(1);
  for (const Kind& operation : operations) {
    const std::string name = operation.name;
    CAPTURE(name);
    for (const Dtype dtype : {float32, float64}) {
      CAPTURE(to_string(dtype));
      walk(
          [&] {
            const Tensor x = four(dtype);
            return adding({x}, [x, of = operation.of] { sum(of(x)).backward(); });
          },
          8);
      walk(
          [&] {
            const Tensor x = four(dtype);
            return returning(
                [x, of = operation.of] { return grad({sum(of(x))}, {x}, {.create_graph = true}); });
          },
          8);
      // The graph was there before, so that the second attempt sweeps it again.
      walk(
          [&] {
            const Tensor x = four(dtype);
            return adding({x}, [x, y = sum(operation.of(x))] { y.backward(); });
          },
          2);
    }
  }
}

TEST_CASE("whatever memory an operation lacks, its result's node included, the error has its name") {
  set_num_threads(1);
  const Kind named[] = {
      {"tanh", [](const Tensor& x) { return tanh(x); }},
      {"add", [](const Tensor& x) { return x + x; }},
      {"matmul", [](const Tensor& x) { return matmul(x, x); }},
      {"named", [](const Tensor& x) { return run(Named{}, {x}); }},
      {"split", [](const Tensor& x) { return split(x, 1)[1]; }},
      {"sort", [](const Tensor& x) { return sort(x).values; }},
      {"less", [](const Tensor& x) { return x < x; }},
      {"full", [](const Tensor&) { return full({4}, 0.5); }},
  };
  for (const bool recorded : {false, true}) {
    CAPTURE(recorded);
    const Tensor x = tensor({{0.3, -0.4}, {0.9, 0.5}}, {.requires_grad = recorded});
    for (const Kind& operation : named) {
      const std::string name = operation.name;
      CAPTURE(name);
      static_cast<void>(operation.of(x));
      long n = 0;
      for (bool more = true; more; ++n) {
        CAPTURE(n);
        more = fails_at(n, PoolRequest::block, false, [&] {
          try {
            static_cast<void>(operation.of(x));
          } catch (const OutOfMemory& error) {
            armed = false;
            CHECK(std::string(error.operation()) == name);
            throw;
          }
        });
      }
      CHECK(n >= 3);  // elements and a node, and then it comes through
    }
  }
}

namespace {

/// What became of an attempt, as the exit status of its process.
enum Outcome : int { came_through, survived, refused, wrong, left_something };

/// Leaves so large that their gradients find no room in what is mapped already.
struct LargeGraph {
  std::vector<Tensor> leaves;
  Tensor y;
};

constexpr std::size_t large_leaves = 10;

/// Whatever is computed on the way to y is freed or small: no gradient can take it over.
LargeGraph large_graph() {
  LargeGraph graph;
  for (std::size_t i = 0; i < large_leaves; ++i) {
    graph.leaves.push_back(full({2200, 1000}, 0.5, {.requires_grad = true}));
  }
  graph.y = sum(tanh(sum(concat(split(graph.leaves[0], 1100)) * graph.leaves[1]) * 1e-6));
  for (std::size_t i = 2; i < large_leaves; i += 2) {
    graph.y = graph.y + sum(graph.leaves[i] * graph.leaves[i + 1]);
  }
  return graph;
}

bool are_right(const std::vector<Tensor>& gradients) {
  const double t = std::tanh(0.25 * 2.2);
  for (std::size_t i = 0; i < gradients.size(); ++i) {
    const double wanted = i < 2 ? 0.5e-6 * (1 - t * t) : 0.5;
    if (!gradients[i].defined()) return false;
    if (std::abs(gradients[i].at({2199, 999}) / wanted - 1) > 1e-5) return false;
  }
  return gradients.size() == large_leaves;
}

/// Sweeps a graph while mapping number n fails, and the same graph again.
template <class F>
Outcome sweep_twice(long n, bool and_ever_after, F sweep) {
  Outcome outcome = survived;
  const Live before;
  {
    LargeGraph graph = large_graph();
    if (!fails_at(n, PoolRequest::mapping, and_ever_after, [&] { static_cast<void>(sweep(graph)); })) {
      return came_through;
    }
    try {
      if (!are_right(sweep(graph))) return wrong;
    } catch (const GraphError&) {
      outcome = refused;
    }
    graph = LargeGraph();
    if (outcome == refused && !are_right(sweep(large_graph()))) return wrong;
  }
  const Live after;
  return after.blocks == before.blocks && after.objects == before.objects ? outcome : left_something;
}

/// In a process of its own: its pool has to ask the system for the same memory again.
template <class F>
Outcome in_a_process(F attempt) {
  const pid_t child = fork();
  REQUIRE(child >= 0);
  if (child == 0) _exit(attempt());
  int status = 0;
  REQUIRE(waitpid(child, &status, 0) == child);
  REQUIRE(WIFEXITED(status));
  return static_cast<Outcome>(WEXITSTATUS(status));
}

template <class F>
void walk_mappings(F sweep) {
  for (const bool ever_after : {false, true}) {
    CAPTURE(ever_after);
    long n = 0;
    for (;; ++n) {
      CAPTURE(n);
      const Outcome outcome = in_a_process([&] { return sweep_twice(n, ever_after, sweep); });
      REQUIRE(outcome != wrong);
      REQUIRE(outcome != left_something);
      if (outcome == came_through) break;
    }
#if !XTGRAD_POOL_PASSES_THROUGH
    CHECK(n >= 3);
#endif
  }
}

}  // namespace

TEST_CASE("every failed mapping of the pool is survived") {
  set_num_threads(1);
  walk_mappings([](const LargeGraph& graph) { return grad(std::span(&graph.y, 1), graph.leaves); });
  walk_mappings([](const LargeGraph& graph) {
    graph.y.backward();
    return gradients_of(graph.leaves);
  });
  walk_mappings([](const LargeGraph& graph) {
    return grad(std::span(&graph.y, 1), graph.leaves, {.create_graph = true});
  });
}
