#pragma once

#include <string>

#include "xtgrad/autograd/export.h"
#include "xtgrad/autograd/tensor.h"
#include "xtgrad/plot/canvas.h"

namespace xtgrad { inline namespace XTGRAD_PUBLIC v1 { namespace plot {

struct ImagesHeading {
  /// What the pictures are of. Their number and size then go into the line under it.
  std::string title = {};
  /// More about them, at the end of that line.
  std::string note = {};
};

/// The filters of a convolution, [out, in, kh, kw], over one common range about zero: in blue and red for one
/// input channel; for three as colours, whose red, green and blue are the channels' weights, so that grey is
/// zero; else a row for each filter, a column for each channel.
/// Throws ShapeError for another rank or an empty weight, ValueError for more than 4096
/// tiles.
[[nodiscard]] Canvas draw_filters(const Tensor& weight, const ImagesHeading& options = {});

struct FeatureMaps {
  Tensor image;  ///< [channels, h, w], one channel or three: what went in
  Tensor maps;   ///< [maps, h, w]: what came out
};
/// An image and what a layer makes of it, all maps over one common range. Throws ShapeError for other
/// shapes or none to draw.
[[nodiscard]] Canvas draw_feature_maps(const FeatureMaps& features, const ImagesHeading& options = {});

}}}  // namespace xtgrad::v1::plot
