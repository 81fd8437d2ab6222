// ctc_loss: PyTorch's numbers, reductions, targets of all kinds, long sequences, replays.
#include "xtgrad/nn/ctc_loss.h"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>

#include "tests/nn/module_checks.h"
#include "tests/support/message_of.h"
#include "tests/support/values.h"
#include "xtgrad/autograd/functions/sequence.h"
#include "xtgrad/nn/capture.h"

using namespace xtgrad;
using namespace nn_test;
using nn::Reduction;
using xtgrad::testing::message_of;
using xtgrad::testing::same_bits;

namespace {

constexpr double inf = std::numeric_limits<double>::infinity();

Tensor ints(const NestedNumbers& numbers) { return tensor(numbers, {.dtype = int64}); }

// PyTorch's losses of log_softmax(ramp({6, 2, 4}), 2) for the targets {1, 2, 2} and {3, 1} in 6 and 4 steps.
const Numbers losses{4.535149594642619, 3.3655047221934864};

}  // namespace

TEST_CASE("ctc_loss has PyTorch's losses and gradients, with every reduction") {
  for (const Dtype dtype : {float32, float64}) {
    const double tolerance = dtype == float64 ? 1e-12 : 1e-5;
    const Tensor logits = ramp({6, 2, 4}, dtype).set_requires_grad();
    const auto loss = [&](Reduction reduction) {
      return nn::ctc_loss(log_softmax(logits, 2), ints({{1, 2, 2}, {3, 1, -1}}), ints({6, 4}), ints({3, 2}),
                          {.reduction = reduction});
    };
    check_numbers(elements(loss(Reduction::none)), losses, tolerance);
    CHECK(agrees(loss(Reduction::sum).item(), losses[0] + losses[1], tolerance));
    CHECK(agrees(loss(Reduction::mean).item(), (losses[0] / 3 + losses[1] / 2) / 2, tolerance));
    loss(Reduction::sum).backward();
    check_numbers(
        elements(select(logits.grad(), 0, 5)),
        {-0.05148686023863458, 0.6235091757770107, -0.6377396991724802, 0.06571738363410408, 0, 0, 0, 0},
        tolerance);
    check_numbers(elements(select(select(logits.grad(), 0, 1), 0, 1)),
                  {-0.03272375499237631, -0.018964789407501542, 0.20242379233657756, -0.1507352479366997},
                  tolerance);
  }
}

TEST_CASE("targets one after the other, of int32, and with another blank") {
  const Tensor logs = log_softmax(ramp({6, 2, 4}, float64), 2);
  const auto each = [](const Tensor& x, const Tensor& targets, std::int64_t blank) {
    return elements(nn::ctc_loss(x, targets, ints({6, 4}).to(int32), ints({3, 2}).to(int32),
                                 {.blank = blank, .reduction = Reduction::none}));
  };
  check_numbers(each(logs, ints({1, 2, 2, 3, 1}), 0), losses, 1e-13);
  check_numbers(each(logs, ints({1, 2, 2, 3, 1}).to(int32), 0), losses, 1e-13);
  // The blank's column last.
  const Tensor moved = concat({slice(logs, {.axis = 2, .start = 1}), slice(logs, {.axis = 2, .stop = 1})}, 2);
  check_numbers(each(moved, ints({{0, 1, 1}, {2, 0, 0}}), 3), losses, 1e-13);
}

TEST_CASE("a target that is too long is inf, or 0, and has no gradient") {
  const Tensor logits = ramp({6, 2, 4}).set_requires_grad();
  const auto loss = [&](bool zero, Reduction reduction) {
    return nn::ctc_loss(log_softmax(logits, 2), ints({{1, 2, 2}, {3, 1, 0}}), ints({3, 4}), ints({3, 2}),
                        {.zero_infinity = zero, .reduction = reduction});
  };
  CHECK(loss(false, Reduction::none).at({0}) == inf);
  CHECK(agrees(loss(true, Reduction::mean).item(), losses[1] / 4, 1e-6));
  for (const bool zero : {true, false}) {
    logits.clear_grad();
    loss(zero, Reduction::sum).backward();
    CHECK(elements(select(select(logits.grad(), 1, 0), 0, 1)) == Numbers(4, 0));
    CHECK(!std::isnan(sum(logits.grad()).item()));
  }
}

TEST_CASE("the second derivative of the mean, through log_softmax") {
  check_smooth(
      [](auto in) {
        return nn::ctc_loss(log_softmax(in[0], 2), ints({{1, 2}, {2, 2}}), ints({3, 3}), ints({2, 1}));
      },
      {ramp({3, 2, 3}, float64)});
}

TEST_CASE("ten thousand steps neither underflow nor lose digits") {
  // Every path of n steps is as likely, and those of one label are n (n + 1) / 2.
  const std::int64_t n = 10000;
  const Tensor logs = full({n, 1, 2}, -800, {.dtype = float32}).set_requires_grad();
  const Tensor loss = nn::ctc_loss(logs, ints({{1}}), ints({n}), ints({1}));
  const double want = 800.0 * static_cast<double>(n) - std::log(0.5 * static_cast<double>(n * (n + 1)));
  CHECK(agrees(loss.item(), want, 1e-7));
  loss.backward();
  CHECK(agrees(sum(logs.grad().to(float64)).item(), -static_cast<double>(n), 1e-6));
}

TEST_CASE("a captured loss heeds the targets and lengths of each call") {
  const auto step = [](const Tensor& x, const Tensor& targets, const Tensor& input_lengths,
                       const Tensor& target_lengths) {
    const Tensor leaf = x.detach().set_requires_grad();
    const Tensor loss = nn::ctc_loss(log_softmax(leaf, 2), targets, input_lengths, target_lengths);
    const Tensor gradient = grad(loss, leaf, {.create_graph = true});
    return std::vector<Tensor>{loss.detach(), gradient.detach(), grad(sum(square(gradient)), leaf)};
  };
  const Tensor x = ramp({4, 2, 3});
  auto replay = capture(step, {x, ints({{1, 1}, {2, 1}}), ints({4, 3}), ints({1, 2})});
  for (const Tensor& targets : {ints({{2, 1}, {1, 2}}), ints({{1, 1}, {2, 0}})}) {
    const Tensor y = 2 * x, longest = ints({3, 4}), lengths = ints({2, 1});
    const std::vector<Tensor> want = step(y, targets, longest, lengths),
                              got = replay(y, targets, longest, lengths);
    for (std::size_t k = 0; k < want.size(); ++k) CHECK(same_bits(got[k], want[k]));
  }
}

TEST_CASE("ctc_loss says what does not fit") {
  CHECK(message_of<ValueError>([] {
          return nn::ctc_loss(zeros({2, 1, 3}), Tensor(), ints({2}), ints({1}));
        }) == "ctc_loss: targets: the handle is empty");
  CHECK(message_of<DtypeError>([] {
          return nn::ctc_loss(ints({{{1}}}), ints({{1}}), ints({1}), ints({1}));
        }) == "ctc_loss: log_probabilities must be float32 or float64: got int64");
  CHECK(message_of<ValueError>([] {
          return nn::ctc_loss(zeros({2, 1, 3}), ints({{3}}), ints({2}), ints({1}));
        }) ==
        "ctc_loss: a label must be one of the 3 classes, and not blank, which is 0: label 0 of item 0 is 3");
}
