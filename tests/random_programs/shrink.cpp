#include "tests/random_programs/shrink.h"

#include <algorithm>
#include <optional>

#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/grad.h"
#include "xtgrad/autograd/ops.h"

namespace xtgrad::random_programs {
namespace {

std::vector<Tensor> values_of(const Program& program) {
  const NoGrad no_grad;
  return run(program, leaves_of(program, float64, false), float64);
}

/// Who reads value `from` reads `to` instead.
void redirect(Program& program, std::size_t from, std::size_t to) {
  for (Step& step : program.steps) std::replace(step.operands.begin(), step.operands.end(), from, to);
  std::replace(program.outputs.begin(), program.outputs.end(), from, to);
}

/// With one more leaf, whose number is that of the first step before.
Program with_leaf(Program program, Tensor leaf) {
  const std::size_t first = program.leaves.size();
  const auto moved = [&](std::size_t& number) { number += number >= first ? 1 : 0; };
  for (Step& step : program.steps) std::for_each(step.operands.begin(), step.operands.end(), moved);
  std::for_each(program.outputs.begin(), program.outputs.end(), moved);
  program.leaves.push_back(std::move(leaf));
  return program;
}

class Shrinker {
 public:
  Shrinker(Program program, const std::function<bool(const Program&)>& fails)
      : program_(std::move(program)), fails_(fails) {}

  Program take() {
    while (drop_outputs() || cut_steps() || skip_steps() || cut_leaves()) {
    }
    return std::move(program_);
  }

 private:
  bool accept(const Program& candidate) {
    if (candidate.outputs.empty()) return false;
    const Program smaller = pruned(candidate);
    try {
      static_cast<void>(values_of(smaller));
    } catch (const Error&) {
      return false;
    }
    if (!fails_(smaller)) return false;
    program_ = smaller;
    return true;
  }

  /// All but one at once, then one at a time.
  bool drop_outputs() {
    if (program_.outputs.size() < 2) return false;
    for (const std::size_t output : program_.outputs) {
      Program candidate = program_;
      candidate.outputs = {output};
      if (accept(candidate)) return true;
    }
    for (std::size_t i = 0; i < program_.outputs.size(); ++i) {
      Program candidate = program_;
      candidate.outputs.erase(candidate.outputs.begin() + static_cast<std::ptrdiff_t>(i));
      if (accept(candidate)) return true;
    }
    // The one before it, in the place of the last step.
    return false;
  }

  /// A step's value becomes a leaf: the latest one that may, for what leads to it goes, too.
  bool cut_steps() {
    const std::vector<Tensor> values = values_of(program_);
    for (std::size_t i = program_.steps.size(); i-- > 0;) {
      const std::size_t number = program_.leaves.size() + i;
      const auto& outputs = program_.outputs;
      if (std::find(outputs.begin(), outputs.end(), number) != outputs.end()) continue;
      Program candidate = with_leaf(program_, values[number]);
      redirect(candidate, number + 1, program_.leaves.size());
      if (accept(candidate)) return true;
    }
    return false;
  }

  /// An operand of its shape, or simply of its dtype, stands in for a step.
  bool skip_steps() {
    const std::vector<Tensor> values = values_of(program_);
    for (std::size_t i = program_.steps.size(); i-- > 0;) {
      const std::size_t number = program_.leaves.size() + i;
      for (const std::size_t operand : program_.steps[i].operands) {
        if (values[operand].dtype() != values[number].dtype()) continue;
        Program candidate = program_;
        redirect(candidate, number, operand);
        if (pruned(candidate).steps.empty()) continue;
        if (accept(candidate)) return true;
      }
    }
    return false;
  }

  /// The first half of an axis of all leaves that have its size there, for they may belong together, or of
  /// one.
  bool cut_leaves() {
    for (std::size_t i = 0; i < program_.leaves.size(); ++i) {
      const Shape shape = program_.leaves[i].shape();
      for (std::size_t axis = 0; axis < shape.rank(); ++axis) {
        if (shape[axis] < 2) continue;
        for (const bool all : {true, false}) {
          if (accept(cut(i, axis, all))) return true;
        }
      }
    }
    return false;
  }

  [[nodiscard]] Program cut(std::size_t leaf, std::size_t axis, bool all) const {
    Program candidate = program_;
    const std::int64_t size = program_.leaves[leaf].shape()[axis];
    for (std::size_t i = 0; i < candidate.leaves.size(); ++i) {
      Tensor& each = candidate.leaves[i];
      const bool alike = all && each.rank() > axis && each.shape()[axis] == size;
      if (i == leaf || alike) each = slice(each, {.axis = static_cast<std::int64_t>(axis), .stop = size / 2});
    }
    return candidate;
  }

  Program program_;
  const std::function<bool(const Program&)>& fails_;
};

}  // namespace

Program shrunk(const Program& program, const std::function<bool(const Program&)>& fails) {
  return Shrinker(program, fails).take();
}

}  // namespace xtgrad::random_programs
