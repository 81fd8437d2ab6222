// The training step of a perceptron so small that all of it is in registers and the first-level cache: sizes
// are constants, and weights are kept [in, out], so that a row is a register of AVX-512.

#include <array>

#include "benchmarks/compare/by_hand/families.h"
#include "benchmarks/compare/by_hand/loops.h"
#include "benchmarks/compare/common/inputs.h"

namespace bench {
namespace {

constexpr std::size_t width = 16;

/// Sixteen numbers in registers: one of AVX-512, two of AVX.
struct Row {
  static constexpr std::size_t parts = width / Lane::width;
  Lane part[parts];

  Row() = default;
  explicit Row(float x) {
    each([&](std::size_t k) { part[k] = Lane(x); });
  }
  static Row load(const float* p) {
    Row row;
    each([&](std::size_t k) { row.part[k] = Lane::load(p + k * Lane::width); });
    return row;
  }
  void store(float* p) const {
    each([&](std::size_t k) { part[k].store(p + k * Lane::width); });
  }
  friend Row operator*(Row a, const Row& b) {
    each([&](std::size_t k) { a.part[k] *= b.part[k]; });
    return a;
  }
  /// a b + c
  friend Row fma(const Row& a, const Row& b, Row c) {
    each([&](std::size_t k) { c.part[k] = fma(a.part[k], b.part[k], c.part[k]); });
    return c;
  }
  friend Row tanh(Row a) {
    each([&](std::size_t k) { a.part[k] = tanh(a.part[k]); });
    return a;
  }
  /// What the rule of tanh multiplies by, of y = tanh(x): (1 - y)(1 + y).
  friend Row slope(Row y) {
    each([&](std::size_t k) { y.part[k] = (1 - y.part[k]) * (1 + y.part[k]); });
    return y;
  }
  friend float sum(const Row& a) {
    Lane total = a.part[0];
    for (std::size_t k = 1; k < parts; ++k) total += a.part[k];
    return sum_of(total);
  }

 private:
  template <class F>
  static void each(F f) {
#pragma GCC unroll 4
    for (std::size_t k = 0; k < parts; ++k) f(k);
  }
};

/// 2-16-16-1 with tanh, squared error and Adam.
class TinyMlp final : public Workload {
 public:
  TinyMlp(std::int64_t batch, float rate)
      : batch_(static_cast<std::size_t>(batch)),
        x_(numbers(1, 2 * batch)),
        target_(numbers(2, batch)),
        error_(batch_),
        h1_(batch_ * width),
        h2_(batch_ * width),
        d2_(batch_ * width),
        rate_(rate) {
    constexpr std::size_t sizes[] = {2, width, width, 1};
    float* to = parameters_.data();
    for (std::size_t k = 0; k < 3; ++k) {
      const std::size_t in = sizes[k], out = sizes[k + 1];
      const double bound = 1 / std::sqrt(static_cast<double>(in));
      const Values weight = numbers(10 + 2 * k, static_cast<std::int64_t>(in * out), -bound, bound);
      for (std::size_t i = 0; i < in; ++i) {
        for (std::size_t j = 0; j < out; ++j) *to++ = weight[j * in + i];
      }
      const Values bias = numbers(11 + 2 * k, static_cast<std::int64_t>(out), -bound, bound);
      to = std::copy(bias.begin(), bias.end(), to);
    }
  }

  /// One layer of all samples after the other, so that a sample's sums and tanh need not wait for the last
  /// one's.
  void step() override {
    turn();
    forward();
    backward();
    adam();
  }

  std::vector<Values> outputs() override {
    const float* g = gradients_.data();
    Values w1, w2;
    for (std::size_t j = 0; j < width; ++j) {
      for (std::size_t i = 0; i < 2; ++i) w1.push_back(g[i * width + j]);
      for (std::size_t i = 0; i < width; ++i) w2.push_back(g[weight2 + i * width + j]);
    }
    return {{loss_},   w1, {g + bias1, g + weight2}, w2, {g + bias2, g + weight3}, {g + weight3, g + bias3},
            {g[bias3]}};
  }

 private:
  // Where the parameters begin in one array.
  static constexpr std::size_t bias1 = 2 * width, weight2 = bias1 + width, bias2 = weight2 + width * width,
                               weight3 = bias2 + width, bias3 = weight3 + width, count = bias3 + 1;
  static constexpr std::size_t whole = (count + width - 1) / width * width;

  void forward() {
    const float* p = parameters_.data();
    const Row w0 = Row::load(p), w1 = Row::load(p + width), b1 = Row::load(p + bias1);
    for (std::size_t s = 0; s < batch_; ++s)
      tanh(fma(Row(x_[2 * s]), w0, fma(Row(x_[2 * s + 1]), w1, b1))).store(h1_.data() + s * width);
    const Row b2 = Row::load(p + bias2), w3 = Row::load(p + weight3);
    for (std::size_t s = 0; s < batch_; ++s)
      tanh(times(h1_.data() + s * width, p + weight2, b2)).store(h2_.data() + s * width);
    loss_ = 0;
    for (std::size_t s = 0; s < batch_; ++s) {
      error_[s] = p[bias3] + sum(Row::load(h2_.data() + s * width) * w3) - target_[s];
      loss_ += error_[s] * error_[s] / static_cast<float>(batch_);
    }
  }

  void backward() {
    const float* p = parameters_.data();
    float* g = gradients_.data();
    const float scale = 2 / static_cast<float>(batch_);
    const Row w3 = Row::load(p + weight3), one(1);
    Row g3(0), gb2(0), gb1(0), g0(0), g1(0), middle[width];
    float gb3 = 0;
#pragma GCC unroll 16
    for (Row& row : middle) row = Row(0);
    for (std::size_t s = 0; s < batch_; ++s) {
      const Row d(scale * error_[s]), h2 = Row::load(h2_.data() + s * width);
      gb3 += scale * error_[s];
      g3 = fma(d, h2, g3);
      const Row d2 = d * w3 * slope(h2);
      gb2 = fma(one, d2, gb2);
      d2.store(d2_.data() + s * width);
    }
    for (std::size_t s = 0; s < batch_; ++s) {
      const float* h1 = h1_.data() + s * width;
      const Row d2 = Row::load(d2_.data() + s * width);
#pragma GCC unroll 16
      for (std::size_t i = 0; i < width; ++i) middle[i] = fma(Row(h1[i]), d2, middle[i]);
    }
    for (std::size_t s = 0; s < batch_; ++s) {
      const Row h1 = Row::load(h1_.data() + s * width);
      const Row d1 = times(d2_.data() + s * width, turned_.data(), Row(0)) * slope(h1);
      gb1 = fma(one, d1, gb1);
      g0 = fma(Row(x_[2 * s]), d1, g0);
      g1 = fma(Row(x_[2 * s + 1]), d1, g1);
    }
    g0.store(g);
    g1.store(g + width);
    gb1.store(g + bias1);
#pragma GCC unroll 16
    for (std::size_t i = 0; i < width; ++i) middle[i].store(g + weight2 + i * width);
    gb2.store(g + bias2);
    g3.store(g + weight3);
    g[bias3] = gb3;
  }

  /// y + x M for a matrix of 16 rows, in four sums, none of which waits for another.
  static Row times(const float* x, const float* matrix, const Row& y) {
    Row sums[4] = {y, Row(0), Row(0), Row(0)};
#pragma GCC unroll 16
    for (std::size_t i = 0; i < width; ++i)
      sums[i % 4] = fma(Row(x[i]), Row::load(matrix + i * width), sums[i % 4]);
    const Row one(1);
    return fma(one, fma(one, sums[0], sums[1]), fma(one, sums[2], sums[3]));
  }

  void turn() {
    for (std::size_t i = 0; i < width; ++i) {
      for (std::size_t j = 0; j < width; ++j) turned_[j * width + i] = parameters_[weight2 + i * width + j];
    }
  }

  void adam() {
    power1_ *= 0.9;
    power2_ *= 0.999;
    const auto scaled = static_cast<float>(rate_ / (1 - power1_));
    const auto root = static_cast<float>(1 / std::sqrt(1 - power2_));
    float* p = parameters_.data();
#pragma GCC ivdep
    for (std::size_t i = 0; i < whole; ++i) {
      const float g = gradients_[i];
      first_[i] = 0.9F * first_[i] + 0.1F * g;
      second_[i] = 0.999F * second_[i] + 0.001F * g * g;
      p[i] -= scaled * first_[i] / (std::sqrt(second_[i]) * root + 1e-8F);
    }
  }

  std::array<float, width * width> turned_{};  // the middle weight, [out, in]
  std::array<float, whole> parameters_{}, gradients_{}, first_{}, second_{};
  std::size_t batch_;
  Values x_, target_, error_;
  Values h1_, h2_, d2_;  // [batch, width]
  float rate_;
  float loss_ = 0;
  double power1_ = 1, power2_ = 1;
};

}  // namespace

void add_tiny_mlp(Families& families) {
  families["tiny_mlp_adam"] = [](const Name& name, float rate) {
    return std::make_unique<TinyMlp>(name.numbers().at(0), rate);
  };
}

}  // namespace bench
