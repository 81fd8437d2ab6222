#include "xtgrad/nn/conv_layer.h"

#include <fmt/format.h>

#include <cmath>
#include <limits>

#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/random_tensors.h"
#include "xtgrad/nn/init.h"
#include "xtgrad/nn/options.h"

namespace xtgrad::inline v1::nn::detail {
namespace {

void check_groups(std::string_view module, std::string_view option, std::int64_t channels,
                  std::int64_t groups) {
  if (channels % groups == 0) return;
  throw ValueError(fmt::format("{}: groups must divide {}: got {} groups for {} channels", module, option,
                               groups, channels));
}

}  // namespace

void check_channels(std::string_view module, std::int64_t in, std::int64_t out, std::int64_t groups) {
  check_option(module, "in_channels", in, 1);
  check_option(module, "out_channels", out, 1);
  check_option(module, "groups", groups, 1);
  check_groups(module, "in_channels", in, groups);
  check_groups(module, "out_channels", out, groups);
}

Parameter starting_conv_weight(const Shape& shape) {
  // kaiming_uniform with the gain of leaky_relu at slope sqrt(5)
  return Parameter(init::kaiming_uniform(shape, {.gain = 1 / std::sqrt(3.0)}));
}

Parameter starting_conv_bias(std::int64_t out, const Shape& weight) {
  const double bound = 1 / std::sqrt(static_cast<double>(init::fans(weight).in));
  return Parameter(uniform({out}, {.low = -bound, .high = bound}));
}

bool takes_channels(const Tensor& x, std::int64_t channels, const Tensor& weight) {
  return x.rank() == weight.rank() && x.size(1) == channels && x.dtype() == weight.dtype();
}

void throw_conv_input(const std::string& label, const Tensor& x, std::int64_t channels,
                      const Tensor& weight) {
  if (x.rank() != weight.rank() || x.size(1) != channels) {
    throw ShapeError(fmt::format("{}: input must be {}: got {}", label,
                                 dimensions(weight.rank() - 2, std::to_string(channels)),
                                 to_string(x.shape())));
  }
  throw DtypeError(fmt::format("{}: input is {}, weight is {}; convert the input or the model with to()",
                               label, to_string(x.dtype()), to_string(weight.dtype())));
}

void check_numbers(std::string_view module, std::string_view option,
                   const xtgrad::detail::PerDirection& numbers, std::int64_t least) {
  constexpr std::int64_t most = std::numeric_limits<std::int32_t>::max();
  for (std::size_t d = 0; d < numbers.count(); ++d) {
    if (numbers[d] < least) {
      throw ValueError(
          fmt::format("{}: {} must be at least {}: got {}", module, option, least, to_string(numbers)));
    }
    if (numbers[d] > most) {
      throw ValueError(
          fmt::format("{}: {} must be at most 2^31 - 1: got {}", module, option, to_string(numbers)));
    }
  }
}

void check_required(std::string_view module, std::string_view option,
                    const xtgrad::detail::PerDirection& numbers) {
  bool is_absent = true;
  for (std::size_t d = 0; d < numbers.count(); ++d) is_absent = is_absent && numbers[d] == 0;
  if (is_absent) throw ValueError(fmt::format("{}: {} is required, and was not given", module, option));
  check_numbers(module, option, numbers, 1);
}

std::string dimensions(std::size_t directions, std::string_view channels) {
  const char* sides = directions == 1 ? "l" : directions == 2 ? "h, w" : "d, h, w";
  return fmt::format("[n, {}, {}]", channels, sides);
}

}  // namespace xtgrad::v1::nn::detail
