#pragma once

#include <cstdint>

#include "xtgrad/autograd/export.h"
#include "xtgrad/nn/module.h"
#include "xtgrad/nn/options.h"

namespace xtgrad { inline namespace XTGRAD_PUBLIC v1 { namespace nn {

struct LinearOptions {
  std::int64_t in_features = required;
  std::int64_t out_features = required;
  bool bias = true;
};

/// y = x W^T + b on the last dimension: [..., in] to [..., out]. Parameters: weight [out, in] and bias [out],
/// both uniform in [-1/sqrt(in), 1/sqrt(in)) at first, in the default dtype.
///
///   nn::Linear layer{4, 10};
///   Tensor y = layer(randn({8, 4}));  // [8, 10]
///
/// Throws ValueError for a negative or missing size, ShapeError or DtypeError for an input that does not fit.
class Linear : public Module {
 public:
  Linear(std::int64_t in_features, std::int64_t out_features)
      : Linear({.in_features = in_features, .out_features = out_features}) {}
  explicit Linear(const LinearOptions& options);

  Tensor forward(const Tensor& x) override;
  void members(Members& m) override;

  Parameter weight;  // [out, in]
  Parameter bias;    // [out]; not defined without bias
};

}}}  // namespace xtgrad::v1::nn
