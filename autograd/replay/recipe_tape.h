#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <unordered_map>
#include <utility>
#include <vector>

#include "xtgrad/autograd/core/compute.h"
#include "xtgrad/autograd/replay/recipe.h"

namespace xtgrad::inline v1::detail {

/// Lists what its thread computes and records while in scope, as a recipe of the tensors that came out.
/// Unlike a Tracer it holds on to no buffer that a step has made.
class RecipeTape final : public Watcher {
 public:
  struct Result {
    std::shared_ptr<Recipe> recipe;
    std::vector<Tensor> inputs;  // those that want a gradient first, in the order of their use
  };

  /// What the recipe is for: to compute the same again, where results are what the tape has recorded; or to
  /// compute it of other elements. Then results may be any tensors, and leaves that the function itself has
  /// made to want a gradient are constants, computed again as others are.
  enum class Purpose { the_same_again, other_elements };

  explicit RecipeTape(Purpose purpose = Purpose::the_same_again);
  ~RecipeTape() override;
  RecipeTape(const RecipeTape&) = delete;
  RecipeTape& operator=(const RecipeTape&) = delete;

  /// False if no operation on this tape has recorded y.
  [[nodiscard]] bool has_recorded(const Tensor& y) const;
  /// The recipe of tensors that it has recorded, or of any where it is for other elements. Leaves out what
  /// they do not depend on. The tape is of no use afterwards. Throws GraphError for a tensor on the way to
  /// them with functions or a gradient to be kept.
  [[nodiscard]] Result recipe_of(std::span<const Tensor> outputs);

  /// The tape around a watcher, if there is one.
  static RecipeTape* around(const Watcher& watcher);
  /// Lists one step for what was computed while the tape was paused.
  void add_step(const Primitive& primitive, std::span<const Tensor> inputs, std::span<const Tensor> outputs);

  void before_eval(const Primitive& primitive, Inputs in, Outputs out) override;
  void after_eval(const Primitive& primitive, Inputs in, Outputs out) override;
  void after_record(Node& node) override;
  void after_wish(const Tensor& leaf) override;

  /// Keeps what is computed off a tape, which may be null.
  class Pause {
   public:
    explicit Pause(RecipeTape* tape) : tape_(tape) {
      if (tape_ != nullptr) tape_->is_paused_ = true;
    }
    ~Pause() {
      if (tape_ != nullptr) tape_->is_paused_ = false;
    }
    Pause(const Pause&) = delete;
    Pause& operator=(const Pause&) = delete;

   private:
    RecipeTape* tape_;
  };

 private:
  using Index = std::uint32_t;
  static constexpr Index none = RecipeOperand::none;

  struct Value {
    Array external;  // what came from outside; empty if a step made it
    bool is_read = false;
  };
  struct TapeNode {
    Node* node;
    Tensor external;  // empty if the node was recorded on this tape, which then holds a reference to it
    bool is_needed = false;
    bool is_own = false;   // a leaf of the function's own, where those are constants
    std::size_t step = 0;  // that made it, if it has parts
  };

  Index value_of(const Array& array);
  Index make_value(std::uint64_t number);
  Index node_at(const Slot& slot);
  Index add_node(Node& node, Tensor external);
  void push_step(RecipeStep step);
  RecipeStep step_with_own_rule(const Node& node);
  void add_parent(Node& node);
  void add_part(Node& node, std::size_t index);
  void set_nodes(std::span<RecipeOperand> inputs, const Node& node);
  bool decide(RecipeStep& step);
  Recipe::Output output_of(const Tensor& output);
  void refuse_what_would_be_lost() const;
  void collect_inputs(Result& result);

  std::vector<Value> values_;
  std::unordered_map<std::uint64_t, Index, std::hash<std::uint64_t>, std::equal_to<>,
                     PoolAllocator<std::pair<const std::uint64_t, Index>>>
      value_index_;  // by the buffer's number
  std::vector<TapeNode> nodes_;
  std::unordered_map<const NodeCounts*, Index> node_index_;
  std::vector<RecipeStep> steps_;
  std::vector<RecipeList<RecipeOperand>> begun_;  // inputs of steps that have begun: a step may run others
  // Leaves that were made to want a gradient, held so that no other comes to lie there.
  std::unordered_map<const NodeCounts*, Tensor> own_leaves_;
  Purpose purpose_;
  bool is_paused_ = false;
  WatchScope scope_;
  std::optional<RecordedModules> modules_;  // if somebody watches besides
};

}  // namespace xtgrad::v1::detail
