#include "xtgrad/autograd/program/arena_plan.h"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

namespace xtgrad::inline v1::detail {
namespace {

/// Free places of a block that grows: by offset, to join neighbours, and by size, to find the best fit.
class FreePlaces {
 public:
  std::size_t take(std::size_t bytes) {
    auto fit = by_size_.lower_bound({bytes, 0});
    if (fit == by_size_.end()) return grow(bytes);
    const auto [size, offset] = *fit;
    forget(offset, size);
    if (size > bytes) keep(offset + bytes, size - bytes);
    return offset;
  }
  void give_back(std::size_t offset, std::size_t bytes) {
    auto next = by_offset_.lower_bound(offset);
    if (next != by_offset_.end() && next->first == offset + bytes) {
      const auto [from, size] = *next;
      forget(from, size);
      bytes += size;
    }
    next = by_offset_.lower_bound(offset);
    if (next != by_offset_.begin()) {
      const auto [from, size] = *std::prev(next);
      if (from + size == offset) {
        forget(from, size);
        offset = from;
        bytes += size;
      }
    }
    keep(offset, bytes);
  }
  [[nodiscard]] std::size_t end() const { return end_; }

 private:
  /// At the end, over what is free there.
  std::size_t grow(std::size_t bytes) {
    std::size_t offset = end_;
    if (!by_offset_.empty()) {
      const auto [from, size] = *std::prev(by_offset_.end());
      if (from + size == end_) {
        forget(from, size);
        offset = from;
      }
    }
    end_ = offset + bytes;
    return offset;
  }
  void keep(std::size_t offset, std::size_t bytes) {
    by_offset_.emplace(offset, bytes);
    by_size_.emplace(bytes, offset);
  }
  void forget(std::size_t offset, std::size_t bytes) {
    by_offset_.erase(offset);
    by_size_.erase({bytes, offset});
  }

  std::map<std::size_t, std::size_t> by_offset_;
  std::set<std::pair<std::size_t, std::size_t>> by_size_;
  std::size_t end_ = 0;
};

class Planner {
 public:
  explicit Planner(const ProgramSteps& program)
      : program_(program), last_use_(program.values.size(), unread), is_kept_(program.values.size(), 0) {
    plan_.offsets.assign(program.values.size(), ArenaPlan::nowhere);
    plan_.takes_over.assign(program.values.size(), 0);
    const auto keep = [&](const ProgramOperand& operand) {
      if (operand.value != no_value) is_kept_[operand.value] = 1;
    };
    for (const ProgramOperand& result : program.results) keep(result);
    for (const ProgramState& state : program.state) keep(state.after);
    for (std::size_t s = 0; s < program.steps.size(); ++s) {
      for (const ProgramOperand& input : program.steps[s].inputs) last_use_[input.value] = s;
    }
  }

  ArenaPlan run() {
    for (std::size_t s = 0; s < program_.steps.size(); ++s) {
      const ProgramStep& step = program_.steps[s];
      for (std::size_t k = 0; k < step.outputs.size(); ++k) place(s, k);
      for (std::size_t i = 0; i < step.inputs.size(); ++i) {
        const ValueIndex value = step.inputs[i].value;
        if (last_use_[value] == s && is_first_operand(step, i)) leave(value);
      }
      // What nobody reads has been written somewhere, and is over at once.
      for (const ProgramOperand& output : step.outputs) {
        if (output.value != no_value && last_use_[output.value] == unread) leave(output.value);
      }
    }
    plan_.bytes = places_.end();
    return std::move(plan_);
  }

 private:
  static constexpr std::size_t unread = ~std::size_t{0};

  [[nodiscard]] bool is_in_arena(ValueIndex value) const {
    return program_.values[value].source == ProgramValue::Source::step && is_kept_[value] == 0;
  }
  [[nodiscard]] static bool is_first_operand(const ProgramStep& step, std::size_t i) {
    for (std::size_t j = 0; j < i; ++j) {
      if (step.inputs[j].value == step.inputs[i].value) return false;
    }
    return true;
  }
  [[nodiscard]] static std::size_t uses_in(const ProgramStep& step, ValueIndex value) {
    return static_cast<std::size_t>(
        std::count_if(step.inputs.begin(), step.inputs.end(),
                      [=](const ProgramOperand& each) { return each.value == value; }));
  }

  /// The operand that output k takes over; no_value for none.
  [[nodiscard]] ValueIndex taken_over_by(std::size_t s, std::size_t k) const {
    const ProgramStep& step = program_.steps[s];
    const Spec& made = step.outputs[k].spec;
    const InputSet candidates = (*step).may_overwrite(static_cast<int>(k));
    for (std::size_t i = 0; i < step.inputs.size() && i < 32; ++i) {
      const ProgramOperand& input = step.inputs[i];
      if ((candidates >> i & 1U) == 0 || !same_spec(input.spec, made)) continue;
      if (!is_in_arena(input.value) || last_use_[input.value] != s || uses_in(step, input.value) != 1)
        continue;
      if (plan_.offsets[input.value] == ArenaPlan::nowhere || taken_.contains(input.value)) continue;
      return input.value;
    }
    return no_value;
  }

  void place(std::size_t s, std::size_t k) {
    const ValueIndex value = program_.steps[s].outputs[k].value;
    if (value == no_value || !is_in_arena(value)) return;
    ++plan_.values;
    if (const ValueIndex operand = taken_over_by(s, k); operand != no_value) {
      plan_.offsets[value] = plan_.offsets[operand];
      plan_.takes_over[value] = 1;
      taken_.insert(operand);
      ++plan_.taken_over;
      return;
    }
    plan_.offsets[value] = places_.take(arena_bytes(program_.values[value]));
  }

  void leave(ValueIndex value) {
    if (!is_in_arena(value) || taken_.contains(value)) return;
    places_.give_back(plan_.offsets[value], arena_bytes(program_.values[value]));
  }

  const ProgramSteps& program_;
  std::vector<std::size_t> last_use_;
  std::vector<char> is_kept_;
  std::set<ValueIndex> taken_;  // whose place another value has now
  FreePlaces places_;
  ArenaPlan plan_;
};

}  // namespace

std::size_t arena_bytes(const ProgramValue& value) {
  const std::size_t padded = (value.bytes + Buffer::alignment - 1) / Buffer::alignment * Buffer::alignment;
  return Buffer::alignment + std::max(padded, Buffer::alignment);
}

ArenaPlan plan_arena(const ProgramSteps& program) { return Planner(program).run(); }

}  // namespace xtgrad::v1::detail
