#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>

#include "xtgrad/autograd/tensor.h"

namespace xtgrad::inline v1::detail {

/// An operand of a batch of examples: one for each, along axis 0, or the same for all.
struct BatchInput {
  Tensor tensor;
  bool is_batched = true;
};

/// What a primitive's rule for batches sees: `size` examples, at least one of whose inputs is batched, and a
/// place for the result, whose axis 0 is that of the examples.
class BatchContext {
 public:
  BatchContext(std::int64_t size, std::span<const BatchInput> inputs) : size_(size), inputs_(inputs) {}

  [[nodiscard]] std::int64_t size() const { return size_; }
  [[nodiscard]] std::size_t inputs() const { return inputs_.size(); }
  [[nodiscard]] const BatchInput& input(std::size_t i) const { return inputs_[i]; }

  void set(Tensor result) { result_ = std::move(result); }
  [[nodiscard]] const Tensor& result() const { return result_; }

 private:
  std::int64_t size_;
  std::span<const BatchInput> inputs_;
  Tensor result_;
};

}  // namespace xtgrad::v1::detail
