// The program that runs a saved one, and has none of the model's code.
#include <doctest/doctest.h>

#include <string>

#include "tests/support/program.h"
#include "tests/support/values.h"
#include "xtgrad/autograd/io/safetensors.h"
#include "xtgrad/nn/capture.h"
#include "xtgrad/nn/nn.h"
#include "xtgrad/optim/optim.h"
#include "xtgrad/xtgrad.h"

namespace xtgrad { namespace {

TEST_CASE("run_program runs a training step that it knows nothing of") {
  const testing::TemporaryFolder folder;
  const auto path = [&](const char* name) { return (folder.path() / name).string(); };
  manual_seed(1);
  nn::MLP model({.sizes = {4, 8, 3}});
  optim::Adam adam(model.parameters(), {.lr = 1e-2});
  const Tensor x = randn({5, 4}), y = from_vector(std::vector<std::int64_t>{0, 1, 2, 1, 0});
  auto step = capture(
      [&](const Tensor& input, const Tensor& target) {
        Tensor loss = nn::cross_entropy(model(input), target);
        adam.zero_grad();
        loss.backward();
        adam.step();
        return loss;
      },
      {x, y}, {&model, &adam});
  step.save(path("step.program"));
  save_safetensors(path("inputs.safetensors"), {.tensors = {{"x", x}, {"y", y}}});
  const std::string program = std::string(XTGRAD_EXAMPLES) + "/run_program";
  const testing::ProgramResult run = testing::run_program(
      program, {path("step.program"), path("inputs.safetensors"), path("results.safetensors")});
  CHECK_MESSAGE(run.exit_code == 0, run.out);
  CHECK(testing::same_bits(load_safetensors(path("results.safetensors")).tensors[0].value, step(x, y)));
  const testing::ProgramResult refused = testing::run_program(
      program, {path("inputs.safetensors"), path("inputs.safetensors"), path("results.safetensors")});
  CHECK(refused.exit_code == 1);
}

}}  // namespace xtgrad
