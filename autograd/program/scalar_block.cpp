#include "xtgrad/autograd/program/scalar_block.h"

#include <fmt/format.h>

#include "xtgrad/autograd/core/attribute_lists.h"

namespace xtgrad::inline v1::detail {

std::string ScalarCode::text(std::string_view indent) const {
  const auto row = [](std::uint32_t first, std::uint32_t n) {
    return n == 1 ? fmt::format("s{}", first) : fmt::format("s{}..s{}", first, first + n - 1);
  };
  std::string text;
  for (const Call& call : calls) {
    for (std::uint32_t m = 0; m < call.moves;) {
      // A run of places that are filled together.
      const Move& first = moves[call.first_move + m];
      std::string from = fmt::format("s{}", first.from);
      std::uint32_t n = 1;
      for (; m + n < call.moves && n < call.n; ++n)
        from += fmt::format(", s{}", moves[call.first_move + m + n].from);
      text += fmt::format("{}{} = {}\n", indent, row(first.to, n), from);
      m += n;
    }
    std::string operands;
    for (std::uint32_t k = 0; k < call.operands; ++k) {
      operands += k == 0 ? "" : ", ";
      operands += row(call.at[k], (call.repeated >> k & 1U) != 0 ? 1 : call.n);
    }
    const std::string attributes = attribute_text(**call.primitive);
    text += fmt::format("{}{} = {}{}({})\n", indent, row(call.result, call.n), (*call.primitive)->name(),
                        attributes.empty() ? "" : "[" + attributes + "]", operands);
  }
  return text;
}

Spec ScalarBlock::places_spec(const ScalarCode& code) {
  const auto piece = static_cast<std::int64_t>(64 / item_size(code.dtype));
  return {Shape{static_cast<std::int64_t>(code.places) + piece}, code.dtype};
}

void ScalarBlock::describe(Attributes& a) {
  std::string text = code_->text("");
  a("steps", text);
}

void ScalarBlock::infer(InputSpecs, OutputSpecs out) const {
  for (std::size_t k = 0; k < code_->result_specs.size(); ++k) *out[k] = code_->result_specs[k];
  *out.back() = places_spec(*code_);
}

template <class Bits>
void ScalarBlock::run(Inputs in, Outputs out) const {
  const ScalarCode& code = *code_;
  auto* const places = static_cast<Bits*>(out.back()->buffer.data());
  for (std::size_t i = 0; i < in.size(); ++i) places[i] = *static_cast<const Bits*>(in[i]->buffer.data());
  const ScalarCode::Move* moves = code.moves.data();
  std::array<const void*, 3> operands{};
  for (const ScalarCode::Call& call : code.calls) {
    for (const ScalarCode::Move* const end = moves + call.moves; moves != end; ++moves)
      places[moves->to] = places[moves->from];
    for (std::uint32_t k = 0; k < call.operands; ++k) operands[k] = places + call.at[k];
    void* result = places + call.result;
    call.kernel(**call.primitive, call.n, operands.data(), call.repeated, &result);
  }
  for (std::size_t k = 0; k < code.results.size(); ++k) {
    if (out[k] != nullptr) *static_cast<Bits*>(out[k]->buffer.data()) = places[code.results[k]];
  }
}

void ScalarBlock::eval(Inputs in, Outputs out) const {
  if (item_size(code_->dtype) == sizeof(std::uint32_t)) {
    run<std::uint32_t>(in, out);
  } else {
    run<std::uint64_t>(in, out);
  }
}

}  // namespace xtgrad::v1::detail
