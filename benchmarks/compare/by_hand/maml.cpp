// Gradient descent through an inner step of gradient descent.

#include <array>
#include <cmath>

#include "benchmarks/compare/by_hand/families.h"
#include "benchmarks/compare/by_hand/loops.h"
#include "benchmarks/compare/by_hand/product.h"
#include "benchmarks/compare/common/inputs.h"

namespace bench {
namespace {

constexpr std::int64_t n = 40;
constexpr std::int64_t rows = 10;  // of a task

/// The parameters of 1-40-40-1 in one array, so that a step is one loop.
template <class Number>
struct Parts {
  explicit Parts(Number* all) : w1(all), b1(w1 + n), w2(b1 + n), b2(w2 + n * n), w3(b2 + n), b3(w3 + n) {}
  static constexpr std::int64_t size = n * n + 4 * n + 1;
  Number *w1, *b1, *w2, *b2, *w3, *b3;
};

/// What a pass over rows leaves: values behind relu, the loss's derivatives in what relu is taken of, and in
/// the result.
struct Pass {
  explicit Pass(std::int64_t count)
      : a1(static_cast<std::size_t>(count * n)),
        a2(a1),
        d1(a1),
        d2(a1),
        d3(static_cast<std::size_t>(count)) {}
  Values a1, a2, d1, d2, d3;
};

/// The loss after one step of gradient descent a task. Its gradient is v - H v / 10, v the gradient at the
/// parameters that were reached, H the inner loss's Hessian; a name that begins with r is a derivative along
/// v. What does not differ by task is one product over the rows of all.
class Maml final : public Workload {
 public:
  Maml(std::int64_t tasks, float rate)
      : tasks_(tasks),
        rate_(rate),
        p_(start()),
        inner_(tasks * rows),
        r_(tasks * rows),
        v_(static_cast<std::size_t>(tasks * Parts<float>::size)) {
    for (std::uint64_t t = 0; t < static_cast<std::uint64_t>(tasks); ++t) {
      for (std::uint64_t k = 0; k < 4; ++k) {
        const Values part = numbers(100 + 4 * t + k, rows);
        points_[k].insert(points_[k].end(), part.begin(), part.end());
      }
    }
  }

  void step() override {
    const Parts<const float> p(p_.value.data());
    pass(p, tasks_ * rows, points_[0].data(), points_[1].data(), inner_);
    float loss = 0;
    std::fill(p_.gradient.begin(), p_.gradient.end(), 0.0F);
    for (std::int64_t t = 0; t < tasks_; ++t) {
      gradient(inner_, t, points_[0].data(), moved_.data());
      map(
          Parts<float>::size, moved_.data(), [](Lane x, Lane g) { return fma(g, Lane(-0.1F), x); },
          p_.value.data(), moved_.data());
      loss += pass(Parts<const float>(moved_.data()), rows, points_[2].data() + t * rows,
                   points_[3].data() + t * rows, outer_);
      float* v = v_.data() + t * Parts<float>::size;
      gradient(outer_, 0, points_[2].data() + t * rows, v);
      map(
          Parts<float>::size, p_.gradient.data(), [](Lane sum, Lane g) { return sum + g; },
          p_.gradient.data(), v);
    }
    const float share = 1 / static_cast<float>(tasks_);
    loss_ = loss * share;
    along(p);
    add_hessian(-0.1F);
    map(
        Parts<float>::size, p_.gradient.data(), [share](Lane g) { return g * share; }, p_.gradient.data());
    adam(p_, ++steps_, rate_);
  }

  std::vector<Values> outputs() override {
    std::vector<Values> all{{loss_}};
    const float* g = p_.gradient.data();
    for (const std::int64_t count : {n, n, n * n, n, n, std::int64_t{1}}) {
      all.emplace_back(g, g + count);
      g += count;
    }
    return all;
  }

 private:
  static Values start() {
    Values all;
    const auto add = [&](std::uint64_t stream, std::int64_t count, double bound) {
      const Values part = numbers(stream, count, -bound, bound);
      all.insert(all.end(), part.begin(), part.end());
    };
    const double bound = 1 / std::sqrt(static_cast<double>(n));
    add(10, n, 1);
    add(11, n, 1);
    add(12, n * n, bound);
    add(13, n, bound);
    add(14, n, bound);
    add(15, 1, bound);
    return all;
  }

  /// Values, the mean squared error of each task's rows, summed, and the derivatives.
  static float pass(const Parts<const float>& p, std::int64_t count, const float* x, const float* y,
                    Pass& to) {
    const auto relu = [](Lane z) { return where(z > 0, z, 0); };
    float* a1 = to.a1.data();
    for (std::int64_t row = 0; row < count; ++row, a1 += n) {
      map(
          n, a1, [&, at = Lane(x[row])](Lane w, Lane b) { return relu(fma(w, at, b)); }, p.w1, p.b1);
    }
    product(CblasNoTrans, CblasTrans, count, n, n, to.a1.data(), p.w2, to.a2.data());
    add_bias(count, n, p.b2, to.a2.data(), relu);
    float loss = 0;
    const auto gate = [](Lane g, Lane a) { return where(a > 0, g, 0); };
    for (std::int64_t row = 0; row < count; ++row) {
      const float* a2 = to.a2.data() + row * n;
      const float off = *p.b3 - y[row] +
                        total(
                            n, [](Lane a, Lane w) { return a * w; }, a2, p.w3);
      loss += off * off;
      const float d = 2 * off / static_cast<float>(rows);
      to.d3[static_cast<std::size_t>(row)] = d;
      map(
          n, to.d2.data() + row * n, [&](Lane w, Lane a) { return gate(w * d, a); }, p.w3, a2);
    }
    product(CblasNoTrans, CblasNoTrans, count, n, n, to.d2.data(), p.w2, to.d1.data());
    map(count * n, to.d1.data(), gate, to.d1.data(), to.a1.data());
    return loss / static_cast<float>(rows);
  }

  /// The gradient of one task's loss.
  static void gradient(const Pass& of, std::int64_t task, const float* x, float* to) {
    const Parts<float> g(to);
    const std::int64_t at = task * rows * n;
    product(CblasTrans, CblasNoTrans, n, n, rows, of.d2.data() + at, of.a1.data() + at, g.w2);
    std::fill_n(g.w1, n, 0.0F);
    std::fill_n(g.w3, n, 0.0F);
    *g.b3 = 0;
    sum_rows(rows, n, of.d1.data() + at, g.b1);
    sum_rows(rows, n, of.d2.data() + at, g.b2);
    for (std::int64_t row = task * rows; row < (task + 1) * rows; ++row) {
      const float d3 = of.d3[static_cast<std::size_t>(row)];
      add_scaled(x[row], of.d1.data() + row * n, g.w1);
      add_scaled(d3, of.a2.data() + row * n, g.w3);
      *g.b3 += d3;
    }
  }

  static void add_scaled(float factor, const float* x, float* to) {
    map(
        n, to, [at = Lane(factor)](Lane v, Lane sum) { return fma(v, at, sum); }, x, to);
  }

  /// The derivatives of the inner pass along each task's v.
  void along(const Parts<const float>& p) {
    const std::int64_t count = tasks_ * rows;
    const auto gate = [](Lane g, Lane a) { return where(a > 0, g, 0); };
    for (std::int64_t row = 0; row < count; ++row) {
      const Parts<const float> v(v_.data() + row / rows * Parts<float>::size);
      map(
          n, r_.a1.data() + row * n,
          [&, x = Lane(points_[0][static_cast<std::size_t>(row)])](Lane w, Lane b, Lane a) {
            return gate(fma(w, x, b), a);
          },
          v.w1, v.b1, inner_.a1.data() + row * n);
    }
    product(CblasNoTrans, CblasTrans, count, n, n, r_.a1.data(), p.w2, r_.a2.data());
    for (std::int64_t t = 0; t < tasks_; ++t) {
      const Parts<const float> v(v_.data() + t * Parts<float>::size);
      const std::int64_t at = t * rows * n;
      product(CblasNoTrans, CblasTrans, rows, n, n, inner_.a1.data() + at, v.w2, r_.a2.data() + at, 1, 1);
      for (std::int64_t row = t * rows; row < (t + 1) * rows; ++row) {
        const float* a2 = inner_.a2.data() + row * n;
        float* ra2 = r_.a2.data() + row * n;
        map(
            n, ra2, [&](Lane z, Lane b, Lane a) { return gate(z + b, a); }, ra2, v.b2, a2);
        const float rd = 2 / static_cast<float>(rows) *
                         (*v.b3 + total(
                                      n, [](Lane ra, Lane w, Lane a, Lane rw) { return fma(ra, w, a * rw); },
                                      ra2, p.w3, a2, v.w3));
        r_.d3[static_cast<std::size_t>(row)] = rd;
        const float d = inner_.d3[static_cast<std::size_t>(row)];
        map(
            n, r_.d2.data() + row * n, [&](Lane w, Lane rw, Lane a) { return gate(w * rd + rw * d, a); },
            p.w3, v.w3, a2);
      }
      product(CblasNoTrans, CblasNoTrans, rows, n, n, inner_.d2.data() + at, v.w2, r_.d1.data() + at);
    }
    product(CblasNoTrans, CblasNoTrans, count, n, n, r_.d2.data(), p.w2, r_.d1.data(), 1, 1);
    map(count * n, r_.d1.data(), gate, r_.d1.data(), inner_.a1.data());
  }

  /// Adds `factor` times the tasks' Hessians times v to the gradient.
  void add_hessian(float factor) {
    const Parts<float> g(p_.gradient.data());
    const std::int64_t count = tasks_ * rows;
    product(CblasTrans, CblasNoTrans, n, n, count, r_.d2.data(), inner_.a1.data(), g.w2, factor, 1);
    product(CblasTrans, CblasNoTrans, n, n, count, inner_.d2.data(), r_.a1.data(), g.w2, factor, 1);
    for (std::int64_t row = 0; row < count; ++row) {
      const auto k = static_cast<std::size_t>(row);
      add_scaled(factor * points_[0][k], r_.d1.data() + row * n, g.w1);
      add_scaled(factor, r_.d1.data() + row * n, g.b1);
      add_scaled(factor, r_.d2.data() + row * n, g.b2);
      add_scaled(factor * r_.d3[k], inner_.a2.data() + row * n, g.w3);
      add_scaled(factor * inner_.d3[k], r_.a2.data() + row * n, g.w3);
      *g.b3 += factor * r_.d3[k];
    }
  }

  std::int64_t tasks_;
  float rate_;
  int steps_ = 0;
  float loss_ = 0;
  std::array<Values, 4> points_;  // x, y, later x, later y, task after task
  Learnt p_;
  Pass inner_, r_, outer_{rows};
  Values v_, moved_ = Values(Parts<float>::size);
};

}  // namespace

void add_maml(Families& families) {
  families["maml"] = [](const Name& name, float rate) {
    return std::make_unique<Maml>(name.numbers().at(0), rate);
  };
}

}  // namespace bench
