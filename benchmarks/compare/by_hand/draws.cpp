// Random numbers of a counter: a hash of its bits (the finalizer of MurmurHash3, by Appleby), which
// vectorizes.

#include <numbers>

#include "benchmarks/compare/by_hand/families.h"
#include "benchmarks/compare/by_hand/loops.h"
#include "benchmarks/compare/common/moments.h"

namespace bench {
namespace {

constexpr std::size_t elements = 1'000'000;

std::uint32_t bits_of(std::uint32_t counter) {
  std::uint32_t h = counter * 0x9E3779B9U;
  h = (h ^ (h >> 16U)) * 0x85EBCA6BU;
  h = (h ^ (h >> 13U)) * 0xC2B2AE35U;
  return h ^ (h >> 16U);
}

/// In [0, 1).
void fill_uniform(std::uint32_t first, std::size_t n, float* to) {
  for (std::size_t i = 0; i < n; ++i)
    to[i] =
        static_cast<float>(static_cast<std::int32_t>(bits_of(first + static_cast<std::uint32_t>(i)) >> 8U)) *
        0x1p-24F;
}

class Uniform final : public Workload {
 public:
  void step() override {
    fill_uniform(counter_, elements, drawn_.data());
    counter_ += elements;
  }
  std::vector<Values> outputs() override { return {moments(drawn_)}; }

 private:
  Values drawn_ = Values(elements);
  std::uint32_t counter_ = 1;
};

/// Pairs of Box and Muller, from a block of uniform numbers that stays in the first-level cache.
class Normal final : public Workload {
 public:
  void step() override {
    constexpr std::size_t block = 2000;
    static_assert(elements % block == 0 && block / 2 % 8 == 0);
    float uniform[block + Lane::width];
    for (std::size_t at = 0; at < elements; at += block) {
      fill_uniform(counter_, block, uniform);
      counter_ += block;
      constexpr auto half = static_cast<std::int64_t>(block / 2);
      const float* angle = uniform + half;
      map(
          half, drawn_.data() + at, [](Lane u, Lane v) { return radius(u) * cos(v * turn); }, uniform, angle);
      map(
          half, drawn_.data() + at + half, [](Lane u, Lane v) { return radius(u) * sin(v * turn); }, uniform,
          angle);
    }
  }
  std::vector<Values> outputs() override { return {moments(drawn_)}; }

 private:
  static constexpr float turn = 2 * std::numbers::pi_v<float>;
  static Lane radius(Lane u) { return sqrt(-2 * log(1 - u)); }

  Values drawn_ = Values(elements);
  std::uint32_t counter_ = 1;
};

/// p = 1/2, of ones: y = x m and dx = g m, where m is 0 or 2.
class Dropout final : public Workload {
 public:
  void step() override {
    const float* x = x_.data();
    const float* g = g_.data();
    float* m = mask_.data();
    float* y = y_.data();
#pragma GCC ivdep
    for (std::size_t i = 0; i < elements; ++i) {
      m[i] = static_cast<float>(
                 static_cast<std::int32_t>(bits_of(counter_ + static_cast<std::uint32_t>(i)) >> 31U)) *
             2;
      y[i] = x[i] * m[i];
    }
    counter_ += elements;
    for (std::size_t i = 0; i < elements; ++i) dx_[i] = g[i] * m[i];
  }
  std::vector<Values> outputs() override { return {moments(y_), moments(dx_)}; }

 private:
  Values x_ = Values(elements, 1.0F), g_ = Values(elements, 1.0F), y_ = Values(elements),
         dx_ = Values(elements);
  Values mask_ = Values(elements);
  std::uint32_t counter_ = 1;
};

template <class Of>
std::unique_ptr<Workload> make(const Name& /*name*/, float /*rate*/) {
  return std::make_unique<Of>();
}

}  // namespace

void add_draws(Families& families) {
  families["uniform"] = make<Uniform>;
  families["randn"] = make<Normal>;
  families["dropout"] = make<Dropout>;
}

}  // namespace bench
