#pragma once

#include <cstdint>
#include <memory>
#include <vector>

namespace bench {

struct ConvSizes {
  std::int64_t n, in, size, out, kernel, stride, padding, groups;

  [[nodiscard]] std::int64_t result() const { return (size + 2 * padding - kernel) / stride + 1; }
  [[nodiscard]] std::int64_t image() const { return in * size * size; }
  [[nodiscard]] std::int64_t result_image() const { return out * result() * result(); }
  [[nodiscard]] std::int64_t taps() const { return kernel * kernel; }
  [[nodiscard]] std::int64_t weights() const { return out * in / groups * taps(); }
};

/// One way to compute a convolution and its two gradients.
class Convolution {
 public:
  Convolution() = default;
  Convolution(const Convolution&) = delete;
  Convolution& operator=(const Convolution&) = delete;
  virtual ~Convolution() = default;

  virtual void forward(const float* x, const float* weight, float* y) = 0;
  virtual void input_gradient(const float* g, const float* weight, float* dx) = 0;
  virtual void weight_gradient(const float* x, const float* g, float* dweight) = 0;
};

/// By a matrix of windows and BLAS; for every convolution of one group.
std::unique_ptr<Convolution> conv_by_columns(const ConvSizes& sizes);
/// By direct_conv.h: stride 1, an odd kernel whose padding keeps the size, channels in whole blocks; null
/// otherwise.
std::unique_ptr<Convolution> conv_by_planes(const ConvSizes& sizes);
/// A filter a channel; null otherwise.
std::unique_ptr<Convolution> conv_by_channel(const ConvSizes& sizes);
/// A filter as large as the image; null otherwise.
std::unique_ptr<Convolution> conv_by_whole(const ConvSizes& sizes);

}  // namespace bench
