// Lists of steps for tests, without a captured function around them.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "xtgrad/autograd/program/recorder.h"
#include "xtgrad/autograd/program/runner.h"

namespace xtgrad::inline v1::testing {

/// What f computes of the inputs.
template <class F>
detail::ProgramSteps steps_of(const std::vector<Tensor>& inputs, const F& f) {
  detail::ProgramRecorder recorder("test");
  detail::TracedRoles roles;
  for (const Tensor& input : inputs) roles.inputs.push_back(recorder.declare("in", input));
  const std::vector<Tensor> results = f(inputs);
  for (const Tensor& result : results) roles.results.push_back(recorder.end(result));
  return recorder.take(roles);
}

/// The results of a program that steps make all of.
inline std::vector<Tensor> run_steps(const detail::ProgramSteps& steps, const std::vector<Tensor>& inputs) {
  detail::ProgramRunner runner(std::make_shared<const detail::ProgramSteps>(steps));
  for (std::size_t k = 0; k < inputs.size(); ++k) runner.bind(steps.inputs[k], detail::array_of(inputs[k]));
  runner.begin();
  runner.finish();
  std::vector<Tensor> results;
  for (const detail::ProgramOperand& result : steps.results) results.push_back(runner.made(result));
  return results;
}

inline std::vector<std::string> names_of(const detail::ProgramSteps& steps) {
  std::vector<std::string> names;
  for (const detail::ProgramStep& step : steps.steps) names.emplace_back((*step).name());
  return names;
}

}  // namespace xtgrad::v1::testing
