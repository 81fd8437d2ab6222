#include "xtgrad/autograd/program/row_fusion.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "xtgrad/autograd/program/fused_rows.h"
#include "xtgrad/autograd/program/passes.h"

namespace xtgrad::inline v1::detail {
namespace {

/// Inputs and results, at most: they are counted in bits.
constexpr std::size_t most_ends = 31;
constexpr std::size_t most_members = 64;
/// How far behind the last one that has joined a group another step may be.
constexpr std::size_t reach = 256;
/// Of a matrix that is worth it: smaller ones are in cache anyway.
constexpr std::size_t fewest_bytes = std::size_t{1} << 15;
/// Of what a block has in each place, about.
constexpr std::size_t block_bytes = std::size_t{1} << 13;

constexpr std::size_t none = ~std::size_t{0};

/// The matrix of a group: rows of `width` elements of one dtype.
struct Matrix {
  Dtype dtype;
  std::int64_t rows;
  std::int64_t width;

  [[nodiscard]] bool is_full(const Spec& spec) const {
    const std::size_t rank = spec.shape.rank();
    return spec.dtype == dtype && rank > 0 && spec.shape[rank - 1] == width &&
           spec.shape.numel() == rows * width;
  }
  [[nodiscard]] bool is_column(const Spec& spec) const {
    return spec.dtype == dtype && spec.shape.numel() == rows;
  }
};

std::optional<Matrix> matrix_of(const Spec& spec) {
  const std::size_t rank = spec.shape.rank();
  if (rank == 0 || !is_floating(spec.dtype)) return std::nullopt;
  const std::int64_t width = spec.shape[rank - 1];
  if (width == 0) return std::nullopt;
  const Matrix matrix{spec.dtype, spec.shape.numel() / width, width};
  const std::size_t row_bytes = static_cast<std::size_t>(width) * item_size(spec.dtype);
  if (matrix.rows < 2 || row_bytes % 64 != 0 || row_bytes > 2 * block_bytes) return std::nullopt;
  if (row_bytes * static_cast<std::size_t>(matrix.rows) < fewest_bytes) return std::nullopt;
  return matrix;
}

/// How a full result's step reads an operand, by their shapes; nothing if in no such way.
std::optional<Extent> extent_of(const Spec& operand, const Spec& full, const Matrix& matrix) {
  if (operand.dtype != full.dtype) return std::nullopt;
  if (operand.shape == full.shape) return Extent::full;
  if (operand.shape.numel() == 1) return Extent::one;
  const std::size_t rank = operand.shape.rank(), full_rank = full.shape.rank();
  if (rank == full_rank && operand.shape[rank - 1] == 1 && operand.shape.numel() == matrix.rows)
    return Extent::column;
  if (rank > 0 && rank <= full_rank && operand.shape[rank - 1] == matrix.width &&
      operand.shape.numel() == matrix.width)
    return Extent::row;
  return std::nullopt;
}

/// A step as one of a group's.
struct Member {
  std::size_t step;
  TileKernel tile = nullptr;
  RowKernel reduce = nullptr;  // neither: the result is the operand, a column, repeated along the rows
  Extent result = Extent::full;
  std::vector<Extent> operands;
};

std::vector<const Spec*> input_specs(const ProgramStep& step) {
  std::vector<const Spec*> specs;
  for (const ProgramOperand& input : step.inputs) specs.push_back(&input.spec);
  return specs;
}

/// The steps of one matrix that can be run together.
class RowGroup {
 public:
  RowGroup(const ProgramSteps& program, const std::vector<std::size_t>& made_by, std::size_t first,
           const Matrix& matrix)
      : program_(program), made_by_(made_by), first_(first), matrix_(matrix) {}

  /// Takes the step in if it can be one of the group.
  bool join(std::size_t s) {
    std::optional<Member> member = member_of(s);
    if (!member) return false;
    for (std::size_t i = 0; i < member->operands.size(); ++i) {
      const ProgramOperand& input = program_.steps[s].inputs[i];
      const auto known = extents_.find(input.value);
      const std::size_t maker = made_by_[input.value];
      if (known == extents_.end()) {
        // From outside: it has to be there when the group begins.
        if (maker != none && maker >= first_) return false;
      } else if (known->second != member->operands[i]) {
        return false;
      }
    }
    const bool reads_column = std::ranges::find(member->operands, Extent::column) != member->operands.end();
    is_worth_it_ = is_worth_it_ || member->reduce != nullptr ||
                   (member->result == Extent::full && member->tile != nullptr && reads_column);
    extents_.emplace(program_.steps[s].outputs[0].value, member->result);
    members_.push_back(std::move(*member));
    return true;
  }

  [[nodiscard]] const std::vector<Member>& members() const { return members_; }
  [[nodiscard]] const Matrix& matrix() const { return matrix_; }
  [[nodiscard]] bool is_worth_it() const { return is_worth_it_ && members_.size() > 1; }

 private:
  [[nodiscard]] std::optional<Member> member_of(std::size_t s) const {
    const ProgramStep& step = program_.steps[s];
    if (step.outputs.size() != 1 || step.inputs.empty() || step.inputs.size() > 8) return std::nullopt;
    const Spec& made = step.outputs[0].spec;
    const std::vector<const Spec*> specs = input_specs(step);
    if (matrix_.is_full(*specs[0]) && specs.size() == 1 && matrix_.is_column(made)) {
      const RowKernel reduce = (*step).bind_rows(specs);
      if (reduce != nullptr) return Member{s, nullptr, reduce, Extent::column, {Extent::full}};
    }
    if (matrix_.is_full(made)) return full_member(s, specs);
    return column_member(s, specs);
  }

  [[nodiscard]] std::optional<Member> full_member(std::size_t s,
                                                  const std::vector<const Spec*>& specs) const {
    const ProgramStep& step = program_.steps[s];
    Member member{.step = s, .result = Extent::full, .operands = {}};
    for (const Spec* spec : specs) {
      std::optional<Extent> extent = extent_of(*spec, step.outputs[0].spec, matrix_);
      if (!extent) return std::nullopt;
      member.operands.push_back(*extent);
    }
    if ((*step).name() == "broadcast_to") {
      if (member.operands[0] != Extent::column) return std::nullopt;
      return member;
    }
    member.tile = (*step).bind(specs);
    return member.tile == nullptr ? std::nullopt : std::optional(std::move(member));
  }

  /// Of columns alone, at least one of which the group has made.
  [[nodiscard]] std::optional<Member> column_member(std::size_t s,
                                                    const std::vector<const Spec*>& specs) const {
    const ProgramStep& step = program_.steps[s];
    const Spec& made = step.outputs[0].spec;
    if (!matrix_.is_column(made)) return std::nullopt;
    Member member{.step = s, .result = Extent::column, .operands = {}};
    bool reads_own = false;
    for (std::size_t i = 0; i < specs.size(); ++i) {
      if (specs[i]->dtype != made.dtype) return std::nullopt;
      const bool is_one = specs[i]->shape.numel() == 1;
      if (!is_one && !(specs[i]->shape == made.shape)) return std::nullopt;
      member.operands.push_back(is_one ? Extent::one : Extent::column);
      reads_own = reads_own || extents_.contains(step.inputs[i].value);
    }
    member.tile = (*step).bind(specs);
    if (member.tile == nullptr || !reads_own) return std::nullopt;
    return member;
  }

  const ProgramSteps& program_;
  const std::vector<std::size_t>& made_by_;
  std::size_t first_;
  Matrix matrix_;
  std::vector<Member> members_;
  std::unordered_map<ValueIndex, Extent> extents_;  // of members' results
  bool is_worth_it_ = false;
};

/// Makes one step of a group's; nothing if it would have too many ends, or want too much scratch.
class RowJoiner {
 public:
  RowJoiner(const ProgramSteps& program, const RowGroup& group, const std::vector<std::size_t>& uses)
      : program_(program), group_(group), uses_(uses) {}

  std::optional<ProgramStep> join() {
    if (!collect_ends()) return std::nullopt;
    auto fused = std::make_shared<RowSteps>();
    const Matrix& matrix = group_.matrix();
    fused->element_bytes = item_size(matrix.dtype);
    fused->rows = matrix.rows;
    fused->width = matrix.width;
    fused->inputs = inputs_.size();
    fused->extents = input_extents_;
    for (const ProgramOperand& output : outputs_) {
      fused->extents.push_back(extent_of_made_.at(output.value));
      fused->results.push_back(output.spec);
    }
    for (std::size_t m = 0; m < group_.members().size(); ++m) add(m, *fused);
    const std::size_t row_bytes = static_cast<std::size_t>(matrix.width) * fused->element_bytes;
    fused->block = std::max<std::int64_t>(1, static_cast<std::int64_t>(block_bytes / row_bytes));
    while (fused->block > 1 && row_scratch_bytes(*fused, fused->block) > most_row_scratch) fused->block /= 2;
    if (row_scratch_bytes(*fused, fused->block) > most_row_scratch) return std::nullopt;
    set_overwritable(*fused);
    const StepOrigin& origin = step(0).origin;
    return ProgramStep{std::make_shared<const PrimitiveCopy>(FusedRows(std::move(fused))), inputs_, outputs_,
                       origin};
  }

 private:
  [[nodiscard]] const ProgramStep& step(std::size_t m) const {
    return program_.steps[group_.members()[m].step];
  }
  [[nodiscard]] static bool repeats(const Member& member) {
    return member.tile == nullptr && member.reduce == nullptr;
  }
  /// What stands for a value: of a column that is repeated along the rows the column.
  [[nodiscard]] ValueIndex stands_for(ValueIndex value) const {
    const auto known = repeated_.find(value);
    return known == repeated_.end() ? value : known->second;
  }

  bool collect_ends() {
    std::unordered_map<ValueIndex, std::size_t> inside;
    for (std::size_t m = 0; m < group_.members().size(); ++m) {
      const Member& member = group_.members()[m];
      for (std::size_t i = 0; i < step(m).inputs.size(); ++i) {
        const ProgramOperand& input = step(m).inputs[i];
        ++inside[input.value];
        const ValueIndex value = stands_for(input.value);
        last_[value] = m;
        if (extent_of_made_.contains(value)) continue;
        const Extent extent = repeated_.contains(input.value) ? Extent::column : member.operands[i];
        if (place_of(value, extent)) continue;
        inputs_.push_back(input);
        inputs_.back().value = value;
        input_extents_.push_back(extent);
      }
      const ValueIndex made = step(m).outputs[0].value;
      if (repeats(member)) {
        repeated_[made] = stands_for(step(m).inputs[0].value);
      } else {
        extent_of_made_.emplace(made, member.result);
        made_.emplace(made, m);
      }
    }
    for (std::size_t m = 0; m < group_.members().size(); ++m) {
      const ProgramOperand& output = step(m).outputs[0];
      if (uses_[output.value] == inside[output.value]) continue;
      // It would have to be a matrix after all.
      if (repeats(group_.members()[m])) return false;
      outputs_.push_back(output);
    }
    return !outputs_.empty() && inputs_.size() + outputs_.size() <= most_ends;
  }

  [[nodiscard]] std::optional<std::uint32_t> place_of(ValueIndex value, Extent extent) const {
    for (std::size_t i = 0; i < inputs_.size(); ++i) {
      if (inputs_[i].value == value && input_extents_[i] == extent) return static_cast<std::uint32_t>(i);
    }
    return std::nullopt;
  }

  void add(std::size_t m, RowSteps& fused) {
    const Member& member = group_.members()[m];
    if (repeats(member)) return;
    RowSteps::Inner inner{
        .primitive = step(m).primitive, .tile = member.tile, .reduce = member.reduce, .operands = {}};
    for (std::size_t i = 0; i < step(m).inputs.size(); ++i) {
      const ValueIndex given = step(m).inputs[i].value, value = stands_for(given);
      const Extent extent = repeated_.contains(given) ? Extent::column : member.operands[i];
      const auto mine = places_.find(value);
      inner.operands.push_back(mine != places_.end() ? mine->second : *place_of(value, extent));
      const bool is_full_step = member.result == Extent::full && member.reduce == nullptr;
      if (is_full_step && (extent == Extent::row || extent == Extent::column)) inner.by_row = true;
      if (extent == Extent::one || (is_full_step && extent == Extent::column))
        inner.repeated |= InputSet{1} << i;
    }
    give_back(m, fused);
    const ValueIndex value = step(m).outputs[0].value;
    inner.result = place_for(value, member.result, fused);
    places_[value] = inner.result;
    fused.steps.push_back(std::move(inner));
  }

  /// Scratch that is read for the last time may be written by the same step.
  void give_back(std::size_t m, const RowSteps& fused) {
    const std::size_t first_scratch = inputs_.size() + outputs_.size();
    for (const ProgramOperand& input : step(m).inputs) {
      const ValueIndex value = stands_for(input.value);
      const auto mine = places_.find(value);
      if (mine == places_.end() || mine->second < first_scratch || last_.at(value) != m) continue;
      std::vector<std::uint32_t>& free = free_of(fused.extents[mine->second]);
      if (std::ranges::find(free, mine->second) == free.end()) free.push_back(mine->second);
    }
  }

  std::vector<std::uint32_t>& free_of(Extent extent) {
    return extent == Extent::full ? free_ : free_columns_;
  }

  std::uint32_t place_for(ValueIndex value, Extent extent, RowSteps& fused) {
    const auto kept = std::ranges::find(outputs_, value, &ProgramOperand::value);
    if (kept != outputs_.end())
      return static_cast<std::uint32_t>(inputs_.size() + static_cast<std::size_t>(kept - outputs_.begin()));
    std::vector<std::uint32_t>& free = free_of(extent);
    if (!free.empty()) {
      const std::uint32_t place = free.back();
      free.pop_back();
      return place;
    }
    fused.extents.push_back(extent);
    return static_cast<std::uint32_t>(fused.extents.size() - 1);
  }

  /// A result may lie over an input that no step after the one that makes it reads.
  void set_overwritable(RowSteps& fused) const {
    for (const ProgramOperand& output : outputs_) {
      InputSet inputs = 0;
      for (std::size_t i = 0; i < inputs_.size(); ++i) {
        if (input_extents_[i] == Extent::full && extent_of_made_.at(output.value) == Extent::full &&
            last_.at(inputs_[i].value) <= made_.at(output.value))
          inputs |= InputSet{1} << i;
      }
      fused.overwritable.push_back(inputs);
    }
  }

  const ProgramSteps& program_;
  const RowGroup& group_;
  const std::vector<std::size_t>& uses_;  // of each value, by steps and at the end
  std::vector<ProgramOperand> inputs_, outputs_;
  std::vector<Extent> input_extents_;
  std::unordered_map<ValueIndex, std::size_t> last_;  // member that reads it last
  std::unordered_map<ValueIndex, std::size_t> made_;  // member that makes it
  std::unordered_map<ValueIndex, Extent> extent_of_made_;
  std::unordered_map<ValueIndex, ValueIndex> repeated_;  // along the rows: the column
  std::unordered_map<ValueIndex, std::uint32_t> places_;
  std::vector<std::uint32_t> free_, free_columns_;
};

/// The matrix that a group may be of whose first step is this one.
std::optional<Matrix> matrix_of(const ProgramStep& step) {
  if (step.outputs.size() != 1 || step.inputs.empty()) return std::nullopt;
  const std::vector<const Spec*> specs = input_specs(step);
  if (specs.size() == 1 && (*step).bind_rows(specs) != nullptr) return matrix_of(*specs[0]);
  return matrix_of(step.outputs[0].spec);
}

}  // namespace

ProgramSteps with_row_steps_fused(ProgramSteps program) {
  const std::size_t count = program.steps.size();
  std::vector<std::size_t> made_by(program.values.size(), none);
  for (std::size_t s = 0; s < count; ++s) {
    for (const ProgramOperand& output : program.steps[s].outputs) {
      if (output.value != no_value) made_by[output.value] = s;
    }
  }
  const std::vector<std::size_t> uses = uses_of(program);
  std::vector<ProgramStep> steps;
  std::vector<char> is_done(count, 0);
  bool is_changed = false;
  for (std::size_t s = 0; s < count; ++s) {
    if (is_done[s] != 0) continue;
    std::optional<ProgramStep> joined;
    if (const std::optional<Matrix> matrix = matrix_of(program.steps[s])) {
      RowGroup group(program, made_by, s, *matrix);
      std::size_t last = s;
      for (std::size_t t = s; t < count && t - last <= reach && group.members().size() < most_members; ++t) {
        if (is_done[t] == 0 && group.join(t)) {
          last = t;
        } else if (t == s) {
          break;
        }
      }
      if (group.is_worth_it()) joined = RowJoiner(program, group, uses).join();
      if (joined) {
        for (const Member& member : group.members()) is_done[member.step] = 1;
        is_changed = true;
      }
    }
    steps.push_back(joined ? std::move(*joined) : program.steps[s]);
  }
  if (!is_changed) return program;
  program.steps = std::move(steps);
  return without_dead_steps(std::move(program));  // and without the values that are handed on
}

}  // namespace xtgrad::v1::detail
