#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "xtgrad/autograd/tensor.h"

namespace xtgrad::inline v1::detail {

/// An operand of a batch of examples: one for each, along axis 0, or the same for all.
struct BatchInput {
  Tensor tensor;
  bool is_batched = true;
};

/// What a primitive's rule for batches sees: `size` examples, at least one of whose inputs is batched, and a
/// place for each output, whose axis 0 is that of the examples.
class BatchContext {
 public:
  BatchContext(std::int64_t size, std::span<const BatchInput> inputs) : size_(size), inputs_(inputs) {}

  [[nodiscard]] std::int64_t size() const { return size_; }
  [[nodiscard]] std::size_t inputs() const { return inputs_.size(); }
  [[nodiscard]] const BatchInput& input(std::size_t i) const { return inputs_[i]; }

  void set(std::size_t k, Tensor result) {
    if (results_.size() <= k) results_.resize(k + 1);
    results_[k] = std::move(result);
  }
  [[nodiscard]] std::vector<Tensor> take_results() { return std::move(results_); }

 private:
  std::int64_t size_;
  std::span<const BatchInput> inputs_;
  std::vector<Tensor> results_;
};

}  // namespace xtgrad::v1::detail
