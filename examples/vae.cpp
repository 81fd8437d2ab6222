// A variational autoencoder of the digits (Kingma and Welling, "Auto-encoding variational Bayes", 2014).
// vae [--check] [--seed N] [--epochs N] [PICTURE]
#include <xtgrad/xtgrad.h>

#include <xtgrad/plot/plot.h>

#include <CLI/CLI.hpp>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <string>
#include <vector>

using namespace xtgrad;

namespace {

constexpr double dots = 16;  // of a finer image, in each pixel, which counts those that are ink

// [model]
/// The logarithm of the probability of x dots of ink in each pixel, over all pixels [..., pixels] to [...].
Tensor log_of_counts(const Tensor& x, const Tensor& logits) {
  const distributions::Bernoulli ink({.logits = logits});
  const Tensor log_choices = std::lgamma(dots + 1) - lgamma(x + 1) - lgamma(dots + 1 - x);  // of x dots
  return sum(log_choices + x * ink.log_of_one() + (dots - x) * ink.log_of_zero(), {.axes = {-1}});
}

using Normals = distributions::Independent<distributions::Normal>;

/// Images come from few numbers z, p(z) = N(0, I): given z, each dot of a pixel is ink with one probability.
/// The encoder guesses by a normal distribution, too, of which z an image is.
struct Autoencoder : nn::Module {
  std::int64_t latent;
  nn::MLP encoder, decoder;
  Random noise = default_random().split();

  Autoencoder(std::int64_t pixels, std::int64_t hidden, std::int64_t latent_size)
      : latent(latent_size),
        encoder({.sizes = {pixels, hidden, hidden, 2 * latent}, .activation = nn::ActivationKind::silu}),
        decoder({.sizes = {latent, hidden, hidden, pixels}, .activation = nn::ActivationKind::silu}) {}
  void members(nn::Members& m) override {
    m("encoder", encoder);
    m("decoder", decoder);
    m("noise", noise);
  }

  [[nodiscard]] Normals prior(Dtype dtype = float32) const {
    const Tensor zero = zeros({latent}, {.dtype = dtype});
    return Normals(distributions::Normal({.loc = zero, .scale = exp(zero)}), 1);
  }
  Normals posterior(const Tensor& x) {  // q(z | x)
    const std::vector<Tensor> guess = chunk(encoder(x / dots - 0.5), 2, -1);
    return Normals(distributions::Normal({.loc = guess[0], .scale = exp(guess[1])}), 1);
  }
  /// log p(x | z), of x [n, pixels] and z [..., n, latent].
  Tensor log_likelihood(const Tensor& x, const Tensor& z) { return log_of_counts(x, decoder(z)); }
  /// A lower bound of log p(x), the evidence: how well x is told from a guess z, less what the guess says.
  Tensor forward(const Tensor& x) override {
    const Normals q = posterior(x);
    return log_likelihood(x, q.rsample({}, noise)) - kl_divergence(q, prior(x.dtype()));
  }
};
// [/model]

// [weights]
/// The logarithm of the mean of `count` weights p(x, z) / q(z | x), whose own mean is p(x): a bound, too, and
/// the closer the more there are (Burda, Grosse and Salakhutdinov, "Importance weighted autoencoders", 2016).
Tensor log_evidence(Autoencoder& model, const Tensor& x, std::int64_t count) {
  const Normals q = model.posterior(x);
  const Tensor z = q.sample({count}, model.noise);
  const Tensor log_weights = model.log_likelihood(x, z) + model.prior().log_prob(z) - q.log_prob(z);
  return logsumexp(log_weights, {.axes = {0}}) - std::log(static_cast<double>(count));
}
// [/weights]

/// Held-out digits with what the model makes of them, a way from one to another, and new ones: the chances of
/// ink in each pixel.
void draw(Autoencoder& model, const Tensor& digits, const std::string& path) {
  const NoGrad no_grad;
  const std::int64_t per_row = 12;
  const auto row = [&](const std::string& title, const Tensor& images) {
    return plot::draw_images(reshape(images, {images.size(0), 8, 8}),
                             {.title = title, .per_row = per_row, .range = plot::Range{0, 1}});
  };
  const Tensor some = slice(digits, {.stop = per_row});
  const Tensor z = model.posterior(some).mean();
  const Tensor way = linspace(0, 1, per_row, {.dtype = float32});
  const Tensor between = outer(1 - way, z[0]) + outer(way, z[1]);
  plot::save(plot::beside(
                 std::vector<plot::Canvas>{
                     row("Held-out digits", some / dots),
                     row("The same, decoded from their code", sigmoid(model.decoder(z))),
                     row("From the code of the first to that of the second", sigmoid(model.decoder(between))),
                     row("New: decoded from draws of the prior",
                         sigmoid(model.decoder(model.prior().sample({3 * per_row}, model.noise))))},
                 {.per_row = 1}),
             path);
}

void report(Autoencoder& model, const Tensor& train, const Tensor& test, int epoch) {
  const NoGrad no_grad;
  std::printf("epoch %3d: bound %7.2f nats a digit, of held-out ones %7.2f, of which KL %5.2f\n", epoch,
              mean(model(train)).item(), mean(model(test)).item(),
              mean(kl_divergence(model.posterior(test), model.prior())).item());
}

void train_model(Autoencoder& model, const datasets::TrainTest& digits, int epochs, std::uint64_t seed) {
  // [train]
  optim::Adam adam(model.parameters(), {.lr = 2e-3});
  const optim::ScheduledLr rates(adam, optim::cosine({.steps = epochs}));
  datasets::Loader batches(digits.train, {.batch_size = 64, .shuffle = true, .seed = seed});
  for (int epoch = 0; epoch < epochs; ++epoch) {
    if (epoch % std::max(1, epochs / 4) == 0)
      report(model, digits.train.inputs(), digits.test.inputs(), epoch);
    rates.apply(adam, epoch);
    for (auto& [x, label] : batches) {
      const Tensor loss = -mean(model(x));
      adam.zero_grad();
      loss.backward();
      adam.step();
    }
  }
  // [/train]
}

}  // namespace

int main(int argc, char** argv) try {
  bool check = false;
  std::uint64_t seed = 0;
  int epochs = 100;
  std::string picture;
  CLI::App app("A variational autoencoder of the digits");
  app.add_flag("--check", check, "compare gradients with numerical ones, and end");
  app.add_option("--seed", seed, "of all random numbers");
  app.add_option("--epochs", epochs, "of training");
  app.add_option("picture", picture, "PNG or SVG file to draw");
  CLI11_PARSE(app, argc, argv);

  manual_seed(seed);
  if (check) {
    const Autoencoder small(4, 5, 2);
    nn::require_grads(small, tensor({{0.5, 7, 15, 3}, {16, 1, 9.5, 8}, {2, 11, 4, 13}}, {.dtype = float64}));
    std::printf("gradients are right\n");
    return 0;
  }
  const datasets::TrainTest digits =
      datasets::stratified_split(datasets::digits(), {.test = 0.2, .seed = seed});
  const Tensor train = digits.train.inputs(), test = digits.test.inputs();
  Autoencoder model(64, 256, 8);
  train_model(model, digits, epochs, seed);
  report(model, train, test, epochs);
  const NoGrad no_grad;
  const Tensor ink = clamp(mean(train / dots, {.axes = {0}}), {.min = 1e-4});
  std::printf("log p of a held-out digit, by a chance for each pixel: %.2f\n",
              mean(log_of_counts(test, logit(ink))).item());
  std::printf("by the model, with 100 weights: %.2f\n", mean(log_evidence(model, test, 100)).item());
  if (!picture.empty()) {
    draw(model, test, picture);
    std::printf("drawn: %s\n", picture.c_str());
  }
} catch (const Error& error) {
  std::fprintf(stderr, "%s\n", error.what());
  return 1;
}
