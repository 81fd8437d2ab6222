#include "xtgrad/nn/conv_net.h"

#include <fmt/format.h>

#include <string>

#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/ops.h"
#include "xtgrad/nn/options.h"

namespace xtgrad::inline v1::nn {
namespace {

/// Far more than fits into memory, and small enough that no product of two leaves int64.
void check_not_absurd(std::string_view option, const Size2d& size) {
  constexpr std::int64_t largest = std::int64_t{1} << 20;
  if (size.height <= largest && size.width <= largest) return;
  throw ValueError(fmt::format("ConvNet: {} must be at most 2^20: got {}", option, to_string(size)));
}

void check(const ConvNetOptions& options) {
  check_not_absurd("image", options.image);
  check_not_absurd("padding", options.padding.value_or(0));
  detail::check_option("ConvNet", "in_channels", options.in_channels, 1);
  detail::check_size("ConvNet", "image", options.image, 1);
  for (std::size_t i = 0; i < options.channels.size(); ++i) {
    detail::check_option("ConvNet", fmt::format("channels[{}]", i), options.channels[i], 1);
  }
  detail::check_size("ConvNet", "kernel", options.kernel, 1);
  if (options.padding) detail::check_size("ConvNet", "padding", *options.padding, 0);
  detail::check_size("ConvNet", "pool", options.pool, 1);
  for (std::size_t i = 0; i < options.hidden.size(); ++i) {
    detail::check_option("ConvNet", fmt::format("hidden[{}]", i), options.hidden[i], 1);
  }
  detail::check_option("ConvNet", "classes", options.classes, 1);
  if (!(options.dropout >= 0 && options.dropout <= 1)) {
    throw ValueError(fmt::format("ConvNet: dropout must be in [0, 1]: got {}", options.dropout));
  }
}

/// Throws ShapeError if a stage's window does not fit its image, which was cut down by the stages before.
void check_fits(std::size_t stage, std::string_view what, const Size2d& window, const Size2d& image,
                const ConvNetOptions& options) {
  if (window.height <= image.height && window.width <= image.width) return;
  throw ShapeError(fmt::format(
      "ConvNet: stage {}: the {} is larger than what is left of the image: {} over {}, of {} at first; take "
      "fewer stages, a smaller window or larger images",
      stage, what, to_string(window), to_string(image), to_string(options.image)));
}

}  // namespace

ConvNet::ConvNet(const ConvNetOptions& options) : options_(options), last_image_(options.image) {
  check(options);
  add_stages();
  const std::int64_t maps = options.channels.empty() ? options.in_channels : options.channels.back();
  add_layers(maps * last_image_.height * last_image_.width);
}

void ConvNet::add_stages() {
  const Size2d& kernel = options_.kernel;
  const Size2d& pool = options_.pool;
  const Size2d padding = options_.padding.value_or(Size2d((kernel.height - 1) / 2, (kernel.width - 1) / 2));
  std::int64_t in = options_.in_channels;
  for (std::size_t stage = 0; stage < options_.channels.size(); ++stage) {
    const std::int64_t out = options_.channels[stage];
    const Size2d padded(last_image_.height + 2 * padding.height, last_image_.width + 2 * padding.width);
    check_fits(stage, "kernel", kernel, padded, options_);
    const Size2d convolved(padded.height - kernel.height + 1, padded.width - kernel.width + 1);
    check_fits(stage, "pooling window", pool, convolved, options_);
    convs.emplace_back(Conv2dOptions{.in_channels = in,
                                     .out_channels = out,
                                     .kernel = kernel,
                                     .padding = padding,
                                     .bias = !options_.batch_norm});
    if (options_.batch_norm) norms.emplace_back(BatchNormOptions{.num_features = out});
    if (pool != Size2d(1)) pools.emplace_back(MaxPool2dOptions{.kernel = pool});
    last_image_ = {convolved.height / pool.height, convolved.width / pool.width};
    in = out;
  }
}

void ConvNet::add_layers(std::int64_t flat_features) {
  std::int64_t in = flat_features;
  for (std::size_t i = 0; i <= options_.hidden.size(); ++i) {
    const std::int64_t out = i < options_.hidden.size() ? options_.hidden[i] : options_.classes;
    layers.emplace_back(in, out);
    if (options_.dropout > 0) dropouts.emplace_back(DropoutOptions{.p = options_.dropout});
    in = out;
  }
}

void ConvNet::members(Members& m) {
  for (std::size_t i = 0; i < convs.size(); ++i) {
    m("convs." + std::to_string(i), convs[i]);
    if (!norms.empty()) m("norms." + std::to_string(i), norms[i]);
    if (!pools.empty()) m("pools." + std::to_string(i), pools[i]);
  }
  for (std::size_t i = 0; i < layers.size(); ++i) {
    if (!dropouts.empty()) m("dropouts." + std::to_string(i), dropouts[i]);
    m("layers." + std::to_string(i), layers[i]);
  }
}

Tensor ConvNet::activated(const Tensor& x) const {
  return activate(x, options_.activation, {.slope = options_.slope, .alpha = options_.alpha});
}

Tensor ConvNet::run_stage(const Tensor& x, std::size_t stage) {
  Tensor maps = convs[stage](x);
  if (!norms.empty()) maps = norms[stage](maps);
  if (pools.empty()) return activated(maps);
  // Pooling first leaves a fraction of the work to relu, and nothing changes: a window's largest element, and
  // the first of equal ones, are the same before relu and after if it is positive, and if it is not, relu
  // passes no gradient to any element. Other activations are not monotone, or round different numbers to one.
  if (options_.activation == ActivationKind::relu) return relu(pools[stage](maps));
  return pools[stage](activated(maps));
}

void ConvNet::check_input(const Tensor& x) const {
  const auto& [height, width] = options_.image;
  if (x.rank() == 4 && x.size(1) == options_.in_channels && x.size(2) == height && x.size(3) == width) return;
  throw ShapeError(fmt::format("{}: input must be [n, {}, {}, {}]: got {}", label(), options_.in_channels,
                               height, width, to_string(x.shape())));
}

Tensor ConvNet::feature_maps(const Tensor& x, std::size_t stage) {
  if (stage >= convs.size()) {
    throw ValueError(fmt::format("ConvNet: no stage {}; there are {}", stage, convs.size()));
  }
  check_input(x);
  Tensor maps = x;
  for (std::size_t i = 0; i <= stage; ++i) maps = run_stage(maps, i);
  return maps;
}

Tensor ConvNet::features(const Tensor& x) {
  check_input(x);
  Tensor maps = x;
  for (std::size_t i = 0; i < convs.size(); ++i) maps = run_stage(maps, i);
  Tensor flat = flatten(maps, 1);  // [n, channels * h * w]
  for (std::size_t i = 0; i + 1 < layers.size(); ++i) {
    if (!dropouts.empty()) flat = dropouts[i](flat);
    flat = activated(layers[i](flat));
  }
  return flat;
}

Tensor ConvNet::forward(const Tensor& x) {
  if (layers.empty()) throw ValueError(fmt::format("{}: has no layers; it was moved from", label()));
  const Tensor flat = features(x);
  return layers.back()(dropouts.empty() ? flat : dropouts.back()(flat));
}

}  // namespace xtgrad::v1::nn
