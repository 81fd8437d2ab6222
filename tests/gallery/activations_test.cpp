#include <doctest/doctest.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <functional>
#include <map>
#include <numbers>
#include <string>
#include <vector>

#include "tests/gallery/gallery_page.h"
#include "xtgrad/autograd/random.h"
#include "xtgrad/datasets/digits.h"
#include "xtgrad/nn/linear.h"

using namespace xtgrad;

namespace {

using Derivatives = std::array<double, 4>;  // f, f', f'', f'''

Derivatives sigmoid_by_hand(double x) {
  const double s = 1 / (1 + std::exp(-x));
  const double d = s * (1 - s);
  return {s, d, d * (1 - 2 * s), d * (1 - 6 * s + 6 * s * s)};
}

Derivatives tanh_by_hand(double x) {
  const double t = std::tanh(x);
  const double d = 1 - t * t;
  return {t, d, -2 * t * d, d * (6 * t * t - 2)};
}

Derivatives elu_by_hand(double x) {
  if (x > 0) return {x, 1, 0, 0};
  return {std::exp(x) - 1, std::exp(x), std::exp(x), std::exp(x)};
}

Derivatives gelu_by_hand(double x) {
  const double area = (1 + std::erf(x / std::numbers::sqrt2)) / 2;
  const double density = std::exp(-x * x / 2) / std::sqrt(2 * std::numbers::pi);
  return {x * area, area + x * density, density * (2 - x * x), density * (x * x * x - 4 * x)};
}

Derivatives silu_by_hand(double x) {
  const Derivatives s = sigmoid_by_hand(x);
  return {x * s[0], s[0] + x * s[1], 2 * s[1] + x * s[2], 3 * s[2] + x * s[3]};
}

const std::map<std::string, std::function<Derivatives(double)>> by_hand{
    {"step",
     [](double x) {
       return Derivatives{x > 0 ? 1.0 : 0.0, 0, 0, 0};
     }},
    {"sigmoid", sigmoid_by_hand},
    {"tanh", tanh_by_hand},
    {"ReLU",
     [](double x) {
       return Derivatives{std::max(x, 0.0), x > 0 ? 1.0 : 0.0, 0, 0};
     }},
    {"Leaky ReLU",
     [](double x) {
       return Derivatives{x > 0 ? x : x / 10, x > 0 ? 1 : 0.1, 0, 0};
     }},
    {"ELU", elu_by_hand},
    {"GELU", gelu_by_hand},
    {"SiLU", silu_by_hand}};

/// What a layer makes of samples, in plain loops, through a ReLU.
std::vector<double> relu_layer(const std::vector<double>& samples, const nn::Linear& layer) {
  const Tensor weight = layer.weight;
  const Tensor bias = layer.bias;
  const auto in = static_cast<std::size_t>(weight.size(1));
  const auto out = static_cast<std::size_t>(weight.size(0));
  const auto w = weight.data<float>();
  const auto b = bias.data<float>();
  std::vector<double> result;
  for (std::size_t n = 0; n < samples.size() / in; ++n) {
    for (std::size_t i = 0; i < out; ++i) {
      double sum = b[i];
      for (std::size_t j = 0; j < in; ++j) sum += w[i * in + j] * samples[n * in + j];
      result.push_back(std::max(sum, 0.0));
    }
  }
  return result;
}

/// How many of 100 neurons are 0 for all samples.
int always_zero(const std::vector<double>& outputs) {
  int count = 0;
  for (std::size_t i = 0; i < 100; ++i) {
    bool zero = true;
    for (std::size_t n = i; n < outputs.size(); n += 100) zero = zero && outputs[n] == 0;
    count += zero ? 1 : 0;
  }
  return count;
}

}  // namespace

TEST_CASE(
    "gallery 07: activations have the derivatives of their formulas, and ReLUs die at too large a rate") {
  const testing::GalleryPage page("07_activations");

  const std::array<double, 5> places{-3, -1, -0.25, 0.5, 2};
  const std::array<std::string, 4> names{"f", "f′", "f″", "f‴"};
  for (const auto& [function, formula] : by_hand) {
    const auto& shown_function = function;
    CAPTURE(shown_function);
    for (std::size_t order = 0; order < 4; ++order) {
      CAPTURE(order);
      const std::vector<double> drawn =
          page.numbers(function + ": " + names[order] + " at -3, -1, -0.25, 0.5, 2");
      REQUIRE(drawn.size() == places.size());
      for (std::size_t i = 0; i < places.size(); ++i) {
        CHECK(std::abs(drawn[i] - formula(places[i])[order]) < 1e-14);
      }
    }
  }

  const auto dead = [&](const std::string& training) {
    return page.numbers(training + ": dead (%), by epoch");
  };
  // Before the first step the same network, counted in plain loops.
  manual_seed(0);
  const nn::Linear first{64, 100};
  const nn::Linear second{100, 100};
  const Tensor inputs = datasets::digits().inputs();
  std::vector<double> samples;
  for (const float pixel : inputs.data<float>()) samples.push_back(pixel / 16);
  const std::vector<double> hidden = relu_layer(samples, first);
  const int zeros = always_zero(hidden) + always_zero(relu_layer(hidden, second));
  CHECK(zeros > 0);
  CHECK(dead("ReLU, 0.03").front() == doctest::Approx(zeros / 2.0));

  CHECK(dead("ReLU, 0.03").back() > 2 * dead("ReLU, 0.002").back());
  CHECK(dead("ReLU, 0.1").back() > 2 * dead("ReLU, 0.03").back());
  const std::vector<double> leaky = dead("Leaky ReLU, 0.03");
  CHECK(std::all_of(leaky.begin(), leaky.end(), [](double percent) { return percent == 0; }));
  CHECK(dead("ELU, 0.03").back() < dead("ReLU, 0.03").back() / 2);
  CHECK(dead("GELU, 0.03").back() < dead("ReLU, 0.03").back() / 2);
  // What is left of the network learns less, and the rate is too large for the others, too.
  const auto loss = [&](const std::string& training) {
    return page.numbers(training + ": loss, by epoch").back();
  };
  CHECK(loss("ReLU, 0.1") > 3 * loss("ReLU, 0.002"));
  CHECK(page.caption("07_activations_dead.png")
            .find(fmt::format("{:.1f} % at 0.1,", dead("ReLU, 0.1").back())) != std::string::npos);
  for (const char* training : {"Leaky ReLU, 0.03", "ELU, 0.03", "GELU, 0.03"}) {
    CHECK_MESSAGE(loss(training) > loss("ReLU, 0.002"), training);
  }
}
