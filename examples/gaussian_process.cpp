// Regression by a Gaussian process: its hyperparameters by gradients of the log marginal likelihood, its
// prediction with a standard deviation. gaussian_process [--check]
#include <xtgrad/xtgrad.h>

#include <chrono>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <numbers>
#include <string_view>
#include <vector>

using namespace xtgrad;

namespace {

// [process]
/// The covariance of values at places a and b, [n, m]: signal^2 exp(-(a - b)^2 / (2 length^2)).
Tensor kernel(const Tensor& a, const Tensor& b, const Tensor& length, const Tensor& signal) {
  const Tensor distance = (unsqueeze(a, 1) - unsqueeze(b, 0)) / length;
  return square(signal) * exp(square(distance) * -0.5);
}

/// log p(y | x), y ~ N(0, K + noise^2 I), of theta: the logarithms of length, signal and noise.
Tensor log_likelihood(const Tensor& x, const Tensor& y, const Tensor& theta) {
  const std::int64_t n = x.numel();
  const Tensor length = exp(theta[0]), signal = exp(theta[1]), noise = exp(theta[2]);
  const Tensor covariance = kernel(x, x, length, signal) + diag_embed(broadcast_to(square(noise), {n}));
  const Tensor l = cholesky(covariance);
  const Tensor white = solve_triangular(l, y);  // y' K^-1 y = |l^-1 y|^2
  return -0.5 * sum(square(white)) - sum(log(diagonal(l))) -
         0.5 * static_cast<double>(n) * std::log(2 * std::numbers::pi);
}
// [/process]

/// Mean and standard deviation of the function itself at other places.
struct Prediction {
  Tensor mean, stddev;
};
Prediction predict(const Tensor& x, const Tensor& y, const Tensor& at, const Tensor& theta) {
  const Tensor length = exp(theta[0]), signal = exp(theta[1]), noise = exp(theta[2]);
  const Tensor l =
      cholesky(kernel(x, x, length, signal) + diag_embed(broadcast_to(square(noise), {x.numel()})));
  const Tensor cross = kernel(x, at, length, signal);  // [n, m]
  const Tensor white = solve_triangular(l, cross);
  const Tensor mean = matmul(solve_triangular(l, y), white);
  return {mean, sqrt(square(signal) - sum(square(white), {.axes = {0}}))};
}

struct Data {
  Tensor x, y;
};
Data make_data(std::int64_t n) {
  Random random(1);
  const Tensor x = linspace(0, 10, n, {.dtype = float64});
  return {x, sin(x) + 0.5 * sin(2.3 * x) + 0.2 * randn({n}, random, {.dtype = float64})};
}

/// Of one value with its gradient: the least of several runs, in ms.
double time_of_gradient(std::int64_t n) {
  const Data data = make_data(n);
  const Tensor theta = tensor({0.0, 0.0, -1.0}, {.dtype = float64, .requires_grad = true});
  double least = INFINITY;
  for (int run = 0; run < (n < 100 ? 200 : 5); ++run) {
    const auto begin = std::chrono::steady_clock::now();
    const Tensor value = log_likelihood(data.x, data.y, theta);
    const Tensor gradient = grad(value, theta);
    const std::chrono::duration<double, std::milli> spent = std::chrono::steady_clock::now() - begin;
    least = std::min(least, spent.count());
  }
  return least;
}

void check() {
  const Data data = make_data(12);
  const auto f = [&](const Tensor& theta) { return log_likelihood(data.x, data.y, theta); };
  require_grads(f, tensor({0.1, -0.2, -1.0}, {.dtype = float64}), {.name = "log_likelihood"});
  std::printf("gradients are right\n");
}

}  // namespace

int main(int argc, char** argv) try {
  if (argc > 1 && std::string_view(argv[1]) == "--check") {
    check();
    return 0;
  }
  const Data data = make_data(500);
  // [fit]
  nn::Parameter theta(tensor({0.0, 0.0, 0.0}, {.dtype = float64}));
  optim::LBFGS lbfgs({theta.cell()}, {.line_search = optim::LineSearch::strong_wolfe});
  const auto loss = [&] { return -log_likelihood(data.x, data.y, theta); };
  const optim::LBFGSStep step = lbfgs.step(loss);
  // [/fit]
  const Tensor found = exp(theta.tensor());
  std::printf("log likelihood %.2f after %d iterations, from %.2f\n", -loss().item(),
              static_cast<int>(step.iterations()), -step.loss);
  std::printf("length %.3f, signal %.3f, noise %.3f (the data's: 0.2)\n", found.at({0}), found.at({1}),
              found.at({2}));
  const Tensor at = tensor({2.5, 5.0, 10.0, 11.0, 13.0}, {.dtype = float64});
  const Prediction prediction = predict(data.x, data.y, at, theta.tensor().detach());
  for (std::int64_t i = 0; i < at.numel(); ++i) {
    const double x = at.at({i});
    std::printf("f(%4.1f) = %6.3f +- %.3f, in truth %6.3f\n", x, prediction.mean.at({i}),
                prediction.stddev.at({i}), std::sin(x) + 0.5 * std::sin(2.3 * x));
  }
  for (const std::int64_t n : {60, 500})
    std::printf("value and gradient of %3d points: %.3f ms\n", static_cast<int>(n), time_of_gradient(n));
} catch (const Error& error) {
  std::fprintf(stderr, "%s\n", error.what());
  return 1;
}
