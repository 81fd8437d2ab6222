#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <numbers>
#include <vector>

#include "tests/gallery/gallery_page.h"
#include "xtgrad/autograd/random.h"
#include "xtgrad/autograd/random_tensors.h"

using namespace xtgrad;

namespace {

using Row = std::vector<long double>;

/// By Gaussian elimination with pivots.
Row solve(std::vector<Row> a, Row b) {
  const std::size_t n = b.size();
  for (std::size_t i = 0; i < n; ++i) {
    std::size_t pivot = i;
    for (std::size_t r = i + 1; r < n; ++r) {
      if (std::abs(a[r][i]) > std::abs(a[pivot][i])) pivot = r;
    }
    std::swap(a[i], a[pivot]);
    std::swap(b[i], b[pivot]);
    for (std::size_t r = i + 1; r < n; ++r) {
      const long double factor = a[r][i] / a[i][i];
      for (std::size_t c = i; c < n; ++c) a[r][c] -= factor * a[i][c];
      b[r] -= factor * b[i];
    }
  }
  for (std::size_t i = n; i-- > 0;) {
    for (std::size_t c = i + 1; c < n; ++c) b[i] -= a[i][c] * b[c];
    b[i] /= a[i][i];
  }
  return b;
}

struct Points {
  std::vector<double> x;
  std::vector<double> y;
};

/// The page's draws, in its order: noise after the places that it belongs to.
Points measured_at(const std::vector<double>& x) {
  const Tensor noise = randn({static_cast<std::int64_t>(x.size()), 1}, default_random(), {.dtype = float64});
  const auto z = noise.data<double>();
  Points points{x, {}};
  for (std::size_t i = 0; i < x.size(); ++i) {
    points.y.push_back(std::sin(std::numbers::pi * x[i]) + 0.2 * z[i]);
  }
  return points;
}
std::vector<double> anywhere(std::int64_t n) {
  const Tensor x = uniform({n, 1}, {.low = -1, .high = 1}, default_random(), {.dtype = float64});
  const auto elements = x.data<double>();
  return {elements.begin(), elements.end()};
}
std::vector<double> evenly(int n) {
  std::vector<double> x;
  for (int i = 0; i < n; ++i) x.push_back(-1 + 2.0 * i / (n - 1));
  return x;
}

/// Legendre's polynomials span what powers of x do, and their normal equations keep their digits.
struct Legendre {
  static Row values(double x, std::size_t degree) {
    Row p{1, x};
    for (std::size_t k = 1; k < degree; ++k) {
      p.push_back((static_cast<long double>(2 * k + 1) * x * p[k] - static_cast<long double>(k) * p[k - 1]) /
                  static_cast<long double>(k + 1));
    }
    p.resize(degree + 1);
    return p;
  }
};
struct Powers {
  static Row values(double x, std::size_t degree) {
    Row p{1};
    for (std::size_t k = 0; k < degree; ++k) p.push_back(p.back() * x);
    return p;
  }
};

template <class Basis>
Row fit(const Points& points, std::size_t degree, long double l2) {
  std::vector<Row> a(degree + 1, Row(degree + 1, 0));
  Row b(degree + 1, 0);
  for (std::size_t i = 0; i < points.x.size(); ++i) {
    const Row row = Basis::values(points.x[i], degree);
    for (std::size_t r = 0; r <= degree; ++r) {
      for (std::size_t c = 0; c <= degree; ++c) a[r][c] += row[r] * row[c];
      b[r] += row[r] * points.y[i];
    }
  }
  for (std::size_t k = 1; k <= degree; ++k) a[k][k] += l2;  // not the bias
  return solve(a, b);
}

template <class Basis>
double error(const Row& weights, const Points& points) {
  long double sum = 0;
  for (std::size_t i = 0; i < points.x.size(); ++i) {
    const Row row = Basis::values(points.x[i], weights.size() - 1);
    long double y = 0;
    for (std::size_t k = 0; k < row.size(); ++k) y += weights[k] * row[k];
    sum += (y - points.y[i]) * (y - points.y[i]);
  }
  return static_cast<double>(sum / static_cast<long double>(points.x.size()));
}

}  // namespace

TEST_CASE("gallery 05: a penalty chosen on validation points lowers the test error of a high degree") {
  const testing::GalleryPage page("05_overfitting");
  manual_seed(0);
  const Points training = measured_at(evenly(20));
  const Points validation = measured_at(anywhere(40));
  const Points test = measured_at(anywhere(1000));

  // Degrees, without a penalty.
  const std::vector<double> training_errors = page.numbers("training error by degree");
  const std::vector<double> validation_errors = page.numbers("validation error by degree");
  REQUIRE(training_errors.size() == 15);
  for (std::size_t degree = 1; degree <= 15; ++degree) {
    CAPTURE(degree);
    const Row weights = fit<Legendre>(training, degree, 0);
    CHECK(training_errors[degree - 1] == doctest::Approx(error<Legendre>(weights, training)).epsilon(1e-9));
    CHECK(validation_errors[degree - 1] ==
          doctest::Approx(error<Legendre>(weights, validation)).epsilon(1e-6));
    if (degree > 1) CHECK(training_errors[degree - 1] <= training_errors[degree - 2]);
  }
  const auto least = std::min_element(validation_errors.begin(), validation_errors.end());
  CHECK(page.number("degree of the least validation error") ==
        static_cast<double>(least - validation_errors.begin() + 1));
  const double without = page.number("test error without L2");
  CHECK(without == doctest::Approx(error<Legendre>(fit<Legendre>(training, 15, 0), test)).epsilon(1e-6));

  // Penalties, on degree 15. Lambda weighs against the mean of 20 squared errors.
  const double best = page.number("lambda of the least validation error");
  const auto validation_error = [&](double lambda) {
    return error<Powers>(fit<Powers>(training, 15, 20 * lambda), validation);
  };
  for (double exponent = -6; exponent <= 1; exponent += 0.25) {
    CHECK(validation_error(best) <= validation_error(std::pow(10, exponent)) * (1 + 1e-12));
  }
  const Row weights = fit<Powers>(training, 15, 20 * best);
  const double with = page.number("test error with L2");
  CHECK(with == doctest::Approx(error<Powers>(weights, test)).epsilon(1e-9));
  CHECK(with < without / 2);
  CHECK(with > 0.2 * 0.2 * 0.9);  // of the noise, which no fit can foresee
  long double squares = 0;
  for (std::size_t k = 1; k <= 15; ++k) squares += weights[k] * weights[k];
  const double length = page.number("length of the weights with L2");
  CHECK(length == doctest::Approx(static_cast<double>(std::sqrt(squares))).epsilon(1e-9));
  CHECK(page.number("length of the weights without L2") > 1000 * length);

  CHECK(page.number("distance after 10000 steps with L2") < 1e-10);
  CHECK(page.number("distance after 10000 steps without L2") >
        0.99 * page.number("length of the weights without L2"));
}
