#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "tests/gallery/gallery_page.h"
#include "xtgrad/autograd/grad.h"
#include "xtgrad/autograd/ops.h"
#include "xtgrad/autograd/random.h"
#include "xtgrad/datasets/digits.h"
#include "xtgrad/datasets/transforms.h"
#include "xtgrad/nn/linear.h"

using namespace xtgrad;

TEST_CASE("gallery 09: every optimizer learns the digits, and each stopping rule stops in its place") {
  const testing::GalleryPage page("09_descent");

  // The first step of gradient descent, by the formula of softmax regression: W -= lr (p - y)^T x / n.
  const datasets::Dataset digits = datasets::unit_range(datasets::digits(), {.high = 16});
  manual_seed(0);
  const nn::Linear model{64, 10};
  const NoGrad no_grad;
  const Tensor x = digits.inputs().to(float64);
  const Tensor y = one_hot(digits.labels(), 10).to(float64);
  const Tensor w = model.weight.tensor().to(float64);
  const Tensor b = model.bias.tensor().to(float64);
  const auto scores = [&](const Tensor& weight, const Tensor& bias) {
    return matmul(x, weight, {.transpose_b = true}) + bias;
  };
  const auto loss = [&](const Tensor& weight, const Tensor& bias) {
    return -mean(sum(log_softmax(scores(weight, bias), 1) * y, {.axes = {1}})).item();
  };
  const Tensor error = (softmax(scores(w, b), 1) - y) / static_cast<double>(digits.size());
  const Tensor after_w = w - 2 * matmul(error, x, {.transpose_a = true});
  const Tensor after_b = b - 2 * sum(error, {.axes = {0}});
  const std::vector<double> plain = page.numbers("loss on the digits, gradient descent");
  CHECK(plain[0] == doctest::Approx(loss(w, b)).epsilon(1e-5));
  CHECK(plain[1] == doctest::Approx(loss(after_w, after_b)).epsilon(1e-5));

  for (const std::string name :
       {"gradient descent", "momentum", "Nesterov", "ASGD", "AdaGrad", "Adadelta", "RMSProp", "Adam", "AdamW",
        "Adamax", "NAdam", "RAdam", "Rprop", "Lion", "L-BFGS"}) {
    CAPTURE(name);
    const std::vector<double> losses = page.numbers("loss on the digits, " + name);
    REQUIRE(losses.size() == 8);
    CHECK(losses.front() == plain.front());
    for (std::size_t i = 1; i < losses.size(); ++i) CHECK(losses[i] <= losses[i - 1]);
    CHECK(losses.back() < 0.5);
  }
  CHECK(page.numbers("loss on the digits, L-BFGS").back() < 1e-3);

  const auto stop = [&](const std::string& rule) { return page.number("stops after epoch: " + rule); };
  CHECK(stop("early stopping") == page.number("best epoch on validation images") + 30);
  CHECK(stop("gradient norm < 0.02") > 1);
  CHECK(stop("gradient norm < 0.02") < stop("parameter change < 0.005"));
  CHECK(stop("loss plateau") > 5);
  CHECK(stop("parameter change < 0.005") > 120);
  CHECK(stop("parameter change < 0.005") < 400);
  CHECK(stop("120 epochs or parameter change") == 120);
  CHECK(stop("epoch limit") == 400);
  const double best = page.number("validation loss of the best epoch (nats)");
  CHECK(page.number("validation loss with its weights back (nats)") == best);
  CHECK(page.number("validation loss after 400 epochs (nats)") > best);
  CHECK(page.number("training loss after 400 epochs (nats)") <
        page.number("training loss at the start (nats)") / 1000);
}
