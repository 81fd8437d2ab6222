#include "xtgrad/nn/batch_norm.h"

#include <doctest/doctest.h>

#include <cmath>

#include "tests/nn/support.h"
#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/grad.h"
#include "xtgrad/autograd/ops.h"

using namespace xtgrad;
using nn_test::close;
using nn_test::elements;

namespace {

using Real = long double;

/// Multiples of 1/8 in a fixed disorder, which both dtypes hold.
Tensor ramp(const Shape& shape, Dtype dtype = float32) {
  std::vector<double> values;
  for (std::int64_t i = 0; i < shape.numel(); ++i)
    values.push_back(static_cast<double>(i * 37 % 23 - 11) / 8);
  return reshape(from_vector(values), shape).to(dtype);
}

/// A module of three channels, with a scale and a shift that are none of the defaults.
template <class Norm>
Norm numbered(nn::BatchNormOptions options, Dtype dtype) {
  options.num_features = 3;
  Norm norm(options);
  norm.to(dtype);
  if (options.affine) {
    norm.weight.set_value(tensor({1, 2, 0.5}, {.dtype = dtype}));
    norm.bias.set_value(tensor({0, -1, 0.25}, {.dtype = dtype}));
  }
  return norm;
}

/// The statistics of each of three channels of [n, 3, rest], in long double.
struct Statistics {
  std::vector<Real> mean = {0, 0, 0};
  std::vector<Real> var = {0, 0, 0};  // biased
  std::vector<Real> unbiased = {0, 0, 0};
};

Statistics statistics(const Tensor& x) {
  const std::vector<double> v = elements(x);
  const std::size_t rest = v.size() / static_cast<std::size_t>(x.size(0)) / 3;
  const Real count = static_cast<Real>(v.size()) / 3;
  Statistics s;
  for (std::size_t i = 0; i < v.size(); ++i) s.mean[i / rest % 3] += v[i] / count;
  for (std::size_t i = 0; i < v.size(); ++i) {
    const Real d = v[i] - s.mean[i / rest % 3];
    s.var[i / rest % 3] += d * d / count;
  }
  for (std::size_t c = 0; c < 3; ++c) s.unbiased[c] = s.var[c] * count / (count - 1);
  return s;
}

/// |got - want| within the rounding of values of size 1.
void check_near(const std::vector<double>& got, const std::vector<double>& want, Dtype dtype) {
  REQUIRE(got.size() == want.size());
  for (std::size_t i = 0; i < got.size(); ++i) {
    CAPTURE(i);
    CHECK(std::abs(got[i] - want[i]) <= (dtype == float64 ? 4e-15 : 2e-6) * std::max(1.0, std::abs(want[i])));
  }
}

std::vector<double> normalized(const Tensor& x, const std::vector<Real>& mean, const std::vector<Real>& var,
                               bool affine = true) {
  const std::vector<double> v = elements(x);
  const std::size_t rest = v.size() / static_cast<std::size_t>(x.size(0)) / 3;
  const std::vector<Real> scale = affine ? std::vector<Real>{1, 2, 0.5} : std::vector<Real>{1, 1, 1};
  const std::vector<Real> shift = affine ? std::vector<Real>{0, -1, 0.25} : std::vector<Real>(3, 0.0L);
  std::vector<double> y;
  for (std::size_t i = 0; i < v.size(); ++i) {
    const std::size_t c = i / rest % 3;
    y.push_back(static_cast<double>((v[i] - mean[c]) / std::sqrt(var[c] + 1e-5L) * scale[c] + shift[c]));
  }
  return y;
}

std::vector<double> narrow(const std::vector<Real>& values) { return {values.begin(), values.end()}; }

/// Training on x, then on 3 x: what forward gives, and where the running statistics go.
template <class Norm>
void check_training(const Shape& shape, const nn::BatchNormOptions& options) {
  for (const Dtype dtype : {float32, float64}) {
    Norm norm = numbered<Norm>(options, dtype);
    std::vector<Real> mean(3, 0.0L);
    std::vector<Real> var(3, 1.0L);
    for (int batch = 1; batch <= 2; ++batch) {
      const Tensor x = ramp(shape, dtype) * (2 * batch - 1);
      const Tensor y = norm(x);
      CHECK(y.shape() == shape);
      CHECK(y.dtype() == dtype);
      const Statistics s = statistics(x);
      check_near(elements(y), normalized(x, s.mean, s.var, options.affine), dtype);
      const Real share = options.momentum ? static_cast<Real>(*options.momentum) : 1.0L / batch;
      for (std::size_t c = 0; c < 3; ++c) {
        mean[c] += share * (s.mean[c] - mean[c]);
        var[c] += share * (s.unbiased[c] - var[c]);
      }
      check_near(elements(norm.running_mean), narrow(mean), dtype);
      check_near(elements(norm.running_var), narrow(var), dtype);
      CHECK(norm.num_batches_tracked == batch);
    }
    norm.eval();
    const Tensor x = ramp(shape, dtype);
    check_near(elements(norm(x)), normalized(x, mean, var, options.affine), dtype);
    check_near(elements(norm.running_mean), narrow(mean), dtype);
    CHECK(norm.num_batches_tracked == 2);
  }
}

}  // namespace

TEST_CASE("training uses the batch's statistics and moves the running ones, evaluation uses those") {
  check_training<nn::BatchNorm2d>({2, 3, 4, 5}, {});
  check_training<nn::BatchNorm2d>({1, 3, 2, 1}, {.momentum = 0.25});
  check_training<nn::BatchNorm2d>({2, 3, 3, 3}, {.momentum = std::nullopt});
  check_training<nn::BatchNorm2d>({2, 3, 3, 3}, {.momentum = 1, .affine = false});
  check_training<nn::BatchNorm1d>({5, 3}, {});
  check_training<nn::BatchNorm1d>({2, 3, 4}, {.momentum = std::nullopt});
}

TEST_CASE("the values of PyTorch 1.13") {
  // m = torch.nn.BatchNorm2d(3) in float64 with weight [1, 2, 0.5] and bias [0, -1, 0.25]; x [2, 3, 2, 2] is
  // (torch.arange(24) * 37 % 23 - 11) / 8; m(x); y = m(2 * x); y.backward(x.square())
  const Tensor x = ramp({2, 3, 2, 2}, float64).set_requires_grad();
  auto norm = numbered<nn::BatchNorm2d>({}, float64);
  static_cast<void>(norm(x.detach()));
  const Tensor y = norm(x * 2);
  y.backward({.gradient = square(x.detach())});
  const auto first = [](const Tensor& values) {
    const std::vector<double> all = elements(values);
    return std::vector<double>(all.begin(), all.begin() + 6);
  };
  check_near(first(y),
             {-1.42324235077115, 0.5446976898013043, -0.7204066219952735, 1.247533418577181,
              -1.4819306023890246, -4.373514216723173},
             float64);
  check_near(first(x.grad()),
             {1.1252209998254827, -0.7070020858777979, -0.31983458279855015, 0.3078673822137374,
              -1.4658724976706317, 2.8715014314065},
             float64);
  check_near(elements(norm.weight.grad()), {-0.49061228411034824, 0.7781171184406127, -1.7721780384690025},
             float64);
  check_near(elements(norm.bias.grad()), {6.421875, 4.875, 6.40625}, float64);
  check_near(elements(norm.running_mean), {-0.03171875, 0.018125, -0.03625}, float64);
  check_near(elements(norm.running_var), {1.25283203125, 1.1490625, 1.2496875}, float64);
  norm.eval();
  check_near(first(norm(x)),
             {-1.2001037568006523, 0.3633674629466207, -0.6417211783194834, 0.9217500414277896,
              -1.2670372087372577, -3.3660196354929943},
             float64);
}

TEST_CASE("the gradient in evaluation is the scale, and reaches weight and bias") {
  auto norm = numbered<nn::BatchNorm1d>({}, float64);
  norm.running_mean = tensor({1, 2, 3}, {.dtype = float64});
  norm.running_var = tensor({4, 9, 16}, {.dtype = float64});
  norm.eval();
  const Tensor x = tensor({{1, 5, 3}, {3, 2, 11}}, {.dtype = float64, .requires_grad = true});
  const Tensor g = tensor({{1, -2, 3}, {5, 7, -4}}, {.dtype = float64});
  norm(x).backward({.gradient = g});
  const double a = 1 / std::sqrt(4 + 1e-5);
  const double b = 1 / std::sqrt(9 + 1e-5);
  const double c = 1 / std::sqrt(16 + 1e-5);
  check_near(elements(x.grad()), {a, -4 * b, 1.5 * c, 5 * a, 14 * b, -2 * c}, float64);
  check_near(elements(norm.weight.grad()), {10 * a, -6 * b, -32 * c}, float64);
  CHECK(elements(norm.bias.grad()) == std::vector<double>{6, 5, -1});
}

TEST_CASE("evaluation keeps its digits where the mean is 1e4 deviations from zero") {
  for (const Dtype dtype : {float32, float64}) {
    CAPTURE(to_string(dtype));
    auto norm = numbered<nn::BatchNorm2d>({}, dtype);
    norm.running_mean = tensor({1e4, -2e4, 0.5e4}, {.dtype = dtype});
    norm.running_var = tensor({1, 4, 0.25}, {.dtype = dtype});
    norm.eval();
    // Multiples of 1/8 about each mean: both dtypes hold them, so that every error is the layer's own.
    const Tensor x =
        (ramp({2, 3, 4, 5}, dtype) + reshape(norm.running_mean, {3, 1, 1})).detach().set_requires_grad();
    const Tensor y = norm(x);
    check_near(elements(y), normalized(x, {1e4L, -2e4L, 0.5e4L}, {1, 4, 0.25L}), dtype);

    const Tensor g = ramp({2, 3, 4, 5}, dtype);
    y.backward({.gradient = g});
    const std::vector<double> v = elements(x), u = elements(g);
    const Real mean[] = {1e4L, -2e4L, 0.5e4L}, var[] = {1, 4, 0.25L}, weight[] = {1, 2, 0.5L};
    std::vector<double> dx;
    std::vector<Real> sums(3, 0.0L);
    for (std::size_t i = 0; i < v.size(); ++i) {
      const std::size_t c = i / 20 % 3;
      const Real inverse = 1 / std::sqrt(var[c] + 1e-5L);
      dx.push_back(static_cast<double>(u[i] * weight[c] * inverse));
      sums[c] += u[i] * (v[i] - mean[c]) * inverse;
    }
    check_near(elements(x.grad()), dx, dtype);
    check_near(elements(norm.weight.grad()), narrow(sums), dtype);
  }
}

TEST_CASE("second derivatives in evaluation keep their digits, too") {
  auto norm = numbered<nn::BatchNorm1d>({}, float32);
  norm.running_mean = tensor({1e4, -2e4, 0.5e4});
  norm.running_var = tensor({1, 4, 0.25});
  norm.eval();
  const Tensor x = (ramp({5, 3}) + norm.running_mean).detach().set_requires_grad();
  const Tensor first = grad({sum(square(norm(x)))}, {x}, {.create_graph = true})[0];
  const Tensor second = grad({sum(square(first))}, {x})[0];
  // y = (x - mean) s + b and f = y^2: f' = 2 y s, and the derivative of f'^2 is 8 y s^3.
  const std::vector<Real> mean = {1e4L, -2e4L, 0.5e4L}, var = {1, 4, 0.25L};
  const std::vector<double> y = normalized(x, mean, var);
  std::vector<double> want;
  for (std::size_t i = 0; i < y.size(); ++i) {
    const Real weight[] = {1, 2, 0.5L};
    const Real s = weight[i % 3] / std::sqrt(var[i % 3] + 1e-5L);
    want.push_back(static_cast<double>(8 * y[i] * s * s * s));
  }
  check_near(elements(second), want, float32);
}

TEST_CASE("running statistics hold no graph, whatever the input's history") {
  nn::BatchNorm2d norm{{.num_features = 2}};
  const Tensor x = ramp({2, 2, 2, 2}).set_requires_grad();
  const Tensor y = norm(x * 2);
  CHECK(y.requires_grad());
  CHECK_FALSE(norm.running_mean.requires_grad());
  CHECK_FALSE(norm.running_var.requires_grad());
  CHECK(norm.running_mean.is_leaf());
  CHECK(norm.running_var.is_leaf());
  {
    // Without recording, too, training counts.
    const NoGrad no_grad;
    static_cast<void>(norm(x));
  }
  CHECK(norm.num_batches_tracked == 2);
}

TEST_CASE("names, layouts and dtypes are PyTorch's") {
  nn::BatchNorm2d norm{{.num_features = 2}};
  static_cast<void>(norm(ramp({2, 2, 2, 2})));
  const auto names = [](const nn::Module& module) {
    std::vector<std::string> all;
    for (const auto& entry : module.state_dict()) all.push_back(entry.name);
    return all;
  };
  CHECK(names(norm) ==
        std::vector<std::string>{"weight", "bias", "running_mean", "running_var", "num_batches_tracked"});
  const nn::StateDict state = norm.state_dict();
  for (const char* name : {"weight", "bias", "running_mean", "running_var"}) {
    CHECK(state.at(name).shape() == Shape{2});
    CHECK(state.at(name).dtype() == float32);
  }
  CHECK(state.at("num_batches_tracked").shape() == Shape{});
  CHECK(state.at("num_batches_tracked").dtype() == int64);
  CHECK(state.at("num_batches_tracked").item_int64() == 1);
  nn::BatchNorm2d other{{.num_features = 2}};
  other.load_state_dict(state);
  CHECK(elements(other.running_mean) == elements(norm.running_mean));
  CHECK(other.num_batches_tracked == 1);
  CHECK(names(nn::BatchNorm2d({.num_features = 2, .affine = false})) ==
        std::vector<std::string>{"running_mean", "running_var", "num_batches_tracked"});
  CHECK(names(nn::BatchNorm2d({.num_features = 2, .track_running_stats = false})) ==
        std::vector<std::string>{"weight", "bias"});
  norm.to(float64);
  CHECK(norm.running_mean.dtype() == float64);
  CHECK(norm.running_var.dtype() == float64);
  CHECK(norm(ramp({2, 2, 2, 2}, float64)).dtype() == float64);
}

TEST_CASE("without running statistics, evaluation uses the batch's") {
  auto norm = numbered<nn::BatchNorm2d>({.track_running_stats = false}, float64);
  const Tensor x = ramp({2, 3, 2, 2}, float64);
  const std::vector<double> training = elements(norm(x));
  norm.eval();
  CHECK(elements(norm(x)) == training);
  CHECK_FALSE(norm.running_mean.defined());
  CHECK(norm.num_batches_tracked == 0);
  norm.reset_running_stats();
  CHECK_FALSE(norm.running_mean.defined());
  // With nothing of its own there is no dtype to differ from.
  nn::BatchNorm2d bare{{.num_features = 3, .affine = false, .track_running_stats = false}};
  CHECK(bare(x).dtype() == float64);
  CHECK(bare(ramp({2, 3, 2, 2})).dtype() == float32);
}

TEST_CASE("running statistics can be taken anew") {
  auto norm = numbered<nn::BatchNorm2d>({}, float64);
  static_cast<void>(norm(ramp({2, 3, 2, 2}, float64)));
  norm.reset_running_stats();
  CHECK(elements(norm.running_mean) == std::vector<double>{0, 0, 0});
  CHECK(elements(norm.running_var) == std::vector<double>{1, 1, 1});
  CHECK(norm.running_var.dtype() == float64);
  CHECK(norm.num_batches_tracked == 0);
}

TEST_CASE("a batch of one trains if it has more than one value a channel; an empty one changes nothing") {
  nn::BatchNorm2d norm{{.num_features = 3}};
  const std::string message =
      "BatchNorm2d: the batch's variance needs more than one value a channel: input is [1, 3, 1, 1]";
  CHECK_THROWS_WITH_AS(static_cast<void>(norm(zeros({1, 3, 1, 1}))), message.c_str(), ShapeError);
  CHECK(norm.num_batches_tracked == 0);
  CHECK(norm(ramp({1, 3, 1, 2})).shape() == Shape{1, 3, 1, 2});
  const std::vector<double> before = elements(norm.running_var);
  CHECK(norm(zeros({0, 3, 4, 4})).shape() == Shape{0, 3, 4, 4});
  CHECK(elements(norm.running_var) == before);
  CHECK(norm.num_batches_tracked == 1);
  norm.eval();
  CHECK(norm(zeros({1, 3, 1, 1})).shape() == Shape{1, 3, 1, 1});
  CHECK(norm(zeros({0, 3, 4, 4})).shape() == Shape{0, 3, 4, 4});
  nn::BatchNorm1d flat{{.num_features = 3, .track_running_stats = false}};
  flat.eval();
  CHECK_THROWS_WITH_AS(
      static_cast<void>(flat(zeros({1, 3}))),
      "BatchNorm1d: the batch's variance needs more than one value a channel: input is [1, 3]", ShapeError);
}

TEST_CASE("what batch normalisation refuses, and what it says") {
  const auto make = [](const nn::BatchNormOptions& options) { nn::BatchNorm2d norm(options); };
  CHECK_THROWS_WITH_AS(make({}), "BatchNorm2d: num_features is required, and was not given", ValueError);
  CHECK_THROWS_WITH_AS(nn::BatchNorm1d({.num_features = 0}),
                       "BatchNorm1d: num_features must be at least 1: got 0", ValueError);
  CHECK_THROWS_WITH_AS(make({.num_features = 3, .eps = -1}),
                       "BatchNorm2d: eps must be finite and at least 0: got -1", ValueError);
  CHECK_THROWS_WITH_AS(make({.num_features = 3, .momentum = 1.5}),
                       "BatchNorm2d: momentum must be in [0, 1]: got 1.5", ValueError);
  CHECK_THROWS_WITH_AS(make({.num_features = 3, .momentum = std::nan("")}),
                       "BatchNorm2d: momentum must be in [0, 1]: got nan", ValueError);
  struct Model : nn::Module {
    nn::BatchNorm2d norm{{.num_features = 3}};
    void members(nn::Members& m) override { m("norm", norm); }
    Tensor forward(const Tensor& x) override { return norm(x); }
  };
  Model model;
  CHECK_THROWS_WITH_AS(static_cast<void>(model(zeros({2, 4, 5, 5}))),
                       "BatchNorm2d (norm): input must be [n, 3, h, w]: got [2, 4, 5, 5]", ShapeError);
  CHECK_THROWS_WITH_AS(static_cast<void>(model(zeros({2, 3}))),
                       "BatchNorm2d (norm): input must be [n, 3, h, w]: got [2, 3]", ShapeError);
  CHECK_THROWS_WITH_AS(static_cast<void>(model(zeros({2, 3, 5, 5}, {.dtype = float64}))),
                       "BatchNorm2d (norm): input is float64, running_mean is float32; convert the input or "
                       "the model with to()",
                       DtypeError);
  nn::BatchNorm1d flat{{.num_features = 3}};
  CHECK_THROWS_WITH_AS(static_cast<void>(flat(zeros({2, 3, 4, 4}))),
                       "BatchNorm1d: input must be [n, 3] or [n, 3, length]: got [2, 3, 4, 4]", ShapeError);
  CHECK_THROWS_WITH_AS(static_cast<void>(flat(zeros({3}))),
                       "BatchNorm1d: input must be [n, 3] or [n, 3, length]: got [3]", ShapeError);
}
