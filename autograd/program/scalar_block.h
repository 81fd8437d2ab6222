#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "xtgrad/autograd/program/steps.h"

namespace xtgrad::inline v1::detail {

/// Steps on single numbers, one after the other, in a row of places: no step finds its operands by arrays,
/// and equal ones that do not wait for each other are one call on numbers that lie side by side.
///
/// A place is written once, in ascending order: a kernel may write to the end of a piece of 64 bytes, where
/// nothing is yet.
struct ScalarCode {
  /// Numbers to bring together before a call.
  struct Move {
    std::uint32_t from, to;
  };
  struct Call {
    std::shared_ptr<const PrimitiveCopy> primitive;
    TileKernel kernel;
    std::uint32_t n;         // numbers
    InputSet repeated;       // operands that are one number for all
    std::uint32_t operands;  // of `at`
    std::array<std::uint32_t, 3> at;
    std::uint32_t result;
    std::uint32_t first_move, moves;  // before it
  };

  Dtype dtype = Dtype::float32;
  std::uint32_t places = 0;  // inputs first
  std::vector<Call> calls;
  std::vector<Move> moves;
  std::vector<std::uint32_t> results;  // where each lies
  std::vector<Spec> result_specs;
  std::size_t steps = 0;  // that it is made of

  /// One line a call: "s3 = tanh(s2)", "s4..s11 = add(s0..s7, s3)".
  [[nodiscard]] std::string text(std::string_view indent) const;
};

/// The primitive that runs them. Its last output is the row of places.
class ScalarBlock final : public ConstantPrimitive<ScalarBlock> {
 public:
  explicit ScalarBlock(std::shared_ptr<const ScalarCode> code) : code_(std::move(code)) {}

  [[nodiscard]] std::string_view name() const override { return "scalars"; }
  void describe(Attributes& a) override;
  [[nodiscard]] Counts counts(InputSpecs) const override { return {code_->results.size(), 1}; }
  void infer(InputSpecs in, OutputSpecs out) const override;
  void eval(Inputs in, Outputs out) const override;
  [[nodiscard]] std::int64_t flops(InputSpecs, InputSpecs) const override {
    return static_cast<std::int64_t>(code_->steps);
  }
  [[nodiscard]] const ScalarCode& code() const { return *code_; }
  /// Of the row of places, which ends a piece behind the last one.
  [[nodiscard]] static Spec places_spec(const ScalarCode& code);

 private:
  template <class Bits>
  void run(Inputs in, Outputs out) const;

  std::shared_ptr<const ScalarCode> code_;
};

}  // namespace xtgrad::v1::detail
