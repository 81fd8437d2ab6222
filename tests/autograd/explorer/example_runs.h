// Runs for tests of the explorer, made by hand.
#pragma once

#include <fmt/format.h>

#include <cstddef>
#include <string>
#include <vector>

#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/from_values.h"
#include "xtgrad/autograd/program_run.h"

namespace xtgrad::inline v1::testing {

using Source = ProgramRun::Source;

/// Adds a value, and says what number it has.
inline std::size_t add_value(ProgramRun& run, const std::string& name, Source source,
                             const Tensor& elements) {
  run.values.push_back({.name = name, .source = source, .elements = elements});
  return run.values.size() - 1;
}

inline ProgramRun::Operand operand(const ProgramRun& run, std::size_t value) {
  return {value, run.values[value].elements.shape()};
}

/// Adds a step of the values; its module, rule and costs are up to the caller.
inline ProgramRun::Step& add_step(ProgramRun& run, const std::string& operation,
                                  const std::vector<std::size_t>& inputs,
                                  const std::vector<std::size_t>& outputs) {
  ProgramRun::Step step{.operation = operation,
                        .attributes = {},
                        .module = {},
                        .inputs = {},
                        .outputs = {},
                        .seconds = 1e-6 * static_cast<double>(run.steps.size() + 1),
                        .flops = 4};
  for (const std::size_t value : inputs) step.inputs.push_back(operand(run, value));
  for (const std::size_t value : outputs) step.outputs.push_back(operand(run, value));
  run.steps.push_back(step);
  return run.steps.back();
}

/// Forward, backward and an optimizer's step in two modules:
///
///   0  %2 = matmul(in0, weight)   Net.first
///   1  %3 = tanh(%2)              Net.first
///   2  %4 = sum(%3)               Net.second
///   3  %5 = tanh.rule0(one, %3)   Net.first, the cotangent of %2
///   4  %6 = matmul(in0, %5)       Net.first, the cotangent of weight
///   5  %7 = sgd_step(weight, %6)
inline ProgramRun small_run() {
  ProgramRun run;
  const std::size_t x = add_value(run, "in0", Source::input, tensor({{1, 2, 3}, {4, 5, 6}}));
  const std::size_t w = add_value(run, "weight", Source::state, tensor({{0.5, -1}, {0.25, 0}, {-0.125, 1}}));
  const std::size_t one = add_value(run, "%8", Source::constant, tensor({{1, 1}, {1, 1}}));
  const std::size_t product = add_value(run, "%2", Source::step, tensor({{0.625, 2}, {2.5, 2}}));
  const std::size_t bent = add_value(run, "%3", Source::step, tensor({{0.1, -0.9}, {0.3, 0.7}}));
  const std::size_t loss = add_value(run, "%4", Source::step, tensor(0.2));
  const std::size_t g = add_value(run, "%5", Source::step, tensor({{0.99, 0.19}, {0.91, 0.51}}));
  const std::size_t gw = add_value(run, "%6", Source::step, tensor({{4.5, 2.0}, {6.5, 3.0}, {8.5, 3.5}}));
  const std::size_t next = add_value(run, "%7", Source::step, tensor({{0, 1}, {2, 3}, {4, 5}}));
  run.values[product].cotangent = g;
  run.values[w].cotangent = gw;
  add_step(run, "matmul", {x, w}, {product}).module = "Net.first";
  add_step(run, "tanh", {product}, {bent}).module = "Net.first";
  ProgramRun::Step& sum = add_step(run, "sum", {bent}, {loss});
  sum.module = "Net.second";
  sum.attributes = "axes=[0, 1]";
  ProgramRun::Step& rule = add_step(run, "tanh.rule0", {one, bent}, {g});
  rule.module = "Net.first";
  rule.rule = "tanh";
  rule.of = bent;
  ProgramRun::Step& weight_rule = add_step(run, "matmul", {x, g}, {gw});
  weight_rule.module = "Net.first";
  weight_rule.rule = "matmul";
  weight_rule.of = product;
  add_step(run, "sgd_step", {w, gw}, {next});
  run.inputs = {x};
  run.state = {{"weight", w, next}};
  run.results = {operand(run, loss)};
  return run;
}

/// A chain of n steps, in modules of ten.
inline ProgramRun long_run(std::size_t n) {
  ProgramRun run;
  std::size_t last = add_value(run, "in0", Source::input, tensor({1, 2, 3, 4}));
  run.inputs = {last};
  for (std::size_t i = 0; i < n; ++i) {
    const auto k = static_cast<double>(i);
    const std::size_t next =
        add_value(run, fmt::format("%{}", i + 1), Source::step, tensor({k, -k, k / 2, 1}));
    add_step(run, i % 2 == 0 ? "tanh" : "exp", {last}, {next}).module =
        fmt::format("Chain.layers.{}", i / 10);
    last = next;
  }
  run.results = {operand(run, last)};
  return run;
}

}  // namespace xtgrad::v1::testing
