#include <doctest/doctest.h>

#include <cmath>
#include <limits>

#include "tests/nn/support.h"
#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/ops.h"
#include "xtgrad/nn/dropout.h"

using namespace xtgrad;
using nn_test::close;
using nn_test::elements;

TEST_CASE("Dropout2d drops whole channels with probability p and keeps the mean") {
  for (const Dtype dtype : {float32, float64}) {
    manual_seed(4);
    nn::Dropout2d drop{{.p = 0.3}};
    const std::vector<double> y = elements(drop(ones({100, 100, 2, 3}, {.dtype = dtype})));
    double dropped = 0;
    for (std::size_t channel = 0; channel < 10000; ++channel) {
      const double first = y[channel * 6];
      for (std::size_t i = 1; i < 6; ++i) REQUIRE(y[channel * 6 + i] == first);
      if (first == 0) {
        ++dropped;
      } else {
        CHECK(close(first, 1 / 0.7, 1e-7));
      }
    }
    // Of 10^4 Bernoulli draws, the share has a standard deviation of 0.0046; four of them.
    CHECK(std::abs(dropped / 1e4 - 0.3) < 0.0184);
  }
}

TEST_CASE("Dropout2d draws from a stream of its own, one position a forward, and copies continue it") {
  manual_seed(1);
  nn::Dropout2d a{{.p = 0.5}};
  nn::Dropout2d b{{.p = 0.5}};
  const Tensor x = ones({4, 16, 1, 1});
  CHECK(elements(a(x)) != elements(b(x)));
  CHECK(a.stream.position() == 1);
  CHECK(a.state_dict().contains("stream"));
  nn::Dropout2d copy = a;
  CHECK(elements(copy(x)) == elements(a(x)));
}

TEST_CASE("Dropout2d is the identity in evaluation and for p = 0, and draws nothing") {
  nn::Dropout2d drop{{.p = 0.5}};
  const Tensor x = ones({2, 3, 2, 2});
  drop.eval();
  CHECK(elements(drop(x)) == elements(x));
  CHECK(drop(x).node() != x.node());
  nn::Dropout2d none{{.p = 0}};
  CHECK(elements(none(x)) == elements(x));
  CHECK(none(x).node() != x.node());
  CHECK(drop.stream.position() == 0);
  CHECK(none.stream.position() == 0);
}

TEST_CASE("Dropout2d with p = 1 gives zeros, also of what is not finite, with gradients of zero") {
  nn::Dropout2d drop{{.p = 1}};
  const double inf = std::numeric_limits<double>::infinity();
  const Tensor x = tensor({{{{1, inf}}, {{-inf, std::nan("")}}}}, {.requires_grad = true});
  const Tensor y = drop(x);
  CHECK(elements(y) == std::vector<double>(4, 0));
  sum(y).backward();
  CHECK(elements(x.grad()) == std::vector<double>(4, 0));
}

TEST_CASE("Dropout2d's gradient goes where the values went; empty batches are fine") {
  nn::Dropout2d drop;
  CHECK(drop.p() == 0.5);
  const Tensor x = ones({4, 8, 2, 2}, {.requires_grad = true});
  const Tensor y = drop(x);
  sum(y * 3).backward();
  CHECK(elements(x.grad()) == elements(y * 3));
  CHECK(drop(zeros({0, 3, 2, 2})).shape() == Shape{0, 3, 2, 2});
}

TEST_CASE("Dropout2d says what it takes") {
  CHECK_THROWS_WITH_AS(nn::Dropout2d({.p = 1.5}), "Dropout2d: p must be in [0, 1]: got 1.5", ValueError);
  CHECK_THROWS_WITH_AS(nn::Dropout2d({.p = std::nan("")}), "Dropout2d: p must be in [0, 1]: got nan",
                       ValueError);
  nn::Dropout2d drop;
  CHECK_THROWS_WITH_AS(static_cast<void>(drop(ones({2, 3}))),
                       "Dropout2d: input must be [n, c, h, w]: got [2, 3]", ShapeError);
}
