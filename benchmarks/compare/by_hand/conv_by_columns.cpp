// Convolution as a product with a matrix of windows: a row for each element of a filter, a column for each
// place.

#include <cblas.h>

#include "benchmarks/compare/by_hand/convolution.h"
#include "benchmarks/compare/by_hand/loops.h"

namespace bench {
namespace {

class ByColumns final : public Convolution {
 public:
  explicit ByColumns(const ConvSizes& sizes)
      : s_(sizes),
        rows_(static_cast<int>(sizes.in * sizes.taps())),
        places_(static_cast<int>(sizes.result() * sizes.result())),
        out_(static_cast<int>(sizes.out)),
        is_plain_(sizes.kernel == 1 && sizes.stride == 1 && sizes.padding == 0),
        columns_(is_plain_ ? 0 : static_cast<std::size_t>(rows_) * static_cast<std::size_t>(places_)) {}

  void forward(const float* x, const float* weight, float* y) override {
    for (std::int64_t i = 0; i < s_.n; ++i) {
      const float* columns = columns_of(x + i * s_.image());
      cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, out_, places_, rows_, 1, weight, rows_, columns,
                  places_, 0, y + i * s_.result_image(), places_);
    }
  }

  void input_gradient(const float* g, const float* weight, float* dx) override {
    for (std::int64_t i = 0; i < s_.n; ++i) {
      float* image = dx + i * s_.image();
      float* columns = is_plain_ ? image : columns_.data();
      cblas_sgemm(CblasRowMajor, CblasTrans, CblasNoTrans, rows_, places_, out_, 1, weight, rows_,
                  g + i * s_.result_image(), places_, 0, columns, places_);
      if (!is_plain_) add_up(image);
    }
  }

  void weight_gradient(const float* x, const float* g, float* dweight) override {
    for (std::int64_t i = 0; i < s_.n; ++i) {
      const float* columns = columns_of(x + i * s_.image());
      cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, out_, rows_, places_, 1, g + i * s_.result_image(),
                  places_, columns, places_, i == 0 ? 0 : 1, dweight, rows_);
    }
  }

 private:
  /// Calls body(row of the matrix, channel, first place in a result's row, its end, where that meets the
  /// image).
  struct Span {
    std::int64_t first, last;
  };
  /// Places whose element `tap` of a window is in the image.
  [[nodiscard]] Span inside(std::int64_t tap) const {
    const std::int64_t low = s_.padding - tap;
    const std::int64_t first = low > 0 ? (low + s_.stride - 1) / s_.stride : 0;
    const std::int64_t last = (s_.size - 1 + low) / s_.stride + 1;
    return {std::min(first, s_.result()), std::clamp(s_.size - 1 + low < 0 ? 0 : last, first, s_.result())};
  }

  const float* columns_of(const float* image) {
    if (is_plain_) return image;
    float* to = columns_.data();
    const std::int64_t result = s_.result();
    for (std::int64_t row = 0; row < rows_; ++row) {
      const float* plane = image + row / s_.taps() * s_.size * s_.size;
      const std::int64_t ky = row % s_.taps() / s_.kernel, kx = row % s_.kernel;
      const Span span = inside(kx);
      for (std::int64_t y = 0; y < result; ++y, to += result) {
        const std::int64_t from_y = y * s_.stride + ky - s_.padding;
        if (from_y < 0 || from_y >= s_.size) {
          std::fill_n(to, result, 0.0F);
          continue;
        }
        const float* from = plane + from_y * s_.size + kx - s_.padding;
        std::fill_n(to, span.first, 0.0F);
        if (s_.stride == 1) {
          std::copy_n(from + span.first, span.last - span.first, to + span.first);
        } else {
          for (std::int64_t x = span.first; x < span.last; ++x) to[x] = from[x * s_.stride];
        }
        std::fill(to + span.last, to + result, 0.0F);
      }
    }
    return columns_.data();
  }

  void add_up(float* image) const {
    std::fill_n(image, s_.image(), 0.0F);
    const float* from = columns_.data();
    const std::int64_t result = s_.result();
    for (std::int64_t row = 0; row < rows_; ++row) {
      float* plane = image + row / s_.taps() * s_.size * s_.size;
      const std::int64_t ky = row % s_.taps() / s_.kernel, kx = row % s_.kernel;
      const Span span = inside(kx);
      for (std::int64_t y = 0; y < result; ++y, from += result) {
        const std::int64_t to_y = y * s_.stride + ky - s_.padding;
        if (to_y < 0 || to_y >= s_.size) continue;
        float* to = plane + to_y * s_.size + kx - s_.padding;
        if (s_.stride == 1) {
          for (std::int64_t x = span.first; x < span.last; ++x) to[x] += from[x];
        } else {
          for (std::int64_t x = span.first; x < span.last; ++x) to[x * s_.stride] += from[x];
        }
      }
    }
  }

  ConvSizes s_;
  int rows_, places_, out_;
  bool is_plain_;  // the image is its own matrix of windows
  std::vector<float> columns_;
};

}  // namespace

std::unique_ptr<Convolution> conv_by_columns(const ConvSizes& sizes) {
  if (sizes.groups != 1) return nullptr;
  return std::make_unique<ByColumns>(sizes);
}

}  // namespace bench
