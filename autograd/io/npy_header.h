#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "xtgrad/autograd/io/elements.h"
#include "xtgrad/autograd/io/memory_budget.h"
#include "xtgrad/autograd/shape.h"
#include "xtgrad/autograd/tensor.h"

namespace xtgrad::inline v1::detail {

/// What the beginning of an npy file says.
struct NpyHeader {
  Element element = Element::float32;
  ElementLayout layout;
  Shape shape;
  std::uint64_t data_begin = 0;  // bytes from the beginning of the file
  std::uint64_t data_bytes = 0;
};

/// Reads the header at the beginning of `bytes`; empty if it goes on after them. Throws IoError for what is
/// no such header, or describes elements that no tensor can have.
[[nodiscard]] std::optional<NpyHeader> parse_npy_header(std::string_view bytes);

/// What NumPy calls elements of ours: "<f4", "|u1".
[[nodiscard]] std::string npy_kind_of(Element element);

/// The bytes of memory that its tensor takes.
[[nodiscard]] std::uint64_t tensor_bytes(const NpyHeader& header);

/// As `encode_npy`; memory that it lacks is as whoever was asked says it.
[[nodiscard]] std::string encode_npy_bytes(const Tensor& tensor);

/// As `decode_npy`, within a budget, with messages that do not begin with a function and a source.
[[nodiscard]] Tensor decode_npy_bytes(std::string_view bytes, const MemoryBudget& budget);

}  // namespace xtgrad::v1::detail
