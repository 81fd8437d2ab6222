#include "xtgrad/autograd/program/fusion.h"

#include <algorithm>
#include <numeric>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>

#include "xtgrad/autograd/program/fused.h"
#include "xtgrad/autograd/program/passes.h"

namespace xtgrad::inline v1::detail {
namespace {

/// Inputs and results of a fused step, at most: places are counted in bits.
constexpr std::size_t most_ends = 31;
/// Steps of a group, at most: the first of them waits for the last one's operands.
constexpr std::size_t most_steps = 64;
/// How far behind the last one that has joined a group another step may be.
constexpr std::size_t reach = 256;

/// How a step whose results have `made`'s shape reads an operand; nothing if not element by element.
std::optional<Reading> reading_of(const Spec& operand, const Spec& made) {
  if (operand.dtype != made.dtype) return std::nullopt;
  if (operand.shape == made.shape) return Reading::all;
  const std::int64_t n = operand.shape.numel();
  if (n == 1) return Reading::one;
  const std::size_t rank = operand.shape.rank();
  if (rank > made.shape.rank()) return std::nullopt;
  for (std::size_t i = 0; i < rank; ++i) {
    // The last sizes of the result are the operand's, but for leading ones.
    if (operand.shape[rank - 1 - i] == made.shape[made.shape.rank() - 1 - i]) continue;
    for (std::size_t j = i; j < rank; ++j) {
      if (operand.shape[rank - 1 - j] != 1) return std::nullopt;
    }
    break;
  }
  return Reading::row;
}

/// The kernel of a step that can be run piece by piece; null for another.
TileKernel kernel_of(const ProgramStep& step) {
  if (step.outputs.size() != 1 || step.inputs.empty()) return nullptr;
  const Spec& made = step.outputs[0].spec;
  if (made.shape.numel() == 0) return nullptr;
  std::vector<const Spec*> specs;
  std::int64_t row = 0;
  for (const ProgramOperand& input : step.inputs) {
    const std::optional<Reading> reading = reading_of(input.spec, made);
    if (!reading) return nullptr;
    specs.push_back(&input.spec);
    if (*reading != Reading::row) continue;
    // Rows of two lengths: one of them is repeated to the other, which is no row of the result.
    if (row != 0 && row != input.spec.shape.numel()) return nullptr;
    row = input.spec.shape.numel();
  }
  return (*step).bind(specs);
}

/// Elements of a piece that is whole rows of `row` elements and whole 64 bytes; 0 if that is too large.
std::int64_t piece_of(std::int64_t row, std::size_t element_bytes) {
  const auto most = static_cast<std::int64_t>(fused_piece_bytes / element_bytes);
  const std::int64_t unit = row == 0 ? most : std::lcm(row, static_cast<std::int64_t>(64 / element_bytes));
  return unit > most ? 0 : most / unit * unit;
}

/// The innermost module around both, of "MLP.layers.0" and "MLP.layers.2" the "MLP.layers".
std::string common_module(const std::string& a, const std::string& b) {
  if (a == b) return a;
  std::size_t common = 0;
  for (std::size_t i = 0; i <= std::min(a.size(), b.size()); ++i) {
    const bool ends_a = i == a.size() || a[i] == '.', ends_b = i == b.size() || b[i] == '.';
    if (ends_a && ends_b) common = i;
    if (i == a.size() || i == b.size() || a[i] != b[i]) break;
  }
  return a.substr(0, common);
}

/// Gathers the steps of one group.
class Group {
 public:
  Group(const ProgramSteps& program, std::size_t first) : program_(program), first_(first) { join(first); }

  /// Whether the step can be one of the group: those that its operands come from are, or stand before the
  /// first.
  [[nodiscard]] bool takes(std::size_t s, TileKernel kernel, const std::vector<std::size_t>& made_by) const {
    const ProgramStep& step = program_.steps[s];
    const Spec &made = step.outputs[0].spec, &mine = spec();
    if (kernel == nullptr || !same_spec(made, mine)) return false;
    bool reads_mine = false;
    std::int64_t row = row_;
    for (const ProgramOperand& input : step.inputs) {
      const std::size_t maker = made_by[input.value];
      const bool is_mine = contains(maker);
      if (!is_mine && maker != none && maker >= first_) return false;
      const Reading reading = *reading_of(input.spec, made);
      if (is_mine && reading != Reading::all) return false;
      reads_mine = reads_mine || is_mine;
      if (reading != Reading::row) continue;
      if (row != 0 && row != input.spec.shape.numel()) return false;
      row = input.spec.shape.numel();
    }
    return reads_mine && (row == row_ || piece_of(row, item_size(mine.dtype)) != 0);
  }
  void join(std::size_t s) {
    members_.push_back(s);
    note_row(s);
  }
  /// Leaves the later half to other groups.
  void halve() {
    members_.resize(members_.size() / 2);
    row_ = 0;
    for (const std::size_t member : members_) note_row(member);
  }
  [[nodiscard]] bool contains(std::size_t s) const {
    return std::ranges::find(members_, s) != members_.end();
  }
  [[nodiscard]] const std::vector<std::size_t>& members() const { return members_; }
  [[nodiscard]] std::int64_t row() const { return row_; }

  static constexpr std::size_t none = ~std::size_t{0};

 private:
  [[nodiscard]] const Spec& spec() const { return program_.steps[first_].outputs[0].spec; }
  void note_row(std::size_t s) {
    for (const ProgramOperand& input : program_.steps[s].inputs) {
      if (reading_of(input.spec, spec()) == Reading::row) row_ = input.spec.shape.numel();
    }
  }

  const ProgramSteps& program_;
  std::size_t first_;
  std::vector<std::size_t> members_;
  std::int64_t row_ = 0;
};

/// Makes one step of a group's; nothing if it would have too many ends.
class Joiner {
 public:
  Joiner(const ProgramSteps& program, const Group& group, const std::vector<TileKernel>& kernels,
         const std::vector<std::size_t>& uses)
      : program_(program), group_(group), kernels_(kernels), uses_(uses) {}

  std::optional<ProgramStep> join() {
    collect_ends();
    if (inputs_.size() + outputs_.size() > most_ends) return std::nullopt;
    auto fused = std::make_shared<FusedSteps>();
    const Spec& spec = step(0).outputs[0].spec;
    fused->element_bytes = item_size(spec.dtype);
    fused->elements = spec.shape.numel();
    fused->row = group_.row();
    fused->piece = piece_of(fused->row, fused->element_bytes);
    if (fused->piece == 0) return std::nullopt;
    for (const ProgramOperand& input : inputs_) fused->inputs.push_back(*reading_of(input.spec, spec));
    for (const ProgramOperand& output : outputs_) fused->results.push_back(output.spec);
    for (std::size_t m = 0; m < group_.members().size(); ++m) add(m, *fused);
    const auto rows = static_cast<std::uint32_t>(std::ranges::count(fused->inputs, Reading::row));
    if (fused->scratch + rows > most_scratch) return std::nullopt;
    set_overwritable(*fused);
    return ProgramStep{std::make_shared<const PrimitiveCopy>(Fused(std::move(fused))), inputs_, outputs_,
                       common_origin()};
  }

 private:
  [[nodiscard]] const ProgramStep& step(std::size_t m) const { return program_.steps[group_.members()[m]]; }

  /// The module, and the rule, that all of them are of.
  [[nodiscard]] StepOrigin common_origin() const {
    StepOrigin origin = step(0).origin;
    for (std::size_t m = 1; m < group_.members().size(); ++m) {
      const StepOrigin& other = step(m).origin;
      origin.module = common_module(origin.module, other.module);
      if (origin.rule != other.rule) origin.rule.clear();
      if (origin.of != other.of) origin.of = no_value;
    }
    return origin;
  }

  void collect_ends() {
    std::unordered_map<ValueIndex, std::size_t> inside;
    for (std::size_t m = 0; m < group_.members().size(); ++m) {
      for (const ProgramOperand& input : step(m).inputs) {
        last_[input.value] = m;
        ++inside[input.value];
        if (made_.contains(input.value) || place_of(input)) continue;
        inputs_.push_back(input);
      }
      made_.emplace(step(m).outputs[0].value, m);
    }
    for (std::size_t m = 0; m < group_.members().size(); ++m) {
      const ProgramOperand& output = step(m).outputs[0];
      if (uses_[output.value] > inside[output.value]) outputs_.push_back(output);
    }
  }

  /// An input of that value and shape.
  [[nodiscard]] std::optional<std::uint32_t> place_of(const ProgramOperand& operand) const {
    for (std::size_t i = 0; i < inputs_.size(); ++i) {
      if (inputs_[i].value == operand.value && inputs_[i].spec.shape == operand.spec.shape)
        return static_cast<std::uint32_t>(i);
    }
    return std::nullopt;
  }

  void add(std::size_t m, FusedSteps& fused) {
    const ProgramStep& from = step(m);
    const auto first_output = static_cast<std::uint32_t>(inputs_.size());
    const auto first_scratch = first_output + static_cast<std::uint32_t>(outputs_.size());
    FusedSteps::Inner inner{.primitive = from.primitive,
                            .kernel = kernels_[group_.members()[m]],
                            .operands = {},
                            .result = 0,
                            .repeated = 0};
    for (std::size_t i = 0; i < from.inputs.size(); ++i) {
      const ProgramOperand& input = from.inputs[i];
      const auto mine = places_.find(input.value);
      inner.operands.push_back(mine != places_.end() ? mine->second : *place_of(input));
      const bool is_one = *reading_of(input.spec, from.outputs[0].spec) == Reading::one;
      if (is_one && fused.elements != 1) inner.repeated |= InputSet{1} << i;
    }
    // A piece that is read for the last time here may be written by the same step.
    for (const ProgramOperand& input : from.inputs) {
      const auto mine = places_.find(input.value);
      if (mine != places_.end() && mine->second >= first_scratch && last_[input.value] == m &&
          std::ranges::find(free_, mine->second) == free_.end())
        free_.push_back(mine->second);
    }
    const ValueIndex value = from.outputs[0].value;
    const auto kept = std::ranges::find(outputs_, value, &ProgramOperand::value);
    if (kept != outputs_.end()) {
      inner.result = first_output + static_cast<std::uint32_t>(kept - outputs_.begin());
    } else if (!free_.empty()) {
      inner.result = free_.back();
      free_.pop_back();
    } else {
      inner.result = first_scratch + fused.scratch++;
    }
    places_[value] = inner.result;
    fused.steps.push_back(std::move(inner));
  }

  /// A result may lie over an input that no step after the one that makes it reads.
  void set_overwritable(FusedSteps& fused) const {
    for (const ProgramOperand& output : outputs_) {
      InputSet inputs = 0;
      for (std::size_t i = 0; i < inputs_.size(); ++i) {
        if (fused.inputs[i] == Reading::all && last_.at(inputs_[i].value) <= made_.at(output.value))
          inputs |= InputSet{1} << i;
      }
      fused.overwritable.push_back(inputs);
    }
  }

  const ProgramSteps& program_;
  const Group& group_;
  const std::vector<TileKernel>& kernels_;  // of the program's steps
  const std::vector<std::size_t>& uses_;    // of each value, by steps and at the end
  std::vector<ProgramOperand> inputs_, outputs_;
  std::unordered_map<ValueIndex, std::size_t> last_;  // member that reads it last
  std::unordered_map<ValueIndex, std::size_t> made_;  // member that makes it
  std::unordered_map<ValueIndex, std::uint32_t> places_;
  std::vector<std::uint32_t> free_;  // pieces of scratch
};

}  // namespace

ProgramSteps with_elementwise_steps_fused(ProgramSteps program) {
  const std::size_t count = program.steps.size();
  std::vector<TileKernel> kernels;
  std::vector<std::size_t> made_by(program.values.size(), Group::none);
  for (std::size_t s = 0; s < count; ++s) {
    kernels.push_back(kernel_of(program.steps[s]));
    for (const ProgramOperand& output : program.steps[s].outputs) {
      if (output.value != no_value) made_by[output.value] = s;
    }
  }
  const std::vector<std::size_t> uses = uses_of(program);
  std::vector<ProgramStep> steps;
  std::vector<char> is_done(count, 0);
  for (std::size_t s = 0; s < count; ++s) {
    if (is_done[s] != 0) continue;
    if (kernels[s] != nullptr) {
      Group group(program, s);
      std::size_t last = s;
      for (std::size_t t = s + 1; t < count && t - last <= reach && group.members().size() < most_steps;
           ++t) {
        if (is_done[t] != 0 || !group.takes(t, kernels[t], made_by)) continue;
        group.join(t);
        last = t;
      }
      std::optional<ProgramStep> joined;
      while (group.members().size() > 1 && !(joined = Joiner(program, group, kernels, uses).join()))
        group.halve();
      if (joined) {
        for (const std::size_t member : group.members()) is_done[member] = 1;
        steps.push_back(std::move(*joined));
        continue;
      }
    }
    steps.push_back(program.steps[s]);
  }
  program.steps = std::move(steps);
  return without_dead_steps(std::move(program));  // and without the values that are handed on
}

}  // namespace xtgrad::v1::detail
