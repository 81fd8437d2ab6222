#include "xtgrad/nn/upsample.h"

#include "xtgrad/autograd/errors.h"

namespace xtgrad::inline v1::nn {
Upsample::Upsample(const InterpolateOptions& options) : options_(options) {
  if (options.size.empty() != options.scale.empty()) return;
  throw ValueError("Upsample: needs a size or a scale, and not both");
}
Tensor Upsample::forward(const Tensor& x) { return interpolate(x, options_); }

PixelShuffle::PixelShuffle(const PixelShuffleOptions& options) : options_(options) {
  detail::check_option("PixelShuffle", "factor", options.factor, 1);
}
Tensor PixelShuffle::forward(const Tensor& x) { return pixel_shuffle(x, options_.factor); }

PixelUnshuffle::PixelUnshuffle(const PixelShuffleOptions& options) : options_(options) {
  detail::check_option("PixelUnshuffle", "factor", options.factor, 1);
}
Tensor PixelUnshuffle::forward(const Tensor& x) { return pixel_unshuffle(x, options_.factor); }

}  // namespace xtgrad::v1::nn
