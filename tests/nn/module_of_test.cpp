// Modules whose forward has any arguments and results.

#include <doctest/doctest.h>

#include <array>
#include <optional>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "tests/nn/support.h"
#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/grad.h"
#include "xtgrad/autograd/ops.h"
#include "xtgrad/nn/nn.h"
#include "xtgrad/optim/sgd.h"

using namespace xtgrad;
using nn_test::elements;

namespace {

/// The same numbers on every run.
Tensor input(const Shape& shape, std::uint64_t seed = 1) {
  Random random(seed);
  return randn(shape, random);
}

struct Cell : nn::ModuleOf<std::pair<Tensor, Tensor>(const Tensor&, const Tensor&)> {
  nn::Linear in{3, 2};
  nn::Linear back{2, 2};
  void members(nn::Members& m) override {
    m("in", in);
    m("back", back);
  }
  std::pair<Tensor, Tensor> forward(const Tensor& x, const Tensor& h) override {
    const Tensor from_x = in(x);  // one after the other, for the order in which hooks see them
    const Tensor next = tanh(from_x + back(h));
    return {square(next), next};
  }
};

struct State {
  Tensor h;
  std::optional<Tensor> c = {};
  int steps = 0;
  friend auto tensors_of(State& s) { return std::tie(s.h, s.c); }
};

enum class Mode { plain, doubled };

/// Every kind of argument; gives them all back.
using Everything = std::tuple<Tensor, std::optional<Tensor>, State, std::vector<State>, std::array<Tensor, 2>,
                              std::pair<Tensor, int>>;
struct Echo : nn::ModuleOf<Everything(Tensor, const std::optional<Tensor>&, State, const std::vector<State>&,
                                      const std::array<Tensor, 2>&, std::pair<Tensor, int>, bool, Mode,
                                      const std::string&, const std::vector<bool>&)> {
  nn::Parameter scale{ones({1})};
  void members(nn::Members& m) override { m("scale", scale); }
  Everything forward(Tensor a, const std::optional<Tensor>& b, State c, const std::vector<State>& d,
                     const std::array<Tensor, 2>& e, std::pair<Tensor, int> f, bool negative, Mode mode,
                     const std::string&, const std::vector<bool>&) override {
    Tensor first = std::move(a) * scale * (negative ? -1 : 1) * (mode == Mode::doubled ? 2 : 1);
    return {first, b, std::move(c), d, e, std::move(f)};
  }
};

struct Encoder : nn::Module {
  Cell cell;
  nn::Linear head{2, 1};
  void members(nn::Members& m) override {
    m("cell", cell);
    m("head", head);
  }
  Tensor forward(const Tensor& x) override {
    Tensor h = zeros({x.size(0), 2}, {.dtype = x.dtype()});
    for (int t = 0; t < 3; ++t) h = cell(x, h).second;
    return head(h);
  }
};

static_assert(std::is_same_v<nn::Module, nn::ModuleOf<Tensor(const Tensor&)>>);
static_assert(nn::detail::is_argument<const std::vector<std::pair<Tensor, std::optional<State>>>&>);
static_assert(nn::detail::is_argument<State&&>);
static_assert(!nn::detail::is_argument<Tensor&>);
static_assert(!nn::detail::is_argument<Tensor*>);
static_assert(!nn::detail::is_argument<const std::vector<Random>&>);
static_assert(nn::detail::is_result<std::tuple<Tensor, double>>);
static_assert(!nn::detail::is_result<void>);
static_assert(!nn::detail::is_result<const Tensor&>);

}  // namespace

TEST_CASE("a module of two tensors to two has all that a module has") {
  manual_seed(1);
  Cell cell;
  const auto [y, h] = cell(input({4, 3}), zeros({4, 2}));
  CHECK(y.shape() == Shape{4, 2});
  CHECK(elements(square(h)) == elements(y));
  CHECK(cell.parameter_count() == 3 * 2 + 2 + 2 * 2 + 2);
  CHECK(cell.named_parameters()[2].name == "back.weight");
  CHECK(cell.type_name() == "Cell");
  cell.eval();
  CHECK_FALSE(cell.back.is_training());
  Cell copy = cell;
  copy.load_state_dict(cell.state_dict());
  CHECK(copy.parameters()[0] != cell.parameters()[0]);
  cell.to(float64);
  CHECK(cell(input({4, 3}).to(float64), zeros({4, 2}, {.dtype = float64})).first.dtype() == float64);
}

TEST_CASE("a module of two results is a part of others, and learns") {
  manual_seed(2);
  Encoder model;
  optim::SGD sgd(model.parameters(), {.lr = 0.1});
  const Tensor x = input({8, 3});
  const Tensor wanted = input({8, 1}, 2) * 0.3;
  const auto loss_of = [&] { return nn::mse_loss(model(x), wanted); };
  const double first = loss_of().item();
  for (int step = 0; step < 300; ++step) {
    sgd.zero_grad();
    loss_of().backward();
    sgd.step();
  }
  CHECK(loss_of().item() < first / 4);
}

TEST_CASE("a module of several arguments finds what its members forgets") {
  struct Forgetful : nn::ModuleOf<std::pair<Tensor, Tensor>(const Tensor&, const Tensor&)> {
    nn::Linear in{2, 2};
    nn::Parameter scale{ones({2})};
    void members(nn::Members& m) override { m("in", in); }
    std::pair<Tensor, Tensor> forward(const Tensor& x, const Tensor& h) override {
      return {in(x) + h * scale, h};
    }
  };
  Forgetful model;
  CHECK_THROWS_WITH_AS(
      static_cast<void>(model(ones({1, 2}), ones({1, 2}))),
      "Forgetful: Forgetful::forward uses a parameter of shape [2] that members does not list, so no "
      "optimizer "
      "would train it; list it in Forgetful::members, or freeze it with set_requires_grad(false)",
      GraphError);
}

TEST_CASE("arguments of every kind arrive, by value and by reference") {
  Echo echo;
  const auto [a, b, c, d, e, f] =
      echo(tensor({1, 2}), std::nullopt, {tensor({3}), tensor({4}), 7}, {{tensor({5})}, {tensor({6})}},
           {tensor({7}), tensor({8})}, {tensor({9}), 10}, true, Mode::doubled, "name", {true, false});
  CHECK(elements(a) == std::vector<double>{-2, -4});
  CHECK_FALSE(b.has_value());
  CHECK(c.steps == 7);
  CHECK(elements(*c.c) == std::vector<double>{4});
  CHECK(d.size() == 2);
  CHECK(elements(e[1]) == std::vector<double>{8});
  CHECK(f.second == 10);
}

TEST_CASE("OnForward gets the tensors of arguments and results in order, without empty ones") {
  Echo echo;
  std::vector<double> inputs;
  std::vector<double> outputs;
  const nn::OnForward look([&](const nn::ForwardCall& call) {
    CHECK(&call.module == &echo);
    for (const Tensor& x : call.inputs) inputs.push_back(x.item());
    for (const Tensor& x : call.outputs) outputs.push_back(x.item());
  });
  // The first argument is moved away by forward; an empty handle and an empty optional are nothing to see.
  static_cast<void>(echo(tensor({1}), tensor({2}), {tensor({3}), std::nullopt, 0},
                         {{Tensor()}, {tensor({4})}}, {tensor({5}), tensor({6})}, {tensor({7}), 0}, true,
                         Mode::plain, "", {}));
  CHECK(inputs == std::vector<double>{1, 2, 3, 4, 5, 6, 7});
  CHECK(outputs == std::vector<double>{-1, 2, 3, 4, 5, 6, 7});
}

TEST_CASE("OnForward gets paths; a function of three arguments sees modules of one tensor to one alone") {
  Encoder model;
  std::vector<std::string> paths;
  std::vector<std::string> unary;
  {
    const nn::OnForward look([&](const nn::ForwardCall& call) { paths.push_back(call.path()); });
    const nn::OnForward look_at_unary(
        [&](const nn::Module& module, const Tensor&, const Tensor&) { unary.push_back(module.type_name()); });
    static_cast<void>(model(ones({1, 3})));
  }
  CHECK(paths == std::vector<std::string>{"cell.in", "cell.back", "cell", "cell.in", "cell.back", "cell",
                                          "cell.in", "cell.back", "cell", "head", ""});
  CHECK(unary == std::vector<std::string>{"Linear", "Linear", "Linear", "Linear", "Linear", "Linear",
                                          "Linear", "Encoder"});
  // The path is from the outermost module that runs.
  paths.clear();
  const nn::OnForward look([&](const nn::ForwardCall& call) { paths.push_back(call.path()); });
  static_cast<void>(model.cell(ones({1, 3}), ones({1, 2})));
  CHECK(paths == std::vector<std::string>{"in", "back", ""});
}

TEST_CASE("the summary shows every tensor of a result") {
  Cell cell;
  CHECK(cell.summary(ones({4, 3}), ones({4, 2})) ==
        "module   type    output            parameters\n"
        "(model)  Cell    ([4, 2], [4, 2])           0\n"
        "in       Linear  [4, 2]                     8\n"
        "back     Linear  [4, 2]                     6\n"
        "total: 14 parameters, 14 learning, 56 bytes\n");
  Encoder model;
  CHECK(model.summary(ones({4, 3})) ==
        "module     type     output               parameters\n"
        "(model)    Encoder  [4, 1]                        0\n"
        "cell       Cell     ([4, 2], [4, 2]) x3           0\n"
        "cell.in    Linear   [4, 2] x3                     8\n"
        "cell.back  Linear   [4, 2] x3                     6\n"
        "head       Linear   [4, 1]                        3\n"
        "total: 17 parameters, 17 learning, 68 bytes\n");
}

TEST_CASE("the summary cuts a long result short, and says that there is none") {
  struct Many : nn::ModuleOf<std::vector<Tensor>(std::int64_t)> {
    std::vector<Tensor> forward(std::int64_t count) override {
      return std::vector<Tensor>(static_cast<std::size_t>(count), ones({2}));
    }
  };
  Many many;
  CHECK(many.summary(6).find("([2], [2], [2], [2], 2 more)") != std::string::npos);
  CHECK(many.summary(0).find("Many  () ") != std::string::npos);
}

TEST_CASE("check_grads takes all arguments, and names them by their places") {
  manual_seed(3);
  const CheckGradsReport report = check_grads(Cell(), {input({2, 3}), input({2, 2}, 2)});
  INFO(report.message);
  CHECK(report.ok());
  CHECK(report.evaluations > 0);
  CHECK_NOTHROW(nn::require_grads(Cell(), {input({2, 3}), input({2, 2}, 2)}, {.order = 1}));

  struct Detached : nn::ModuleOf<Tensor(const Tensor&, const std::pair<Tensor, Tensor>&)> {
    Tensor forward(const Tensor& x, const std::pair<Tensor, Tensor>& y) override {
      return x * y.first + y.second * y.second.detach();
    }
  };
  const Tensor x = input({3});
  const CheckGradsReport wrong = check_grads(Detached(), {x, {x, x + 1}});
  CHECK(wrong.result == CheckGradsReport::Result::wrong);
  CHECK(wrong.input == "input 2");
  CHECK_THROWS_AS(nn::require_grads(Detached(), {x, {x, x + 1}}), GradientError);
}

TEST_CASE("check_grads passes masks, indices, numbers and absent tensors on as they are") {
  struct Masked : nn::ModuleOf<Tensor(const Tensor&, const std::optional<Tensor>&, double)> {
    nn::Parameter scale{tensor({2, 3})};
    void members(nn::Members& m) override { m("scale", scale); }
    Tensor forward(const Tensor& x, const std::optional<Tensor>& mask, double factor) override {
      const Tensor y = tanh(x * scale) * factor;
      return mask.has_value() ? where(*mask, y, 0) : y;
    }
  };
  const Tensor x = input({2});
  CHECK(check_grads(Masked(), {x, x > 0, 0.5}).ok());
  CHECK(check_grads(Masked(), {x, std::nullopt, 0.5}).ok());
}

TEST_CASE("a class derived from nn::Module may call its base Module, as ever") {
  struct Counted : nn::Module {
    nn::Linear layer{2, 2};
    int copies = 0;
    Counted() = default;
    Counted(const Counted& other) : Module(other), layer(other.layer), copies(other.copies + 1) {}
    void members(nn::Members& m) override { m("layer", layer); }
    Tensor forward(const Tensor& x) override { return layer(x); }
  };
  Counted model;
  model.eval();
  Counted copy = model;
  CHECK(copy.copies == 1);
  CHECK_FALSE(copy.is_training());
}
