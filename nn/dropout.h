#pragma once

#include "xtgrad/autograd/export.h"
#include "xtgrad/autograd/random.h"
#include "xtgrad/nn/module.h"

namespace xtgrad { inline namespace XTGRAD_PUBLIC v1 { namespace nn {

struct DropoutOptions {
  double p = 0.5;  ///< probability that an element becomes 0, in [0, 1]
};

/// Inverted dropout: while training, each element is 0 with probability p and divided by 1 - p otherwise, so
/// the mean stays; in evaluation, the identity. Draws from a random stream of its own, split from the default
/// generator when it is made; every forward that drops takes one position. A copy continues from the same
/// place, so it draws the same numbers.
///
///   nn::Dropout drop{{.p = 0.2}};
///   Tensor y = drop(x);  // of x's shape
///
/// Throws ValueError for a p outside [0, 1].
class Dropout : public Module {
 public:
  explicit Dropout(const DropoutOptions& options = {});
  Tensor forward(const Tensor& x) override;
  void members(Members& m) override { m("stream", stream); }

  [[nodiscard]] double p() const { return p_; }

  Random stream;

 private:
  double p_;
};

/// As Dropout, but of whole channels: each channel [h, w] of an input [n, c, h, w] is kept or dropped as one,
/// since neighbouring pixels say much the same. (Tompson et al., "Efficient object localization using
/// convolutional networks", 2015.) Throws ShapeError for an input that is not [n, c, h, w].
class Dropout2d : public Module {
 public:
  explicit Dropout2d(const DropoutOptions& options = {});
  Tensor forward(const Tensor& x) override;
  void members(Members& m) override { m("stream", stream); }

  [[nodiscard]] double p() const { return p_; }

  Random stream;

 private:
  double p_;
};

}}}  // namespace xtgrad::v1::nn
