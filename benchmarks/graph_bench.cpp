// What a sweep costs for each recorded node, by the graph's form: grad() to all leaves, grad() to some
// tensors, and grad() with create_graph, against backward(). Graphs are built anew each time, outside of the
// clock; the ways take turns, and the ratios are medians over the turns of one run. The small graphs stay in
// the cache, the large ones do not. Times are the thread's own, for a sweep of a large graph is never alone
// on a machine.

#include <benchmark/benchmark.h>
#include <time.h>

#include <algorithm>
#include <cstdint>
#include <functional>
#include <utility>
#include <vector>

#include "xtgrad/xtgrad.h"

namespace {

using xtgrad::Tensor;

struct Built {
  Tensor output;
  std::vector<Tensor> some;  // inputs that leave out a leaf, or lie within the graph
};

struct Graph {
  std::vector<Tensor> leaves;
  std::function<Built(const std::vector<Tensor>&)> build;
};

std::vector<Tensor> small_leaves(int count, const xtgrad::Shape& shape) {
  std::vector<Tensor> leaves;
  for (int i = 0; i < count; ++i) leaves.push_back(xtgrad::full(shape, 0.5, {.requires_grad = true}));
  return leaves;
}

/// Scale and tanh in turn, from one leaf.
Graph chain(int nodes) {
  return {small_leaves(1, {}), [nodes](const std::vector<Tensor>& leaves) {
            const Tensor first = leaves[0] * 1.01;
            Tensor y = xtgrad::tanh(first);
            for (int i = 2; i < nodes; i += 2) y = xtgrad::tanh(y * 1.01);
            return Built{y, {first}};
          }};
}

/// A product with each leaf in turn, and a tanh.
Graph leaves_in_turn(int leaves) {
  return {small_leaves(leaves, {}), [](const std::vector<Tensor>& weights) {
            Tensor y = weights[0];
            for (std::size_t i = 1; i < weights.size(); ++i) y = xtgrad::tanh(y * weights[i]);
            return Built{y, {weights[weights.size() / 2], weights[weights.size() / 2 + 1]}};
          }};
}

/// Pairs of leaves are added, pairs of the sums, and so on.
Graph tree(int leaves) {
  return {small_leaves(leaves, {}), [](const std::vector<Tensor>& weights) {
            std::vector<Tensor> level = weights;
            while (level.size() > 1) {
              std::vector<Tensor> next;
              for (std::size_t i = 0; i + 1 < level.size(); i += 2) next.push_back(level[i] + level[i + 1]);
              level = std::move(next);
            }
            std::vector<Tensor> some;
            for (std::size_t i = 1; i < weights.size(); i += 2) some.push_back(weights[i]);
            return Built{level[0], some};
          }};
}

/// A tanh of each leaf, all of them joined.
Graph fan_in(int leaves) {
  return {small_leaves(leaves, {1}), [](const std::vector<Tensor>& weights) {
            std::vector<Tensor> branches;
            for (const Tensor& weight : weights) branches.push_back(xtgrad::tanh(weight));
            std::vector<Tensor> some;
            for (std::size_t i = 1; i < weights.size(); i += 2) some.push_back(weights[i]);
            return Built{xtgrad::sum(xtgrad::concat(branches)), some};
          }};
}

/// An LSTM over `steps` steps of four inputs, with four hidden units.
Graph lstm(int steps) {
  constexpr std::int64_t width = 4;
  Graph graph;
  xtgrad::Random random(1);
  for (const xtgrad::Shape& shape :
       {xtgrad::Shape{width, 4 * width}, xtgrad::Shape{width, 4 * width}, xtgrad::Shape{4 * width}}) {
    graph.leaves.push_back((xtgrad::randn(shape, random) * 0.3).set_requires_grad());
  }
  const Tensor x = xtgrad::randn({1, width}, random);
  graph.build = [steps, x](const std::vector<Tensor>& weights) {
    Tensor h = xtgrad::zeros({1, width});
    Tensor c = h;
    for (int t = 0; t < steps; ++t) {
      const Tensor gates = xtgrad::matmul(x, weights[0]) + xtgrad::matmul(h, weights[1]) + weights[2];
      const auto gate = [&](std::int64_t i) {
        return xtgrad::slice(gates, {.axis = 1, .start = i * width, .stop = (i + 1) * width});
      };
      c = xtgrad::sigmoid(gate(0)) * c + xtgrad::sigmoid(gate(1)) * xtgrad::tanh(gate(2));
      h = xtgrad::sigmoid(gate(3)) * xtgrad::tanh(c);
    }
    return Built{xtgrad::sum(h), {weights[1]}};
  };
  return graph;
}

/// What this thread has computed for, in ns.
double thread_time() {
  timespec time{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) * 1e9 + static_cast<double>(time.tv_nsec);
}

double median(std::vector<double> values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

/// The time of one sweep of a new graph.
template <class Sweep>
double timed(const Graph& graph, Sweep sweep) {
  const Built built = graph.build(graph.leaves);
  const double begin = thread_time();
  const auto kept = sweep(built);
  const double end = thread_time();
  benchmark::DoNotOptimize(kept);
  return end - begin;
}

void compare(benchmark::State& state, const Graph& graph) {
  std::int64_t nodes = 0;
  for (const xtgrad::GraphNode& node : xtgrad::graph_of(graph.build(graph.leaves).output).nodes) {
    nodes += node.op.empty() ? 0 : 1;
  }
  std::vector<double> times;
  std::vector<double> all;
  std::vector<double> some;
  std::vector<double> recorded;
  const auto turn = [&] {
    for (const Tensor& leaf : graph.leaves) leaf.clear_grad();
    const double backward = timed(graph, [](const Built& built) {
      built.output.backward();
      return 0;
    });
    times.push_back(backward / static_cast<double>(nodes));
    all.push_back(
        timed(graph,
              [&](const Built& built) { return xtgrad::grad(std::span(&built.output, 1), graph.leaves); }) /
        backward);
    some.push_back(
        timed(graph,
              [](const Built& built) { return xtgrad::grad(std::span(&built.output, 1), built.some); }) /
        backward);
    recorded.push_back(timed(graph,
                             [&](const Built& built) {
                               return xtgrad::grad(std::span(&built.output, 1), graph.leaves,
                                                   {.create_graph = true});
                             }) /
                       backward);
  };
  // The first turns ask the system for memory.
  for (int i = 0; i < 2; ++i) turn();
  for (std::vector<double>* values : {&times, &all, &some, &recorded}) values->clear();
  for (auto _ : state) turn();
  state.counters["nodes"] = static_cast<double>(nodes);
  state.counters["backward_ns"] = median(times);
  state.counters["grad_all"] = median(all);
  state.counters["grad_some"] = median(some);
  state.counters["grad_recorded"] = median(recorded);
}

BENCHMARK_CAPTURE(compare, chain, chain(1000));
BENCHMARK_CAPTURE(compare, leaves_in_turn, leaves_in_turn(256));
BENCHMARK_CAPTURE(compare, tree, tree(512));
BENCHMARK_CAPTURE(compare, fan_in, fan_in(256));
BENCHMARK_CAPTURE(compare, lstm, lstm(32));
BENCHMARK_CAPTURE(compare, chain_large, chain(100000));
BENCHMARK_CAPTURE(compare, tree_large, tree(65536));
BENCHMARK_CAPTURE(compare, fan_in_large, fan_in(65536));
BENCHMARK_CAPTURE(compare, lstm_large, lstm(6000));

/// Rows of a Jacobian, each a sweep over the same graph.
void jacobian_of_chain(benchmark::State& state) {
  constexpr int rows = 64;
  constexpr int nodes = 100;
  const Tensor x = xtgrad::full({rows}, 0.5);
  std::vector<double> times;
  for (auto _ : state) {
    const double begin = thread_time();
    benchmark::DoNotOptimize(xtgrad::jacobian(
        [](const Tensor& start) {
          Tensor y = start;
          for (int i = 0; i < nodes; i += 2) y = xtgrad::tanh(y * 1.01);
          return y;
        },
        x));
    times.push_back((thread_time() - begin) / (rows * nodes));
  }
  state.counters["row_node_ns"] = median(times);
}
BENCHMARK(jacobian_of_chain);

/// Backward of n pieces of a [n, 1024] tensor, for each piece, against the same with 250 of them: 1 where it
/// is linear.
template <class Cut>
void pieces(benchmark::State& state, Cut cut) {
  const auto time_of = [&](std::int64_t n) {
    const Tensor x = xtgrad::ones({n, 1024}, {.requires_grad = true});
    std::vector<Tensor> sums;
    for (const Tensor& piece : cut(x)) sums.push_back(xtgrad::sum(piece));
    const Tensor loss = xtgrad::sum(xtgrad::stack(sums));
    const double begin = thread_time();
    loss.backward();
    return (thread_time() - begin) / static_cast<double>(n);
  };
  constexpr std::int64_t few = 250;
  constexpr std::int64_t many = 2000;
  for (int i = 0; i < 2; ++i) time_of(many);
  std::vector<double> ratios;
  std::vector<double> times;
  for (auto _ : state) {
    // As much work on either side of the ratio.
    double small = 0;
    for (std::int64_t i = 0; i < many / few; ++i) small += time_of(few);
    times.push_back(time_of(many));
    ratios.push_back(times.back() / (small / (many / few)));
  }
  state.counters["piece_ns"] = median(times);
  state.counters["ratio_to_few"] = median(ratios);
}

std::vector<Tensor> slices_of(const Tensor& x) {
  std::vector<Tensor> slices;
  for (std::int64_t i = 0; i < x.shape()[0]; ++i)
    slices.push_back(xtgrad::slice(x, {.start = i, .stop = i + 1}));
  return slices;
}

BENCHMARK_CAPTURE(pieces, slice, slices_of);
BENCHMARK_CAPTURE(pieces, split, [](const Tensor& x) { return xtgrad::split(x, 1); });
BENCHMARK_CAPTURE(pieces, chunk, [](const Tensor& x) { return xtgrad::chunk(x, x.shape()[0]); });
BENCHMARK_CAPTURE(pieces, unbind, [](const Tensor& x) { return xtgrad::unbind(x); });

/// Backward of lookups of 32 rows each in a table of 100000: into no gradient, which is the table set to
/// zero, and into one that is there, which is the rows alone.
void lookups(benchmark::State& state, xtgrad::Dtype dtype) {
  constexpr std::int64_t count = 100000;
  constexpr std::int64_t width = 64;
  const Tensor table = xtgrad::ones({count, width}, {.dtype = dtype, .requires_grad = true});
  std::vector<Tensor> indices;
  for (std::int64_t k = 0; k < state.range(0); ++k) {
    const Tensor rows = (xtgrad::arange(32) + k * 20) * 569;
    indices.push_back(xtgrad::broadcast_to(xtgrad::reshape(rows, {32, 1}), {32, width}));
  }
  const auto time_of = [&] {
    std::vector<Tensor> sums;
    for (const Tensor& index : indices) sums.push_back(xtgrad::sum(xtgrad::gather(table, 0, index)));
    const Tensor loss = xtgrad::sum(xtgrad::stack(sums));
    const double begin = thread_time();
    loss.backward();
    return (thread_time() - begin) / 1e3;
  };
  std::vector<double> first;
  std::vector<double> again;
  for (auto _ : state) {
    table.clear_grad();
    first.push_back(time_of());
    again.push_back(time_of());
  }
  state.counters["first_us"] = median(first);
  state.counters["again_us"] = median(again);
}
BENCHMARK_CAPTURE(lookups, float32, xtgrad::float32)->Arg(1)->Arg(8);
BENCHMARK_CAPTURE(lookups, float64, xtgrad::float64)->Arg(1)->Arg(8);

}  // namespace

BENCHMARK_MAIN();
