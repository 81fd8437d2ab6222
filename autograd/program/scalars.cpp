#include "xtgrad/autograd/program/scalars.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "xtgrad/autograd/core/attribute_lists.h"
#include "xtgrad/autograd/program/passes.h"
#include "xtgrad/autograd/program/scalar_block.h"

namespace xtgrad::inline v1::detail {
namespace {

/// Steps on numbers that are worth a block.
constexpr std::size_t fewest_steps = 8;
/// Equal steps that are worth being called together, though their operands have to be brought together.
constexpr std::size_t fewest_together = 4;

/// The kernel of a step of one number; null for any other step.
TileKernel kernel_of(const ProgramStep& step, Dtype dtype) {
  if (step.outputs.size() != 1 || step.inputs.empty() || step.inputs.size() > 3) return nullptr;
  const auto is_number = [&](const ProgramOperand& operand) {
    return operand.value != no_value && operand.spec.dtype == dtype && operand.spec.shape.numel() == 1;
  };
  if (!is_number(step.outputs[0]) || !std::ranges::all_of(step.inputs, is_number)) return nullptr;
  std::vector<const Spec*> specs;
  for (const ProgramOperand& input : step.inputs) specs.push_back(&input.spec);
  return (*step).bind(specs);
}

/// A program's steps on numbers of one dtype, and how far each has to wait.
struct Split {
  std::vector<TileKernel> kernels;  // null for other steps
  std::vector<std::size_t> stages;
  std::size_t stage_count = 1;
  std::size_t scalars = 0;
};

/// A step on numbers is in the stage of the latest that it reads; another step in the one after that of
/// the numbers that it reads.
Split split(const ProgramSteps& program, Dtype dtype) {
  Split split;
  std::vector<std::size_t> made_in(program.values.size(), 0);
  std::vector<char> is_scalar_made(program.values.size(), 0);
  for (const ProgramStep& step : program.steps) {
    const TileKernel kernel = kernel_of(step, dtype);
    std::size_t stage = 0;
    for (const ProgramOperand& input : step.inputs) {
      const bool waits = kernel == nullptr && is_scalar_made[input.value] != 0;
      stage = std::max(stage, made_in[input.value] + (waits ? 1 : 0));
    }
    for (const ProgramOperand& output : step.outputs) {
      if (output.value == no_value) continue;
      made_in[output.value] = stage;
      is_scalar_made[output.value] = kernel != nullptr ? 1 : 0;
    }
    split.kernels.push_back(kernel);
    split.stages.push_back(stage);
    split.stage_count = std::max(split.stage_count, stage + 1);
    if (kernel != nullptr) ++split.scalars;
  }
  return split;
}

/// What computes the same of numbers: a primitive with its attributes.
std::string key_of(const ProgramStep& step) {
  std::string key((*step).name());
  for (const NamedAttribute& attribute : attributes_of(*step)) {
    key += '|';
    key += exact_text(attribute.value);
  }
  return key;
}

/// Makes the block of some steps, which stand in an order in which they can be run.
class BlockMaker {
 public:
  BlockMaker(const ProgramSteps& program, const Split& split, const std::vector<std::size_t>& members,
             const std::vector<std::size_t>& uses)
      : program_(program), split_(split), members_(members), uses_(uses) {}

  /// The last output's value is to be given to it.
  ProgramStep make(ValueIndex places_value) {
    auto code = std::make_shared<ScalarCode>();
    code_ = code.get();
    const ProgramStep& first = program_.steps[members_.front()];
    code->dtype = first.outputs[0].spec.dtype;
    code->steps = members_.size();
    enter_inputs();
    for (const std::vector<std::size_t>& together : calls()) add(together);
    ProgramStep step{.primitive = nullptr, .inputs = std::move(inputs_), .outputs = {}, .origin = {}};
    for (const std::size_t member : members_) {
      const ProgramOperand& output = program_.steps[member].outputs[0];
      if (uses_[output.value] == inside_[output.value]) continue;
      code->results.push_back(place_.at(output.value));
      code->result_specs.push_back(output.spec);
      step.outputs.push_back(output);
    }
    step.outputs.push_back({places_value, ScalarBlock::places_spec(*code)});
    step.primitive = std::make_shared<const PrimitiveCopy>(ScalarBlock(std::move(code)));
    return step;
  }

 private:
  void enter_inputs() {
    for (const std::size_t member : members_) {
      const ProgramStep& step = program_.steps[member];
      std::size_t depth = 0;
      for (const ProgramOperand& input : step.inputs) {
        ++inside_[input.value];
        if (const auto made = depth_.find(input.value); made != depth_.end()) {
          depth = std::max(depth, made->second + 1);
        } else if (place_.try_emplace(input.value, code_->places).second) {
          ++code_->places;
          inputs_.push_back(input);
        }
      }
      depth_[step.outputs[0].value] = depth;
    }
  }

  /// Steps that are one call each: equal ones of one depth, the depths in order.
  [[nodiscard]] std::vector<std::vector<std::size_t>> calls() const {
    std::vector<std::vector<std::size_t>> calls;
    std::map<std::pair<std::size_t, std::string>, std::size_t> known;
    for (const std::size_t member : members_) {
      const ProgramStep& step = program_.steps[member];
      const auto [place, is_new] =
          known.try_emplace({depth_.at(step.outputs[0].value), key_of(step)}, calls.size());
      if (is_new) calls.emplace_back();
      calls[place->second].push_back(member);
    }
    std::ranges::stable_sort(calls, {}, [&](const std::vector<std::size_t>& call) {
      return depth_.at(program_.steps[call.front()].outputs[0].value);
    });
    return calls;
  }

  void add(const std::vector<std::size_t>& together) {
    if (together.size() >= fewest_together) {
      add_call(together);
      return;
    }
    for (const std::size_t member : together) add_call({member});
  }

  void add_call(std::vector<std::size_t> together) {
    const auto at = [&](std::size_t member, std::size_t k) {
      return place_.at(program_.steps[member].inputs[k].value);
    };
    // In the order in which their first operands lie, which then often lie side by side.
    std::ranges::stable_sort(together, {}, [&](std::size_t member) { return at(member, 0); });
    const ProgramStep& first = program_.steps[together.front()];
    ScalarCode::Call call{.primitive = first.primitive,
                          .kernel = split_.kernels[together.front()],
                          .n = static_cast<std::uint32_t>(together.size()),
                          .repeated = 0,
                          .operands = static_cast<std::uint32_t>(first.inputs.size()),
                          .at = {},
                          .result = 0,
                          .first_move = static_cast<std::uint32_t>(code_->moves.size()),
                          .moves = 0};
    for (std::size_t k = 0; k < first.inputs.size(); ++k) {
      call.at[k] = at(together.front(), k);
      bool is_one = true, is_row = true;
      for (std::size_t m = 0; m < together.size(); ++m) {
        const std::uint32_t place = at(together[m], k);
        is_one = is_one && place == call.at[k];
        is_row = is_row && place == call.at[k] + m;
      }
      if (is_row) continue;
      if (is_one) {
        call.repeated |= InputSet{1} << k;
        continue;
      }
      call.at[k] = code_->places;
      for (const std::size_t member : together) code_->moves.push_back({at(member, k), code_->places++});
      call.moves += call.n;
    }
    call.result = code_->places;
    for (const std::size_t member : together)
      place_[program_.steps[member].outputs[0].value] = code_->places++;
    code_->calls.push_back(std::move(call));
  }

  const ProgramSteps& program_;
  const Split& split_;
  const std::vector<std::size_t>& members_;
  const std::vector<std::size_t>& uses_;  // of each value, by steps and at the end
  ScalarCode* code_ = nullptr;
  std::vector<ProgramOperand> inputs_;
  std::unordered_map<ValueIndex, std::size_t> inside_;  // uses by members
  std::unordered_map<ValueIndex, std::size_t> depth_;   // of members' results
  std::unordered_map<ValueIndex, std::uint32_t> place_;
};

std::optional<Dtype> dtype_of_numbers(const ProgramSteps& program) {
  std::size_t singles = 0, doubles = 0;
  for (const ProgramStep& step : program.steps) {
    singles += kernel_of(step, Dtype::float32) != nullptr ? 1 : 0;
    doubles += kernel_of(step, Dtype::float64) != nullptr ? 1 : 0;
  }
  const std::size_t most = std::max(singles, doubles);
  if (most < fewest_steps || 2 * most < program.steps.size()) return std::nullopt;
  return most == singles ? Dtype::float32 : Dtype::float64;
}

}  // namespace

ProgramSteps with_scalar_steps_joined(ProgramSteps program) {
  const std::optional<Dtype> dtype = dtype_of_numbers(program);
  if (!dtype) return program;
  const Split parts = split(program, *dtype);
  const std::vector<std::size_t> uses = uses_of(program);
  std::vector<std::vector<std::size_t>> scalars(parts.stage_count), others(parts.stage_count);
  for (std::size_t s = 0; s < program.steps.size(); ++s)
    (parts.kernels[s] != nullptr ? scalars : others)[parts.stages[s]].push_back(s);
  std::vector<ProgramStep> steps;
  for (std::size_t stage = 0; stage < parts.stage_count; ++stage) {
    for (const std::size_t s : others[stage]) steps.push_back(program.steps[s]);
    if (scalars[stage].size() < fewest_steps) {
      for (const std::size_t s : scalars[stage]) steps.push_back(program.steps[s]);
      continue;
    }
    const auto places = static_cast<ValueIndex>(program.values.size());
    ProgramStep block = BlockMaker(program, parts, scalars[stage], uses).make(places);
    const Spec& spec = block.outputs.back().spec;
    program.values.push_back({.name = {}, .bytes = bytes_of(spec.shape, spec.dtype), .spec = spec});
    steps.push_back(std::move(block));
  }
  program.steps = std::move(steps);
  return without_dead_steps(std::move(program));  // and without the values that are handed on
}

}  // namespace xtgrad::v1::detail
