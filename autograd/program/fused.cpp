#include "xtgrad/autograd/program/fused.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "xtgrad/autograd/core/attribute_lists.h"
#include "xtgrad/autograd/kernels/parallel.h"

namespace xtgrad::inline v1::detail {
namespace {

constexpr std::size_t most_operands = 8;

/// Fills `bytes` bytes with an operand's row: once, then by copies that double.
void repeat_row(const void* row, std::size_t row_bytes, std::byte* to, std::size_t bytes) {
  std::memcpy(to, row, std::min(row_bytes, bytes));
  for (std::size_t done = row_bytes; done < bytes; done *= 2)
    std::memcpy(to + done, to, std::min(done, bytes - done));
}

/// Runs pieces [begin, end).
void run_pieces(const FusedSteps& fused, Inputs in, Outputs out, std::int64_t begin, std::int64_t end) {
  alignas(64) std::array<std::byte, most_scratch * fused_piece_bytes> scratch;
  const std::size_t places = in.size() + out.size() + fused.scratch;
  std::array<const std::byte*, 32 + most_scratch> from;
  std::array<std::size_t, 32 + most_scratch> stride;
  const std::size_t piece_bytes = static_cast<std::size_t>(fused.piece) * fused.element_bytes;
  std::size_t at = 0;
  std::size_t taken = fused.scratch;  // of scratch, by rows, which lie behind what is handed on
  for (std::size_t i = 0; i < in.size(); ++i, ++at) {
    from[at] = in[i]->data<std::byte>();
    stride[at] = fused.inputs[i] == Reading::all ? piece_bytes : 0;
    if (fused.inputs[i] != Reading::row) continue;
    std::byte* const rows = scratch.data() + taken++ * fused_piece_bytes;
    const auto most = static_cast<std::size_t>(std::min(fused.piece, fused.elements)) * fused.element_bytes;
    repeat_row(from[at], static_cast<std::size_t>(fused.row) * fused.element_bytes, rows, most);
    from[at] = rows;
  }
  for (std::size_t k = 0; k < out.size(); ++k, ++at) {
    from[at] = static_cast<const std::byte*>(out[k]->buffer.data());
    stride[at] = piece_bytes;
  }
  for (std::size_t k = 0; k < fused.scratch; ++k, ++at) {
    from[at] = scratch.data() + k * fused_piece_bytes;
    stride[at] = 0;
  }
  for (std::size_t k = 0; k < places; ++k) from[k] += static_cast<std::size_t>(begin) * stride[k];
  std::array<const void*, most_operands> operands;
  for (std::int64_t piece = begin; piece < end; ++piece) {
    const std::int64_t n = std::min(fused.piece, fused.elements - piece * fused.piece);
    for (const FusedSteps::Inner& step : fused.steps) {
      for (std::size_t i = 0; i < step.operands.size(); ++i) operands[i] = from[step.operands[i]];
      void* result = const_cast<std::byte*>(from[step.result]);
      step.kernel(**step.primitive, n, operands.data(), step.repeated, &result);
    }
    for (std::size_t k = 0; k < places; ++k) from[k] += stride[k];
  }
}

}  // namespace

void Fused::describe(Attributes& a) {
  std::string text;
  for (const FusedSteps::Inner& step : steps_->steps) {
    const std::string attributes = attribute_text(**step.primitive);
    text += fmt::format("{}{} = {}{}(", text.empty() ? "" : "; ", step.result, (*step.primitive)->name(),
                        attributes.empty() ? "" : "[" + attributes + "]");
    for (std::size_t i = 0; i < step.operands.size(); ++i)
      text += fmt::format("{}{}", i == 0 ? "" : ", ", step.operands[i]);
    text += ')';
  }
  a("steps", text);
}

void Fused::infer(InputSpecs, OutputSpecs out) const {
  for (std::size_t k = 0; k < out.size(); ++k) *out[k] = steps_->results[k];
}

void Fused::eval(Inputs in, Outputs out) const {
  const FusedSteps& fused = *steps_;
  if (fused.elements == 0) return;
  const std::int64_t pieces = (fused.elements + fused.piece - 1) / fused.piece;
  // As many elements to a thread as an elementwise operation gives it.
  constexpr std::int64_t tile_bytes = std::int64_t{1} << 17;
  const std::int64_t per_tile =
      std::max<std::int64_t>(1, tile_bytes / (fused.piece * static_cast<std::int64_t>(fused.element_bytes)));
  for_each_tile((pieces + per_tile - 1) / per_tile, [&](std::int64_t tile) {
    run_pieces(fused, in, out, tile * per_tile, std::min(pieces, (tile + 1) * per_tile));
  });
}

std::int64_t Fused::flops(InputSpecs, InputSpecs) const {
  return static_cast<std::int64_t>(steps_->steps.size()) * steps_->elements;
}

}  // namespace xtgrad::v1::detail
