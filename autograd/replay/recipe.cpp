#include "xtgrad/autograd/replay/recipe.h"

#include <utility>

#include "xtgrad/autograd/core/parts.h"
#include "xtgrad/autograd/memory/pool_allocator.h"

namespace xtgrad::inline v1::detail {
namespace {

template <class T>
using Vector = std::vector<T, PoolAllocator<T>>;

/// One call of a recipe.
class Run {
 public:
  explicit Run(const Recipe& recipe) : nodes_(recipe.nodes), values_(recipe.values) {}

  void set(const Recipe::Input& input, const Tensor& tensor) {
    if (input.value != RecipeOperand::none) values_[input.value] = array_of(tensor).buffer;
    if (input.node != RecipeOperand::none) nodes_[input.node] = tensor;
  }

  void step(const RecipeStep& step) {
    take_inputs(step);
    computed_ = Computed();
    computed_.arrays.resize(step.outputs.size());
    if (step.makes_nodes()) computed_.wishes = wishes_of(pointers_);
    if (step.evaluates) {
      evaluate(step);
    } else {
      // The function's own operations are other steps, which nobody records.
      const RecipeOperand& output = step.outputs[0];
      computed_.outputs = 1;
      computed_.arrays[0] = Array(output.spec.shape, output.spec.dtype, values_[output.value]);
    }
    keep_results(step);
    operands_.clear();  // so that what is dropped below is free before the next step
    computed_ = Computed();
    for (const std::uint32_t node : step.last_nodes) nodes_[node] = Tensor();
    for (const std::uint32_t value : step.last_values) values_[value].drop();
  }

  [[nodiscard]] const Tensor& at(std::uint32_t node) const { return nodes_[node]; }

 private:
  void take_inputs(const RecipeStep& step) {
    operands_.clear();
    pointers_.clear();
    arrays_.clear();
    operands_.reserve(step.inputs.size());
    for (const RecipeOperand& input : step.inputs) {
      operands_.push_back(
          input.node != RecipeOperand::none
              ? nodes_[input.node]
              : make_constant(Array(input.spec.shape, input.spec.dtype, values_[input.value])));
    }
    for (const Tensor& operand : operands_) {
      pointers_.push_back(&operand);
      arrays_.push_back(&array_of(operand));
    }
  }

  void evaluate(const RecipeStep& step) {
    const bool records = computed_.wishes.first != nullptr;
    computed_.outputs = step.primitive->counts(specs()).outputs;
    wanted_.clear();
    for (std::size_t k = 0; k < step.outputs.size(); ++k) {
      const bool is_read = step.outputs[k].value != RecipeOperand::none;
      wanted_.push_back(k < computed_.outputs || is_read || records ? &computed_.arrays[k] : nullptr);
    }
    compute_any(*step.primitive, arrays_, wanted_);
  }

  void keep_results(const RecipeStep& step) {
    for (std::size_t k = 0; k < step.outputs.size(); ++k) {
      const std::uint32_t value = step.outputs[k].value;
      if (value != RecipeOperand::none) values_[value] = computed_.arrays[k].buffer;
    }
    if (!step.makes_nodes()) return;
    if (step.has_parts) {
      std::vector<Tensor> results = record_all(*step.primitive, std::move(computed_), pointers_);
      for (std::size_t k = 0; k < results.size(); ++k) {
        if (step.outputs[k].node != RecipeOperand::none) nodes_[step.outputs[k].node] = std::move(results[k]);
      }
      return;
    }
    Array& value = computed_.arrays[0];
    nodes_[step.outputs[0].node] =
        computed_.wishes.first == nullptr
            ? make_constant(std::move(value))
            : record<Primitive>(*step.primitive, std::move(value), pointers_, computed_.wishes,
                                std::span(computed_.arrays).subspan(1));
  }

  InputSpecs specs() {
    specs_.assign(arrays_.begin(), arrays_.end());
    return specs_;
  }

  Vector<Tensor> nodes_;
  Vector<BufferRef> values_;
  // Of the step at hand.
  Vector<Tensor> operands_;
  Vector<const Tensor*> pointers_;
  Vector<const Array*> arrays_;
  Vector<const Spec*> specs_;
  Computed computed_;
  Vector<Array*> wanted_;
};

}  // namespace

std::vector<Tensor> Recipe::run(std::span<const Tensor> tensors) const {
  Run run(*this);
  for (std::size_t i = 0; i < inputs.size(); ++i) run.set(inputs[i], tensors[i]);
  ReplayPlace place;
  for (const RecipeStep& step : steps) {
    place.go_to(step.module.get());
    try {
      run.step(step);
    } catch (Error& error) {
      place.locate(error);
      throw;
    }
  }
  std::vector<Tensor> results;
  results.reserve(outputs.size());
  for (const Output& output : outputs) results.push_back(run.at(output.node));
  return results;
}

}  // namespace xtgrad::v1::detail
