// A density of two moons by a normalizing flow of affine couplings (Dinh, Sohl-Dickstein and Bengio, "Density
// estimation using Real NVP", 2017). normalizing_flow [--check | PICTURE]
#include <xtgrad/xtgrad.h>

#include <xtgrad/plot/plot.h>

#include <cmath>
#include <cstdint>
#include <cstdio>
#include <numbers>
#include <string>
#include <vector>

using namespace xtgrad;

namespace {

// [flow]
/// Points and the logarithm of the determinant of what brought them there.
struct Mapped {
  Tensor points;   // [n, 2]
  Tensor log_det;  // [n, 1]
};

/// One coordinate moves, a -> a exp(s(b)) + t(b), by what the other one, b, says; so it can go back.
struct Coupling : nn::Module {
  nn::MLP net{{.sizes = {1, 32, 32, 2}, .activation = nn::ActivationKind::tanh}};
  std::int64_t moving = 0;

  explicit Coupling(std::int64_t which = 0) : moving(which) {}
  void members(nn::Members& m) override { m("net", net); }
  Tensor forward(const Tensor& b) override { return net(b); }  // [n, 2]: s and t

  Mapped toward_noise(const Mapped& from) {
    const auto [a, b, s, t] = parts(from.points);
    return {joined(a * exp(s) + t, b), from.log_det + s};
  }
  Tensor toward_data(const Tensor& points) {
    const auto [a, b, s, t] = parts(points);
    return joined((a - t) * exp(-s), b);
  }

 private:
  struct Parts {
    Tensor a, b, s, t;  // [n, 1]
  };
  Parts parts(const Tensor& points) {
    const auto column = [](const Tensor& x, std::int64_t i) {
      return slice(x, {.axis = 1, .start = i, .stop = i + 1});
    };
    const Tensor b = column(points, 1 - moving), of_b = (*this)(b);
    return {column(points, moving), b, tanh(column(of_b, 0)), column(of_b, 1)};
  }
  [[nodiscard]] Tensor joined(const Tensor& a, const Tensor& b) const {
    return moving == 0 ? concat({a, b}, 1) : concat({b, a}, 1);
  }
};

/// Points to the logarithm of their density: that of standard normal noise where the couplings bring them,
/// times how much they stretch the plane there.
struct Flow : nn::Module {
  std::vector<Coupling> couplings;

  explicit Flow(int count = 6) {
    for (int i = 0; i < count; ++i) couplings.emplace_back(i % 2);
  }
  void members(nn::Members& m) override {
    for (std::size_t i = 0; i < couplings.size(); ++i) m(std::to_string(i), couplings[i]);
  }
  Tensor forward(const Tensor& points) override {  // [n, 2] to [n]
    Mapped at{points, zeros({points.size(0), 1}, {.dtype = points.dtype()})};
    for (Coupling& coupling : couplings) at = coupling.toward_noise(at);
    const Tensor log_normal = -0.5 * sum(square(at.points), {.axes = {1}}) - std::log(2 * std::numbers::pi);
    return log_normal + reshape(at.log_det, {points.size(0)});
  }
  Tensor sample(std::int64_t count, Random& random) {
    Tensor points = randn({count, 2}, random);
    for (std::size_t i = couplings.size(); i-- > 0;) points = couplings[i].toward_data(points);
    return points;
  }
};
// [/flow]

void draw(Flow& flow, const Tensor& data, const std::string& path) {
  const NoGrad no_grad;
  Random random(7);
  const plot::Range x{-1.6, 2.6}, y{-1.2, 1.7};
  const plot::Grid grid{.x = x, .y = y};
  const auto points = [](const Tensor& of) {
    plot::Points found{.x = {}, .y = {}, .size = 0.5};
    for (std::int64_t i = 0; i < of.size(0); ++i) {
      found.x.push_back(of.at({i, 0}));
      found.y.push_back(of.at({i, 1}));
    }
    return found;
  };
  const auto chart = [&](const char* title, plot::Layer layer) {
    return plot::Chart{.title = title,
                       .x = {.range = x},
                       .y = {.range = y},
                       .layers = {std::move(layer)},
                       .equal_units = true};
  };
  const std::vector<plot::Chart> charts{
      chart("Data", points(data)), chart("Samples of the flow", points(flow.sample(data.size(0), random))),
      chart("Density", plot::Contours{.grid = grid,
                                      .values = exp(flow(plot::grid_points(grid))),
                                      .levels = {0.02, 0.05, 0.1, 0.2, 0.4}})};
  plot::save(plot::draw_charts(charts, {.width = 860, .height = 260}), path);
}

}  // namespace

int main(int argc, char** argv) try {
  const std::string argument = argc > 1 ? argv[1] : "";
  manual_seed(0);
  if (argument == "--check") {
    const Flow small(2);
    nn::require_grads(small, tensor({{0.3, -0.5}, {1.2, 0.4}, {-0.7, 0.9}}, {.dtype = float64}));
    std::printf("gradients are right\n");
    return 0;
  }
  Flow flow;
  const Tensor train = datasets::moons({.per_class = 500, .noise = 0.08}).inputs();
  const Tensor test = datasets::moons({.per_class = 500, .noise = 0.08, .seed = 1}).inputs();
  const auto report = [&](int step) {
    const NoGrad no_grad;
    std::printf("step %4d: mean log likelihood %6.3f, of new points %6.3f\n", step, mean(flow(train)).item(),
                mean(flow(test)).item());
  };
  // [train]
  const int steps = 1200;
  optim::Adam adam(flow.parameters(), {.lr = 5e-3});
  const optim::ScheduledLr rates(adam, optim::cosine({.steps = steps}));
  for (int step = 0; step < steps; ++step) {
    if (step % 300 == 0) report(step);
    rates.apply(adam, step);
    const Tensor batch = index_select(train, 0, randint(0, train.size(0), {200}));
    const Tensor loss = -mean(flow(batch));
    adam.zero_grad();
    loss.backward();
    adam.step();
  }
  // [/train]
  report(steps);
  if (!argument.empty()) {
    draw(flow, train, argument);
    std::printf("drawn: %s\n", argument.c_str());
  }
} catch (const Error& error) {
  std::fprintf(stderr, "%s\n", error.what());
  return 1;
}
