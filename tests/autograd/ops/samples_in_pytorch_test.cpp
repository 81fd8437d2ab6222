// The walk's samples in PyTorch: values, gradients, and the gradients' derivatives along a direction.
#include <doctest/doctest.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <string>
#include <vector>

#include "tests/autograd/ops/op_walk.h"
#include "tests/support/program.h"
#include "tests/support/skip.h"
#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/grad.h"
#include "xtgrad/autograd/ops.h"

namespace xtgrad::inline v1::testing { namespace {

std::string numbers_of(const std::vector<Tensor>& tensors) {
  std::vector<std::string> texts;
  for (const Tensor& tensor : tensors) {
    for (const double x : values(tensor))
      texts.push_back(std::isnan(x)   ? "nan"
                      : std::isinf(x) ? (x > 0 ? "inf" : "-inf")
                                      : fmt::format("{:.17g}", x));
  }
  return fmt::format("[{}]", fmt::join(texts, ", "));
}

std::string input_of(const Tensor& x) {
  const std::vector<std::int64_t> sizes(x.shape().begin(), x.shape().end());
  return fmt::format("('{}', [{}], {})", x.dtype() == boolean ? "bool" : to_string(x.dtype()),
                     fmt::join(sizes, ", "), numbers_of({x}));
}

std::vector<Tensor> gradients(const Tensor& y, const std::vector<Tensor>& variables, bool recorded) {
  std::vector<Tensor> result(variables.size());
  if (y.requires_grad() && !variables.empty())
    result = grad({y}, variables, {.create_graph = recorded, .allow_unused = true});
  for (std::size_t i = 0; i < variables.size(); ++i) {
    if (!result[i].defined()) result[i] = zeros_like(variables[i]);
  }
  return result;
}

std::string line_of(const Op& op, const Sample& sample, bool elementwise, Random& random) {
  const std::vector<Tensor> inputs = make_inputs(sample, draw_inputs(sample, float64, random), float64, true);
  std::vector<Tensor> variables;
  std::vector<std::string> texts;
  for (const Tensor& x : inputs) {
    texts.push_back(input_of(x));
    if (is_floating(x.dtype())) variables.push_back(x);
  }
  const Tensor y = sample.apply(inputs);
  std::vector<Tensor> cotangents, first, second, way;
  if (is_floating(y.dtype())) {
    cotangents.push_back(randn(y.shape(), random, {.dtype = y.dtype()}));
    first = gradients(sum(y * cotangents[0]), variables, true);
    Tensor along = zeros({}, {.dtype = float64});
    for (std::size_t i = 0; i < variables.size(); ++i) {
      way.push_back(randn(variables[i].shape(), random, {.dtype = float64}));
      along = along + sum(first[i] * way[i]);
    }
    second = gradients(along, variables, false);
  }
  return fmt::format(
      "{{'operation': '{}', 'attributes': \"{}\", 'elementwise': {}, 'inputs': [{}], 'value': {}, "
      "'cotangent': {}, "
      "'gradient': {}, 'direction': {}, 'second': {}}}\n",
      detail::to_string(op.id), sample.attributes, elementwise ? "True" : "False", fmt::join(texts, ", "),
      numbers_of({y}), numbers_of(cotangents), numbers_of(first), numbers_of(way), numbers_of(second));
}

/// Those whose derivatives the walk checks, which are the small ones.
void write_samples(std::ostream& file) {
  for (std::size_t i = 0; i < static_cast<std::size_t>(OpId::count_); ++i) {
    const Op op = describe(static_cast<OpId>(i));
    Random random(seed_of(op));
    for (const Sample& sample : op.samples) {
      const bool stays_double = !sample.result || sample.result(float64) != float32;
      if (sample.derivatives && stays_double)
        file << line_of(op, sample, !op.elementwise_operations.empty(), random);
    }
  }
}

TEST_CASE("the samples of the operations give in PyTorch what they give here") {
  const char* python = std::getenv("XTGRAD_PEERS_PYTHON");
  if (python == nullptr) return skip("XTGRAD_PEERS_PYTHON names no Python that has torch");
  if (run_program(python, {"-c", "import torch"}).exit_code != 0) return skip("no torch here");
  const TemporaryFolder folder;
  const std::filesystem::path path = folder.path() / "samples.txt";
  std::ofstream file(path);
  write_samples(file);
  file.close();
  if (const char* kept = std::getenv("XTGRAD_KEEP_SAMPLES")) std::filesystem::copy_file(path, kept);
  const std::filesystem::path script =
      std::filesystem::path(XTGRAD_SOURCE_DIR) / "tests/autograd/ops/samples_in_pytorch.py";
  const ProgramResult compared = run_program(python, {script.string(), path.string()});
  const std::vector<std::string> lines = lines_of(compared.out);
  std::cout << (lines.empty() ? "" : lines.back()) << std::endl;
  CHECK_MESSAGE(compared.exit_code == 0, compared.out << compared.err);
  CHECK(compared.out.find(" 0 differ") != std::string::npos);
}

}}  // namespace xtgrad::v1::testing
