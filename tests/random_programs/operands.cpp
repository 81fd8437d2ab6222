#include "tests/random_programs/operands.h"

#include <algorithm>
#include <cctype>
#include <cmath>

#include "tests/random_programs/generate.h"
#include "xtgrad/autograd/creation.h"

namespace xtgrad::random_programs {
namespace {

bool is_free(const std::string& pattern) { return pattern == "*" || pattern == "+"; }

bool allows(char letter, std::int64_t size) {
  if (letter == 'b') return size == 1 || size == 2;
  if (std::isupper(static_cast<unsigned char>(letter)) != 0) return size == 4 || size == 5;
  return size == 2 || size == 3;
}

std::int64_t size_of(char letter, Sizes& sizes, Random& random) {
  if (std::isdigit(static_cast<unsigned char>(letter)) != 0) return letter - '0';
  const auto [found, is_new] = sizes.of_letters.try_emplace(letter, 0);
  if (is_new) {
    const bool is_large = std::isupper(static_cast<unsigned char>(letter)) != 0;
    found->second = random.next_below(2) + (letter == 'b' ? 1 : is_large ? 4 : 2);
  }
  return found->second;
}

Shape free_shape(bool has_axis, Random& random) {
  const std::int64_t rank = has_axis ? 1 + random.next_below(3) : random.next_below(4);
  std::vector<std::int64_t> sizes;
  for (std::int64_t i = 0; i < rank; ++i)
    sizes.push_back(random.next_below(6) == 0 ? 1 : 2 + random.next_below(3));
  return Shape(sizes);
}

/// A shape that stretches to the first, or is it.
Shape stretching(const Shape& first, Random& random) {
  const std::int64_t dropped =
      random.next_below(2) * random.next_below(static_cast<std::int64_t>(first.rank()) + 1);
  std::vector<std::int64_t> sizes(first.begin() + dropped, first.end());
  for (std::int64_t& size : sizes) size = random.next_below(3) == 0 ? 1 : size;
  return Shape(sizes);
}

}  // namespace

bool bind(const std::string& pattern, const Shape& shape, Sizes& sizes) {
  if (is_free(pattern)) return pattern == "*" || shape.rank() > 0;
  if (pattern == "=") return shape == sizes.first;
  if (pattern == "~") return broadcasts(shape, sizes.first);
  if (shape.rank() != pattern.size()) return false;
  Sizes bound = sizes;
  for (std::size_t i = 0; i < pattern.size(); ++i) {
    const char letter = pattern[i];
    if (std::isdigit(static_cast<unsigned char>(letter)) != 0) {
      if (shape[i] != letter - '0') return false;
      continue;
    }
    if (!allows(letter, shape[i])) return false;
    if (bound.of_letters.try_emplace(letter, shape[i]).first->second != shape[i]) return false;
  }
  sizes = bound;
  return true;
}

Shape draw_shape(const std::string& pattern, Sizes& sizes, Random& random) {
  if (is_free(pattern)) return free_shape(pattern == "+", random);
  if (pattern == "=") return sizes.first;
  if (pattern == "~") return stretching(sizes.first, random);
  std::vector<std::int64_t> drawn;
  for (const char letter : pattern) drawn.push_back(size_of(letter, sizes, random));
  return Shape(drawn);
}

bool broadcasts(const Shape& a, const Shape& b) {
  for (std::size_t i = 1; i <= std::min(a.rank(), b.rank()); ++i) {
    const std::int64_t x = a[a.rank() - i], y = b[b.rank() - i];
    if (x != y && x != 1 && y != 1) return false;
  }
  return true;
}

bool in_range(const Operand& operand, const Tensor& value) {
  if (!operand.range) return true;
  const std::vector<double> elements = testing::values(value);
  return std::all_of(elements.begin(), elements.end(),
                     [&](double x) { return x >= operand.range->first && x <= operand.range->second; });
}

bool away_from_kinks(const Operand& operand, const Tensor& value) {
  if (operand.role != Role::floating) return true;
  for (const double x : testing::values(value)) {
    for (const double kink : operand.avoid) {
      if (std::abs(x - kink) < kink_margin) return false;
    }
    if (operand.not_whole && std::abs(x - std::round(x)) < kink_margin) return false;
    if (operand.not_half && std::abs(x - std::floor(x) - 0.5) < kink_margin) return false;
  }
  return true;
}

bool are_apart(std::span<const Tensor> values) {
  std::vector<double> all;
  for (const Tensor& value : values) {
    const std::vector<double> elements = testing::values(value);
    all.insert(all.end(), elements.begin(), elements.end());
  }
  std::sort(all.begin(), all.end());
  for (std::size_t i = 1; i < all.size(); ++i) {
    if (all[i] - all[i - 1] < kink_margin) return false;
  }
  return true;
}

Tensor draw_leaf(const Operand& operand, const Shape& shape, std::int64_t below, Random& random) {
  testing::Input input{.shape = shape, .role = operand.role};
  if (operand.role == Role::mask) input = testing::mask_input(shape);
  if (operand.role == Role::index) input = testing::index_input(shape, 0, below);
  if (operand.role == Role::floating) {
    input.domain.avoid = operand.avoid;
    input.domain.apart = operand.apart;
    if (operand.range) {
      // Away from the ends, for some of them are kinks to what is asked of the operand besides.
      const auto [low, high] = *operand.range;
      input.domain.low = low + 0.05 * (high - low);
      input.domain.high = high - 0.05 * (high - low);
    }
  }
  const testing::Values drawn = testing::draw(std::span(&input, 1), random)[0];
  const Dtype dtype = operand.role == Role::mask ? boolean : operand.role == Role::index ? int64 : float64;
  Tensor leaf = testing::to_tensor(drawn, dtype);
  if (!operand.not_whole && !operand.not_half) return leaf;
  std::vector<double> elements = testing::values(leaf);
  const double from = operand.not_half ? 0.6 : 0.1;
  for (double& x : elements) x = std::floor(x) + from + 0.8 * (x - std::floor(x));
  return from_span(std::span<const double>(elements), shape);
}

}  // namespace xtgrad::random_programs
