// Draws on lanes: the numbers of the scalar definitions in core/philox.h, bit by bit.
#include "xtgrad/autograd/kernels/levels/draw.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "xtgrad/autograd/core/philox.h"
#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/random.h"
#include "xtgrad/autograd/threads.h"

using namespace xtgrad;
using detail::DrawStream;

namespace {

const DrawStream streams[] = {
    {0, 0}, {0x123456789abcdef0, 0xfedcba9876543210}, {0xffffffffffffffff, 0xffffffffffffffff}};
// The counter's low word is passed within the second.
constexpr std::uint64_t starts[] = {0, 0xffffff80, 0xffffffffffffff00};

std::uint64_t bits(double x) { return std::bit_cast<std::uint64_t>(x); }
std::uint32_t bits(float x) { return std::bit_cast<std::uint32_t>(x); }
bool bits(bool x) { return x; }

/// Elements of a draw that differ from f(block).
template <class T, class Draw, class F>
std::int64_t different(std::size_t count, Draw draw, F f) {
  std::int64_t differ = 0;
  for (const DrawStream& stream : streams) {
    for (const std::uint64_t first : starts) {
      const auto drawn = std::make_unique<T[]>(count + 1);  // a vector of bool has no elements
      drawn[count] = static_cast<T>(7);
      draw(stream, first, std::span(drawn.get(), count));
      CHECK(drawn[count] == static_cast<T>(7));
      for (std::size_t i = 0; i < count; ++i) {
        const T want = f(detail::random_bits(stream.seed, stream.position, first + i));
        differ += bits(want) != bits(drawn[i]);
      }
    }
  }
  return differ;
}

}  // namespace

TEST_CASE("draws on lanes are the scalar ones, of any number of blocks") {
  for (const std::size_t count : {0, 1, 2, 3, 7, 8, 15, 17, 255, 256, 257, 1000, 100000}) {
    CAPTURE(count);
    for (const double p : {0.0, 0x1p-53, 1e-5, 0.3, 0.5, std::nextafter(0.5, 1), 0.9, 1 - 0x1p-53, 1.0}) {
      CAPTURE(p);
      CHECK(different<bool>(
                count,
                [p](auto stream, auto first, auto out) { detail::draw_bernoulli(stream, first, p, out); },
                [p](detail::RandomBits b) { return detail::unit_interval(b.low) < p; }) == 0);
    }
    CHECK(different<float>(
              count, [](auto... a) { detail::draw_normal_float32(a...); },
              [](detail::RandomBits b) { return static_cast<float>(detail::normal_from(b)); }) == 0);
    CHECK(different<double>(
              count, [](auto... a) { detail::draw_normal_float64(a...); },
              [](detail::RandomBits b) { return detail::normal_from(b); }) == 0);
  }
}

TEST_CASE("uniform draws on lanes are rounded once, whatever the range") {
  struct Range {
    double low, width;
  };
  for (const Range& range : {Range{0, 1}, Range{-1, 2}, Range{-0.3, 1.7}, Range{1e300, 1e299}, Range{-5, 0},
                             Range{0, 0x1p-1060}, Range{1e-310, 3e-310}, Range{1, 0x1p-52}}) {
    CAPTURE(range.low);
    CHECK(different<double>(
              1000,
              [&](const DrawStream& stream, std::uint64_t first, std::span<double> out) {
                detail::draw_uniform_float64(stream, first, {range.low, range.width},
                                             std::numeric_limits<double>::infinity(), out);
              },
              [&](detail::RandomBits b) {
                return std::fma(range.width, detail::unit_interval(b.low), range.low);
              }) == 0);
  }
}

TEST_CASE("random tensors have the same bits for any number of threads, and over parts of them") {
  const int before = num_threads();
  std::vector<std::vector<float>> drawn;
  for (const int threads : {1, 2, 3}) {
    set_num_threads(threads);
    Random random(9);
    const Tensor x = randn({70001}, random), u = uniform({70001}, {.low = -1}, random);
    drawn.emplace_back(x.data<float>().begin(), x.data<float>().end());
    drawn.back().insert(drawn.back().end(), u.data<float>().begin(), u.data<float>().end());
  }
  set_num_threads(before);
  CHECK(drawn[0] == drawn[1]);
  CHECK(drawn[0] == drawn[2]);
  for (const std::size_t i : {std::size_t{0}, std::size_t{32767}, std::size_t{32768}, std::size_t{70000}}) {
    const detail::RandomBits normal = detail::random_bits(9, 0, i), unit = detail::random_bits(9, 1, i);
    CHECK(drawn[0][i] == static_cast<float>(detail::normal_from(normal)));
    CHECK(drawn[0][70001 + i] == static_cast<float>(std::fma(2, detail::unit_interval(unit.low), -1)));
  }
}
