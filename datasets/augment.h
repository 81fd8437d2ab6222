#pragma once

#include <initializer_list>
#include <vector>

#include "xtgrad/autograd/export.h"
#include "xtgrad/autograd/size2d.h"
#include "xtgrad/datasets/sample_transform.h"

namespace xtgrad { inline namespace XTGRAD_PUBLIC v1 { namespace datasets {

class Normalizer;

// Transforms of images: samples x[c, i, j] of shape [c, h, w]. Each throws ShapeError for samples of another
// rank, and does so as soon as a loader is given it.

/// What a crop finds beyond an image's edge.
enum class CropPadding {
  zeros,
  reflect,  ///< the image mirrored at its outermost pixels, which do not occur twice: c b | a b c | b a
};

struct RandomCropOptions {
  Size2d size = 0;     ///< of the result; required
  Size2d padding = 0;  ///< pixels added on either side; less than size, so every crop shows some of the image
  CropPadding mode = CropPadding::zeros;
};
/// A window at random: y[c, i, j] = padded[c, top + i, left + j], with top uniform in 0 .. h + 2 padding -
/// size and left likewise; [c, h, w] to [c, size, size]. Draws top, then left. Throws ValueError for options
/// out of range; samples throw ShapeError if they are, with their padding, smaller than the crop, or not
/// larger than the padding where that is reflected.
[[nodiscard]] SampleTransform random_crop(const RandomCropOptions& options);

struct RandomFlipOptions {
  double p = 0.5;  ///< probability of a flip
};
/// Mirrors left and right with probability p: y[c, i, j] = x[c, i, w - 1 - j], else y = x. One draw. Throws
/// ValueError unless p is in [0, 1].
[[nodiscard]] SampleTransform random_flip(const RandomFlipOptions& options = {});

struct RandomShiftOptions {
  Size2d pixels = 0;  ///< at most so far, down or up and right or left; required
};
/// Moves an image by (dy, dx), each uniform in -pixels .. pixels, and fills with zeros what comes in:
/// y[c, i, j] = x[c, i - dy, j - dx]. Draws dy, then dx. Throws ValueError for pixels below 0 or none at all;
/// samples throw ShapeError if they are not larger than the shift.
[[nodiscard]] SampleTransform random_shift(const RandomShiftOptions& options);

struct NormalizeOptions {
  std::vector<double> mean = {};   ///< one a channel, or one for all; finite
  std::vector<double> scale = {};  ///< as many, finite and positive; usually the standard deviations
};
/// y[c, i, j] = (x[c, i, j] - mean[c]) / scale[c], computed in the sample's dtype, which must be floating. No
/// draw. Throws ValueError for numbers out of range; samples throw ShapeError for another number of channels,
/// DtypeError for another dtype.
[[nodiscard]] SampleTransform normalize(const NormalizeOptions& options);
/// With the numbers of a normalizer that was fitted per channel, and its bits. Throws ShapeError unless their
/// shape is [c, 1, 1], or a single number.
[[nodiscard]] SampleTransform normalize(const Normalizer& normalizer);

/// Transforms in a row, each given the result of the one before.
///
///   datasets::Augment augment({datasets::random_crop({.size = {32, 32}, .padding = 4}),
///                              datasets::random_flip(),
///                              datasets::normalize({.mean = {0.49, 0.48, 0.45}, .scale = {0.25, 0.24,
///                              0.26}})});
///   datasets::Loader loader(train, {.batch_size = 128, .shuffle = true, .sample_transform = augment});
///
/// Padding and shifts fill with zeros, so where zero is not the background, normalize first.
class Augment {
 public:
  Augment(std::initializer_list<SampleTransform> steps);
  explicit Augment(std::vector<SampleTransform> steps);

  /// Throws ShapeError where a step does not fit what the one before it gives.
  [[nodiscard]] Shape output_shape(const Shape& sample) const { return whole_.output_shape(sample); }

  operator const SampleTransform&() const { return whole_; }  // NOLINT: a row of transforms is a transform

 private:
  SampleTransform whole_;
};

}}}  // namespace xtgrad::v1::datasets
