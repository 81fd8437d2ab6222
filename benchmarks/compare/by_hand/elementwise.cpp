// Functions of each of 10^6 elements, and products with a row or a column: one pass forward, one pass back.

#include <bit>

#include "benchmarks/compare/by_hand/families.h"
#include "benchmarks/compare/by_hand/loops.h"
#include "benchmarks/compare/common/inputs.h"
#include "xtgrad/autograd/kernels/levels/lanes_normal.h"

namespace bench {
namespace {

constexpr std::int64_t elements = 1'000'000;

Values room(std::int64_t count = elements) { return Values(static_cast<std::size_t>(count)); }

/// y = f(x) and dx = rule(g, x, y).
template <class F, class Rule>
class OfOne final : public Workload {
 public:
  OfOne(F f, Rule rule, double low) : f_(f), rule_(rule), x_(numbers(1, elements, low, 3)) {}

  void step() override {
    map(elements, y_.data(), f_, x_.data());
    map(elements, dx_.data(), rule_, g_.data(), x_.data(), y_.data());
  }
  std::vector<Values> outputs() override { return {y_, dx_}; }

 private:
  F f_;
  Rule rule_;
  Values x_, g_ = numbers(9, elements), y_ = room(), dx_ = room();
};

/// y = f(x, s) where s = part(x) is kept, and dx = rule(g, x, s, y).
template <class Part, class F, class Rule>
class WithPart final : public Workload {
 public:
  WithPart(Part part, F f, Rule rule) : part_(part), f_(f), rule_(rule) {}

  void step() override {
    static_assert(elements % Lane::width == 0);
    for (std::int64_t i = 0; i < elements; i += lane_width) {
      const Lane x = Lane::load(x_.data() + i);
      const Lane s = part_(x);
      s.store(s_.data() + i);
      f_(x, s).store(y_.data() + i);
    }
    map(elements, dx_.data(), rule_, g_.data(), x_.data(), s_.data(), y_.data());
  }
  std::vector<Values> outputs() override { return {y_, dx_}; }

 private:
  Part part_;
  F f_;
  Rule rule_;
  Values x_ = numbers(1, elements, -3, 3), g_ = numbers(9, elements), s_ = room(), y_ = room(), dx_ = room();
};

template <class F, class Rule>
std::unique_ptr<Workload> of_one(F f, Rule rule, double low = -3) {
  return std::make_unique<OfOne<F, Rule>>(f, rule, low);
}

template <class Part, class F, class Rule>
std::unique_ptr<Workload> with_part(Part part, F f, Rule rule) {
  return std::make_unique<WithPart<Part, F, Rule>>(part, f, rule);
}

std::unique_ptr<Workload> smooth(const std::string& name) {
  if (name == "tanh") {
    return of_one([](Lane x) { return tanh(x); },
                  [](Lane g, Lane, Lane y) { return g * ((1 - y) * (1 + y)); });
  }
  if (name == "sigmoid") {
    return of_one([](Lane x) { return sigmoid(x); }, [](Lane g, Lane, Lane y) { return g * (y * (1 - y)); });
  }
  if (name == "exp") {
    return of_one([](Lane x) { return exp(x); }, [](Lane g, Lane, Lane y) { return g * y; });
  }
  if (name == "log") {
    return of_one([](Lane x) { return log(x); }, [](Lane g, Lane x, Lane) { return g / x; }, 0.1);
  }
  if (name == "softplus") {
    return of_one([](Lane x) { return maximum(x, 0) + log1p(exp(-abs(x))); },
                  [](Lane g, Lane x, Lane) { return g * sigmoid(x); });
  }
  if (name == "square_plus") {
    // The root is 2y - x, so it is taken once.
    return of_one([](Lane x) { return (x + sqrt(x * x + 4)) * 0.5; },
                  [](Lane g, Lane x, Lane y) { return g * y / (2 * y - x); });
  }
  if (name == "gelu") {
    return with_part(
        [](Lane x) { return normal_cdf(x); }, [](Lane x, Lane s) { return x * s; },
        [](Lane g, Lane x, Lane s, Lane) { return g * (s + x * exp(x * x * -0.5) * 0.39894228F); });
  }
  if (name == "silu") {
    return with_part([](Lane x) { return sigmoid(x); }, [](Lane x, Lane s) { return x * s; },
                     [](Lane g, Lane, Lane s, Lane y) { return g * (s + y * (1 - s)); });
  }
  if (name == "chain5") {
    return with_part(
        [](Lane x) { return tanh(x * 1.1F + 0.3F); }, [](Lane, Lane s) { return sigmoid(s * s); },
        [](Lane g, Lane, Lane s, Lane y) { return g * (y * (1 - y)) * (2.2F * s) * ((1 - s) * (1 + s)); });
  }
  return nullptr;
}

std::unique_ptr<Workload> kinked(const std::string& name) {
  if (name == "relu") {
    return of_one([](Lane x) { return where(x > 0, x, 0); },
                  [](Lane g, Lane x, Lane) { return where(x > 0, g, 0); });
  }
  if (name == "clamp") {
    return of_one([](Lane x) { return minimum(maximum(x, -1), 1); },
                  [](Lane g, Lane x, Lane) { return where((x > -1) & (x < 1), g, 0); });
  }
  return nullptr;
}

class Choice final : public Workload {
 public:
  Choice() {
    const Values c = numbers(3, elements);
    std::transform(c.begin(), c.end(), mask_.get(), [](float x) { return x > 0; });
  }
  void step() override {
    // By bits, all of them or none: the compiler makes registers of bytes that way, and branches of
    // conditions.
    const auto* mask = reinterpret_cast<const std::uint8_t*>(mask_.get());
    const auto bits = [](float x) { return std::bit_cast<std::uint32_t>(x); };
    for (std::size_t i = 0; i < y_.size(); ++i) {
      const std::uint32_t m = 0U - mask[i];
      y_[i] = std::bit_cast<float>((bits(a_[i]) & m) | (bits(b_[i]) & ~m));
    }
    const float* g = g_.data();
    float* da = da_.data();
    float* db = db_.data();
#pragma GCC ivdep
    for (std::size_t i = 0; i < y_.size(); ++i) {
      const std::uint32_t m = 0U - mask[i];
      da[i] = std::bit_cast<float>(bits(g[i]) & m);
      db[i] = std::bit_cast<float>(bits(g[i]) & ~m);
    }
  }
  std::vector<Values> outputs() override { return {y_, da_, db_}; }

 private:
  Values a_ = numbers(1, elements), b_ = numbers(2, elements), g_ = numbers(9, elements), y_ = room(),
         da_ = room(), db_ = room();
  std::unique_ptr<bool[]> mask_ = std::make_unique<bool[]>(elements);
};

/// x [rows, columns] times a row of factors. A short row is laid out several times, a multiple of the lanes
/// long.
class RowFactors final : public Workload {
 public:
  explicit RowFactors(std::int64_t columns)
      : columns_(columns),
        period_(columns * lane_width),
        b_(numbers(2, columns)),
        x_(numbers(1, elements / columns * columns)),
        g_(numbers(9, elements / columns * columns)),
        y_(x_.size()),
        dx_(x_.size()),
        db_(b_.size()),
        wide_b_(static_cast<std::size_t>(period_)),
        wide_db_(wide_b_.size()) {}

  void step() override {
    for (std::size_t i = 0; i < wide_b_.size(); ++i) wide_b_[i] = b_[i % b_.size()];
    const auto n = static_cast<std::int64_t>(x_.size());
    for (std::int64_t i = 0; i < n; i += period_) {
      map(
          std::min(period_, n - i), y_.data() + i, [](Lane x, Lane b) { return x * b; }, x_.data() + i,
          wide_b_.data());
    }
    std::fill(wide_db_.begin(), wide_db_.end(), 0.0F);
    for (std::int64_t i = 0; i < n; i += period_) {
      const std::int64_t count = std::min(period_, n - i);
      map(
          count, dx_.data() + i, [](Lane g, Lane b) { return g * b; }, g_.data() + i, wide_b_.data());
      map(
          count, wide_db_.data(), [](Lane g, Lane x, Lane sum) { return fma(g, x, sum); }, g_.data() + i,
          x_.data() + i, wide_db_.data());
    }
    std::fill(db_.begin(), db_.end(), 0.0F);
    for (std::size_t i = 0; i < wide_db_.size(); ++i) db_[i % db_.size()] += wide_db_[i];
  }
  std::vector<Values> outputs() override { return {y_, dx_, db_}; }

 private:
  std::int64_t columns_, period_;
  Values b_, x_, g_, y_, dx_, db_, wide_b_, wide_db_;
};

/// x [1000, 1000] times a column of factors.
class ColumnFactors final : public Workload {
 public:
  void step() override {
    for (std::int64_t row = 0; row < side; ++row) {
      const float b = b_[static_cast<std::size_t>(row)];
      map(
          side, y_.data() + row * side, [b](Lane x) { return x * b; }, x_.data() + row * side);
    }
    for (std::int64_t row = 0; row < side; ++row) {
      const float b = b_[static_cast<std::size_t>(row)];
      const float* x = x_.data() + row * side;
      const float* g = g_.data() + row * side;
      Lane sums[2] = {Lane(0.0F), Lane(0.0F)};
      std::int64_t i = 0;
      for (; i + 2 * lane_width <= side; i += 2 * lane_width) {
        for (std::int64_t k = 0; k < 2; ++k) {
          const Lane cotangent = Lane::load(g + i + k * lane_width);
          (cotangent * b).store(dx_.data() + row * side + i + k * lane_width);
          sums[k] = fma(cotangent, Lane::load(x + i + k * lane_width), sums[k]);
        }
      }
      float sum = sum_of(sums[0] + sums[1]);
      for (; i < side; ++i) {
        dx_[static_cast<std::size_t>(row * side + i)] = g[i] * b;
        sum += g[i] * x[i];
      }
      db_[static_cast<std::size_t>(row)] = sum;
    }
  }
  std::vector<Values> outputs() override { return {y_, dx_, db_}; }

 private:
  static constexpr std::int64_t side = 1000;
  Values b_ = numbers(2, side), x_ = numbers(1, elements), g_ = numbers(9, elements), y_ = room(),
         dx_ = room(), db_ = room(side);
};

}  // namespace

void add_elementwise(Families& families) {
  families["elementwise"] = [](const Name& name, float) -> std::unique_ptr<Workload> {
    if (auto workload = smooth(name.arguments)) return workload;
    if (auto workload = kinked(name.arguments)) return workload;
    if (name.arguments == "where") return std::make_unique<Choice>();
    if (name.arguments == "mul_column") return std::make_unique<ColumnFactors>();
    if (name.arguments.starts_with("mul_row")) return std::make_unique<RowFactors>(name.numbers().at(0));
    return nullptr;
  };
}

}  // namespace bench
