#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "xtgrad/autograd/ops/windows_nd.h"
#include "xtgrad/nn/parameter.h"

namespace xtgrad::inline v1::nn::detail {

// What layers of convolution, in any number of directions, have in common.

/// Throws ValueError unless there are channels, and the groups divide them.
void check_channels(std::string_view module, std::int64_t in, std::int64_t out, std::int64_t groups);

/// U(-1/sqrt(f), 1/sqrt(f)), f the inputs of an element of the result, for the weight and its bias.
[[nodiscard]] Parameter starting_conv_weight(const Shape& shape);
[[nodiscard]] Parameter starting_conv_bias(std::int64_t out, const Shape& weight);

/// True if a layer whose weight has that dtype and rank takes x.
[[nodiscard]] bool takes_channels(const Tensor& x, std::int64_t channels, const Tensor& weight);
/// What is wrong where it does not.
[[noreturn]] void throw_conv_input(const std::string& label, const Tensor& x, std::int64_t channels,
                                   const Tensor& weight);

/// Throws ValueError unless each number is at least `least` and at most 2^31 - 1: `Conv3d: stride must be at
/// least 1: got 1x0x1`.
void check_numbers(std::string_view module, std::string_view option,
                   const xtgrad::detail::PerDirection& numbers, std::int64_t least);
/// As check_numbers with 1, for a kernel or an output, whose default of 0 means that it was left out.
void check_required(std::string_view module, std::string_view option,
                    const xtgrad::detail::PerDirection& numbers);

/// "[n, c, l]", "[n, c, h, w]", "[n, c, d, h, w]", with another text for c.
[[nodiscard]] std::string dimensions(std::size_t directions, std::string_view channels = "c");

}  // namespace xtgrad::v1::nn::detail
