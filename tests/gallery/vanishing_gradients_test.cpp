#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "tests/gallery/gallery_page.h"
#include "xtgrad/autograd/random.h"
#include "xtgrad/datasets/digits.h"
#include "xtgrad/datasets/loader.h"
#include "xtgrad/nn/linear.h"

using namespace xtgrad;

namespace {

using Vector = std::vector<double>;

double norm(const Vector& x) {
  double sum = 0;
  for (const double value : x) sum += value * value;
  return std::sqrt(sum);
}

/// A layer's weights [out, in] and biases, and what passes through it, all in plain loops.
struct Layer {
  explicit Layer(const nn::Linear& linear) {
    const Tensor weight = linear.weight;
    const Tensor bias = linear.bias;
    out = static_cast<std::size_t>(weight.size(0));
    in = static_cast<std::size_t>(weight.size(1));
    const auto weights = weight.data<float>();
    const auto biases = bias.data<float>();
    w.assign(weights.begin(), weights.end());
    b.assign(biases.begin(), biases.end());
  }

  [[nodiscard]] Vector forward(const Vector& x) const {
    Vector sums(b);
    for (std::size_t i = 0; i < out; ++i) {
      for (std::size_t j = 0; j < in; ++j) sums[i] += w[i * in + j] * x[j];
    }
    return sums;
  }
  /// W^T delta.
  [[nodiscard]] Vector back(const Vector& delta) const {
    Vector result(in);
    for (std::size_t i = 0; i < out; ++i) {
      for (std::size_t j = 0; j < in; ++j) result[j] += w[i * in + j] * delta[i];
    }
    return result;
  }
  /// The largest |W^T u| of all u of length 1, which is that of |W v|, too.
  [[nodiscard]] double stretch() const {
    Vector u(out, 1.0);
    for (int i = 0; i < 500; ++i) {
      const Vector v = back(u);
      for (std::size_t k = 0; k < out; ++k) {
        u[k] = 0;
        for (std::size_t j = 0; j < in; ++j) u[k] += w[k * in + j] * v[j];
      }
      const double length = norm(u);
      for (double& value : u) value /= length;
    }
    return norm(back(u));
  }

  std::size_t in;
  std::size_t out;
  Vector w;
  Vector b;
};

/// Of the network of sigmoids on a batch of digits: norms of the gradients of the weights, and of the sums
/// in the neurons, layer by layer.
struct Gradients {
  Vector weights;
  Vector sums;
};

Gradients gradients_by_hand(const std::vector<Layer>& net, const datasets::Batch& batch) {
  const Tensor inputs = batch.inputs;
  const Tensor labels = batch.labels;
  const auto samples = static_cast<std::size_t>(inputs.size(0));
  const auto pixels = inputs.data<float>();
  const auto classes = labels.data<std::int64_t>();
  std::vector<Vector> of_weights;
  for (const Layer& layer : net) of_weights.emplace_back(layer.w.size());
  Vector squares(net.size());
  for (std::size_t n = 0; n < samples; ++n) {
    std::vector<Vector> x(1);  // what goes into each layer
    for (std::size_t j = 0; j < 64; ++j) x[0].push_back(pixels[n * 64 + j] / 16);
    for (std::size_t l = 0; l + 1 < net.size(); ++l) {
      x.push_back(net[l].forward(x[l]));
      for (double& value : x.back()) value = 1 / (1 + std::exp(-value));
    }
    Vector delta = net.back().forward(x.back());  // scores, and then softmax minus one-hot
    double total = 0;
    for (double& score : delta) total += score = std::exp(score);
    for (double& score : delta) score /= total * static_cast<double>(samples);
    delta[static_cast<std::size_t>(classes[n])] -= 1.0 / static_cast<double>(samples);
    for (std::size_t l = net.size(); l-- > 0;) {
      for (std::size_t i = 0; i < net[l].out; ++i) {
        squares[l] += delta[i] * delta[i];
        for (std::size_t j = 0; j < net[l].in; ++j) of_weights[l][i * net[l].in + j] += delta[i] * x[l][j];
      }
      delta = net[l].back(delta);
      for (std::size_t j = 0; j < delta.size(); ++j) delta[j] *= x[l][j] * (1 - x[l][j]);
    }
  }
  Gradients result;
  for (const Vector& gradient : of_weights) result.weights.push_back(norm(gradient));
  for (const double square : squares) result.sums.push_back(std::sqrt(square));
  return result;
}

}  // namespace

TEST_CASE("gallery 08: gradients vanish in deep networks of sigmoids, and what helps") {
  const testing::GalleryPage page("08_vanishing_gradients");

  manual_seed(0);
  std::vector<Layer> net;
  for (int layer = 0; layer < 10; ++layer) net.emplace_back(nn::Linear{64, 64});
  net.emplace_back(nn::Linear{64, 10});
  const Gradients by_hand =
      gradients_by_hand(net, *datasets::Loader(datasets::digits(), {.batch_size = 256}).begin());
  const Vector norms = page.numbers("sigmoid: norms at the first step");
  const Vector factors = page.numbers("sigmoid: factors from layer to layer");
  const Vector bounds = page.numbers("sigmoid: bounds of the factors");
  REQUIRE(norms.size() == 11);
  REQUIRE(factors.size() == 10);
  REQUIRE(bounds.size() == 10);
  for (std::size_t l = 0; l < 11; ++l) {
    CAPTURE(l);
    CHECK(norms[l] == doctest::Approx(by_hand.weights[l]).epsilon(1e-4));
    if (l == 10) break;
    CHECK(factors[l] == doctest::Approx(by_hand.sums[l] / by_hand.sums[l + 1]).epsilon(1e-4));
    CHECK(bounds[l] == doctest::Approx(net[l + 1].stretch() / 4).epsilon(1e-3));
    CHECK(factors[l] <= bounds[l]);
    CHECK(factors[l] > 0.12);  // about a seventh
    CHECK(factors[l] < 0.17);
  }

  const auto ratio = [&](const std::string& network) {
    return page.number(network + ": last layer's norm over the first's");
  };
  CHECK(ratio("sigmoid") == doctest::Approx(by_hand.weights[10] / by_hand.weights[0]).epsilon(1e-3));
  CHECK(ratio("sigmoid") > 1e5 * ratio("ReLU"));
  CHECK(ratio("ReLU") > ratio("tanh"));
  // What helps.
  CHECK(ratio("Xavier's start") < ratio("sigmoid") / 10);
  CHECK(ratio("layer norm") < ratio("sigmoid") / 10);
  CHECK(ratio("layer norm") > 1e3);
  CHECK(ratio("residual") < 1e3);
  for (const char* network : {"batch norm", "tanh, Xavier's start", "ReLU, He's start"}) {
    CAPTURE(network);
    CHECK(ratio(network) < 2);
    CHECK(ratio(network) > 0.2);
  }

  // Over the training, whose first batch is another one.
  datasets::Loader loader(datasets::digits(), {.batch_size = 64, .shuffle = true});
  const Gradients at_first = gradients_by_hand(net, *loader.begin());
  const auto at = [&](const std::string& network, const std::string& step) {
    const Vector all = page.numbers(network + ": norms at the training's " + step + " step");
    REQUIRE(all.size() == 11);
    return all;
  };
  for (std::size_t l = 0; l < 11; ++l) {
    CAPTURE(l);
    CHECK(at("sigmoid", "first")[l] == doctest::Approx(at_first.weights[l]).epsilon(1e-4));
  }
  for (const char* step : {"first", "last"}) {
    CAPTURE(step);
    CHECK(at("sigmoid", step).front() < 1e-7);
    CHECK(at("sigmoid", step).back() > 1e-2);
    const Vector bright = at("ReLU, He's start", step);
    // How long they are in a trained network follows from its loss; that all layers learn, from their ratio.
    const auto [smallest, largest] = std::minmax_element(bright.begin(), bright.end());
    CHECK(*smallest > 0.05 * *largest);
  }

  CHECK(page.number("sigmoid: accuracy in the last epoch") < 0.15);
  CHECK(page.number("sigmoid: loss in the last epoch") > std::log(10.0) - 0.01);
  CHECK(page.number("ReLU, He's start: accuracy in the last epoch") > 0.95);
}
