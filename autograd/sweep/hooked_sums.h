#pragma once

#include <algorithm>
#include <utility>
#include <vector>

#include "xtgrad/autograd/core/node.h"
#include "xtgrad/autograd/core/primitive.h"
#include "xtgrad/autograd/memory/pool_allocator.h"

namespace xtgrad::inline v1::detail {

/// Sums as a rule sees them whose gradients functions of `on_rule` want to look at. A rule that adds to a sum
/// has no gradient to show, so it runs without sums first. Where a function has left such a gradient as it
/// was, the rule runs once more, with the sum: a sum's bits may depend on how it is added to, and who only
/// looks must not change them.
class HookedSums final : public CotangentSums {
 public:
  explicit HookedSums(CotangentSums& sums) : sums_(sums) {}

  Tensor* find(Node& node, std::size_t i, const Way* ways) override {
    if (is_hiding_) {
      if (sums_.find(node, i, ways) != nullptr && place_of(i) == hidden_.end()) hidden_.push_back({i, {}});
      return nullptr;
    }
    return place_of(i) == hidden_.end() ? nullptr : sums_.find(node, i, ways);
  }
  void add(Tensor& sum, Tensor term) override { sums_.add(sum, std::move(term)); }
  /// The functions want to see a gradient of the input's shape.
  LookupTarget lookup_target(Node& node, std::size_t i, const Way* ways, std::size_t /*axis*/,
                             const Shape& /*shape*/) override {
    return {find(node, i, ways), false};
  }
  void defer(Node& node, std::size_t i, Lookup&& lookup) override { sums_.defer(node, i, std::move(lookup)); }

  /// Before the functions: what the rule would have added to sums.
  void keep(std::span<const Tensor> gradients) {
    for (Hidden& each : hidden_) each.gradient = gradients[each.input];
  }
  /// After them: shows the sums of those gradients that are as they were. True if there are any.
  bool show(std::span<const Tensor> gradients) {
    std::erase_if(hidden_,
                  [&](const Hidden& each) { return each.gradient.node() != gradients[each.input].node(); });
    is_hiding_ = false;
    return !hidden_.empty();
  }
  /// After the rule's second run, whose gradients are `again`: empties those that are in their sums.
  void drop_added(std::span<Tensor> gradients, std::span<const Tensor> again) const {
    for (const Hidden& each : hidden_) {
      if (!again[each.input].defined()) gradients[each.input] = Tensor();
    }
  }

 private:
  struct Hidden {
    std::size_t input;
    Tensor gradient;
  };
  using List = std::vector<Hidden, PoolAllocator<Hidden>>;

  List::const_iterator place_of(std::size_t i) const {
    return std::find_if(hidden_.begin(), hidden_.end(), [i](const Hidden& each) { return each.input == i; });
  }

  CotangentSums& sums_;
  List hidden_;
  bool is_hiding_ = true;
};

}  // namespace xtgrad::v1::detail
