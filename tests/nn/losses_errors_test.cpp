// Every loss names itself and what it was given.

#include <doctest/doctest.h>

#include <functional>
#include <string>
#include <vector>

#include "tests/support/message_of.h"
#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/errors.h"
#include "xtgrad/nn/losses.h"

using namespace xtgrad;
using xtgrad::testing::message_of;

namespace {

struct Loss {
  std::string name;
  std::string first;  // what it calls its first tensor
  std::function<Tensor(const Tensor&, const Tensor&)> f;
  Dtype target = float32;
};

const std::vector<Loss> losses{
    {"mse_loss", "prediction", [](const Tensor& x, const Tensor& y) { return nn::mse_loss(x, y); }},
    {"cross_entropy", "logits", [](const Tensor& x, const Tensor& y) { return nn::cross_entropy(x, y); }},
    {"bce_with_logits", "logits", [](const Tensor& x, const Tensor& y) { return nn::bce_with_logits(x, y); }},
    {"l1_loss", "prediction", [](const Tensor& x, const Tensor& y) { return nn::l1_loss(x, y); }},
    {"smooth_l1_loss", "prediction",
     [](const Tensor& x, const Tensor& y) { return nn::smooth_l1_loss(x, y); }},
    {"huber_loss", "prediction", [](const Tensor& x, const Tensor& y) { return nn::huber_loss(x, y); }},
    {"poisson_nll_loss", "prediction",
     [](const Tensor& x, const Tensor& y) { return nn::poisson_nll_loss(x, y); }},
    {"nll_loss", "log_probabilities", [](const Tensor& x, const Tensor& y) { return nn::nll_loss(x, y); },
     int64},
    {"kl_div", "log_probabilities", [](const Tensor& x, const Tensor& y) { return nn::kl_div(x, y); }},
    {"bce", "probabilities", [](const Tensor& x, const Tensor& y) { return nn::bce(x, y); }},
    {"hinge_loss", "scores", [](const Tensor& x, const Tensor& y) { return nn::hinge_loss(x, y); }, int64},
    {"hinge_embedding_loss", "distances",
     [](const Tensor& x, const Tensor& y) { return nn::hinge_embedding_loss(x, y); }},
};

}  // namespace

TEST_CASE("losses of other dtypes than the floating ones") {
  for (const Loss& loss : losses) {
    for (const Dtype dtype : {boolean, uint8, int32, int64}) {
      const Tensor x = ones({2, 3}, {.dtype = dtype});
      CHECK(message_of<DtypeError>([&] { return loss.f(x, x); }) == loss.name + ": " + loss.first +
                                                                        " must be float32 or float64: got " +
                                                                        std::string(to_string(dtype)));
    }
    for (const Dtype dtype : {boolean, uint8, float64}) {
      CHECK(message_of<DtypeError>([&] {
              return loss.f(ones({2, 3}), ones({2, 3}, {.dtype = dtype}));
            }).find(loss.name + ": ") == 0);
    }
  }
}

TEST_CASE("losses of shapes that do not fit") {
  for (const Loss& loss : losses) {
    for (const Shape& shape : {Shape{}, Shape{2}, Shape{3, 2}, Shape{2, 3, 1}, Shape{0}}) {
      if (loss.target == int64 && shape == Shape{2}) continue;  // an index for each row is what it takes
      CHECK(message_of<ShapeError>([&] {
              return loss.f(ones({2, 3}), ones(shape, {.dtype = loss.target}));
            }).find(loss.name + ": ") == 0);
    }
  }
}

TEST_CASE("losses of empty handles") {
  const Tensor x = ones({2, 3}), none;
  for (const Loss& loss : losses) {
    CHECK(message_of<ValueError>([&] { return loss.f(none, x); }) ==
          loss.name + ": " + loss.first + ": the handle is empty");
    CHECK(message_of<ValueError>([&] { return loss.f(x, none); }) ==
          loss.name + ": target: the handle is empty");
  }
}

TEST_CASE("losses of weights that do not fit") {
  const Tensor x = ones({2, 3}), wide = ones({7}), integers = ones({3}, {.dtype = int64});
  const Tensor labels = zeros({2}, {.dtype = int64});
  CHECK(message_of<ShapeError>([&] {
          return nn::cross_entropy(x, labels, {.weight = wide});
        }).find("cross_entropy: weight must be [3]") == 0);
  CHECK(message_of<DtypeError>([&] {
          return nn::cross_entropy(x, labels, {.weight = integers});
        }).find("cross_entropy: weight is int64") == 0);
  CHECK(message_of<ShapeError>([&] {
          return nn::bce_with_logits(x, x, {.pos_weight = wide});
        }).find("bce_with_logits: pos_weight must broadcast") == 0);
  CHECK(message_of<DtypeError>([&] {
          return nn::bce_with_logits(x, x, {.weight = integers});
        }).find("bce_with_logits: weight is int64") == 0);
}
