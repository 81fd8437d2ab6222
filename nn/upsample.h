#pragma once

#include <cstdint>

#include "xtgrad/autograd/export.h"
#include "xtgrad/autograd/functions/image_sampling.h"
#include "xtgrad/nn/module.h"
#include "xtgrad/nn/options.h"

namespace xtgrad { inline namespace XTGRAD_PUBLIC v1 { namespace nn {

/// Inputs [n, c, l], [n, c, h, w] or [n, c, d, h, w] in another size, by interpolate and with its options.
/// Throws ValueError unless there is either a size or a scale, ShapeError for an input that does not fit.
///
///   nn::Upsample up{{.scale = {2}, .mode = Interpolation::bilinear}};
///   Tensor y = up(randn({8, 16, 7, 7}));  // [8, 16, 14, 14]
class Upsample : public Module {
 public:
  explicit Upsample(const InterpolateOptions& options);
  Tensor forward(const Tensor& x) override;
  [[nodiscard]] const InterpolateOptions& options() const& { return options_; }
  [[nodiscard]] InterpolateOptions options() const&& { return options_; }

 private:
  InterpolateOptions options_;
};

struct PixelShuffleOptions {
  std::int64_t factor = required;  ///< how many times as high and wide
};

/// Channels as pixels: [..., c factor^2, h, w] to [..., c, h factor, w factor]. Throws ValueError for a
/// factor that is missing or below 1, ShapeError where its square does not divide the channels.
///
///   nn::PixelShuffle shuffle{{.factor = 2}};
///   Tensor y = shuffle(randn({8, 12, 7, 7}));  // [8, 3, 14, 14]
class PixelShuffle : public Module {
 public:
  explicit PixelShuffle(const PixelShuffleOptions& options);
  Tensor forward(const Tensor& x) override;
  [[nodiscard]] const PixelShuffleOptions& options() const& { return options_; }
  [[nodiscard]] PixelShuffleOptions options() const&& { return options_; }

 private:
  PixelShuffleOptions options_;
};

/// Undoes PixelShuffle of the same factor.
class PixelUnshuffle : public Module {
 public:
  explicit PixelUnshuffle(const PixelShuffleOptions& options);
  Tensor forward(const Tensor& x) override;
  [[nodiscard]] const PixelShuffleOptions& options() const& { return options_; }
  [[nodiscard]] PixelShuffleOptions options() const&& { return options_; }

 private:
  PixelShuffleOptions options_;
};

}}}  // namespace xtgrad::v1::nn
