#include "three_gradients.h"

#include <cmath>
#include <cstddef>
#include <limits>
#include <span>
#include <vector>

#include "xtgrad/xtgrad.h"

namespace gallery {

namespace {

/// Sines: as good as random numbers here.
Tensor waves(const Shape& shape, double frequency) {
  const Tensor places = arange(static_cast<double>(shape.numel()), {}, {.dtype = float64});
  return reshape(sin((places + 1) * frequency).to(float32).to(float64), shape);
}

/// The list of weights, cut into what they are.
struct Weights {
  Tensor u;  // [h, 3]
  Tensor c;  // [h]
  Tensor v;  // [1, h], divided by √h
  Tensor d;  // [1]
};

Weights cut(const Tensor& w, std::int64_t h) {
  const auto part = [&](std::int64_t from, std::int64_t to) { return slice(w, {.start = from, .stop = to}); };
  return {.u = reshape(part(0, 3 * h), {h, 3}),
          .c = part(3 * h, 4 * h),
          .v = reshape(part(4 * h, 5 * h), {1, h}) / std::sqrt(static_cast<double>(h)),
          .d = part(5 * h, 5 * h + 1)};
}

Tensor hidden_layer(const FitProblem& p, const Weights& of) {
  return tanh(matmul(p.x, of.u, {.transpose_b = true}) + of.c);
}

Tensor output_layer(const Tensor& t, const Weights& of) {
  return matmul(t, of.v, {.transpose_b = true}) + of.d;
}

template <class T>
Tensor differences(const FitProblem& p, double step, bool central) {
  const NoGrad no_grad;
  const std::span<const T> elements = p.w.data<T>();
  std::vector<T> w(elements.begin(), elements.end());
  const double here = loss(p, p.w).item();
  std::vector<double> gradient;
  for (T& weight : w) {
    const T before = weight;
    const auto loss_at = [&](T value) {
      weight = value;
      const double moved = loss(p, from_vector(w)).item();
      weight = before;
      return moved;
    };
    const T right = before + static_cast<T>(step);
    const T left = central ? before - static_cast<T>(step) : before;
    const double change = loss_at(right) - (central ? loss_at(left) : here);
    // Rounding has moved the two places; so this is how far apart they are, not what was asked for.
    gradient.push_back(change / (static_cast<double>(right) - static_cast<double>(left)));
  }
  return from_vector(gradient);
}

}  // namespace

FitProblem make_problem(std::int64_t hidden) {
  return {
      .hidden = hidden, .w = waves({5 * hidden + 1}, 1), .x = waves({8, 3}, 0.7), .y = waves({8, 1}, 0.5)};
}

Tensor loss(const FitProblem& p, const Tensor& w) {
  const Weights of = cut(w, p.hidden);
  return 0.5 * sum(square(output_layer(hidden_layer(p, of), of) - p.y));
}

Tensor by_engine(const FitProblem& p) {
  const Tensor w = p.w.detach().set_requires_grad();
  return grad({loss(p, w)}, {w})[0];
}

Tensor by_hand(const FitProblem& p) {
  const NoGrad no_grad;
  const std::int64_t h = p.hidden;
  const Weights of = cut(p.w, h);
  const Tensor t = hidden_layer(p, of);
  const Tensor error = output_layer(t, of) - p.y;  // [8, 1]
  const Tensor delta =
      matmul(error, of.v) * (1 - t) * (1 + t);  // [8, h]: back through v and the slope of tanh
  const Tensor to_u = matmul(delta, p.x, {.transpose_a = true});  // [h, 3]
  const Tensor to_c = sum(delta, {.axes = {0}});
  const Tensor to_v = matmul(error, t, {.transpose_a = true}) / std::sqrt(static_cast<double>(h));  // [1, h]
  const Tensor to_d = sum(error, {.axes = {0}});
  return concat({reshape(to_u, {3 * h}), to_c, reshape(to_v, {h}), to_d});
}

Tensor numerical(const FitProblem& p, double step, bool central) {
  return p.w.dtype() == float32 ? differences<float>(p, step, central)
                                : differences<double>(p, step, central);
}

double best_step(Dtype dtype, bool central) {
  const double epsilon =
      dtype == float32 ? std::numeric_limits<float>::epsilon() : std::numeric_limits<double>::epsilon();
  return central ? std::cbrt(epsilon) : std::sqrt(epsilon);
}

}  // namespace gallery
