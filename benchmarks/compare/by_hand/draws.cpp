// The library's random numbers: Philox4x32-10 of a counter, whose constants are Salmon et al.'s, a block for
// each element. What is measured is what an engine costs, and a weaker generator would be measured instead.

#include <numbers>

#include "benchmarks/compare/by_hand/families.h"
#include "benchmarks/compare/by_hand/loops.h"
#include "benchmarks/compare/common/moments.h"

namespace bench {
namespace {

constexpr std::size_t elements = 1'000'000;

/// Blocks side by side, whose rounds do not wait for each other; what an element gets stays in the
/// first-level cache.
constexpr std::size_t abreast = 32;
constexpr std::size_t chunk = 320;
static_assert(elements % chunk == 0 && chunk % abreast == 0);

using Words = xtgrad::detail::LaneBits<double>::Batch;
constexpr std::size_t words_width = Words::size;
static_assert(abreast % words_width == 0);

volatile std::uint32_t seed = 1;  // so that the compiler does not know it

/// The first half of each of `abreast` blocks, 64 bits each, and the second where `Second`. A word is the
/// lower half of its lane; what the upper one has is not looked at.
template <bool Second>
[[gnu::always_inline]] inline void draw(std::uint64_t first, std::uint64_t* low, std::uint64_t* high) {
  constexpr std::size_t n = abreast / words_width;
  std::uint64_t index[abreast];
  for (std::size_t j = 0; j < abreast; ++j) index[j] = j;
  Words x0[n], x1[n], x2[n], x3[n];
  for (std::size_t k = 0; k < n; ++k) {
    x0[k] = Words::load_unaligned(index + k * words_width) + Words(first);
    x1[k] = x0[k] >> 32;
    x2[k] = x3[k] = Words(0);
  }
  std::uint32_t key0 = seed, key1 = 0;
#pragma GCC unroll 10
  for (int round = 0; round < 10; ++round) {
    for (std::size_t k = 0; k < n; ++k) {
      const Words p = xtgrad::detail::product_of_low_halves(x0[k], Words(0xD2511F53U)),
                  q = xtgrad::detail::product_of_low_halves(x2[k], Words(0xCD9E8D57U));
      x0[k] = (q >> 32) ^ x1[k] ^ Words(key0);
      x1[k] = q;
      x2[k] = (p >> 32) ^ x3[k] ^ Words(key1);
      x3[k] = p;
    }
    key0 += 0x9E3779B9U;
    key1 += 0xBB67AE85U;
  }
  for (std::size_t k = 0; k < n; ++k) {
    ((x0[k] & Words(0xffffffffU)) | (x1[k] << 32)).store_unaligned(low + k * words_width);
    if constexpr (Second)
      ((x2[k] & Words(0xffffffffU)) | (x3[k] << 32)).store_unaligned(high + k * words_width);
  }
}

/// In [0, 1), of a block's 53 leading bits.
void fill_uniform(std::uint64_t first, std::size_t n, float* to) {
  std::uint64_t bits[chunk];
  for (std::size_t at = 0; at < n; at += chunk) {
    for (std::size_t i = 0; i < chunk; i += abreast) draw<false>(first + at + i, bits + i, nullptr);
    for (std::size_t i = 0; i < chunk; ++i)
      to[at + i] =
          static_cast<float>(static_cast<double>(static_cast<std::int64_t>(bits[i] >> 11U)) * 0x1p-53);
  }
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
  std::uint64_t counter_ = 1;
};

/// Box and Muller's transform of a block's halves.
class Normal final : public Workload {
 public:
  void step() override {
    std::uint64_t low[chunk], high[chunk];
    float u[chunk], v[chunk];
    const auto leading = [](std::uint64_t bits) {
      return static_cast<float>(static_cast<std::int32_t>(bits >> 40U)) * 0x1p-24F;
    };
    for (std::size_t at = 0; at < elements; at += chunk) {
      for (std::size_t i = 0; i < chunk; i += abreast) draw<true>(counter_ + at + i, low + i, high + i);
      for (std::size_t i = 0; i < chunk; ++i) {
        u[i] = leading(low[i]);
        v[i] = leading(high[i]);
      }
      map(
          static_cast<std::int64_t>(chunk), drawn_.data() + at,
          [](Lane r, Lane angle) { return sqrt(-2 * log(1 - r)) * cos(angle * turn); }, u, v);
    }
    counter_ += elements;
  }
  std::vector<Values> outputs() override { return {moments(drawn_)}; }

 private:
  static constexpr float turn = 2 * std::numbers::pi_v<float>;

  Values drawn_ = Values(elements);
  std::uint64_t counter_ = 1;
};

/// p = 1/2, of ones: y = x m and dx = g m, where m is 0 or 2.
class Dropout final : public Workload {
 public:
  void step() override {
    std::uint64_t bits[chunk];
    for (std::size_t at = 0; at < elements; at += chunk) {
      for (std::size_t i = 0; i < chunk; i += abreast) draw<false>(counter_ + at + i, bits + i, nullptr);
      const float* x = x_.data() + at;
      float* m = mask_.data() + at;
      float* y = y_.data() + at;
#pragma GCC ivdep
      for (std::size_t i = 0; i < chunk; ++i) {
        m[i] = static_cast<float>(static_cast<std::int32_t>(bits[i] >> 63U)) * 2;
        y[i] = x[i] * m[i];
      }
    }
    counter_ += elements;
    for (std::size_t i = 0; i < elements; ++i) dx_[i] = g_[i] * mask_[i];
  }
  std::vector<Values> outputs() override { return {moments(y_), moments(dx_)}; }

 private:
  Values x_ = Values(elements, 1.0F), g_ = Values(elements, 1.0F), y_ = Values(elements),
         dx_ = Values(elements);
  Values mask_ = Values(elements);
  std::uint64_t counter_ = 1;
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
