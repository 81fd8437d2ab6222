#include "xtgrad/autograd/program/pure_program.h"

#include <cstddef>
#include <utility>

#include "xtgrad/autograd/core/copied.h"
#include "xtgrad/autograd/core/node.h"
#include "xtgrad/autograd/program/joined.h"
#include "xtgrad/autograd/program/passes.h"

namespace xtgrad::inline v1::detail {
namespace {

Program program_of(ProgramSteps steps, std::span<const Tensor> given, std::size_t most_bytes) {
  const std::size_t count = steps.steps.size();
  for (std::size_t k = 0; k < given.size(); ++k) {
    ProgramValue& value = steps.values[steps.inputs[k].value];
    value.source = ProgramValue::Source::constant;
    value.name.clear();
    value.elements = array_of(given[k]).buffer;
  }
  steps.inputs.erase(steps.inputs.begin(), steps.inputs.begin() + static_cast<std::ptrdiff_t>(given.size()));
  const auto unfused = std::make_shared<const ProgramSteps>(simplified(std::move(steps), most_bytes));
  const auto run = std::make_shared<const ProgramSteps>(joined(*unfused));
  return {run, unfused, count};
}

}  // namespace

PureProgram::PureProgram(ProgramSteps recorded, std::span<const Tensor> given, std::size_t most_bytes)
    : program_(program_of(std::move(recorded), given, most_bytes)), runner_(program_.steps()) {}

std::vector<Tensor> PureProgram::run(std::span<const Tensor> inputs) {
  const ProgramSteps& steps = *program_.steps();
  for (std::size_t k = 0; k < inputs.size(); ++k) runner_.bind(steps.inputs[k], array_of(inputs[k]));
  runner_.begin();
  runner_.finish();
  std::vector<Tensor> results;
  std::vector<char> is_taken(steps.values.size(), 0);
  for (const ProgramOperand& result : steps.results) {
    const ProgramValue& value = steps.values[result.value];
    switch (value.source) {
      case ProgramValue::Source::step: {
        Tensor& made = runner_.made(result);
        const bool is_first = std::exchange(is_taken[result.value], 1) == 0;
        // The first to take it has the tensor; the runner makes another one in the next run.
        results.push_back(is_first && array_of(made).shape == result.spec.shape
                              ? made
                              : make_constant(copied(array_of(made).buffer, result.spec)));
        break;
      }
      case ProgramValue::Source::input:
        for (std::size_t k = 0; k < inputs.size(); ++k) {
          if (steps.inputs[k].value != result.value) continue;
          results.push_back(make_constant(copied(array_of(inputs[k]).buffer, result.spec)));
          break;
        }
        break;
      case ProgramValue::Source::constant:
      case ProgramValue::Source::state:
        results.push_back(make_constant(copied(value.elements, result.spec)));
        break;
    }
  }
  return results;
}

}  // namespace xtgrad::v1::detail
