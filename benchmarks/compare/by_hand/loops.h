#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <vector>

#include "xtgrad/autograd/kernels/levels/lanes.h"

namespace bench {

using Lane = xtgrad::detail::Lane<float>;
inline constexpr auto lane_width = static_cast<std::int64_t>(Lane::width);

/// out[i] = f(in[i]...) for i < n, on lanes; the rest goes through copies on the stack.
template <class F, class... In>
void map(std::int64_t n, float* out, const F& f, const In*... in) {
  std::int64_t i = 0;
  for (; i + lane_width <= n; i += lane_width) f(Lane::load(in + i)...).store(out + i);
  if (i == n) return;
  const auto rest = static_cast<std::size_t>(n - i) * sizeof(float);
  const auto load = [&](const float* from) {
    float copy[Lane::width] = {};
    std::memcpy(copy, from + i, rest);
    return Lane::load(copy);
  };
  float result[Lane::width];
  f(load(in)...).store(result);
  std::memcpy(out + i, result, rest);
}

/// The sum of f(in[i]...) for i < n, in four registers.
template <class F, class... In>
Lane total_lanes(std::int64_t n, const F& f, const In*... in) {
  Lane sums[4] = {Lane(0.0F), Lane(0.0F), Lane(0.0F), Lane(0.0F)};
  std::int64_t i = 0;
  for (; i + 4 * lane_width <= n; i += 4 * lane_width) {
#pragma GCC unroll 4
    for (std::int64_t k = 0; k < 4; ++k) sums[k] += f(Lane::load(in + i + k * lane_width)...);
  }
  for (; i + lane_width <= n; i += lane_width) sums[0] += f(Lane::load(in + i)...);
  if (i < n) {
    float terms[Lane::width] = {};
    map(n - i, terms, f, (in + i)...);
    sums[1] += Lane::load(terms);
  }
  return (sums[0] + sums[1]) + (sums[2] + sums[3]);
}
template <class F, class... In>
float total(std::int64_t n, const F& f, const In*... in) {
  return sum_of(total_lanes(n, f, in...));
}

/// y[row, j] = f(y[row, j] + bias[j]).
template <class F>
void add_bias(std::int64_t rows, std::int64_t n, const float* bias, float* y, const F& f) {
  for (std::int64_t row = 0; row < rows; ++row)
    map(
        n, y + row * n, [&](Lane z, Lane b) { return f(z + b); }, y + row * n, bias);
}

/// sums[j] = the sum over rows of x[row, j].
inline void sum_rows(std::int64_t rows, std::int64_t n, const float* x, float* sums) {
  std::copy_n(x, n, sums);
  for (std::int64_t row = 1; row < rows; ++row) {
    const float* from = x + row * n;
    for (std::int64_t j = 0; j < n; ++j) sums[j] += from[j];
  }
}

/// Mean cross entropy of softmax(z) at the labels, and its derivative in z.
inline float cross_entropy(std::int64_t rows, std::int64_t classes, const float* z,
                           const std::int64_t* labels, float* dz) {
  const auto share = 1 / static_cast<float>(rows);
  float loss = 0;
  for (std::int64_t row = 0; row < rows; ++row, z += classes, dz += classes) {
    const float top = *std::max_element(z, z + classes);
    map(
        classes, dz, [top](Lane x) { return exp(x - top); }, z);
    float total = 0;
    for (std::int64_t j = 0; j < classes; ++j) total += dz[j];
    const float scale = share / total;
    for (std::int64_t j = 0; j < classes; ++j) dz[j] *= scale;
    loss -= z[labels[row]] - top - std::log(total);
    dz[labels[row]] -= share;
  }
  return loss * share;
}

/// A parameter with its gradient and an optimizer's two moments.
struct Learnt {
  explicit Learnt(std::vector<float> start)
      : value(std::move(start)), gradient(value.size()), first(value.size()), second(value.size()) {}
  [[nodiscard]] std::int64_t size() const { return static_cast<std::int64_t>(value.size()); }

  std::vector<float> value, gradient, first, second;
};

/// One step of Adam with the usual decay rates; `step` counts from 1.
inline void adam(Learnt& p, int step, float rate) {
  constexpr float beta1 = 0.9F;
  constexpr float beta2 = 0.999F;
  const float scaled = rate / static_cast<float>(1 - std::pow(0.9, step));
  const float root = 1 / static_cast<float>(std::sqrt(1 - std::pow(0.999, step)));
  float* value = p.value.data();
  float* first = p.first.data();
  float* second = p.second.data();
  const std::int64_t n = p.size();
  const auto step_of = [=](Lane g, Lane x, Lane& m, Lane& v) {
    m = fma(g, Lane(1 - beta1), m * beta1);
    v = fma(g * g, Lane(1 - beta2), v * beta2);
    return x - scaled * m / (sqrt(v) * root + 1e-8F);
  };
  std::int64_t i = 0;
  for (; i + lane_width <= n; i += lane_width) {
    Lane m = Lane::load(first + i), v = Lane::load(second + i);
    step_of(Lane::load(p.gradient.data() + i), Lane::load(value + i), m, v).store(value + i);
    m.store(first + i);
    v.store(second + i);
  }
  for (; i < n; ++i) {
    const float g = p.gradient[static_cast<std::size_t>(i)];
    first[i] = beta1 * first[i] + (1 - beta1) * g;
    second[i] = beta2 * second[i] + (1 - beta2) * g * g;
    value[i] -= scaled * first[i] / (std::sqrt(second[i]) * root + 1e-8F);
  }
}

/// One step of gradient descent with momentum 0.9.
inline void descend(Learnt& p, float rate) {
  float* value = p.value.data();
  float* velocity = p.first.data();
  const float* gradient = p.gradient.data();
  const std::int64_t n = p.size();
#pragma GCC ivdep
  for (std::int64_t i = 0; i < n; ++i) {
    velocity[i] = 0.9F * velocity[i] + gradient[i];
    value[i] -= rate * velocity[i];
  }
}

}  // namespace bench
