// Empty handles and refs, and what was moved from: each is refused in the name of the function that was
// called.
#include <doctest/doctest.h>

#include <string>
#include <utility>
#include <vector>

#include "tests/support/message_of.h"
#include "xtgrad/optim/clip.h"
#include "xtgrad/training/evaluate.h"
#include "xtgrad/xtgrad.h"

using namespace xtgrad;
using testing::message_of;

namespace {

const std::vector<nn::ParameterRef> with_empty_ref{nn::Parameter(ones({2})).cell(), nullptr};

}  // namespace

TEST_CASE("empty refs: clipping and scopes name the parameter") {
  CHECK(message_of<ValueError>([] { return optim::clip_grad_norm(with_empty_ref, 1); }) ==
        "clip_grad_norm: parameter 1 is an empty ref");
  CHECK(message_of<ValueError>([] { return optim::grad_norm(with_empty_ref); }) ==
        "grad_norm: parameter 1 is an empty ref");
  CHECK(message_of<ValueError>([] {
          optim::clip_grad_value(with_empty_ref, 1);
          return 0;
        }) == "clip_grad_value: parameter 1 is an empty ref");
  CHECK(message_of<ValueError>([] {
          const nn::WithParameters scope(with_empty_ref, std::vector<Tensor>{ones({2}), ones({2})});
          return 0;
        }) == "WithParameters: parameter 1 is an empty ref");
  CHECK(message_of<ValueError>([] {
          const nn::WithParameters scope({with_empty_ref[0]}, std::vector<Tensor>{Tensor()});
          return 0;
        }) == "WithParameters: value 0 is an empty handle");
}

TEST_CASE("empty handles: parameters, states and predictions name what is empty") {
  CHECK(message_of<ValueError>([] { return nn::Parameter(Tensor()).defined(); }) ==
        "Parameter: the value is an empty handle");
  nn::Parameter parameter(ones({2}));
  CHECK(message_of<ValueError>([&] {
          parameter.set_value(Tensor());
          return 0;
        }) == "set_value: the value of parameter is an empty handle");
  nn::Linear model(2, 3);
  nn::StateDict state = model.state_dict();
  state.set("weight", Tensor());
  CHECK(message_of<ValueError>([&] { return model.load_state_dict(state); }) ==
        "load_state_dict: the state does not fit this Linear, which was left as it is:\n"
        "  different: weight is float32 [3, 2], the state has an empty handle\n"
        "  to keep what differs as it is, leave it out: state.erase(\"weight\"), and pass {.strict = false}");
  optim::Adam adam(model.parameters());
  for (const char* name : {"groups.0.lr", "groups.0.beta1", "weight.step", "weight.m"}) {
    CAPTURE(name);
    state = adam.state_dict();
    state.set(name, Tensor());
    CHECK(message_of<ValueError>([&] {
            return adam.load_state_dict(state, {.adopt_settings = true});
          }).find(std::string(name) + " is ") != std::string::npos);
  }
  CHECK(message_of<ValueError>([&] { return training::predict(model, Tensor()); }) ==
        "predict: inputs: the handle is empty");
  struct Silent : nn::Module {
    Tensor forward(const Tensor&) override { return {}; }
  };
  Silent silent;
  CHECK(message_of<GraphError>([&] {
          return training::predict(silent, ones({3, 2}));
        }) == "predict: the Silent returned an empty handle");
}

TEST_CASE("models and schedules that were moved from say so") {
  nn::MLP mlp({.sizes = {2, 3}});
  const nn::MLP taken = std::move(mlp);
  CHECK(message_of<ValueError>([&] { return mlp(ones({1, 2})); }) == "MLP: has no layers; it was moved from");
  optim::Schedule schedule = optim::constant();
  const optim::Schedule kept = std::move(schedule);
  CHECK(message_of<ValueError>([&] { return schedule.factor(0); }) ==
        "Schedule: there is none here; it was moved from");
  CHECK(kept.factor(0) == 1);
}
