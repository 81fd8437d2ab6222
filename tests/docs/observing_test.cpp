// The code of docs/observing.md.

#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <iostream>
#include <sstream>
#include <string>
#include <vector>

#include "xtgrad/autograd/hooks.h"
#include "xtgrad/autograd/observe.h"
#include "xtgrad/xtgrad.h"

using namespace xtgrad;

namespace {

struct Net : nn::Module {
  nn::Linear hidden{64, 128};
  nn::Linear head{128, 10};
  void members(nn::Members& m) override {
    m("hidden", hidden);
    m("head", head);
  }
  Tensor forward(const Tensor& x) override { return head(tanh(hidden(x))); }
};

struct Distance : nn::Module {
  Tensor forward(const Tensor& x) override { return sqrt(sum(square(x), {.axes = {1}})); }
};

struct Metric : nn::Module {
  Distance distance;
  void members(nn::Members& m) override { m("distance", distance); }
  Tensor forward(const Tensor& x) override { return distance(x - x.detach()); }
};

std::string page() {
  std::ifstream in(std::filesystem::path(XTGRAD_SOURCE_DIR) / "docs/observing.md");
  REQUIRE(in.good());
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

}  // namespace

TEST_CASE("docs/observing.md: hooks") {
  const Tensor x = ones({2, 3});
  const Tensor w = full({3, 4}, 2, {.requires_grad = true});

  const Tensor h = matmul(x, w);
  std::vector<Tensor> seen;
  on_gradient(h, [&](const Tensor& g) {
    seen.push_back(g);
    return Tensor();
  });
  on_gradient(h, [](const Tensor& g) { return clamp(g, {.min = -1, .max = 1}); });
  sum(square(h)).backward();

  REQUIRE(seen.size() == 1);
  CHECK(seen[0].at({0, 0}) == 12);
  CHECK(w.grad().at({0, 0}) == 2);
}

TEST_CASE("docs/observing.md: rules") {
  const Tensor x = full({3}, 2, {.requires_grad = true});
  std::string text;

  const Tensor y = x * x;
  on_rule(y, {.after = [&](const RuleCall& call) {
            text += call.operation;
            for (const Tensor& g : call.gradients) text += to_string(g.shape());
          }});
  sum(y).backward();

  CHECK(text == "mul[3][3]");
}

TEST_CASE("docs/observing.md: a step within backward") {
  Net model;
  const Tensor x = ones({4, 64});
  for (const nn::ParameterRef& parameter : model.parameters()) {
    nn::ParameterCell& cell = *parameter;
    on_accumulated(cell.tensor(), [&cell](const Tensor& gradient) {
      cell.set_value(cell.tensor() - gradient * 0.001);
      cell.zero_grad();
    });
  }
  const double before = sum(square(model(x))).item();
  sum(square(model(x))).backward();
  CHECK(sum(square(model(x))).item() < before);
  for (const nn::ParameterRef& parameter : model.parameters()) CHECK_FALSE(parameter->grad().defined());
}

TEST_CASE("docs/observing.md: where a NaN comes from") {
  Metric model;
  const Tensor x = ones({2, 3}, {.requires_grad = true});
  std::string message;
  try {
    const NanGuard guard;
    sum(model(x)).backward();
  } catch (const NonFiniteError& error) {
    message = error.what();
  }
  std::string wanted = message;
  // The page breaks the line twice.
  for (const std::string around : {"sqrt, gave", "[2] from 1"}) {
    const std::size_t at = wanted.find(around);
    REQUIRE(at != std::string::npos);
    wanted[at + around.find(' ')] = '\n';
  }
  CAPTURE(message);
  CHECK(page().find(wanted) != std::string::npos);
}

TEST_CASE("docs/observing.md: what a training step costs") {
  Net model;
  optim::Adam adam(model.parameters(), {.lr = 1e-3});
  const Tensor x = ones({256, 64});
  const Tensor labels = zeros({256}, {.dtype = int64});
  nn::cross_entropy(model(x), labels).backward();  // the first step also makes the moments
  adam.step();
  adam.zero_grad();

  const Profile profile;
  nn::cross_entropy(model(x), labels).backward();
  adam.step();
  const std::string table = profile.table();

  // Times and memory differ from machine to machine; the page's names and counts are these.
  std::istringstream lines(table);
  std::string line;
  const std::string text = page();
  std::size_t width = 37;  // name and calls
  while (std::getline(lines, line)) {
    if (line.empty()) width = 48;  // of modules: calls, and operations of the forward, from here on
    CAPTURE(line);
    CHECK(text.find(line.substr(0, width)) != std::string::npos);
  }
  for (const ProfileModule& module : profile.modules()) {
    if (module.name == "Net.hidden") CHECK(module.forward.flops == 2 * 256 * 128 * 64 + 256 * 128);
  }
}
