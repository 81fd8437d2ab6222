// Cameras and points from where the points are seen: bundle adjustment of a synthetic scene, by Levenberg and
// Marquardt's method with a sparse Jacobian. bundle_adjustment [--check]
#include <xtgrad/xtgrad.h>

#include <xtgrad/optim/levenberg_marquardt.h>

#include <chrono>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <span>
#include <string_view>
#include <vector>

using namespace xtgrad;

namespace {

constexpr double focal = 500;  // pixels

// [project]
/// Where cameras [c, 6] see points [p, 3], in pixels, [c, p, 2]. A camera is a rotation, its axis times its
/// angle (Rodrigues' formula), and a translation; it looks along its third axis.
Tensor project(const Tensor& cameras, const Tensor& points) {
  const Tensor axis = unsqueeze(slice(cameras, {.axis = 1, .stop = 3}), 1);
  const Tensor translation = unsqueeze(slice(cameras, {.axis = 1, .start = 3}), 1);
  const Tensor angle = norm(axis, {.axes = {2}, .keepdim = true});
  const Tensor x = unsqueeze(points, 0), once = cross(axis, x), twice = cross(axis, once);
  const Tensor placed =
      x + sin(angle) / angle * once + (1 - cos(angle)) / square(angle) * twice + translation;
  const Tensor depth = slice(placed, {.axis = 2, .start = 2});
  return focal * slice(placed, {.axis = 2, .stop = 2}) / depth;
}
// [/project]

// [pattern]
/// Which parameters each of the residuals [c, p, 2] depends on: one camera's six and one point's three.
Tensor pattern_of(std::int64_t c, std::int64_t p) {
  std::vector<std::int64_t> all;
  for (std::int64_t residual = 0; residual < c * p * 2; ++residual) {
    const std::int64_t camera = residual / (2 * p), point = residual / 2 % p;
    for (std::int64_t i = 0; i < 6; ++i) all.push_back(6 * camera + i);
    for (std::int64_t i = 0; i < 3; ++i) all.push_back(6 * c + 3 * point + i);
  }
  return from_span(std::span<const std::int64_t>(all), {c * p * 2, 9});
}
// [/pattern]

/// Cameras on an arc of a circle, which look at a cloud of points around the origin.
Tensor make_cameras(std::int64_t c) {
  const Tensor angle = linspace(-0.8, 0.9, c, {.dtype = float64});
  const auto all = [&](double x) { return full({c}, x, {.dtype = float64}); };
  return stack({all(0.1), angle, all(-0.05), all(0), all(0.2), all(6)}, 1);
}

double root_mean_square(const Tensor& x) { return std::sqrt(mean(square(x)).item()); }

}  // namespace

int main(int argc, char** argv) try {
  Random random(2);
  const auto noise = [&](const Shape& shape) { return randn(shape, random, {.dtype = float64}); };
  if (argc > 1 && std::string_view(argv[1]) == "--check") {
    require_grads([](const Tensor& a, const Tensor& b) { return project(a, b); },
                  {make_cameras(3), noise({4, 3})}, {.name = "project"});
    std::printf("gradients are right\n");
    return 0;
  }
  const std::int64_t c = 10, p = 120;
  const Tensor cameras = make_cameras(c), points = noise({p, 3});
  const Tensor seen = project(cameras, points) + 0.5 * noise({c, p, 2});
  std::printf("%d residuals, %d parameters\n", static_cast<int>(seen.numel()),
              static_cast<int>(6 * c + 3 * p));

  using Solver = optim::LeastSquaresSolver;
  struct Way {
    const char* name;
    Solver solver;
    bool is_sparse;
  };
  for (const Way& way :
       {Way{"dense J, Cholesky", Solver::cholesky, false}, Way{"sparse J, Cholesky", Solver::cholesky, true},
        Way{"sparse J, conjugate gradients", Solver::conjugate_gradients, true}}) {
    Random start(5);
    // [fit]
    nn::Parameter found_cameras(cameras + 0.05 * randn({c, 6}, start, {.dtype = float64}));
    nn::Parameter found_points(points + 0.2 * randn({p, 3}, start, {.dtype = float64}));
    const auto residuals = [&] { return project(found_cameras, found_points) - seen; };
    optim::LevenbergMarquardtOptions options{.solver = way.solver, .tolerance_cost = 1e-8};
    if (way.is_sparse) options.pattern = pattern_of(c, p);
    const double before = root_mean_square(residuals());
    const auto begin = std::chrono::steady_clock::now();
    const optim::LeastSquaresFit fit = optim::levenberg_marquardt(
        std::vector{found_cameras.cell(), found_points.cell()}, residuals, options);
    // [/fit]
    const std::chrono::duration<double, std::milli> spent = std::chrono::steady_clock::now() - begin;
    std::printf("%-29s: error %.2f -> %.4f pixels in %d steps, %.0f ms\n", way.name, before,
                root_mean_square(residuals()), static_cast<int>(fit.trials.size()), spent.count());
  }
  // Seven directions change nothing that is seen: the scene may be turned, moved and scaled as a whole.
  const double freedom = 1 - (6. * c + 3. * p - 7) / static_cast<double>(seen.numel());
  std::printf("expected of noise of 0.5 pixels: %.4f\n", 0.5 * std::sqrt(freedom));
} catch (const Error& error) {
  std::fprintf(stderr, "%s\n", error.what());
  return 1;
}
