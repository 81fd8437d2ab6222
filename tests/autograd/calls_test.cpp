// The ways to call what differentiates functions: lists, single tensors, parameters, lambdas of any kind.
#include <doctest/doctest.h>

#include <array>
#include <functional>
#include <vector>

#include "xtgrad/autograd/check_grads.h"
#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/custom_vjp.h"
#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/grad.h"
#include "xtgrad/autograd/implicit.h"
#include "xtgrad/autograd/ops.h"
#include "xtgrad/autograd/transforms.h"
#include "xtgrad/nn/linear.h"

using namespace xtgrad;

namespace {

std::vector<double> values(const Tensor& x) {
  std::vector<double> result;
  const Tensor flat = reshape(x.detach().to(float64), {-1});
  for (const double v : flat.data<double>()) result.push_back(v);
  return result;
}

using Numbers = std::vector<double>;

}  // namespace

TEST_CASE("grad takes one tensor or several, on either side") {
  const GradOptions keep{.keep_graph = true};
  const Tensor x = tensor({1, 2}, {.requires_grad = true});
  const Tensor y = tensor({3, 4}, {.requires_grad = true});
  const Tensor loss = sum(square(x) * y);
  const Numbers in_x{6, 16}, in_y{1, 4};
  const std::vector<Tensor> both{x, y};
  const std::array<Tensor, 2> array{x, y};

  CHECK(values(grad(loss, x, keep)) == in_x);
  CHECK(values(grad({loss}, x, keep)) == in_x);
  const std::vector<std::vector<Tensor>> pairs{grad(loss, {x, y}, keep),
                                               grad({loss}, {x, y}, keep),
                                               grad(loss, both, keep),
                                               grad({loss}, both, keep),
                                               grad(loss, array, keep),
                                               grad(std::vector<Tensor>{loss}, both, keep),
                                               grad(std::span(&loss, 1), both, keep)};
  for (const std::vector<Tensor>& gradients : pairs) {
    REQUIRE(gradients.size() == 2);
    CHECK(values(gradients[0]) == in_x);
    CHECK(values(gradients[1]) == in_y);
  }
  // One input in braces is a list.
  const std::vector<Tensor> one = grad(loss, {x}, keep);
  CHECK(values(one.at(0)) == in_x);
  const std::vector<Tensor> of_two = grad({loss, sum(x)}, {x}, keep);
  CHECK(values(of_two.at(0)) == Numbers{7, 17});
  CHECK(values(grad({loss, sum(x)}, x, keep)) == Numbers{7, 17});
  CHECK(grad(loss, std::vector<Tensor>{}, keep).empty());
}

TEST_CASE("grad takes a model's parameters, and a parameter") {
  nn::Linear layer{2, 1};
  const Tensor x = tensor({{1, 2}});
  const GradOptions keep{.keep_graph = true};
  const Tensor loss = sum(layer(x));
  for (const std::vector<Tensor>& gradients :
       {grad(loss, layer.parameters(), keep), grad({loss}, layer.parameters(), keep),
        grad(loss, {layer.weight, layer.bias}, keep)}) {
    REQUIRE(gradients.size() == 2);
    CHECK(values(gradients[0]) == Numbers{1, 2});
    CHECK(values(gradients[1]) == Numbers{1});
  }
  CHECK(values(grad(loss, layer.weight)) == Numbers{1, 2});
}

TEST_CASE("backward takes one tensor or several") {
  const Tensor x = tensor({1, 2}, {.requires_grad = true});
  const Tensor first = sum(x), second = sum(square(x));
  backward(first);
  CHECK(values(x.grad()) == Numbers{1, 1});
  x.clear_grad();
  backward({sum(x), second});
  CHECK(values(x.grad()) == Numbers{3, 5});
}

TEST_CASE("materialize_grads gives zeros where no gradient comes to") {
  for (const Dtype dtype : {float32, float64}) {
    const TensorOptions wanting{.dtype = dtype, .requires_grad = true};
    const Tensor x = full({}, 2, wanting);
    for (const Shape& shape : {Shape{}, Shape{0, 3}, Shape{2, 3}}) {
      const Tensor unused = full(shape, 1, wanting);
      const std::vector<Tensor> gradients = grad(square(x), {x, unused}, {.materialize_grads = true});
      CHECK(gradients[0].item() == 4);
      CHECK(gradients[1].shape() == shape);
      CHECK(gradients[1].dtype() == dtype);
      CHECK(values(gradients[1]) == Numbers(static_cast<std::size_t>(shape.numel()), 0));
      CHECK_FALSE(gradients[1].requires_grad());
      CHECK_THROWS_WITH_AS(static_cast<void>(grad(square(x), unused)),
                           "grad: no gradient reaches input 0: no output was computed from it by a "
                           "differentiable way; pass {.materialize_grads = true} for zeros, or "
                           "{.allow_unused = true} for an empty handle",
                           GraphError);
    }
  }
  // A second derivative of what does not depend on y at all: zeros of zeros.
  const Tensor x = full({}, 2, {.requires_grad = true}), y = full({3}, 1, {.requires_grad = true});
  const GradOptions options{.create_graph = true, .materialize_grads = true};
  const std::vector<Tensor> first = grad(square(x), {x, y}, options);
  const std::vector<Tensor> second = grad(sum(first[1]), {x, y}, options);
  CHECK(values(second[0]) == Numbers{0});
  CHECK(values(second[1]) == Numbers{0, 0, 0});
}

TEST_CASE("with create_graph materialised zeros want a gradient, and that of a linear function does not") {
  const Tensor x = full({2}, 3, {.requires_grad = true}), unused = full({2}, 1, {.requires_grad = true});
  const GradOptions options{.create_graph = true, .materialize_grads = true};
  const std::vector<Tensor> first = grad(sum(2 * x), {x, unused}, options);
  CHECK(values(first[0]) == Numbers{2, 2});
  CHECK_FALSE(first[0].requires_grad());
  CHECK(first[1].requires_grad());
  CHECK_THROWS_AS(static_cast<void>(grad(sum(first[0]), x, options)), GraphError);
  CHECK(values(grad(sum(first[1]), x, options)) == Numbers{0, 0});
  // Beside one that depends on x it is a constant like any other.
  CHECK(values(grad(sum(first[0]) + sum(square(x)), x, options)) == Numbers{6, 6});
}

TEST_CASE("a gradient that was not recorded says what to record it with") {
  const Tensor x = full({}, 2, {.requires_grad = true});
  const Tensor first = grad(x * x * x, x);
  constexpr const char* message =
      "output 0 was not computed from a tensor that requires a gradient, or was computed under NoGrad. If it "
      "was computed from gradients: these can be differentiated if the grad or backward that found them is "
      "passed {.create_graph = true}";
  CHECK_THROWS_WITH_AS(static_cast<void>(grad(first, x)), (std::string("grad: ") + message).c_str(),
                       GraphError);
  CHECK_THROWS_WITH_AS(backward(first), (std::string("backward: ") + message).c_str(), GraphError);
  CHECK(grad(grad(x * x * x, x, {.create_graph = true}), x).item() == 12);
}

TEST_CASE("a freed graph says by what, and of which function") {
  const Tensor x = full({2}, 2, {.requires_grad = true});
  SUBCASE("grad, to a leaf") {
    const Tensor y = sum(x / 2.0);
    static_cast<void>(grad(y, x));
    CHECK_THROWS_WITH_AS(static_cast<void>(grad(y, x)),
                         "grad: the graph of sum was freed by an earlier grad; pass {.keep_graph = true} to "
                         "the first one to sweep it again",
                         GraphError);
    CHECK_THROWS_WITH_AS(y.backward(),
                         doctest::Contains("backward: the graph of sum was freed by an earlier grad"),
                         GraphError);
  }
  SUBCASE("grad, by a plan") {
    const Tensor inner = x / 2.0;
    const Tensor y = exp(inner);
    static_cast<void>(grad(sum(y), {inner}));
    CHECK_THROWS_WITH_AS(sum(y).backward(),
                         doctest::Contains("the graph of exp was freed by an earlier grad"), GraphError);
    sum(inner).backward();  // the rest is whole
    CHECK(values(x.grad()) == Numbers{0.5, 0.5});
  }
  SUBCASE("backward; a number's operation is called what it is called") {
    const Tensor y = x / 2.0;
    sum(y).backward();
    CHECK_THROWS_WITH_AS(static_cast<void>(grad(sum(y), x)),
                         doctest::Contains("grad: the graph of div was freed by an earlier backward"),
                         GraphError);
    const Tensor w = 1.0 - x;
    sum(w).backward();
    CHECK_THROWS_WITH_AS(sum(w).backward(), doctest::Contains("the graph of sub was freed"), GraphError);
  }
}

TEST_CASE("generic lambdas are functions of one tensor, or of as many as there are in braces") {
  const TensorOptions in_double{.dtype = float64};
  const Tensor x = tensor({0.5, -1, 2}, in_double), y = tensor({1, 2, 3}, in_double);
  const auto one = [](const auto& a) { return a * a * a; };
  CHECK(values(vjp(one, x)(ones_like(x))) == Numbers{0.75, 3, 12});
  CHECK(values(vjp([](auto... a) { return (a * ...); }, x)(ones_like(x))) == Numbers{1, 1, 1});
  CHECK(values(jvp(one, x, y)) == Numbers{0.75, 6, 36});
  CHECK(values(hvp([&](auto a) { return sum(one(a)); }, x, y)) == Numbers{3, -12, 36});
  CHECK(values(jacobian(one, x)) == Numbers{0.75, 0, 0, 0, 3, 0, 0, 0, 12});
  CHECK(values(hessian([&](auto a) { return sum(one(a)); }, x)) == Numbers{3, 0, 0, 0, -6, 0, 0, 0, 12});
  CHECK(check_grads(one, x));
  require_grads(one, x);
  const std::function<Tensor(const Tensor&)> held = one;
  CHECK(check_grads(held, x));

  const auto two = [](const auto& a, const auto& b) { return a * b; };
  const Pullback pullback = vjp(two, {x, y});
  const std::vector<Tensor> pulled = pullback({ones_like(x)});
  REQUIRE(pulled.size() == 2);
  CHECK(values(pulled[0]) == values(y));
  CHECK(values(pulled[1]) == values(x));
  CHECK(values(jvp(two, {x, y}, {y, x}).tangents[0]) == Numbers{1.25, 5, 13});
  const CheckGradsReport report = check_grads(two, {x, y}, {.order = 1});
  CHECK(report);
  CHECK(report.evaluations > 0);
  CHECK(check_grads([](auto... a) { return (a + ...); }, {x, y, x}));
  require_grads([](const Tensor& a, const Tensor& b) { return std::vector<Tensor>{a, a * b}; }, {x, y});
  // A function of a span may have its inputs in braces, too, and a generic one in a vector.
  CHECK(check_grads([](std::span<const Tensor> in) { return in[0] * in[1]; }, {x, y}));
  const std::vector<Tensor> both{x, y};
  CHECK(check_grads([](const auto& in) { return std::vector<Tensor>{in[0] * in[1]}; }, both));
  // A wrong rule is found by each way.
  const auto wrong = [](const auto& a) {
    return custom_vjp([](const auto& v) { return v * v; },
                      [](const auto& v, const auto&, const auto& g) { return g * v; }, a);
  };
  CHECK_FALSE(check_grads(wrong, x));
  CHECK_FALSE(check_grads([&](const auto& a, const auto&) { return wrong(a); }, {x, y}));
}

TEST_CASE("custom_vjp and implicit functions take generic lambdas") {
  const Tensor x = tensor({2, 3}, {.requires_grad = true}), y = tensor({5, 7}, {.requires_grad = true});
  const Tensor signs = custom_vjp([](const auto& v) { return sign(v); },
                                  [](const auto&, const auto&, const auto& g) { return g; }, x);
  CHECK(values(grad(sum(signs), x)) == Numbers{1, 1});
  const Tensor product = custom_vjp([](const auto& a, const auto& b) { return a * b; },
                                    [](const auto& in, const auto&, const auto& g) {
                                      return std::vector<Tensor>{g * in[1], g * in[0]};
                                    },
                                    {x, y}, {.name = "product"});
  const std::vector<Tensor> gradients = grad(sum(product), {x, y});
  CHECK(values(gradients[0]) == Numbers{5, 7});
  CHECK(values(gradients[1]) == Numbers{2, 3});
  const Tensor root =
      implicit_root([](const auto& r, const auto& a) { return r * r - a; },
                    [](const auto& a) { return sqrt(a); }, full({1}, 4, {.requires_grad = true}));
  CHECK(root.item() == 2);
  const Tensor fixed = fixed_point([](const auto& v, const auto& a) { return 0.5 * v + a; }, zeros({2}), x);
  CHECK(fixed.at({0}) == doctest::Approx(4));
}

TEST_CASE("a function that takes gradients itself is checked as it is") {
  const Tensor x = tensor({0.5, -1, 2});
  const auto slope = [](const auto& a) { return grad(sum(a * a * a), a, {.create_graph = true}); };
  CHECK(check_grads(slope, x));
  CHECK(check_grads([&](const auto& a, const auto& b) { return slope(a) * b; }, {x, x}));
  // The same within a NoGrad of the caller's.
  const NoGrad no_grad;
  CHECK(check_grads(slope, x));
  CHECK_FALSE(is_recording());
}

TEST_CASE("an axis may be a number") {
  const Tensor x = tensor({{1, 2}, {3, 4}});
  CHECK(values(sum(x, {.axes = 0})) == Numbers{4, 6});
  CHECK(values(sum(x, {.axes = -1})) == Numbers{3, 7});
  CHECK(values(sum(x, {.axes = std::size_t{1}, .keepdim = true})) == Numbers{3, 7});
  CHECK(values(sum(x, {.axes = {0, 1}})) == Numbers{10});
  CHECK(values(sum(x, {.axes = {}})) == Numbers{10});
  CHECK(reshape(x, 4).shape() == Shape{4});
  CHECK_THROWS_WITH_AS(static_cast<void>(sum(x, {.axes = 2})), doctest::Contains("sum: "), ShapeError);
  static_assert(!std::is_convertible_v<double, Dims>);
  static_assert(!std::is_convertible_v<bool, Dims>);
}
