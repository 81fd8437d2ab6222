#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "xtgrad/autograd/core/compute.h"
#include "xtgrad/autograd/memory/pool_allocator.h"

namespace xtgrad::inline v1::detail {

/// Which buffers hold elements that depend on the example of a function that is listed, by their numbers.
struct ExampleValues {
  std::unordered_set<std::uint64_t, std::hash<std::uint64_t>, std::equal_to<>, PoolAllocator<std::uint64_t>>
      numbers;
  bool is_listed = false;  // the function has returned, and its list stands for all examples

  [[nodiscard]] bool contains(const Array& array) const { return numbers.contains(array.buffer.number()); }
};
/// Those of all the functions that are being listed on this thread: what is made now, and runs later, may not
/// read them any more.
std::vector<std::shared_ptr<const ExampleValues>> examples_being_listed();

/// Watches a function that runs on one example, to be repeated from its list of steps for others, and refuses
/// what no list can repeat for them: elements that depend on the example and are read as C++ numbers, draws,
/// counters, and gradients that `backward` adds to tensors of others. Made before the tape that lists, which
/// gives buffers their numbers.
class ExampleGuard final : public Watcher {
 public:
  /// Whether it throws a GraphError where it meets such a thing, or at the end, or only notes it.
  enum class Refusal { throws, is_noted };

  /// `caller` is named by errors, and outlives it.
  ExampleGuard(std::string_view caller, Refusal refusal);
  ~ExampleGuard() override;
  ExampleGuard(const ExampleGuard&) = delete;
  ExampleGuard& operator=(const ExampleGuard&) = delete;

  /// An input that differs from example to example.
  void declare(const Tensor& example) { values_->numbers.insert(array_of(example).buffer.number()); }
  [[nodiscard]] bool depends(const Tensor& tensor) const { return values_->contains(array_of(tensor)); }
  [[nodiscard]] std::shared_ptr<const ExampleValues> values() const { return values_; }
  /// After the function has returned: what shows only then.
  void end();
  /// The first that was met, in words; empty for nothing.
  [[nodiscard]] const std::string& noted() const { return noted_; }

  [[nodiscard]] bool is_for_others() const override { return true; }
  void before_eval(const Primitive& primitive, Inputs in, Outputs out) override;
  void after_eval(const Primitive& primitive, Inputs in, Outputs out) override;
  void before_apply(std::span<const Tensor* const> operands) override;
  void after_wish(const Tensor& leaf) override;
  void before_rule(const Node& node, const Tensor& cotangent) override;
  void before_read(const Array& array, std::string_view function) override;

 private:
  void refuse(const std::string& message);
  void note_leaf(const Node& node);

  /// A step that has begun; one may run others.
  struct Begun {
    const Primitive* primitive;
    bool depends;
  };
  /// A leaf of others, and the last sweep that had added to its gradient when it came up.
  struct Leaf {
    Tensor tensor;
    std::uint64_t last_sweep;
  };

  std::string_view caller_;
  Refusal refusal_;
  std::string noted_;
  std::shared_ptr<ExampleValues> values_ = std::make_shared<ExampleValues>();
  std::vector<Begun> begun_;
  std::unordered_map<const NodeCounts*, Leaf> leaves_;
  std::unordered_map<const NodeCounts*, Tensor> own_leaves_;
  WatchScope scope_;
};

}  // namespace xtgrad::v1::detail
