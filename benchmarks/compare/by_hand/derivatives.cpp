// A Hessian times a vector, an autoencoder, a long chain.

#include <cblas.h>

#include <array>

#include "benchmarks/compare/by_hand/dense.h"
#include "benchmarks/compare/by_hand/families.h"

namespace bench {
namespace {

/// The Hessian of the loss of 784-256-128-10, tanh, times a vector, by differentiating the backward pass
/// along it (Pearlmutter, "Fast exact multiplication by the Hessian", 1994). A name that begins with r is
/// such a derivative.
class Hvp final : public Workload {
 public:
  explicit Hvp(std::int64_t batch)
      : batch_(static_cast<int>(batch)), x_(numbers(1, batch * 784, 0, 1)), labels_(integers(2, batch, 10)) {
    constexpr int sizes[] = {784, 256, 128, 10};
    for (std::size_t k = 0; k < 3; ++k) {
      Layer& layer = layers_[k];
      layer.in = sizes[k];
      layer.out = sizes[k + 1];
      const double bound = 1 / std::sqrt(static_cast<double>(layer.in));
      layer.w = numbers(10 + 2 * k, std::int64_t{layer.in} * layer.out, -bound, bound);
      layer.b = numbers(11 + 2 * k, layer.out, -bound, bound);
      layer.rw = numbers(50 + 2 * k, std::int64_t{layer.in} * layer.out);
      layer.rb = numbers(51 + 2 * k, layer.out);
      layer.product_w.resize(layer.w.size());
      layer.product_b.resize(layer.b.size());
      for (Values* values : {&layer.y, &layer.ry, &layer.d, &layer.rd})
        values->resize(static_cast<std::size_t>(batch) * layer.b.size());
    }
  }

  void step() override {
    for (std::size_t k = 0; k < 3; ++k) forward(k);
    Layer& last = layers_[2];
    loss_ = cross_entropy(batch_, 10, last.y.data(), labels_.data(), last.d.data());
    for (int row = 0; row < batch_; ++row) differentiate_softmax(row);
    for (std::size_t k = 3; k-- > 0;) back(k);
  }

  std::vector<Values> outputs() override {
    std::vector<Values> all{{loss_}};
    for (const Layer& layer : layers_) {
      all.push_back(layer.product_w);
      all.push_back(layer.product_b);
    }
    return all;
  }

 private:
  struct Layer {
    int in = 0, out = 0;
    Values w, b, rw, rb;          // rw and rb are the vector
    Values product_w, product_b;  // the Hessian's product with it
    Values y, ry, d, rd;          // [batch, out]; d is the loss's derivative in what tanh is taken of
  };

  /// y W^T, added to what is there or in its place.
  void times(const Layer& layer, const float* x, const Values& w, bool add, Values& y) const {
    cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, batch_, layer.out, layer.in, 1, x, layer.in,
                w.data(), layer.in, add ? 1 : 0, y.data(), layer.out);
  }

  void forward(std::size_t k) {
    Layer& layer = layers_[k];
    const float* x = k == 0 ? x_.data() : layers_[k - 1].y.data();
    times(layer, x, layer.w, false, layer.y);
    times(layer, x, layer.rw, false, layer.ry);
    if (k > 0) times(layer, layers_[k - 1].ry.data(), layer.w, true, layer.ry);
    const bool last = k == 2;
    for (int row = 0; row < batch_; ++row) {
      float* y = layer.y.data() + std::ptrdiff_t{row} * layer.out;
      float* ry = layer.ry.data() + std::ptrdiff_t{row} * layer.out;
      map(
          layer.out, y, [last](Lane z, Lane b) { return last ? z + b : tanh(z + b); }, y, layer.b.data());
      map(
          layer.out, ry,
          [last](Lane rz, Lane rb, Lane a) { return last ? rz + rb : (rz + rb) * ((1 - a) * (1 + a)); }, ry,
          layer.rb.data(), y);
    }
  }

  /// rd = p (rz - sum of p rz) / batch, where d = (p - 1 at the label) / batch.
  void differentiate_softmax(int row) {
    Layer& last = layers_[2];
    const auto share = 1 / static_cast<float>(batch_);
    const float* d = last.d.data() + std::ptrdiff_t{row} * 10;
    const float* rz = last.ry.data() + std::ptrdiff_t{row} * 10;
    float* rd = last.rd.data() + std::ptrdiff_t{row} * 10;
    float p[10];
    std::copy_n(d, 10, p);
    p[labels_[static_cast<std::size_t>(row)]] += share;
    float sum = 0;
    for (int j = 0; j < 10; ++j) sum += p[j] * rz[j];
    for (int j = 0; j < 10; ++j) rd[j] = p[j] * (rz[j] - sum * static_cast<float>(batch_));
  }

  void back(std::size_t k) {
    Layer& layer = layers_[k];
    const float* x = k == 0 ? x_.data() : layers_[k - 1].y.data();
    const auto gradient = [&](const Values& d, const float* from, float beta) {
      cblas_sgemm(CblasRowMajor, CblasTrans, CblasNoTrans, layer.out, layer.in, batch_, 1, d.data(),
                  layer.out, from, layer.in, beta, layer.product_w.data(), layer.in);
    };
    gradient(layer.rd, x, 0);
    sum_rows(batch_, layer.out, layer.rd.data(), layer.product_b.data());
    if (k == 0) return;
    Layer& below = layers_[k - 1];
    gradient(layer.d, below.ry.data(), 1);
    const auto down = [&](const Values& d, const Values& w, float beta, Values& to) {
      cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, batch_, layer.in, layer.out, 1, d.data(),
                  layer.out, w.data(), layer.in, beta, to.data(), layer.in);
    };
    down(layer.d, layer.w, 0, below.d);
    down(layer.rd, layer.w, 0, below.rd);
    down(layer.d, layer.rw, 1, below.rd);
    const auto n = static_cast<std::int64_t>(below.d.size());
    map(
        n, below.rd.data(),
        [](Lane rg, Lane g, Lane a, Lane ra) { return rg * ((1 - a) * (1 + a)) - 2 * g * a * ra; },
        below.rd.data(), below.d.data(), below.y.data(), below.ry.data());
    map(
        n, below.d.data(), [](Lane g, Lane a) { return g * ((1 - a) * (1 + a)); }, below.d.data(),
        below.y.data());
  }

  int batch_;
  Values x_;
  std::vector<std::int64_t> labels_;
  std::array<Layer, 3> layers_;
  float loss_ = 0;
};

/// 784-256-2x16 and back, Adam.
class Vae final : public Workload {
 public:
  Vae(std::int64_t batch, float rate)
      : batch_(batch),
        rate_(rate),
        x_(numbers(1, batch * 784, 0, 1)),
        noise_(numbers(3, batch * 16)),
        z_(noise_.size()),
        dz_(noise_.size()),
        layers_{Dense(batch, 784, 256, 10), Dense(batch, 256, 32, 12), Dense(batch, 16, 256, 14),
                Dense(batch, 256, 784, 16)} {}

  void step() override {
    forward();
    backward();
    ++steps_;
    for (Dense& layer : layers_) {
      adam(layer.weight, steps_, rate_);
      adam(layer.bias, steps_, rate_);
    }
  }

  std::vector<Values> outputs() override {
    std::vector<Values> all{{loss_}};
    for (const Dense& layer : layers_) {
      all.push_back(layer.weight.gradient);
      all.push_back(layer.bias.gradient);
    }
    return all;
  }

 private:
  void forward() {
    const auto relu = [](Lane z) { return where(z > 0, z, 0); };
    const auto as_it_is = [](Lane z) { return z; };
    layers_[0].forward(x_.data(), relu);
    layers_[1].forward(layers_[0].y.data(), as_it_is);
    const auto share = 1 / static_cast<float>(batch_);
    Lane divergence(0.0F);
    each_code([&](std::int64_t at, std::int64_t code) {
      const float* mu = layers_[1].y.data() + code;
      map(
          16, z_.data() + at, [](Lane m, Lane v, Lane e) { return m + exp(v * 0.5) * e; }, mu, mu + 16,
          noise_.data() + at);
      divergence += total_lanes(
          16, [](Lane m, Lane v) { return m * m + exp(v) - v - 1; }, mu, mu + 16);
    });
    layers_[2].forward(z_.data(), relu);
    layers_[3].forward(layers_[2].y.data(), as_it_is);
    // softplus(s) - x s, and its derivative sigmoid(s) - x, of one exponential.
    const float* s = layers_[3].y.data();
    float* ds = layers_[3].dy.data();
    const auto n = static_cast<std::int64_t>(x_.size());
    Lane pixels(0.0F);
    for (std::int64_t i = 0; i < n; i += lane_width) {
      const Lane score = Lane::load(s + i), x = Lane::load(x_.data() + i);
      const Lane e = exp(-abs(score));
      pixels += maximum(score, 0) + log1p(e) - x * score;
      ((where(score < 0, e, Lane(1.0F)) / (1 + e) - x) * share).store(ds + i);
    }
    loss_ = (sum_of(pixels) + sum_of(divergence) * 0.5F) * share;
  }

  void backward() {
    const auto gate = [](Lane g, Lane y) { return where(y > 0, g, 0); };
    const auto through = [&](std::size_t k, const float* x) {
      layers_[k].parameter_gradients(x);
      if (k == 0) return;
      if (k == 2) {
        layers_[k].input_gradient(dz_.data());
        return;
      }
      Dense& below = layers_[k - 1];
      layers_[k].input_gradient(below.dy.data());
      map(static_cast<std::int64_t>(below.dy.size()), below.dy.data(), gate, below.dy.data(), below.y.data());
    };
    through(3, layers_[2].y.data());
    through(2, z_.data());
    const auto share = 1 / static_cast<float>(batch_);
    each_code([&](std::int64_t at, std::int64_t code) {
      const float* mu = layers_[1].y.data() + code;
      float* dmu = layers_[1].dy.data() + code;
      map(
          16, dmu, [share](Lane g, Lane m) { return g + m * share; }, dz_.data() + at, mu);
      map(
          16, dmu + 16,
          [share](Lane g, Lane v, Lane e) { return 0.5 * (g * e * exp(v * 0.5) + (exp(v) - 1) * share); },
          dz_.data() + at, mu + 16, noise_.data() + at);
    });
    through(1, layers_[0].y.data());
    through(0, x_.data());
  }

  /// Calls body(place in z, place in the code) for each item.
  template <class F>
  void each_code(const F& body) const {
    for (std::int64_t row = 0; row < batch_; ++row) body(row * 16, row * 32);
  }

  std::int64_t batch_;
  float rate_;
  int steps_ = 0;
  float loss_ = 0;
  Values x_, noise_, z_, dz_;
  std::array<Dense, 4> layers_;
};

}  // namespace

void add_derivatives(Families& families) {
  families["hvp_mlp"] = [](const Name& name, float) { return std::make_unique<Hvp>(name.numbers().at(0)); };
  families["vae_step"] = [](const Name& name, float rate) {
    return std::make_unique<Vae>(name.numbers().at(0), rate);
  };
}

}  // namespace bench
