// Every public function that takes a function refuses an empty one in its own name, before it does anything.
#include <doctest/doctest.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "xtgrad/autograd/checkpoint.h"
#include "xtgrad/autograd/conjugate_gradients.h"
#include "xtgrad/autograd/hooks.h"
#include "xtgrad/autograd/implicit.h"
#include "xtgrad/autograd/testing.h"
#include "xtgrad/autograd/where_safe.h"
#include "xtgrad/nn/on_forward.h"
#include "xtgrad/optim/levenberg_marquardt.h"
#include "xtgrad/optim/newton.h"
#include "xtgrad/optim/nonlinear_cg.h"
#include "xtgrad/training/training.h"
#include "xtgrad/xtgrad.h"

using namespace xtgrad;

namespace {

struct Call {
  std::string name;  // that the message begins with
  std::function<void()> run;
};

// Empty in each of the ways that a program may come to it.
using OneToOne = Tensor(const Tensor&);
using ManyToMany = std::vector<Tensor>(std::span<const Tensor>);
const std::function<OneToOne> one;
const std::function<Tensor(std::span<const Tensor>)> many_to_one;
const std::function<ManyToMany> many;
const std::function<Tensor(const Tensor&, const Tensor&)> two;
OneToOne* const no_pointer = nullptr;
const Callable<OneToOne> no_callable;
const std::function<Tensor()> none;

Tensor at() { return tensor({1, 2}, {.requires_grad = true}); }
std::vector<Tensor> list() { return {at(), at()}; }
Tensor twice(const Tensor& x) { return x * 2; }

template <class... Results>
void drop(const Results&...) {}

const std::vector<Call> transforms{
    {"vjp", [] { drop(vjp(one, at())); }},
    {"vjp", [] { drop(vjp(no_pointer, at())); }},
    {"vjp", [] { drop(vjp(no_callable, at())); }},
    {"vjp", [] { drop(vjp(many, list())); }},
    {"vjp", [] { drop(vjp(TensorFunction(), list())); }},
    {"vjp",
     [] {
       drop(vjp(two, {at(), at()}));
     }},
    {"vjp",
     [] {
       drop(vjp(many, {at(), at()}));
     }},
    {"jvp", [] { drop(jvp(one, at(), at())); }},
    {"jvp", [] { drop(jvp(many, list(), list())); }},
    {"jvp",
     [] {
       drop(jvp(two, {at(), at()}, {at(), at()}));
     }},
    {"jacobian", [] { drop(jacobian(one, at())); }},
    {"hessian", [] { drop(hessian(one, at())); }},
    {"hvp", [] { drop(hvp(no_pointer, at(), at())); }},
    {"checkpoint", [] { drop(checkpoint(one, at())); }},
    {"checkpoint", [] { drop(checkpoint(no_pointer, at())); }},
    {"checkpoint", [] { drop(checkpoint(no_callable, at())); }},
    {"where_safe", [] { drop(where_safe(at() > 0, at(), one, 0)); }},
    {"where_safe", [] { drop(where_safe(at() > 0, at(), nullptr, 0)); }},
    {"check_grads", [] { drop(check_grads(one, at())); }},
    {"check_grads", [] { drop(check_grads(many, list())); }},
    {"check_grads",
     [] {
       drop(check_grads(two, {at(), at()}));
     }},
    {"require_grads", [] { require_grads(one, at()); }},
    {"require_grads", [] { require_grads(many, list()); }},
    {"require_grads",
     [] {
       require_grads(two, {at(), at()});
     }},
};

const VjpRule rule = [](std::span<const Tensor>, const Tensor&, const Tensor& g) {
  return std::vector<Tensor>{g};
};
const UnaryVjpRule unary_rule = [](const Tensor&, const Tensor&, const Tensor& g) { return g; };
const std::function<Tensor(std::span<const Tensor>)> first = [](std::span<const Tensor> x) { return x[0]; };

const std::vector<Call> custom_rules{
    {"custom_vjp", [] { drop(custom_vjp(one, unary_rule, at())); }},
    {"custom_vjp", [] { drop(custom_vjp(twice, UnaryVjpRule(), at())); }},
    {"custom_vjp", [] { drop(custom_vjp(many_to_one, rule, list())); }},
    {"custom_vjp", [] { drop(custom_vjp(first, VjpRule(), list())); }},
    {"custom_vjp",
     [] {
       drop(custom_vjp(two, rule, {at(), at()}));
     }},
    {"named",
     [] {
       drop(custom_vjp(two, rule, {at(), at()}, {.name = "named"}));
     }},
};

const std::function<Tensor(const Tensor&, const Tensor&)> product = [](const Tensor& x, const Tensor& a) {
  return x * a;
};
const std::function<Tensor(const Tensor&, std::span<const Tensor>)> no_equation;
const EquationFunction equation = [](const Tensor& x, std::span<const Tensor> theta) { return x * theta[0]; };

const std::vector<Call> equations{
    {"implicit_root", [] { drop(implicit_root(two, twice, at())); }},
    {"implicit_root", [] { drop(implicit_root(product, one, at())); }},
    {"implicit_root", [] { drop(implicit_root(no_equation, first, list())); }},
    {"implicit_root", [] { drop(implicit_root(equation, many_to_one, list())); }},
    {"fixed_point", [] { drop(fixed_point(two, at(), at())); }},
    {"fixed_point", [] { drop(fixed_point(no_equation, at(), list())); }},
    {"solve_dense", [] { drop(solve_dense(one, at().detach())); }},
    {"gmres", [] { drop(gmres()(one, at().detach())); }},
    {"conjugate_gradients", [] { drop(conjugate_gradients()(one, at().detach())); }},
    {"run_conjugate_gradients", [] { drop(run_conjugate_gradients(one, at().detach())); }},
};

const std::vector<Call> hooks{
    {"on_gradient", [] { drop(on_gradient(at(), one)); }},
    {"on_accumulated", [] { drop(on_accumulated(at(), std::function<void(const Tensor&)>())); }},
    {"on_rule", [] { drop(on_rule(at() * 2, {})); }},
    {"on_rule", [] { drop(on_rule(at() * 2, {.before = one, .after = nullptr})); }},
    {"OnForward", [] { const nn::OnForward scope{nn::OnForward::CallFunction()}; }},
    {"OnForward", [] { const nn::OnForward scope{nn::OnForward::Function()}; }},
};

const std::vector<Call> training_calls{
    {"LBFGS",
     [] {
       nn::Linear model(2, 1);
       drop(optim::LBFGS(model.parameters()).step(none));
     }},
    {"newton_step",
     [] {
       nn::Linear model(2, 1);
       drop(optim::newton_step(model.parameters(), none));
     }},
    {"gauss_newton_step",
     [] {
       nn::Linear model(2, 1);
       drop(optim::gauss_newton_step(model.parameters(), none));
     }},
    {"levenberg_marquardt",
     [] {
       nn::Linear model(2, 1);
       drop(optim::levenberg_marquardt(model.parameters(), none));
     }},
    {"fit_covariance",
     [] {
       nn::Linear model(2, 1);
       drop(optim::fit_covariance(model.parameters(), none));
     }},
    {"nonlinear_cg",
     [] {
       nn::Linear model(2, 1);
       drop(optim::nonlinear_cg(model.parameters(), none));
     }},
    {"Schedule", [] { drop(optim::Schedule(std::function<double(std::int64_t)>())); }},
    {"multiplicative", [] { drop(optim::multiplicative(std::function<double(std::int64_t)>())); }},
    {"Sampler", [] { drop(datasets::Sampler({.draws = 1}, nullptr)); }},
    {"SampleTransform", [] { drop(datasets::SampleTransform(datasets::SampleTransform::Function())); }},
    {"Loss", [] { drop(training::Loss(two)); }},
    {"Loss", [] { drop(training::Loss(static_cast<Tensor (*)(const Tensor&, const Tensor&)>(nullptr))); }},
    {"Loss",
     [] {
       using Function = Tensor (*)(const Tensor&, const Tensor&, const nn::CrossEntropyOptions&);
       drop(training::Loss(static_cast<Function>(nullptr), {}));
     }},
    {"BatchLoss", [] { drop(training::BatchLoss(std::function<Tensor(const datasets::Batch&)>())); }},
    {"BatchLoss",
     [] { drop(training::BatchLoss(std::function<training::BatchResult(const datasets::Batch&)>())); }},
    {"check_operation", [] { drop(testing::check_operation({.name = "f", .apply = {}, .inputs = {at()}})); }},
};

void check(const std::vector<Call>& calls) {
  for (const Call& call : calls) {
    std::string said = "nothing";
    bool is_ours = false;
    try {
      call.run();
    } catch (const Error& error) {
      said = error.what();
      is_ours = true;
    } catch (const std::exception& error) {
      said = error.what();
    }
    const std::string which = call.name + " said: " + said;
    CAPTURE(which);
    CHECK(is_ours);
    CHECK(said.starts_with(call.name + ": "));
    CHECK(said.find("Callable") == std::string::npos);
  }
}

}  // namespace

TEST_CASE("empty functions: transformations refuse them in their own names") { check(transforms); }
TEST_CASE("empty functions: rules of one's own") { check(custom_rules); }
TEST_CASE("empty functions: equations and their solvers") { check(equations); }
TEST_CASE("empty functions: hooks") { check(hooks); }
TEST_CASE("empty functions: of training") { check(training_calls); }
