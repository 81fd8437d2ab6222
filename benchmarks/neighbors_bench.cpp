// The nearest 15 of 60,000 images of 784 pixels for each of 1,000 queries: MNIST where it is found, else
// random pixels. `of_sgemm` is the rate of the whole search, counted as the multiplications and additions of
// the products alone, over that of cblas_sgemm in the same run on blocks of the same size.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <vector>

#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/ops.h"
#include "xtgrad/autograd/threads.h"
#include "xtgrad/datasets/mnist.h"
#include "xtgrad/nn/nearest_neighbors.h"

extern "C" void cblas_sgemm(int order, int transpose_a, int transpose_b, int m, int n, int k, float alpha,
                            const float* a, int lda, const float* b, int ldb, float beta, float* c, int ldc);

namespace {

using namespace xtgrad;

constexpr int row_major = 101;
constexpr int no_transpose = 111;
constexpr int transpose = 112;

constexpr std::int64_t queries = 1000;

struct Images {
  Tensor samples, labels, queries;
  bool real;
};

Images images() {
  try {
    const datasets::Dataset train = datasets::mnist();
    const datasets::Dataset test = datasets::mnist({.train = false});
    return {train.inputs(), train.labels(), slice(test.inputs(), {.stop = queries}), true};
  } catch (const IoError&) {
    return {uniform({60000, 1, 28, 28}), zeros({60000}, {.dtype = int64}), uniform({queries, 1, 28, 28}),
            false};
  }
}

template <class F>
double seconds(F&& f) {
  const auto start = std::chrono::steady_clock::now();
  f();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

double median(std::vector<double> values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

void nearest_neighbors(benchmark::State& state) {
  set_num_threads(static_cast<int>(state.range(0)));
  const Images data = images();
  const nn::NearestNeighbors classifier(data.samples, data.labels);
  const Tensor a = uniform({256, 784});
  const Tensor b = uniform({2048, 784});
  std::vector<float> c(256 * 2048);
  std::vector<double> searches, ratios;
  for (auto _ : state) {
    double product = 1e9;
    for (int i = 0; i < 20; ++i) {
      product =
          std::min(product, seconds([&] {
                     cblas_sgemm(row_major, no_transpose, transpose, 256, 2048, 784, 1,
                                 a.data<float>().data(), 784, b.data<float>().data(), 784, 0, c.data(), 2048);
                     benchmark::ClobberMemory();
                   }));
    }
    const double search = seconds([&] { benchmark::DoNotOptimize(classifier.neighbors(data.queries, 15)); });
    state.SetIterationTime(search);
    const double rate = static_cast<double>(queries) * 60000 * 784 / search;
    searches.push_back(search);
    ratios.push_back(rate / (256. * 2048 * 784 / product));
  }
  state.counters["search_s"] = median(searches);
  state.counters["of_sgemm"] = median(ratios);
  state.counters["mnist"] = data.real ? 1 : 0;
}
BENCHMARK(nearest_neighbors)->Arg(1)->Arg(2)->UseManualTime()->Iterations(5)->Unit(benchmark::kMillisecond);

}  // namespace
