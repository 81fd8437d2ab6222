// A linear-Gaussian state-space model, learnt by gradients of the likelihood that the Kalman filter gives.
// kalman_filter [--check]
#include <xtgrad/xtgrad.h>

#include <cmath>
#include <cstdint>
#include <cstdio>
#include <numbers>
#include <string_view>
#include <vector>

using namespace xtgrad;

namespace {

// An oscillation that dies away and is kicked on: z' = decay R(angle) z + w, of which y = z[0] + v is seen,
// with w ~ N(0, drive^2 I) and v ~ N(0, noise^2).
struct Oscillator {
  Tensor decay, angle, drive, noise;
};

/// Of four numbers of any size.
Oscillator oscillator_of(const Tensor& theta) {
  return {sigmoid(theta[0]), theta[1], exp(theta[2]), exp(theta[3])};
}

// [filter]
/// log p(y[0], y[1], ...): the sum of log N(y[t]; prediction, variance), step by step.
Tensor log_likelihood(const Tensor& y, const Oscillator& model) {
  const Tensor c = cos(model.angle), s = sin(model.angle);
  const Tensor turn = model.decay * reshape(stack({c, -s, s, c}), {2, 2});
  const Tensor kicks = square(model.drive) * eye(2, 2, {.dtype = float64});
  Tensor mean = zeros({2}, {.dtype = float64});
  Tensor covariance = kicks / (1 - square(model.decay));  // of the state in the long run
  std::vector<Tensor> terms;
  for (std::int64_t t = 0; t < y.numel(); ++t) {
    const Tensor surprise = y[t] - mean[0];
    const Tensor variance = covariance[0][0] + square(model.noise);
    terms.push_back(square(surprise) / variance + log(variance));
    // What was seen, with the gain k, then a step ahead.
    const Tensor k = covariance[0] / variance;
    mean = matmul(turn, mean + k * surprise);
    covariance =
        matmul(matmul(turn, covariance - outer(k, covariance[0])), turn, {.transpose_b = true}) + kicks;
  }
  return -0.5 * (sum(stack(terms)) + static_cast<double>(y.numel()) * std::log(2 * std::numbers::pi));
}
// [/filter]

Tensor make_data(std::int64_t count, const Oscillator& model) {
  Random random(3);
  const double c = std::cos(model.angle.item()), s = std::sin(model.angle.item()), decay = model.decay.item();
  const Tensor w = model.drive * randn({count, 2}, random, {.dtype = float64});
  const Tensor v = model.noise * randn({count}, random, {.dtype = float64});
  std::vector<double> seen;
  double a = 0, b = 0;
  for (std::int64_t t = 0; t < count; ++t) {
    const double next = decay * (c * a - s * b) + w.at({t, 0});
    b = decay * (s * a + c * b) + w.at({t, 1});
    a = next;
    seen.push_back(a + v.at({t}));
  }
  return from_vector(seen);
}

void print(const char* what, const Oscillator& model, const Tensor& y) {
  std::printf("%-8s decay %.3f, angle %.3f, drive %.3f, noise %.3f: log likelihood %.2f\n", what,
              model.decay.item(), model.angle.item(), model.drive.item(), model.noise.item(),
              log_likelihood(y, model).item());
}

}  // namespace

int main(int argc, char** argv) try {
  const auto number = [](double x) { return tensor(x, {.dtype = float64}); };
  const Oscillator truth{number(0.97), number(0.3), number(0.2), number(0.5)};
  if (argc > 1 && std::string_view(argv[1]) == "--check") {
    const Tensor y = make_data(8, truth);
    const auto f = [&](const Tensor& theta) { return log_likelihood(y, oscillator_of(theta)); };
    require_grads(f, tensor({1.5, 0.4, -1.0, -0.5}, {.dtype = float64}), {.name = "log_likelihood"});
    std::printf("gradients are right\n");
    return 0;
  }
  const Tensor y = make_data(1000, truth);
  nn::Parameter theta(tensor({1.0, 0.6, -0.5, -0.5}, {.dtype = float64}));
  print("start", oscillator_of(theta.tensor().detach()), y);
  optim::LBFGS lbfgs({theta.cell()}, {.line_search = optim::LineSearch::strong_wolfe});
  const optim::LBFGSStep step = lbfgs.step([&] { return -log_likelihood(y, oscillator_of(theta)); });
  print("learnt", oscillator_of(theta.tensor().detach()), y);
  print("truth", truth, y);
  std::printf("%d iterations, %d evaluations\n", static_cast<int>(step.iterations()),
              static_cast<int>(step.evaluations));
} catch (const Error& error) {
  std::fprintf(stderr, "%s\n", error.what());
  return 1;
}
