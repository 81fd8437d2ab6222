#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/ops.h"
#include "xtgrad/nn/nn.h"

namespace nn_test {

using namespace xtgrad;

/// As a user would write it.
struct Classifier : nn::Module {
  nn::Linear hidden{4, 5};
  nn::Dropout drop{{.p = 0.25}};
  nn::Linear head{5, 3};
  void members(nn::Members& m) override {
    m("hidden", hidden);
    m("drop", drop);
    m("head", head);
  }
  Tensor forward(const Tensor& x) override { return head(drop(tanh(hidden(x)))); }
};

/// One of each kind of member, and a part that is used twice.
struct Everything : nn::Module {
  nn::Linear linear{2, 2};
  nn::Parameter scale{ones({2})};
  Tensor average = zeros({2});
  Tensor mask;  // empty at first
  Random stream{7};
  std::int64_t batches = 0;
  void members(nn::Members& m) override {
    m("linear", linear);
    m("scale", scale);
    m("average", average);
    m("mask", mask);
    m("stream", stream);
    m("batches", batches);
  }
  Tensor forward(const Tensor& x) override {
    const Tensor y = linear(linear(x) - average) * scale;
    if (is_training()) {
      ++batches;
      average = average * 0.5 + mean(x, {.axes = {0}}).detach() * 0.5;
      static_cast<void>(stream.next_uniform());
    }
    return y;
  }
};

}  // namespace nn_test
