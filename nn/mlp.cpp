#include "xtgrad/nn/mlp.h"

#include <fmt/format.h>

#include <cstddef>
#include <string>

#include "xtgrad/autograd/errors.h"

namespace xtgrad::inline v1::nn {

MLP::MLP(const MLPOptions& options)
    : activation_(options.activation), shape_{.slope = options.slope, .alpha = options.alpha} {
  const std::vector<std::int64_t>& sizes = options.sizes;
  if (sizes.size() < 2) {
    throw ValueError(fmt::format("MLP: sizes needs at least two, of the input and of the output: got [{}]",
                                 fmt::join(sizes, ", ")));
  }
  if (!(options.dropout >= 0 && options.dropout <= 1)) {
    throw ValueError(fmt::format("MLP: dropout must be in [0, 1]: got {}", options.dropout));
  }
  for (std::size_t i = 0; i < sizes.size(); ++i) {
    detail::check_option("MLP", fmt::format("sizes[{}]", i), sizes[i], 0);
  }
  for (std::size_t i = 0; i + 1 < sizes.size(); ++i) {
    layers.emplace_back(
        LinearOptions{.in_features = sizes[i], .out_features = sizes[i + 1], .bias = options.bias});
    if (options.dropout > 0 && i + 2 < sizes.size())
      dropouts.emplace_back(DropoutOptions{.p = options.dropout});
  }
}

void MLP::members(Members& m) {
  for (std::size_t i = 0; i < layers.size(); ++i) m("layers." + std::to_string(i), layers[i]);
  for (std::size_t i = 0; i < dropouts.size(); ++i) m("dropouts." + std::to_string(i), dropouts[i]);
}

Tensor MLP::forward(const Tensor& x) {
  if (layers.empty()) throw ValueError(fmt::format("{}: has no layers; it was moved from", label()));
  Tensor hidden = x;
  for (std::size_t i = 0; i + 1 < layers.size(); ++i) {
    hidden = activate(layers[i](hidden), activation_, shape_);
    if (i < dropouts.size()) hidden = dropouts[i](hidden);
  }
  return layers.back()(hidden);
}

}  // namespace xtgrad::v1::nn
