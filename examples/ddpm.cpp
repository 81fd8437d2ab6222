// Denoising diffusion of the digits (Ho, Jain and Abbeel, "Denoising diffusion probabilistic models", 2020).
// ddpm [--check] [--seed N] [--steps N] [PICTURE]
#include <xtgrad/xtgrad.h>

#include <xtgrad/plot/plot.h>

#include <CLI/CLI.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <numbers>
#include <string>
#include <vector>

using namespace xtgrad;

namespace {

constexpr std::int64_t times = 200;  // steps from an image to noise

// [noise]
/// Step t leaves alpha[t] of the variance that came from the image, so that kept[t], their product, is left
/// of all of it: x_t = sqrt(kept[t]) x_0 + sqrt(1 - kept[t]) e, where e is standard normal. By the cosine
/// schedule (Nichol and Dhariwal, "Improved denoising diffusion probabilistic models", 2021).
struct Schedule {
  std::vector<double> alpha{1}, kept{1};

  Schedule() {
    const auto left = [](std::int64_t t) {
      const double share = (static_cast<double>(t) / times + 0.008) / 1.008;
      return std::pow(std::cos(share * std::numbers::pi / 2), 2);
    };
    for (std::int64_t t = 1; t <= times; ++t) {
      alpha.push_back(std::max(left(t) / left(t - 1), 0.001));
      kept.push_back(kept.back() * alpha.back());
    }
  }
  [[nodiscard]] Tensor noisy(const Tensor& x, const Tensor& t, const Tensor& e) const {
    const Tensor all = from_vector(kept, {.dtype = x.dtype()});
    const Tensor k = unsqueeze(index_select(all, 0, t), {1});  // [n, 1]
    return sqrt(k) * x + sqrt(1 - k) * e;
  }
};
// [/noise]

// [net]
using OfTwo = nn::ModuleOf<Tensor(const Tensor&, const Tensor&)>;

/// A residual layer that is told the time.
struct Block : OfTwo {
  nn::LayerNorm norm;
  nn::Linear hidden, of_time, back;

  explicit Block(std::int64_t width)
      : norm({.normalized_shape = {width}}),
        hidden(width, width),
        of_time(width, width),
        back(width, width) {}
  void members(nn::Members& m) override {
    m("norm", norm);
    m("hidden", hidden);
    m("of_time", of_time);
    m("back", back);
  }
  Tensor forward(const Tensor& h, const Tensor& time) override {
    return h + back(silu(hidden(norm(h)) + of_time(time)));
  }
};

/// Noisy images x [n, pixels] at times t [n] to the noise in them.
struct Denoiser : OfTwo {
  std::int64_t width;
  nn::Linear in, out;
  std::vector<Block> blocks;

  Denoiser(std::int64_t pixels, std::int64_t of_width, int count)
      : width(of_width), in(pixels, width), out(width, pixels) {
    for (int i = 0; i < count; ++i) blocks.emplace_back(width);
  }
  void members(nn::Members& m) override {
    m("in", in);
    m("out", out);
    for (std::size_t i = 0; i < blocks.size(); ++i) m(std::to_string(i), blocks[i]);
  }
  Tensor forward(const Tensor& x, const Tensor& t) override {
    // Waves of the time, from short ones to long ones.
    const Tensor lengths = exp(linspace(0, std::log(10000.0), width / 2, {.dtype = x.dtype()}));
    const Tensor phases = unsqueeze(t, {1}) / lengths;
    const Tensor time = concat({sin(phases), cos(phases)}, 1);
    Tensor h = in(x);
    for (Block& block : blocks) h = block(h, time);
    return out(h);
  }
};
// [/net]

// [sample]
/// Images x at time `from` as they were at the earlier time `to`: each step guesses the image, and draws what
/// lies between it and x.
Tensor denoised(Denoiser& model, const Schedule& schedule, Tensor x, std::int64_t from, std::int64_t to) {
  const NoGrad no_grad;
  for (std::int64_t t = from; t > to; --t) {
    const auto at = static_cast<std::size_t>(t);
    const double alpha = schedule.alpha[at], kept = schedule.kept[at], before = schedule.kept[at - 1];
    const Tensor e = model(x, full({x.size(0)}, static_cast<double>(t)));
    const Tensor image = clamp((x - std::sqrt(1 - kept) * e) / std::sqrt(kept), {.min = -1, .max = 1});
    x = (std::sqrt(before) * (1 - alpha) * image + std::sqrt(alpha) * (1 - before) * x) / (1 - kept);
    x = x + std::sqrt((1 - alpha) * (1 - before) / (1 - kept)) * randn(x.shape());  // no noise at t = 1
  }
  return x;
}
// [/sample]

// [judge]
/// A known image's range goes as far as its third-nearest neighbour among the known ones. Which share of the
/// images lies in one of these ranges (precision: Kynkaanniemi et al., 2019), and which share of the ranges
/// has an image (coverage: Naeem et al., 2020)?
struct Shares {
  double precision, coverage;
};

Shares compare(const Tensor& images, const Tensor& known) {
  const auto search = [](const Tensor& x) {
    return nn::NearestNeighbors(x, zeros({x.size(0)}, {.dtype = int64}));
  };
  const nn::NearestNeighbors of_known = search(known);
  const Tensor ranges = of_known.neighbors(known, 4).distances;  // [n, 4], the first to itself
  const Tensor range = slice(ranges, {.axis = 1, .start = 3});   // [n, 1]
  const nn::Neighbors all = of_known.neighbors(images, known.size(0));
  const Tensor in_one = any(all.distances <= take(range, all.indices), {.axes = {1}});
  const Tensor has_one = search(images).neighbors(known, 1).distances <= range;
  return {mean(in_one.to(float64)).item(), mean(has_one.to(float64)).item()};
}
// [/judge]

/// Normal vectors of the images' mean and covariance.
Tensor normal_like(const Tensor& images, std::int64_t count) {
  const auto n = static_cast<double>(images.size(0));
  const Tensor loc = mean(images, {.axes = {0}}), away = images - loc;
  const Tensor covariance = matmul(away, away, {.transpose_a = true}) / n + 1e-4 * eye(images.size(1));
  return distributions::MultivariateNormal({.loc = loc, .covariance = covariance}).sample({count});
}

void judge(const char* name, const Tensor& images, const Tensor& known) {
  const Shares shares = compare(images, known);
  std::printf("%-27s %9.1f %% %9.1f %%\n", name, 100 * shares.precision, 100 * shares.coverage);
}

void draw(Denoiser& model, const Schedule& schedule, const Tensor& digits, const Tensor& samples,
          const std::string& path) {
  const std::int64_t per_row = 12, parts = per_row - 1;
  const auto rows = [&](const std::string& title, const Tensor& images) {
    return plot::draw_images(reshape(images, {images.size(0), 8, 8}),
                             {.title = title, .per_row = per_row, .range = plot::Range{-1, 1}});
  };
  std::vector<Tensor> way{randn({1, 64})};
  for (std::int64_t i = parts; i > 0; --i) {
    way.push_back(denoised(model, schedule, way.back(), times * i / parts, times * (i - 1) / parts));
  }
  plot::save(plot::beside(std::vector<plot::Canvas>{rows("Digits", slice(digits, {.stop = 2 * per_row})),
                                                    rows("From noise to an image", concat(way)),
                                                    rows("Samples", slice(samples, {.stop = 4 * per_row}))},
                          {.per_row = 1}),
             path);
}

/// The weights' average over the last hundreds of steps.
optim::WeightAverage train_model(Denoiser& model, const Schedule& schedule, const Tensor& train, int steps) {
  // [train]
  optim::Adam adam(model.parameters(), {.lr = 2e-3});
  const optim::ScheduledLr rates(adam, optim::cosine({.steps = steps}));
  optim::WeightAverage average(model.parameters(), {.decay = 0.995});
  double total = 0;
  const int interval = std::max(1, steps / 5);
  for (int step = 0; step < steps; ++step) {
    rates.apply(adam, step);
    const Tensor x = index_select(train, 0, randint(0, train.size(0), {128}));
    const Tensor t = randint(1, times + 1, {x.size(0)}), e = randn(x.shape());
    const Tensor loss = nn::mse_loss(model(schedule.noisy(x, t, e), t.to(float32)), e);
    adam.zero_grad();
    loss.backward();
    adam.step();
    average.update();
    total += loss.item();
    if ((step + 1) % interval != 0) continue;
    std::printf("steps %5d to %5d: loss %.3f\n", step + 1 - interval, step + 1, total / interval);
    total = 0;
  }
  // [/train]
  return average;
}

}  // namespace

int main(int argc, char** argv) try {
  bool check = false;
  std::uint64_t seed = 0;
  int steps = 4000;
  std::string picture;
  CLI::App app("Denoising diffusion of the digits");
  app.add_flag("--check", check, "compare gradients with numerical ones, and end");
  app.add_option("--seed", seed, "of all random numbers");
  app.add_option("--steps", steps, "of training");
  app.add_option("picture", picture, "PNG or SVG file to draw");
  CLI11_PARSE(app, argc, argv);

  manual_seed(seed);
  if (check) {
    const Denoiser small(3, 4, 2);
    nn::require_grads(small, {tensor({{0.5, -1, 0.2}, {1, 0.3, -0.6}}, {.dtype = float64}),
                              tensor({5, 130}, {.dtype = float64})});
    std::printf("gradients are right\n");
    return 0;
  }
  const datasets::TrainTest digits =
      datasets::stratified_split(datasets::digits(), {.test = 0.2, .seed = seed});
  const Tensor train = digits.train.inputs() / 8 - 1, test = digits.test.inputs() / 8 - 1;
  const Schedule schedule;
  Denoiser model(64, 256, 3);
  const optim::WeightAverage average = train_model(model, schedule, train, steps);
  const nn::WithParameters averaged(average.parameters(), average.values());
  const std::int64_t count = test.size(0);
  const Tensor samples = denoised(model, schedule, randn({count, 64}), times, 0);
  std::printf("%-27s %11s %11s\n", "beside the training digits", "precision", "coverage");
  judge("held-out digits", test, train);
  judge("samples", samples, train);
  judge("normal vectors", clamp(normal_like(train, count), {.min = -1, .max = 1}), train);
  judge("noise", clamp(randn({count, 64}), {.min = -1, .max = 1}), train);
  if (!picture.empty()) {
    draw(model, schedule, train, samples, picture);
    std::printf("drawn: %s\n", picture.c_str());
  }
} catch (const Error& error) {
  std::fprintf(stderr, "%s\n", error.what());
  return 1;
}
