// What an element of a random tensor costs, on one thread. PyTorch's for comparison:
// torch.set_num_threads(1), then torch.randn(n) and torch.rand(n), timed as here.
#include <benchmark/benchmark.h>

#include <cstdint>

#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/random.h"
#include "xtgrad/autograd/threads.h"

namespace {

using namespace xtgrad;

template <class Draw>
void run(benchmark::State& state, Draw draw) {
  set_num_threads(1);
  Random random(1);
  const std::int64_t n = state.range(0);
  for (auto _ : state) benchmark::DoNotOptimize(draw(n, random));
  state.counters["s_per_element"] =
      benchmark::Counter(static_cast<double>(state.iterations()) * static_cast<double>(n),
                         benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
}

void randn_float32(benchmark::State& state) {
  run(state, [](std::int64_t n, Random& random) { return randn({n}, random); });
}
void randn_float64(benchmark::State& state) {
  run(state, [](std::int64_t n, Random& random) { return randn({n}, random, {.dtype = float64}); });
}
void uniform_float32(benchmark::State& state) {
  run(state, [](std::int64_t n, Random& random) { return uniform({n}, {}, random); });
}
void uniform_float64(benchmark::State& state) {
  run(state, [](std::int64_t n, Random& random) { return uniform({n}, {}, random, {.dtype = float64}); });
}
void bernoulli_half(benchmark::State& state) {
  run(state, [](std::int64_t n, Random& random) { return bernoulli({n}, 0.5, random); });
}

}  // namespace

BENCHMARK(randn_float32)->Arg(1000)->Arg(100'000)->Arg(4'000'000);
BENCHMARK(randn_float64)->Arg(1000)->Arg(100'000)->Arg(4'000'000);
BENCHMARK(uniform_float32)->Arg(1000)->Arg(100'000)->Arg(4'000'000);
BENCHMARK(uniform_float64)->Arg(1000)->Arg(100'000)->Arg(4'000'000);
BENCHMARK(bernoulli_half)->Arg(100'000);
