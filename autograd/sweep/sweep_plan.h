#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "xtgrad/autograd/core/primitive.h"
#include "xtgrad/autograd/sweep/node_table.h"

namespace xtgrad::inline v1::detail {

/// Ways to recorded nodes in a sweep to given inputs that goes without a plan: an input can be reached from
/// the node, or that is not known without a walk. An input's place is its position among the inputs.
inline constexpr Way some_way = ~Way{1};
inline constexpr Way unknown_way = ~Way{2};

/// Throws the GraphError for a node that a sweep has claimed. `passed` says whether rules have run before.
[[noreturn]] void throw_claimed(std::string_view function, const Node& node, bool passed, bool frees);

/// The tensors whose gradients are asked for. One tensor given several times has one position.
class SweepInputs {
 public:
  explicit SweepInputs(std::span<const Tensor> inputs);

  /// How many different ones there are.
  [[nodiscard]] std::uint32_t count() const { return count_; }
  /// The position of the tensor that was given as number i.
  [[nodiscard]] Way position(std::size_t i) const { return positions_[i]; }
  /// Null for a node that is none of the inputs.
  [[nodiscard]] const Way* find(const Node& node) const { return table_.find(node); }
  /// An ancestor's id is smaller than its consumer's: below the lowest input there is nothing to find.
  [[nodiscard]] std::uint64_t lowest_id() const { return lowest_id_; }

  /// What is known of an edge to `node` without a walk. Where all inputs are leaves, and the leaf that a node
  /// remembers is one of them, that is all there is to know.
  [[nodiscard]] Way way_to(const Node& node) const;

  /// Those that functions hang on, by position; see core/hook_list.h.
  struct Hooked {
    const Node* node;
    Way position;
  };
  [[nodiscard]] std::span<const Hooked> hooked() const { return hooked_; }

 private:
  void find_hooked(std::span<const Tensor> inputs);

  NodeTable<Way> table_;
  std::vector<Way, PoolAllocator<Way>> positions_;
  std::uint32_t count_ = 0;
  std::uint64_t lowest_id_ = ~std::uint64_t{0};
  bool all_leaves_ = true;
  std::vector<Hooked> hooked_;
};

/// All nodes on a way from the roots to an input, in the order of a sweep, with places for their cotangents:
/// first the inputs', by position. The sweep then looks nothing up, and may be repeated.
///
/// The plan enters its nodes, and claims them if it is for a sweep that frees: what it could not sweep is
/// refused here, before the first rule, and nothing has changed then.
class SweepPlan {
 public:
  struct Step {
    Node* node;               // entered, and held by a reference; null once spent
    std::uint32_t place;      // of its cotangent
    std::uint32_t first_way;  // of its slots'
  };

  /// Throws GraphError for a claimed node that may lie on a way: what is behind it is not known any more. It
  /// begins with `function`; `passed` says that rules of the same sweep have run. The inputs outlive the
  /// plan.
  SweepPlan(std::string_view function, std::span<Node* const> roots, const SweepInputs& inputs, bool frees,
            bool passed = false);
  ~SweepPlan();
  SweepPlan(const SweepPlan&) = delete;
  SweepPlan& operator=(const SweepPlan&) = delete;

  [[nodiscard]] std::span<const Step> steps() const { return steps_; }
  /// A way for each slot of the step's node.
  [[nodiscard]] const Way* ways(const Step& step) const { return ways_.data() + step.first_way; }
  [[nodiscard]] std::uint32_t places() const { return places_; }
  /// The place of a root's cotangent, or no_way.
  [[nodiscard]] Way root(std::size_t i) const { return roots_[i]; }

  /// Frees the node of a step whose rule has run.
  void spend(std::size_t step) noexcept;

 private:
  SweepPlan() = default;
  void walk(std::string_view function, std::span<Node* const> roots, const SweepInputs& inputs, bool frees,
            bool passed);
  void drop_what_reaches_nothing(std::uint32_t inputs);
  void give_up(std::size_t step) noexcept;

  template <class T>
  using Vector = std::vector<T, PoolAllocator<T>>;
  Vector<Step> steps_;
  Vector<Way> ways_;
  Vector<Way> roots_;
  std::uint32_t places_ = 0;
  std::size_t claimed_ = 0;  // so many steps, the first ones, have been claimed
};

}  // namespace xtgrad::v1::detail
