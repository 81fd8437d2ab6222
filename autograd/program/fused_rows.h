#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>
#include <utility>
#include <vector>

#include "xtgrad/autograd/program/steps.h"

namespace xtgrad::inline v1::detail {

/// How much of a place belongs to a row of a matrix: all of a row, one element of it (a column), or the same
/// for all rows: a row, or one element.
enum class Extent : std::uint8_t { full, column, row, one };

/// Steps on the rows of matrices of one shape, some rows at a time: elementwise ones, reductions of rows, and
/// what is computed of these and repeated along the rows. What they hand to each other stays in cache.
struct RowSteps {
  struct Inner {
    std::shared_ptr<const PrimitiveCopy> primitive;
    TileKernel tile = nullptr;  // of an elementwise step
    RowKernel reduce = nullptr;
    std::vector<std::uint32_t> operands;  // places
    std::uint32_t result = 0;             // a place
    InputSet repeated = 0;                // operands of which a call reads one element
    bool by_row = false;                  // it is called for each row, since operands are rows or columns
  };

  /// Of each place: the whole's inputs, its results, then scratch.
  std::vector<Extent> extents;
  std::size_t inputs = 0;
  std::vector<Spec> results;
  std::vector<Inner> steps;
  std::vector<InputSet> overwritable;  // for each result, the inputs that are read before it is written

  std::size_t element_bytes = 0;
  std::int64_t rows = 0;
  std::int64_t width = 0;
  std::int64_t block = 0;  // rows that are computed together
};

/// Bytes of what is handed on, and of columns, while a block is computed.
inline constexpr std::size_t most_row_scratch = std::size_t{96} << 10;

/// The primitive that runs them.
class FusedRows final : public ConstantPrimitive<FusedRows> {
 public:
  explicit FusedRows(std::shared_ptr<const RowSteps> steps) : steps_(std::move(steps)) {}

  [[nodiscard]] std::string_view name() const override { return "fused_rows"; }
  void describe(Attributes& a) override;
  [[nodiscard]] Counts counts(InputSpecs) const override { return {steps_->results.size(), 0}; }
  void infer(InputSpecs in, OutputSpecs out) const override;
  void eval(Inputs in, Outputs out) const override;
  [[nodiscard]] InputSet may_overwrite(int output) const override {
    return steps_->overwritable[static_cast<std::size_t>(output)];
  }
  [[nodiscard]] std::int64_t flops(InputSpecs in, InputSpecs out) const override;
  [[nodiscard]] const RowSteps& steps() const { return *steps_; }

 private:
  std::shared_ptr<const RowSteps> steps_;
};

/// Bytes of scratch that a block of so many rows takes.
std::size_t row_scratch_bytes(const RowSteps& steps, std::int64_t block);

}  // namespace xtgrad::v1::detail
