// The code of docs/programs.md.
#include <doctest/doctest.h>

#include <filesystem>
#include <string>
#include <tuple>
#include <vector>

#include "tests/support/message_of.h"
#include "tests/support/program.h"
#include "tests/support/values.h"
#include "xtgrad/autograd/emit_cpp.h"
#include "xtgrad/autograd/explore.h"
#include "xtgrad/autograd/io/safetensors.h"
#include "xtgrad/autograd/loaded_program.h"
#include "xtgrad/nn/capture.h"
#include "xtgrad/xtgrad.h"

using namespace xtgrad;
using testing::message_of;
using testing::same_bits;

namespace {

std::string page() {
  return testing::file_text(std::filesystem::path(XTGRAD_SOURCE_DIR) / "docs" / "programs.md");
}

}  // namespace

TEST_CASE("docs/programs.md: a training step") {
  manual_seed(1);
  const Tensor x = randn({32, 2}), y = randn({32, 1});
  struct Batch {
    Tensor x, y;
  };
  const std::vector<Batch> batches{{x, y}, {y.detach() + x, y}};

  nn::MLP model{{.sizes = {2, 16, 1}, .activation = nn::ActivationKind::tanh}};
  optim::Adam adam(model.parameters(), {.lr = 1e-2});
  auto step = capture(
      [&](const Tensor& input, const Tensor& target) {
        Tensor loss = nn::mse_loss(model(input), target);
        adam.zero_grad();
        loss.backward();
        adam.step();
        return loss;
      },
      {x, y}, {&model, &adam});

  std::vector<double> losses;
  for (const auto& batch : batches) {
    Tensor loss = step(batch.x, batch.y);
    losses.push_back(loss.item());
  }

  const testing::TemporaryFolder folder;
  const std::string file = (folder.path() / "step.program").string();
  step.save(file);
  LoadedProgram again = load_program(file);
  const Tensor loss = again({x, y})[0];
  CHECK(same_bits(loss, step(x, y)));
  CHECK(same_bits(again.state("layers.0.weight"), model.layers[0].weight.tensor().detach()));

  // What is written in its place, with other words in its description, is refused as the page says.
  const Safetensors contents = load_safetensors(file);
  const auto refusal = [&](const std::string& from, const std::string& to) {
    Safetensors other = contents;
    std::string& text = other.metadata[0].text;
    text.replace(text.find(from), from.size(), to);
    save_safetensors(file, other);
    std::string message = message_of<IoError>([&] { return load_program(file); });
    return message.replace(message.find(file), file.size(), "step.program");
  };
  for (const std::string& message :
       {refusal(R"("version":1)", R"("version":2)"), refusal(R"("matmul")", R"("matmul2")"),
        refusal(R"("transpose_a":false)", R"("transpose_a":true)")})
    CHECK_MESSAGE(page().find("\n" + message + "\n") != std::string::npos, message);

  manual_seed(1);
  static_cast<void>(std::tuple(randn({32, 2}), randn({32, 1})));
  nn::MLP other{{.sizes = {2, 16, 1}, .activation = nn::ActivationKind::tanh}};
  optim::Adam other_adam(other.parameters(), {.lr = 1e-2});
  for (std::size_t i = 0; i < batches.size(); ++i) {
    const Tensor own = nn::mse_loss(other(batches[i].x), batches[i].y);
    other_adam.zero_grad();
    own.backward();
    other_adam.step();
    CHECK(own.item() == losses[i]);
  }
}

TEST_CASE("docs/programs.md: a derivative, its list and its plan") {
  const Tensor w = tensor({0.5, -1.0});
  auto slope = capture([&](const Tensor& x) { return grad({sum(tanh(x * w))}, {x})[0]; },
                       tensor({1, 2}, {.requires_grad = true}));
  const Tensor at = slope(tensor({3, 4}));
  std::string text = slope.program().to_string();
  std::string plan = slope.program().plan().to_string();

  const Tensor leaf = tensor({3, 4}, {.requires_grad = true});
  CHECK(same_bits(at, grad({sum(tanh(leaf * w))}, {leaf})[0]));
  CAPTURE(text);
  CAPTURE(plan);
  CHECK(page().find("```\n" + text + "```\n") != std::string::npos);
  CHECK(page().find("```\n" + plan + "```\n") != std::string::npos);
}

TEST_CASE("docs/programs.md: what is refused") {
  const auto quoted = [](const std::string& message) { return page().find(message) != std::string::npos; };
  const Tensor x = tensor({1, 2});
  CHECK(quoted(message_of<GraphError>(
      [&] { return capture([](const Tensor& a) { return sum(a).item() > 0 ? a : -a; }, x); })));
  int calls = 0;
  CHECK(quoted(
      message_of<GraphError>([&] { return capture([&](const Tensor& a) { return a * ++calls; }, x); })));
  nn::Linear model({.in_features = 2, .out_features = 1});
  CHECK(
      quoted(message_of<GraphError>([&] { return capture([&](const Tensor& a) { return model(a); }, x); })));

  auto right = capture([](const Tensor& a) { return where(sum(a) > 0, a, -a); }, x);
  CHECK(same_bits(right(tensor({-1, -2})), x));
}

TEST_CASE("docs/programs.md: other shapes and a check") {
  double scale = 1;
  auto any = capture([&](const Tensor& x) { return softmax(x, 1) * scale; }, ones({32, 10}), {},
                     {.other_shapes = OtherShapes::capture, .verify = 2});
  Tensor last = any(ones({7, 10}));
  CHECK(last.shape() == Shape{7, 10});
  scale = 2;
  const std::string message = message_of<GraphError>([&] { return any(ones({7, 10})); });
  CHECK_MESSAGE(page().find("```\n" + message + "\n```\n") != std::string::npos, message);
}

TEST_CASE("docs/programs.md: looked at") {
  const Tensor x = randn({32, 2}), y = randn({32, 1});
  nn::MLP model{{.sizes = {2, 16, 1}, .activation = nn::ActivationKind::tanh}};
  optim::Adam adam(model.parameters(), {.lr = 1e-2});
  auto step = capture(
      [&](const Tensor& input, const Tensor& target) {
        Tensor loss = nn::mse_loss(model(input), target);
        adam.zero_grad();
        loss.backward();
        adam.step();
        return loss;
      },
      {x, y}, {&model, &adam});
  std::vector<std::string> names;

  ProgramRun run = step.watch(x, y);
  for (const ProgramRun::Step& each : run.steps) {
    if (each.module == "MLP.layers.0")
      names.push_back(each.rule.empty() ? each.operation : "rule of " + each.rule);
  }
  ProgramProfile profile = step.profile(x, y);
  std::string table = profile.table();
  std::string picture = to_dot(step.program().graph());

  CHECK(names == std::vector<std::string>{"matmul", "add", "rule of add", "rule of matmul"});
  CHECK(table.find("MLP.layers.0") != std::string::npos);
  CHECK(picture.find("label=\"layers.0\"") != std::string::npos);

  const testing::TemporaryFolder folder;
  const std::string file = (folder.path() / "step.html").string();
  explore(run, file, {.title = "A training step"});
  const std::string html = testing::file_text(file);
  CHECK(html.find("<h1>A training step</h1>") != std::string::npos);
  CHECK(html.find("\"operation\":\"tanh.rule0\"") != std::string::npos);
}

TEST_CASE("docs/programs.md: derivatives at a point") {
  Random random(1);
  const Tensor at = randn({4, 3}, random), v = randn({4, 3}, random), u = randn({4}, random);
  Linearization map = linearize([](const Tensor& x) { return sum(tanh(x) * x, {.axes = {1}}); }, at);
  Tensor moved = map(v);              // J v, as jvp
  Tensor pulled = map.transposed(u);  // J^T u, as vjp
  const auto f = [](const Tensor& x) { return sum(tanh(x) * x, {.axes = {1}}); };
  CHECK(same_bits(moved, jvp(f, at, v)));
  CHECK(same_bits(pulled, vjp(f, at)(u)));
}

TEST_CASE("docs/programs.md: single numbers") {
  const auto normal_cdf = [](const Tensor& x) { return erf(x * 0.7071067811865476) * 0.5 + 0.5; };
  const std::vector<Tensor> spots = unbind(tensor({90, 95, 100, 105}));
  auto price = capture(
      [&](const std::vector<Tensor>& given) {
        std::vector<Tensor> values;
        for (const Tensor& spot : given) values.push_back(spot * normal_cdf(log(spot / 95.0) / 0.2));
        return values;
      },
      spots);
  const std::string text = price.program().to_string();
  CAPTURE(text);
  CHECK(page().find("```\n" + text + "```\n") != std::string::npos);
  for (const Tensor& value : price(spots)) CHECK(value.item() > 0);
}

TEST_CASE("docs/programs.md: arguments of any structure") {
  const Tensor s = tensor({0, 0}), u = tensor({1, 0});
  auto move = capture(
      [](const Tensor& state, const std::vector<Tensor>& forces, double dt) {
        Tensor next = state;
        for (const Tensor& force : forces) next = next + dt * force;
        return std::pair(next, sum(square(next)));
      },
      std::tuple(s, std::vector<Tensor>{u, u}, 0.5));
  const auto [next, energy] = move(s, {u, u}, 0.5);
  CHECK(same_bits(next, tensor({1, 0})));
  CHECK(energy.item() == 1);
}

TEST_CASE("docs/programs.md: as C++ source") {
  manual_seed(1);
  const Tensor x = randn({32, 2});
  nn::MLP model{{.sizes = {2, 16, 1}, .activation = nn::ActivationKind::tanh}};
  const auto scores = capture([&](const Tensor& input) { return model(input).detach(); }, {x}, {&model});
  const std::string file = emit_cpp(scores.program(), {.name = "scores", .state = scores.state()});

  CHECK(file.find("namespace scores {") != std::string::npos);
  CHECK(file.find("void run(const float* __restrict in0, float* __restrict result0) {") != std::string::npos);
  CHECK(file.find("static const float layers_0_weight[32]") != std::string::npos);
  const auto drawn =
      capture([](const Tensor& v) { return v + randn({2}); }, {tensor({1, 2})}, {&default_random()});
  const std::string message = message_of([&] { static_cast<void>(emit_cpp(drawn.program())); });
  CAPTURE(message);
  CHECK(page().find(message) != std::string::npos);
}
