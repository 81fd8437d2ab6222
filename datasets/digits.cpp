#include "xtgrad/datasets/digits.h"

#include <fmt/format.h>

#include <cstddef>
#include <cstdint>
#include <iterator>
#include <string>
#include <utility>
#include <vector>

#include "xtgrad/autograd/new_tensor.h"
#include "xtgrad/datasets/checks.h"

namespace xtgrad::inline v1::datasets {

namespace {

using xtgrad::detail::Array;
using xtgrad::detail::make_constant;
using xtgrad::detail::new_array;

constexpr std::size_t side = 8;
constexpr std::size_t pixels = side * side;
constexpr std::size_t samples = 1797;

// Rows of 64 pixels and a label. The build makes the file from digits/digits.csv; a number that is no byte
// would not compile.
constexpr std::uint8_t table[] = {
#include "xtgrad_digits.inc"
};
static_assert(std::size(table) == samples * (pixels + 1), "digits.csv is not 1,797 rows of 65 numbers");

std::vector<std::string> pixel_names() {
  std::vector<std::string> names;
  names.reserve(pixels);
  for (std::size_t i = 0; i < pixels; ++i) names.push_back(fmt::format("pixel_{}_{}", i / side, i % side));
  return names;
}

}  // namespace

Dataset digits(const DigitsOptions& options) {
  const Dtype dtype = detail::inputs_dtype("digits", options.dtype);
  constexpr auto n = static_cast<std::int64_t>(samples);
  const Shape shape = options.image ? Shape{n, 1, side, side} : Shape{n, pixels};
  Array inputs = new_array("digits", shape, dtype, false);
  Array labels = new_array("digits", {n}, int64, false);
  xtgrad::detail::visit_floating(dtype, [&](auto zero) {
    using T = decltype(zero);
    T* pixel = inputs.mutable_data<T>();
    auto* label = labels.mutable_data<std::int64_t>();
    const std::uint8_t* in = table;
    for (std::size_t row = 0; row < samples; ++row) {
      for (std::size_t i = 0; i < pixels; ++i) *pixel++ = static_cast<T>(*in++);
      *label++ = *in++;
    }
  });
  return Dataset({.inputs = make_constant(std::move(inputs)),
                  .labels = make_constant(std::move(labels)),
                  .classes = 10,
                  .class_names = {"0", "1", "2", "3", "4", "5", "6", "7", "8", "9"},
                  .feature_names = pixel_names()});
}

}  // namespace xtgrad::v1::datasets
