// Operations on the rows and columns of arrays.

#include "benchmarks/compare/by_hand/families.h"
#include "benchmarks/compare/by_hand/loops.h"
#include "benchmarks/compare/common/inputs.h"

namespace bench {
namespace {

Values room(std::int64_t count) { return Values(static_cast<std::size_t>(count)); }

class SoftmaxCe final : public Workload {
 public:
  SoftmaxCe(std::int64_t rows, std::int64_t classes)
      : rows_(rows),
        classes_(classes),
        z_(numbers(1, rows * classes, -3, 3)),
        labels_(integers(2, rows, classes)),
        dz_(z_.size()) {}

  void step() override {
    const auto share = 1 / static_cast<float>(rows_);
    loss_ = 0;
    for (std::int64_t row = 0; row < rows_; ++row) {
      const float* z = z_.data() + row * classes_;
      float* p = dz_.data() + row * classes_;
      const float top = largest(z, classes_);
      map(
          classes_, p, [top](Lane x) { return exp(x - top); }, z);
      const float sum = total(
          classes_, [](Lane x) { return x; }, p);
      const float scale = share / sum;
      map(
          classes_, p, [scale](Lane x) { return x * scale; }, p);
      const std::int64_t label = labels_[static_cast<std::size_t>(row)];
      loss_ -= (z[label] - top - std::log(sum)) * share;
      p[label] -= share;
    }
  }
  std::vector<Values> outputs() override { return {{loss_}, dz_}; }

 private:
  static float largest(const float* z, std::int64_t n) {
    Lane best(z[0]);
    std::int64_t i = 0;
    for (; i + lane_width <= n; i += lane_width) {
      const Lane x = Lane::load(z + i);
      best = where(x > best, x, best);
    }
    float each[Lane::width];
    best.store(each);
    float top = *std::max_element(each, each + Lane::width);
    for (; i < n; ++i) top = std::max(top, z[i]);
    return top;
  }

  std::int64_t rows_, classes_;
  Values z_;
  std::vector<std::int64_t> labels_;
  Values dz_;
  float loss_ = 0;
};

/// Rows normalised, then weight and bias of each column.
class LayerNorm final : public Workload {
 public:
  LayerNorm(std::int64_t rows, std::int64_t n)
      : rows_(rows),
        n_(n),
        x_(numbers(1, rows * n)),
        weight_(numbers(2, n, 0.5, 1.5)),
        bias_(numbers(3, n)),
        g_(numbers(9, rows * n)),
        y_(x_.size()),
        dx_(x_.size()),
        dweight_(weight_.size()),
        dbias_(weight_.size()),
        mean_(room(rows)),
        inverse_(room(rows)) {}

  void step() override {
    const float share = 1 / static_cast<float>(n_);
    for (std::int64_t row = 0; row < rows_; ++row) {
      const float* x = x_.data() + row * n_;
      const float mean = total(
                             n_, [](Lane v) { return v; }, x) *
                         share;
      const float variance = total(
                                 n_, [mean](Lane v) { return (v - mean) * (v - mean); }, x) *
                             share;
      const float inverse = 1 / std::sqrt(variance + 1e-5F);
      map(
          n_, y_.data() + row * n_, [=](Lane v, Lane w, Lane b) { return (v - mean) * inverse * w + b; }, x,
          weight_.data(), bias_.data());
      mean_[static_cast<std::size_t>(row)] = mean;
      inverse_[static_cast<std::size_t>(row)] = inverse;
    }
    std::fill(dweight_.begin(), dweight_.end(), 0.0F);
    std::fill(dbias_.begin(), dbias_.end(), 0.0F);
    for (std::int64_t row = 0; row < rows_; ++row) back(row, share);
  }
  std::vector<Values> outputs() override { return {y_, dx_, dweight_, dbias_}; }

 private:
  void back(std::int64_t row, float share) {
    const float* x = x_.data() + row * n_;
    const float* g = g_.data() + row * n_;
    const float mean = mean_[static_cast<std::size_t>(row)],
                inverse = inverse_[static_cast<std::size_t>(row)];
    const float* w = weight_.data();
    const float gw = total(
                         n_, [](Lane a, Lane b) { return a * b; }, g, w) *
                     share;
    const float gwx =
        total(
            n_, [=](Lane a, Lane b, Lane v) { return a * b * ((v - mean) * inverse); }, g, w, x) *
        share;
    for (std::int64_t i = 0; i < n_; ++i) {
      const float normal = (x[i] - mean) * inverse;
      dx_[static_cast<std::size_t>(row * n_ + i)] = (g[i] * w[i] - gw - normal * gwx) * inverse;
    }
    float* dw = dweight_.data();
    float* db = dbias_.data();
#pragma GCC ivdep
    for (std::int64_t i = 0; i < n_; ++i) {
      dw[i] += g[i] * ((x[i] - mean) * inverse);
      db[i] += g[i];
    }
  }

  std::int64_t rows_, n_;
  Values x_, weight_, bias_, g_, y_, dx_, dweight_, dbias_, mean_, inverse_;
};

/// Channels of images normalised over the batch.
class BatchNorm final : public Workload {
 public:
  explicit BatchNorm(const std::vector<std::int64_t>& sizes)
      : n_(sizes.at(0)),
        channels_(sizes.at(1)),
        plane_(sizes.at(2) * sizes.at(3)),
        x_(numbers(1, n_ * channels_ * plane_)),
        weight_(numbers(2, channels_, 0.5, 1.5)),
        bias_(numbers(3, channels_)),
        g_(numbers(9, n_ * channels_ * plane_)),
        y_(x_.size()),
        dx_(x_.size()),
        dweight_(weight_.size()),
        dbias_(weight_.size()),
        mean_(room(channels_)),
        inverse_(room(channels_)) {}

  void step() override {
    for (std::int64_t c = 0; c < channels_; ++c) forward(c);
    for (std::int64_t c = 0; c < channels_; ++c) back(c);
  }
  std::vector<Values> outputs() override { return {y_, dx_, dweight_, dbias_}; }

 private:
  template <class F>
  void each_plane(std::int64_t c, const F& f) const {
    for (std::int64_t i = 0; i < n_; ++i) f((i * channels_ + c) * plane_);
  }

  void forward(std::int64_t c) {
    const auto k = static_cast<std::size_t>(c);
    const float share = 1 / static_cast<float>(n_ * plane_);
    Lane sum(0.0F);
    each_plane(c, [&](std::int64_t at) {
      sum += total_lanes(
          plane_, [](Lane v) { return v; }, x_.data() + at);
    });
    const float mean = sum_of(sum) * share;
    Lane squares(0.0F);
    each_plane(c, [&](std::int64_t at) {
      squares += total_lanes(
          plane_, [mean](Lane v) { return (v - mean) * (v - mean); }, x_.data() + at);
    });
    const float inverse = 1 / std::sqrt(sum_of(squares) * share + 1e-5F);
    const float scale = inverse * weight_[k], shift = bias_[k];
    each_plane(c, [&](std::int64_t at) {
      map(
          plane_, y_.data() + at, [=](Lane v) { return (v - mean) * scale + shift; }, x_.data() + at);
    });
    mean_[k] = mean;
    inverse_[k] = inverse;
  }

  void back(std::int64_t c) {
    const auto k = static_cast<std::size_t>(c);
    const float share = 1 / static_cast<float>(n_ * plane_);
    const float mean = mean_[k], inverse = inverse_[k];
    float sum = 0, product = 0;
    each_plane(c, [&](std::int64_t at) {
      sum += total(
          plane_, [](Lane v) { return v; }, g_.data() + at);
      product += total(
          plane_, [mean](Lane g, Lane v) { return g * (v - mean); }, g_.data() + at, x_.data() + at);
    });
    dbias_[k] = sum;
    dweight_[k] = product * inverse;
    const float scale = inverse * weight_[k], average = sum * share,
                slope = product * inverse * inverse * share;
    each_plane(c, [&](std::int64_t at) {
      map(
          plane_, dx_.data() + at, [=](Lane g, Lane v) { return (g - average - (v - mean) * slope) * scale; },
          g_.data() + at, x_.data() + at);
    });
  }

  std::int64_t n_, channels_, plane_;
  Values x_, weight_, bias_, g_, y_, dx_, dweight_, dbias_, mean_, inverse_;
};

}  // namespace

void add_rows(Families& families) {
  families["softmax_ce"] = [](const Name& name, float) {
    return std::make_unique<SoftmaxCe>(name.numbers().at(0), name.numbers().at(1));
  };
  families["layer_norm"] = [](const Name& name, float) {
    return std::make_unique<LayerNorm>(name.numbers().at(0), name.numbers().at(1));
  };
  families["batch_norm"] = [](const Name& name, float) {
    return std::make_unique<BatchNorm>(name.numbers());
  };
}

}  // namespace bench
