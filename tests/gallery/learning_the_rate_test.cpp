#include <doctest/doctest.h>

#include <cmath>
#include <string>
#include <vector>

#include "tests/gallery/gallery_page.h"
#include "xtgrad/autograd/grad.h"
#include "xtgrad/autograd/ops.h"
#include "xtgrad/autograd/random.h"
#include "xtgrad/datasets/iris.h"
#include "xtgrad/nn/nn.h"
#include "xtgrad/optim/sgd.h"

using namespace xtgrad;

namespace {

/// The page's training, by the loop that everybody writes: no step is recorded here.
double trained(double lr, double momentum) {
  manual_seed(0);
  nn::MLP model{{.sizes = {4, 16, 3}, .activation = nn::ActivationKind::tanh}};
  const datasets::Dataset data = datasets::iris();
  const Tensor centred = data.inputs() - mean(data.inputs(), {.axes = {0}});
  const Tensor x = centred / sqrt(mean(square(centred), {.axes = {0}}));
  optim::SGD sgd(model.parameters(), {.lr = lr, .momentum = momentum});
  for (int step = 0; step < 20; ++step) {
    sgd.zero_grad();
    nn::cross_entropy(model(x), data.labels()).backward();
    sgd.step();
  }
  return nn::cross_entropy(model(x), data.labels()).item();
}

}  // namespace

TEST_CASE("gallery 13: descent through 20 steps finds a learning rate as good as a grid search's") {
  const DefaultDtype in_double(float64);
  const testing::GalleryPage page("13_learning_the_rate");
  const double h = 1e-5;
  const double by_rate = (trained(0.02 + h, 0.5) - trained(0.02 - h, 0.5)) / (2 * h);
  const double by_momentum = (trained(0.02, 0.5 + h) - trained(0.02, 0.5 - h)) / (2 * h);
  for (const std::string name : {"engine", "numerical"}) {
    CAPTURE(name);
    CHECK(std::abs(page.number("d loss / d rate, " + name) / by_rate - 1) < 1e-6);
    CHECK(std::abs(page.number("d loss / d momentum, " + name) / by_momentum - 1) < 1e-6);
  }
  for (const std::string search : {"rate", "both"}) {
    CAPTURE(search);
    const std::vector<double> found = page.numbers(search + ": found by descent, rate and momentum");
    const double loss = page.number(search + ": loss, found by descent (nats)");
    CHECK(trained(found[0], found[1]) == doctest::Approx(loss).epsilon(1e-9));
    const double start = trained(0.02, 0.5);
    const double reached = page.number(search + ": loss, best of the grid (nats)");
    CHECK(start - loss > 0.99 * (start - reached));  // of what the grid gains, all but a hundredth
    CHECK(page.number(search + ": trainings of the descent") <
          0.5 * page.number(search + ": trainings of the grid"));
  }
  // Descents of fewer and of more trainings, which the page compares with its own.
  for (const std::string trainings : {"12", "20"}) {
    CHECK(page.number("rate: loss, found by descent of " + trainings + " trainings (nats)") >
          page.number("rate: loss, found by descent (nats)"));
  }
}
