// Attention and a recurrent network.

#include <cmath>

#include "benchmarks/compare/by_hand/families.h"
#include "benchmarks/compare/by_hand/loops.h"
#include "benchmarks/compare/by_hand/product.h"
#include "benchmarks/compare/common/inputs.h"

namespace bench {
namespace {

/// softmax(q k^T / sqrt(d)) v for each head of each item; the probabilities are kept.
class Attention final : public Workload {
 public:
  explicit Attention(const std::vector<std::int64_t>& sizes)
      : heads_(sizes.at(0) * sizes.at(1)),
        length_(sizes.at(2)),
        d_(sizes.at(3)),
        scale_(1 / std::sqrt(static_cast<float>(d_))),
        q_(numbers(1, heads_ * length_ * d_)),
        k_(numbers(2, heads_ * length_ * d_)),
        v_(numbers(3, heads_ * length_ * d_)),
        g_(numbers(9, heads_ * length_ * d_)),
        y_(q_.size()),
        dq_(q_.size()),
        dk_(q_.size()),
        dv_(q_.size()),
        p_(static_cast<std::size_t>(heads_ * length_ * length_)),
        dp_(static_cast<std::size_t>(length_ * length_)) {}

  void step() override {
    for (std::int64_t h = 0; h < heads_; ++h) forward(h);
    for (std::int64_t h = 0; h < heads_; ++h) back(h);
  }
  std::vector<Values> outputs() override { return {y_, dq_, dk_, dv_}; }

 private:
  void forward(std::int64_t h) {
    const std::int64_t at = h * length_ * d_;
    float* p = p_.data() + h * length_ * length_;
    product(CblasNoTrans, CblasTrans, length_, length_, d_, q_.data() + at, k_.data() + at, p, scale_);
    for (std::int64_t row = 0; row < length_; ++row) {
      float* s = p + row * length_;
      const float top = *std::max_element(s, s + length_);
      map(
          length_, s, [top](Lane x) { return exp(x - top); }, s);
      const float share = 1 / total(
                                  length_, [](Lane x) { return x; }, s);
      map(
          length_, s, [share](Lane x) { return x * share; }, s);
    }
    product(CblasNoTrans, CblasNoTrans, length_, d_, length_, p, v_.data() + at, y_.data() + at);
  }

  void back(std::int64_t h) {
    const std::int64_t at = h * length_ * d_;
    const float* p = p_.data() + h * length_ * length_;
    const float* g = g_.data() + at;
    product(CblasTrans, CblasNoTrans, length_, d_, length_, p, g, dv_.data() + at);
    product(CblasNoTrans, CblasTrans, length_, length_, d_, g, v_.data() + at, dp_.data());
    for (std::int64_t row = 0; row < length_; ++row) {
      float* ds = dp_.data() + row * length_;
      const float* from = p + row * length_;
      const float mean = total(
          length_, [](Lane a, Lane b) { return a * b; }, ds, from);
      map(
          length_, ds, [=, scale = scale_](Lane a, Lane b) { return (a - mean) * b * scale; }, ds, from);
    }
    product(CblasNoTrans, CblasNoTrans, length_, d_, length_, dp_.data(), k_.data() + at, dq_.data() + at);
    product(CblasTrans, CblasNoTrans, length_, d_, length_, dp_.data(), q_.data() + at, dk_.data() + at);
  }

  std::int64_t heads_, length_, d_;
  float scale_;
  Values q_, k_, v_, g_, y_, dq_, dk_, dv_;
  Values p_;   // [heads, length, length]
  Values dp_;  // of one head
};

/// h = tanh(W x + U h + b), 64 numbers. What does not wait for the last step is one product over all of them.
class Rnn final : public Workload {
 public:
  Rnn(std::int64_t batch, std::int64_t steps)
      : batch_(batch),
        steps_(steps),
        x_(numbers(1, steps * batch * n)),
        h_(static_cast<std::size_t>((steps + 1) * batch * n)),
        dz_(static_cast<std::size_t>(steps * batch * n)),
        dh_(static_cast<std::size_t>(batch * n)) {}

  void step() override {
    const std::int64_t state = batch_ * n;
    float* later = h_.data() + state;
    product(CblasNoTrans, CblasTrans, steps_ * batch_, n, n, x_.data(), w_.data(), later);
    for (std::int64_t t = 0; t < steps_; ++t, later += state) {
      if (t > 0) product(CblasNoTrans, CblasTrans, batch_, n, n, later - state, u_.data(), later, 1, 1);
      add_bias(batch_, n, b_.data(), later, [](Lane z) { return tanh(z); });
    }
    const float* last = h_.data() + steps_ * state;
    const float share = 1 / static_cast<float>(state);
    loss_ = share * total(
                        state, [](Lane h) { return h * h; }, last);
    map(
        state, dh_.data(), [share](Lane h) { return 2 * share * h; }, last);
    for (std::int64_t t = steps_; t-- > 0;) {
      float* dz = dz_.data() + t * state;
      map(
          state, dz, [](Lane g, Lane h) { return g * ((1 - h) * (1 + h)); }, dh_.data(),
          h_.data() + (t + 1) * state);
      if (t > 0) product(CblasNoTrans, CblasNoTrans, batch_, n, n, dz, u_.data(), dh_.data());
    }
    product(CblasTrans, CblasNoTrans, n, n, steps_ * batch_, dz_.data(), x_.data(), dw_.data());
    product(CblasTrans, CblasNoTrans, n, n, steps_ * batch_, dz_.data(), h_.data(), du_.data());
    sum_rows(steps_ * batch_, n, dz_.data(), db_.data());
  }
  std::vector<Values> outputs() override { return {{loss_}, dw_, du_, db_}; }

 private:
  static constexpr std::int64_t n = 64;

  std::int64_t batch_, steps_;
  Values w_ = numbers(10, n*n, -0.125, 0.125), u_ = numbers(11, n*n, -0.125, 0.125),
         b_ = numbers(12, n, -0.125, 0.125);
  Values x_, h_, dz_, dh_;  // h_ begins with zeros
  Values dw_ = Values(n * n), du_ = Values(n * n), db_ = Values(n);
  float loss_ = 0;
};

}  // namespace

void add_sequences(Families& families) {
  families["attention"] = [](const Name& name, float) { return std::make_unique<Attention>(name.numbers()); };
  families["rnn64"] = [](const Name& name, float) {
    return std::make_unique<Rnn>(name.numbers().at(0), name.numbers().at(1));
  };
}

}  // namespace bench
