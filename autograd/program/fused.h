#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "xtgrad/autograd/program/steps.h"

namespace xtgrad::inline v1::detail {

/// How a fused step reads an operand: element by element, or one element for all, or the same row for each
/// row of the result.
enum class Reading : std::uint8_t { all, one, row };

/// Steps that are run one after the other on a piece of their operands, and then on the next: what they hand
/// to each other stays in cache and needs no memory of its own. All compute element by element, in one dtype
/// and one number of elements.
struct FusedSteps {
  struct Inner {
    std::shared_ptr<const PrimitiveCopy> primitive;
    TileKernel kernel;
    std::vector<std::uint32_t> operands;  // places
    std::uint32_t result;                 // a place
    InputSet repeated;                    // operands that are one element
  };
  /// Where operands lie: those of the whole come first, then its results, then scratch.
  std::vector<Reading> inputs;
  std::vector<Spec> results;
  std::uint32_t scratch = 0;  // pieces
  std::vector<Inner> steps;
  std::vector<InputSet> overwritable;  // for each result, the inputs that are read before it is written

  std::size_t element_bytes = 0;
  std::int64_t elements = 0;
  std::int64_t row = 0;    // elements of an operand that is read as a row; 0 if none is
  std::int64_t piece = 0;  // elements of a piece: whole rows, and whole 64 bytes
};

/// Pieces of at most so many bytes, so that some of them fit into a cache of 32 KiB.
inline constexpr std::size_t fused_piece_bytes = 4096;
/// Of what is handed on and not kept; what would need more goes into another step.
inline constexpr std::uint32_t most_scratch = 12;

/// The primitive that runs them.
class Fused final : public ConstantPrimitive<Fused> {
 public:
  explicit Fused(std::shared_ptr<const FusedSteps> steps) : steps_(std::move(steps)) {}

  [[nodiscard]] std::string_view name() const override { return "fused"; }
  /// "steps", as "3 = mul(0, 1); 4 = tanh(3)": operands and results are named by their places.
  void describe(Attributes& a) override;
  [[nodiscard]] Counts counts(InputSpecs) const override { return {steps_->results.size(), 0}; }
  void infer(InputSpecs in, OutputSpecs out) const override;
  void eval(Inputs in, Outputs out) const override;
  [[nodiscard]] InputSet may_overwrite(int output) const override {
    return steps_->overwritable[static_cast<std::size_t>(output)];
  }
  [[nodiscard]] std::int64_t flops(InputSpecs in, InputSpecs out) const override;
  [[nodiscard]] const FusedSteps& steps() const { return *steps_; }

 private:
  std::shared_ptr<const FusedSteps> steps_;
};

}  // namespace xtgrad::v1::detail
