// The losses of several labels, against plain loops in double and PyTorch's numbers.
#include "xtgrad/nn/multilabel_losses.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>

#include "tests/nn/loss_reference.h"
#include "tests/support/message_of.h"

using namespace xtgrad;
using namespace nn_test;
using nn::Reduction;
using xtgrad::testing::message_of;

namespace {

const Numbers scores{0.5, -0.25, 2, 0.25, 1, -0.75};

Tensor labels(const NestedNumbers& numbers) { return tensor(numbers, {.dtype = int64}); }

}  // namespace

TEST_CASE("soft_margin_loss is log(1 + e^(-y x)), also where that leaves the range") {
  const Numbers y{1, -1, -1, 1, 1, -1};
  Numbers items;
  for (std::size_t i = 0; i < 6; ++i) items.push_back(std::log1p(std::exp(-y[i] * scores[i])));
  check_items(
      [&](Dtype t, Reduction r) {
        return nn::soft_margin_loss(shaped(scores, {2, 3}, t), shaped(y, {2, 3}, t), {.reduction = r});
      },
      {2, 3}, items);
  check_smooth([&](auto x) { return nn::soft_margin_loss(x[0], shaped(y, {6})); }, {shaped(scores, {6})});
  CHECK(nn::soft_margin_loss(tensor({1e4, -1e4}), tensor({1, 1}), {.reduction = Reduction::sum}).item() ==
        1e4);
  CHECK(message_of<ValueError>([] { return nn::soft_margin_loss(zeros({1}), zeros({1})); }) ==
        "soft_margin_loss: target must be 1 or -1: got 0 at [0]");
}

TEST_CASE("multilabel_soft_margin_loss averages over classes") {
  const Numbers y{1, 0, 0, 1, 1, 0}, w{0.5, 2, 1};
  for (const bool weighted : {false, true}) {
    Numbers items;
    for (std::size_t i = 0; i < 2; ++i) {
      double item = 0;
      for (std::size_t c = 0; c < 3; ++c) {
        const double x = scores[3 * i + c];
        const double each = std::log1p(std::exp(y[3 * i + c] == 1 ? -x : x));
        item += each * (weighted ? w[c] : 1) / 3;
      }
      items.push_back(item);
    }
    check_items(
        [&](Dtype t, Reduction r) {
          nn::MultilabelSoftMarginLossOptions options{.reduction = r};
          if (weighted) options.weight = shaped(w, {3}, t);
          return nn::multilabel_soft_margin_loss(shaped(scores, {2, 3}, t), shaped(y, {2, 3}, t), options);
        },
        {2}, items);
  }
  CHECK(message_of<ShapeError>([] { return nn::multilabel_soft_margin_loss(zeros({}), zeros({})); }) ==
        "multilabel_soft_margin_loss: logits need a class dimension: got []");
}

TEST_CASE("multilabel_margin_loss compares each label to each class that is none") {
  // Row 0 has the labels 2 and 0, row 1 none: what is behind -1 does not count.
  const auto target = labels({{2, 0, -1}, {-1, 1, 2}});
  const Numbers want{(std::max(0.0, 1 - (2 + 0.25)) + std::max(0.0, 1 - (0.5 + 0.25))) / 3, 0};
  check_items(
      [&](Dtype t, Reduction r) {
        return nn::multilabel_margin_loss(shaped(scores, {2, 3}, t), target, {.reduction = r});
      },
      {2}, want);
  // PyTorch's example: x of 0.1, 0.2, 0.4, 0.8 with the labels 3 and 0.
  const Tensor x = shaped({0.1, 0.2, 0.4, 0.8}, {4}).set_requires_grad();
  const Tensor loss = nn::multilabel_margin_loss(x, labels({3, 0, -1, 1}));
  CHECK(loss.shape() == Shape{});
  CHECK(agrees(loss.item(),
               0.25 * ((1 - (0.1 - 0.2)) + (1 - (0.1 - 0.4)) + (1 - (0.8 - 0.2)) + (1 - (0.8 - 0.4))),
               1e-15));
  loss.backward();
  CHECK(elements(x.grad()) == Numbers{-0.5, 0.5, 0.5, -0.5});
  CHECK(message_of<ValueError>([&] {
          return nn::multilabel_margin_loss(zeros({2}), labels({2, -1}));
        }) == "multilabel_margin_loss: target must be in [-1, 1]: got 2 at [0]");
  CHECK(message_of<ShapeError>([&] { return nn::multilabel_margin_loss(zeros({2}), labels({{1}})); }) ==
        "multilabel_margin_loss: scores [2] need a target of that shape: got [1, 1]");
}
