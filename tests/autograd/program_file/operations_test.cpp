// Every operation of the registry, and its rules, from a file: the bits of the call.
#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "tests/autograd/ops/op_walk.h"
#include "tests/autograd/program_file/saved_steps.h"
#include "xtgrad/xtgrad.h"

namespace xtgrad::inline v1::testing { namespace {

/// The sum of what has a derivative, or an empty handle; weighted, so that cotangents differ.
Tensor total_of(const std::vector<Tensor>& tensors) {
  Tensor total;
  for (const Tensor& tensor : tensors) {
    if (!tensor.defined() || !tensor.requires_grad()) continue;
    const Tensor weights = linspace(0.5, 1.5, tensor.numel(), {.dtype = tensor.dtype()});
    const Tensor part = sum(tensor * reshape(weights, Dims(tensor.shape()))).to(float64);
    total = total.defined() ? total + part : part;
  }
  return total;
}

void append(std::vector<Tensor>& results, const std::vector<Tensor>& gradients) {
  for (const Tensor& gradient : gradients) {
    if (gradient.defined()) results.push_back(gradient);
  }
}

/// What an operation gives, with its gradients, those of each input alone and, from a sweep that records,
/// those and second ones.
std::vector<Tensor> results_of(const Sample& sample, std::span<const Tensor> inputs) {
  std::vector<Tensor> results{sample.apply(inputs)};
  const std::vector<Tensor> variables = differentiable_of(sample, inputs);
  if (variables.empty() || !total_of(results).defined()) return results;
  std::vector<std::vector<Tensor>> asked{variables};
  if (variables.size() > 1) {
    for (const Tensor& variable : variables) asked.push_back({variable});
  }
  for (const std::vector<Tensor>& each : asked)
    append(results, grad({total_of({sample.apply(inputs)})}, each, {.allow_unused = true}));
  if (!sample.derivatives) return results;
  const std::vector<Tensor> first =
      grad({total_of({sample.apply(inputs)})}, variables, {.create_graph = true, .allow_unused = true});
  append(results, first);
  if (const Tensor total = total_of(first); total.defined())
    append(results, grad({total}, variables, {.allow_unused = true}));
  return results;
}

void check_from_file(OpId id) {
  const Op op = describe(id);
  Random random = random_for(op, Check::again);
  for (const Sample& sample : op.samples) {
    for (const Dtype dtype : {float32, float64}) {
      CAPTURE(sample.attributes);
      if (sample.decided == Decided::shape)
        continue;  // elements are read as C++ numbers, which no program does
      const std::vector<Tensor> inputs =
          make_inputs(sample, draw_inputs(sample, dtype, random), dtype, op.kind != Kind::constant);
      const auto f = [&](const auto& in) { return results_of(sample, in); };
      const std::vector<Tensor> wanted = f(inputs);
      LoadedProgram program = loaded(inputs, f);
      const std::vector<Tensor> got = program(inputs);
      REQUIRE(got.size() == wanted.size());
      for (std::size_t k = 0; k < got.size(); ++k) CHECK(same_bits(got[k], wanted[k]));
    }
  }
}

#define XTGRAD_PRIMITIVE(name, family) \
  TEST_CASE("from a file: " #name) { check_from_file(OpId::name); }
#define XTGRAD_COMPOSITE(name, family) XTGRAD_PRIMITIVE(name, family)
#define XTGRAD_CONSTANT(name, family) XTGRAD_PRIMITIVE(name, family)
#include "xtgrad/autograd/ops.def"
#undef XTGRAD_PRIMITIVE
#undef XTGRAD_COMPOSITE
#undef XTGRAD_CONSTANT

}}  // namespace xtgrad::testing
