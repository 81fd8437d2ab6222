#include "xtgrad/autograd/program/fused_rows.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <string>

#include "xtgrad/autograd/core/attribute_lists.h"
#include "xtgrad/autograd/kernels/parallel.h"

namespace xtgrad::inline v1::detail {
namespace {

constexpr std::size_t piece = 64;  // kernels may write to the end of one
constexpr std::size_t most_places = 64;
constexpr std::size_t most_operands = 8;

std::size_t padded(std::int64_t elements, std::size_t element_bytes) {
  return (static_cast<std::size_t>(elements) * element_bytes + piece - 1) / piece * piece;
}

/// Runs the steps on a range of rows, a block at a time.
class RowRun {
 public:
  RowRun(const RowSteps& steps, Inputs in, Outputs out) : steps_(steps), in_(in), out_(out) {}

  void run(std::int64_t begin, std::int64_t end) {
    lay_out();
    for (std::int64_t first = begin; first < end; first += steps_.block) {
      const std::int64_t rows = std::min(steps_.block, end - first);
      enter(first, rows);
      for (const RowSteps::Inner& step : steps_.steps) call(step, rows);
      leave(first, rows);
    }
  }

 private:
  [[nodiscard]] std::size_t row_bytes() const {
    return static_cast<std::size_t>(steps_.width) * steps_.element_bytes;
  }

  /// Scratch for what has no memory outside, and for columns.
  void lay_out() {
    std::size_t used = 0;
    for (std::size_t p = 0; p < steps_.extents.size(); ++p) {
      const bool is_outside = p < in_.size() + out_.size();
      const Extent extent = steps_.extents[p];
      if (is_outside && extent != Extent::column) continue;
      const std::int64_t width = extent == Extent::column ? 1 : steps_.width;
      at_[p] = scratch_.data() + used;
      used += padded(steps_.block * width, steps_.element_bytes);
    }
  }

  void enter(std::int64_t first, std::int64_t rows) {
    for (std::size_t i = 0; i < in_.size(); ++i) {
      const std::byte* const data = in_[i]->data<std::byte>();
      switch (steps_.extents[i]) {
        case Extent::full:
          at_[i] = const_cast<std::byte*>(data) + static_cast<std::size_t>(first) * row_bytes();
          break;
        case Extent::column:
          std::memcpy(at_[i], data + static_cast<std::size_t>(first) * steps_.element_bytes,
                      static_cast<std::size_t>(rows) * steps_.element_bytes);
          break;
        case Extent::row:
        case Extent::one:
          at_[i] = const_cast<std::byte*>(data);
          break;
      }
    }
    for (std::size_t k = 0; k < out_.size(); ++k) {
      if (steps_.extents[in_.size() + k] != Extent::full) continue;
      at_[in_.size() + k] =
          static_cast<std::byte*>(out_[k]->buffer.data()) + static_cast<std::size_t>(first) * row_bytes();
    }
  }

  /// A column's elements are written by no kernel, which would write behind them.
  void leave(std::int64_t first, std::int64_t rows) {
    for (std::size_t k = 0; k < out_.size(); ++k) {
      if (steps_.extents[in_.size() + k] != Extent::column) continue;
      std::memcpy(static_cast<std::byte*>(out_[k]->buffer.data()) +
                      static_cast<std::size_t>(first) * steps_.element_bytes,
                  at_[in_.size() + k], static_cast<std::size_t>(rows) * steps_.element_bytes);
    }
  }

  void call(const RowSteps::Inner& step, std::int64_t rows) {
    const Primitive& primitive = **step.primitive;
    void* result = at_[step.result];
    if (step.reduce != nullptr) {
      step.reduce(primitive, rows, steps_.width, at_[step.operands[0]], result);
      return;
    }
    std::array<const void*, most_operands> operands;
    for (std::size_t i = 0; i < step.operands.size(); ++i) operands[i] = at_[step.operands[i]];
    if (!step.by_row) {
      const bool is_column = steps_.extents[step.result] == Extent::column;
      step.tile(primitive, is_column ? rows : rows * steps_.width, operands.data(), step.repeated, &result);
      return;
    }
    for (std::int64_t r = 0; r < rows; ++r) {
      step.tile(primitive, steps_.width, operands.data(), step.repeated, &result);
      for (std::size_t i = 0; i < step.operands.size(); ++i)
        operands[i] = next(operands[i], step.operands[i]);
      result = static_cast<std::byte*>(result) + row_bytes();
    }
  }

  [[nodiscard]] const void* next(const void* operand, std::uint32_t place) const {
    const auto* const at = static_cast<const std::byte*>(operand);
    switch (steps_.extents[place]) {
      case Extent::full:
        return at + row_bytes();
      case Extent::column:
        return at + steps_.element_bytes;
      case Extent::row:
      case Extent::one:
        break;
    }
    return at;
  }

  const RowSteps& steps_;
  Inputs in_;
  Outputs out_;
  std::array<std::byte*, most_places> at_;
  alignas(piece) std::array<std::byte, most_row_scratch> scratch_;
};

}  // namespace

std::size_t row_scratch_bytes(const RowSteps& steps, std::int64_t block) {
  const std::size_t outside = steps.inputs + steps.results.size();
  std::size_t bytes = 0;
  for (std::size_t p = 0; p < steps.extents.size(); ++p) {
    if (steps.extents[p] == Extent::column) {
      bytes += padded(block, steps.element_bytes);
    } else if (p >= outside) {
      bytes += padded(block * steps.width, steps.element_bytes);
    }
  }
  return steps.extents.size() > most_places ? ~std::size_t{0} : bytes;
}

void FusedRows::describe(Attributes& a) {
  std::string text;
  for (const RowSteps::Inner& step : steps_->steps) {
    const std::string attributes = attribute_text(**step.primitive);
    text += fmt::format("{}{} = {}{}({})", text.empty() ? "" : "; ", step.result, (*step.primitive)->name(),
                        attributes.empty() ? "" : "[" + attributes + "]", fmt::join(step.operands, ", "));
  }
  a("steps", text);
}

void FusedRows::infer(InputSpecs, OutputSpecs out) const {
  for (std::size_t k = 0; k < out.size(); ++k) *out[k] = steps_->results[k];
}

void FusedRows::eval(Inputs in, Outputs out) const {
  const RowSteps& steps = *steps_;
  // As many elements to a thread as an elementwise operation gives it.
  constexpr std::int64_t tile_bytes = std::int64_t{1} << 17;
  const std::int64_t block_bytes = steps.block * steps.width * static_cast<std::int64_t>(steps.element_bytes);
  const std::int64_t per_tile = steps.block * std::max<std::int64_t>(1, tile_bytes / block_bytes);
  for_each_tile((steps.rows + per_tile - 1) / per_tile, [&](std::int64_t tile) {
    RowRun(steps, in, out).run(tile * per_tile, std::min(steps.rows, (tile + 1) * per_tile));
  });
}

std::int64_t FusedRows::flops(InputSpecs, InputSpecs) const {
  std::int64_t flops = 0;
  for (const RowSteps::Inner& step : steps_->steps) {
    const bool is_column = step.reduce == nullptr && steps_->extents[step.result] == Extent::column;
    flops += steps_->rows * (is_column ? 1 : steps_->width);
  }
  return flops;
}

}  // namespace xtgrad::v1::detail
