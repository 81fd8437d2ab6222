#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "xtgrad/autograd/core/batch.h"
#include "xtgrad/autograd/example_guard.h"
#include "xtgrad/autograd/replay/recipe.h"
#include "xtgrad/autograd/transforms.h"

namespace xtgrad::inline v1::detail {

/// What a function does on one example, as a list that runs on batches.
class BatchedCall {
 public:
  /// Calls f on the first example, or on zeros where there is none. At least one of the inputs is batched.
  /// `caller` is named by errors. What cannot be repeated is thrown, or `refused` says it.
  BatchedCall(std::string_view caller, const TensorFunction& f, std::span<const BatchInput> inputs,
              std::int64_t size, ExampleGuard::Refusal refusal);

  /// Why there is no list; empty where there is one.
  [[nodiscard]] const std::string& refused() const { return refused_; }
  /// Of the tensors that the steps make for one example.
  struct Sizes {
    std::size_t largest = 0;
    std::size_t mean = 0;
  };
  [[nodiscard]] Sizes bytes_made() const;
  /// The outputs for `size` examples: inputs are batched where those of the constructor were, and what is not
  /// is what it was there.
  [[nodiscard]] std::vector<BatchInput> run(std::span<const BatchInput> inputs, std::int64_t size) const;

 private:
  /// Of the recipe: an input of the call, or what the function has captured.
  struct Operand {
    Tensor captured;
    std::size_t input = 0;
  };

  void check_ranks(std::string_view caller, ExampleGuard::Refusal refusal);
  void check_own_rules(std::string_view caller, ExampleGuard::Refusal refusal);
  void refuse(ExampleGuard::Refusal refusal, std::string message);

  std::shared_ptr<const Recipe> recipe_;
  std::vector<Operand> operands_;
  std::string refused_;
};

}  // namespace xtgrad::v1::detail
