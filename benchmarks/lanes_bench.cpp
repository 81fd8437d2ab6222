// Nanoseconds an element of the lane functions, beside a plain loop over std's.
#include <benchmark/benchmark.h>

#include <cmath>
#include <cstddef>
#include <string>
#include <vector>

#include "xtgrad/autograd/kernels/levels/lanes.h"

namespace {

using namespace xtgrad::detail;

constexpr std::size_t size = 4096;

template <class T>
std::vector<T> ramp(double low, double high) {
  std::vector<T> x(size);
  // The stride spreads neighbours over the range, so that branches cannot be learnt from the order.
  for (std::size_t i = 0; i < size; ++i) {
    x[i] = static_cast<T>(low + (high - low) * static_cast<double>(i * 1597 % size) / double(size));
  }
  return x;
}

void report(benchmark::State& state) {
  const double elements = static_cast<double>(state.iterations()) * double(size);
  state.counters["s_per_element"] =
      benchmark::Counter(elements, benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
}

template <class T, class F>
void run_lanes(benchmark::State& state, F f, double low, double high) {
  const std::vector<T> x = ramp<T>(low, high);
  std::vector<T> y(size);
  for (auto _ : state) {
    for (std::size_t i = 0; i < size; i += Lane<T>::width) f(Lane<T>::load(&x[i])).store(&y[i]);
    benchmark::ClobberMemory();
  }
  report(state);
}

template <class T, class F>
void run_std(benchmark::State& state, F f, double low, double high) {
  const std::vector<T> x = ramp<T>(low, high);
  std::vector<T> y(size);
  for (auto _ : state) {
    for (std::size_t i = 0; i < size; ++i) y[i] = f(x[i]);
    benchmark::ClobberMemory();
  }
  report(state);
}

template <class T, class L, class S>
void add(const std::string& name, L lane, S scalar, double low, double high) {
  const std::string type = sizeof(T) == 4 ? "float" : "double";
  benchmark::RegisterBenchmark((name + "/" + type + "/lanes").c_str(),
                               [=](benchmark::State& s) { run_lanes<T>(s, lane, low, high); });
  benchmark::RegisterBenchmark((name + "/" + type + "/std").c_str(),
                               [=](benchmark::State& s) { run_std<T>(s, scalar, low, high); });
}

template <class T>
void add_all() {
  const auto scalar_sigmoid = [](T x) { return 1 / (1 + std::exp(-x)); };
  add<T>(
      "exp", [](auto x) { return exp(x); }, [](T x) { return std::exp(x); }, -10, 10);
  add<T>(
      "log", [](auto x) { return log(x); }, [](T x) { return std::log(x); }, 0.01, 10);
  add<T>(
      "tanh", [](auto x) { return tanh(x); }, [](T x) { return std::tanh(x); }, -4, 4);
  add<T>(
      "sigmoid", [](auto x) { return sigmoid(x); }, scalar_sigmoid, -10, 10);
  add<T>(
      "erf", [](auto x) { return erf(x); }, [](T x) { return std::erf(x); }, -4, 4);
  add<T>(
      "sin", [](auto x) { return sin(x); }, [](T x) { return std::sin(x); }, -10, 10);
  add<T>(
      "pow", [](auto x) { return pow(x, 1.7); }, [](T x) { return std::pow(x, T(1.7)); }, 0.01, 10);
  add<T>(
      "log1p", [](auto x) { return log1p(x); }, [](T x) { return std::log1p(x); }, -0.9, 10);
  add<T>(
      "expm1", [](auto x) { return expm1(x); }, [](T x) { return std::expm1(x); }, -10, 10);
}

}  // namespace

int main(int argc, char** argv) {
  add_all<float>();
  add_all<double>();
  benchmark::Initialize(&argc, argv);
  benchmark::RunSpecifiedBenchmarks();
}
