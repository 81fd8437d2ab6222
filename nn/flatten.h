#pragma once

#include <cstdint>

#include "xtgrad/autograd/export.h"
#include "xtgrad/nn/module.h"

namespace xtgrad { inline namespace XTGRAD_PUBLIC v1 { namespace nn {

/// Joins the dimensions from `start` on into one; [n, c, h, w] to [n, c * h * w] by default.
class Flatten : public Module {
 public:
  explicit Flatten(std::int64_t start = 1) : start_(start) {}
  Tensor forward(const Tensor& x) override;

 private:
  std::int64_t start_;
};

}}}  // namespace xtgrad::v1::nn
