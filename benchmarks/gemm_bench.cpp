// matmul beside BLAS's sgemm. `of_blas` is matmul's time, with its checks and its node, over that of the bare
// call, measured in the same run.
#include <benchmark/benchmark.h>

#include <chrono>
#include <cstdint>
#include <vector>

#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/ops.h"
#include "xtgrad/autograd/threads.h"

extern "C" void cblas_sgemm(int order, int transpose_a, int transpose_b, int m, int n, int k, float alpha,
                            const float* a, int lda, const float* b, int ldb, float beta, float* c, int ldc);

namespace {

using namespace xtgrad;

constexpr int row_major = 101;
constexpr int no_transpose = 111;

struct Product {
  int m, k, n;
  Tensor a, b;
  std::vector<float> c;

  explicit Product(const benchmark::State& state)
      : m(static_cast<int>(state.range(0))),
        k(static_cast<int>(state.range(1))),
        n(static_cast<int>(state.range(2))),
        a(uniform({m, k})),
        b(uniform({k, n})),
        c(static_cast<std::size_t>(m) * static_cast<std::size_t>(n)) {}

  void call_blas() {
    cblas_sgemm(row_major, no_transpose, no_transpose, m, n, k, 1, a.data<float>().data(), k,
                b.data<float>().data(), n, 0, c.data(), n);
    benchmark::ClobberMemory();
  }
  void report(benchmark::State& state) const {
    const double flops = 2. * m * n * k * static_cast<double>(state.iterations());
    state.counters["flops"] = benchmark::Counter(flops, benchmark::Counter::kIsRate);
  }
};

template <class F>
double seconds(F&& f) {
  const auto start = std::chrono::steady_clock::now();
  f();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

void matmul_op(benchmark::State& state) {
  set_num_threads(static_cast<int>(state.range(3)));
  Product product(state);
  double ours = 0;
  double blas = 0;
  for (auto _ : state) {
    const double time = seconds([&] { benchmark::DoNotOptimize(matmul(product.a, product.b)); });
    state.SetIterationTime(time);
    ours += time;
    // In turns, so that both see the same caches, clock and neighbours.
    blas += seconds([&] { product.call_blas(); });
  }
  product.report(state);
  state.counters["of_blas"] = ours / blas;
}

void blas_call(benchmark::State& state) {
  Product product(state);
  for (auto _ : state) product.call_blas();
  product.report(state);
}

const std::vector<std::vector<std::int64_t>> sizes{
    {8, 8, 8}, {32, 32, 32}, {64, 64, 64}, {128, 784, 128}, {512, 512, 512}};

void with_threads(benchmark::internal::Benchmark* bench) {
  bench->ArgNames({"m", "k", "n", "threads"})->UseManualTime();
  for (std::vector<std::int64_t> size : sizes) {
    size.push_back(1);
    bench->Args(size);
  }
  bench->Args({512, 512, 512, 2});
}

void single(benchmark::internal::Benchmark* bench) {
  bench->ArgNames({"m", "k", "n"});
  for (const std::vector<std::int64_t>& size : sizes) bench->Args(size);
}

BENCHMARK(matmul_op)->Apply(with_threads);
BENCHMARK(blas_call)->Apply(single);

}  // namespace
