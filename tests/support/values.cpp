#include "tests/support/values.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <numeric>

#include "xtgrad/autograd/core/array.h"
#include "xtgrad/autograd/creation.h"

namespace xtgrad::inline v1::testing {
bool same_bits(const Tensor& a, const Tensor& b) {
  if (a.shape() != b.shape() || a.dtype() != b.dtype()) return false;
  return detail::visit(a.dtype(), [&](auto zero) {
    const auto x = a.data<decltype(zero)>();
    return std::memcmp(x.data(), b.data<decltype(zero)>().data(), x.size_bytes()) == 0;
  });
}

Values row(std::initializer_list<double> values) {
  return {{static_cast<std::int64_t>(values.size())}, {values.begin(), values.end()}};
}

Values scalar(double value) { return {{}, {value}}; }

std::vector<double> values(const Tensor& tensor) {
  const Tensor wide = tensor.to(float64);
  const std::span<const double> data = wide.data<double>();
  return {data.begin(), data.end()};
}

Input mask_input(const Shape& shape) {
  return {.shape = shape,
          .domain = {.low = 0, .high = 1, .whole = true},
          .role = Role::mask,
          .differentiable = false};
}

Input index_input(const Shape& shape, std::int64_t low, std::int64_t high) {
  return {.shape = shape,
          .domain = {.low = static_cast<double>(low), .high = static_cast<double>(high) - 1, .whole = true},
          .role = Role::index,
          .differentiable = false};
}

namespace {

double draw_one(const Domain& domain, Random& random) {
  const double width = domain.high - domain.low;
  if (domain.whole)
    return domain.low + static_cast<double>(random.next_below(static_cast<std::int64_t>(width) + 1));
  for (;;) {
    const double value = domain.low + width * random.next_uniform();
    const bool near_kink = std::any_of(domain.avoid.begin(), domain.avoid.end(),
                                       [&](double kink) { return std::abs(value - kink) < width / 10; });
    if (!near_kink) return value;
  }
}

/// Places a quarter apart and centred on zero, in random order, each moved by less than a tenth.
class ApartPlaces {
 public:
  ApartPlaces(std::size_t n, Random& random) : places_(n) {
    std::iota(places_.begin(), places_.end(), 0);
    for (std::size_t i = n; i > 1; --i) {
      std::swap(places_[i - 1],
                places_[static_cast<std::size_t>(random.next_below(static_cast<std::int64_t>(i)))]);
    }
  }
  double next(Random& random) {
    const double place = places_.back() - 0.5 * static_cast<double>(count_);
    places_.pop_back();
    return 0.25 * place + 0.1 * (random.next_uniform() - 0.5);
  }

 private:
  std::vector<double> places_;
  std::size_t count_ = places_.size();
};

}  // namespace

std::vector<Values> draw(std::span<const Input> inputs, Random& random) {
  std::size_t n_apart = 0;
  for (const Input& input : inputs) {
    if (input.domain.apart) n_apart += static_cast<std::size_t>(input.shape.numel());
  }
  ApartPlaces apart(n_apart, random);
  std::vector<Values> drawn;
  for (const Input& input : inputs) {
    drawn.push_back(fill(input.shape, [&](const Index&) -> Real {
      return input.domain.apart ? apart.next(random) : draw_one(input.domain, random);
    }));
  }
  return drawn;
}

}  // namespace xtgrad::v1::testing
