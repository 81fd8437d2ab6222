#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "xtgrad/autograd/core/primitive.h"
#include "xtgrad/autograd/memory/pool_allocator.h"
#include "xtgrad/autograd/replay/recorded_module.h"

namespace xtgrad::inline v1::detail {

/// How a step of a recipe sees an operand. Differentiable ones are tensors, told apart by their node; of all
/// others only the elements matter, and several tensors of one buffer are one value.
struct RecipeOperand {
  static constexpr std::uint32_t none = ~std::uint32_t{0};

  std::uint32_t node = none;   // of the recipe's tensors; none for a constant
  std::uint32_t value = none;  // of its buffers; none for an output that nobody reads as a constant
  Spec spec;
};

/// Small lists of which there are many, from memory that is recycled.
template <class T>
using RecipeList = std::vector<T, PoolAllocator<T>>;

struct RecipeStep {
  PrimitiveCopy primitive;
  RecipeList<RecipeOperand> inputs = {};
  RecipeList<RecipeOperand> outputs = {};  // and auxiliaries
  bool has_parts = false;                  // recorded as a node without a value and one for each output
  bool evaluates = true;  // false for a function with a rule of its own, whose value other steps have made
  std::shared_ptr<const RecordedModule> module = {};  // that ran; null for none, or where nobody watched

  /// False if only elements of its results matter.
  [[nodiscard]] bool makes_nodes() const {
    for (const RecipeOperand& output : outputs) {
      if (output.node != RecipeOperand::none) return true;
    }
    return false;
  }

  // What no later step reads.
  RecipeList<std::uint32_t> last_nodes = {};
  RecipeList<std::uint32_t> last_values = {};
};

/// A function of tensors as the list of what it computed: it can be called again on tensors of the same
/// shapes and dtypes, recorded or not, to the same bits. It holds no elements: whatever the steps start from
/// is an input.
class Recipe {
 public:
  /// Which tensor, which buffer, or both, an input is.
  struct Input {
    std::uint32_t node = RecipeOperand::none;
    std::uint32_t value = RecipeOperand::none;
  };

  std::vector<RecipeStep> steps;
  std::vector<Input> inputs;
  std::uint32_t nodes = 0;
  std::uint32_t values = 0;
  /// One of the two: a tensor, or what has no history.
  struct Output {
    std::uint32_t node = RecipeOperand::none;
    std::uint32_t value = RecipeOperand::none;
    Spec spec;
  };
  std::vector<Output> outputs;

  /// Of a recipe whose outputs are tensors. Records, if this thread does, the steps that lead from an input
  /// that wants a gradient to the results. Every buffer is let go after its last use.
  [[nodiscard]] std::vector<Tensor> run(std::span<const Tensor> tensors) const;
};

}  // namespace xtgrad::v1::detail
