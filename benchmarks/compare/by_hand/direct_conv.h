#pragma once

#include <vector>

#include "benchmarks/compare/by_hand/loops.h"

namespace bench {

// A convolution of stride 1 without a matrix of windows. An image is copied once, with a rim of zeros, into
// planes whose rows follow each other; then the elements that one tap of the filter meets are the plane
// itself, further on, and a whole plane is one long row of registers. Columns between rows are computed on
// and never read.

/// Images with a rim: `channels` planes of (height + 2) rows of `pitch` elements.
struct Planes {
  std::int64_t channels, height, width;
  [[nodiscard]] std::int64_t pitch() const { return width + 2; }
  [[nodiscard]] std::int64_t plane() const { return (height + 2) * pitch(); }
  [[nodiscard]] std::int64_t image() const { return channels * plane(); }
  /// Where the first element of a plane stands, behind its rim.
  [[nodiscard]] std::int64_t inside() const { return pitch() + 1; }
  /// Elements from a result's first to its last, and those between its rows, in whole pairs of registers.
  [[nodiscard]] std::int64_t length() const {
    const std::int64_t step = 2 * lane_width;
    return (height * pitch() + step - 1) / step * step;
  }
};
/// Behind the last plane, for registers that reach over its end.
inline constexpr std::int64_t slack = 4 * lane_width + 128;

/// Where the nine taps of a 3x3 filter meet each plane; `flipped` for the gradient of the input.
inline std::vector<std::int64_t> offsets_of_taps(const Planes& planes, bool flipped) {
  std::vector<std::int64_t> offsets;
  for (std::int64_t c = 0; c < planes.channels; ++c) {
    for (std::int64_t tap = 0; tap < 9; ++tap) {
      const std::int64_t place = flipped ? 8 - tap : tap;
      offsets.push_back(c * planes.plane() + place / 3 * planes.pitch() + place % 3);
    }
  }
  return offsets;
}

/// Rows of the result that a kernel computes at once: with two registers each, half of those of AVX-512.
inline constexpr std::int64_t row_block = Lane::width >= 16 ? 8 : 4;

/// Weights [rows, k] as `multiply` reads them: [rows / row_block, k, row_block].
template <class At>
void pack(std::int64_t rows, std::int64_t k, const At& at, float* packed) {
  for (std::int64_t block = 0; block < rows; block += row_block) {
    for (std::int64_t p = 0; p < k; ++p) {
      for (std::int64_t r = 0; r < row_block; ++r) *packed++ = at(block + r, p);
    }
  }
}

/// y[row, i] = sum over p of weights[row, p] * x[offsets[p] + i], for i < length.
inline void multiply(std::int64_t rows, const std::vector<std::int64_t>& offsets, const float* packed,
                     const float* x, std::int64_t length, float* y) {
  const std::size_t k = offsets.size();
  for (std::int64_t block = 0; block < rows; block += row_block) {
    for (std::int64_t i = 0; i < length; i += 2 * lane_width) {
      Lane sums[row_block][2];
      for (auto& row : sums) row[0] = row[1] = Lane(0.0F);
      const float* weight = packed;
      for (std::size_t p = 0; p < k; ++p, weight += row_block) {
        const float* from = x + offsets[p] + i;
        const Lane first = Lane::load(from);
        const Lane second = Lane::load(from + lane_width);
#pragma GCC unroll 8
        for (std::int64_t r = 0; r < row_block; ++r) {
          const Lane w(weight[r]);
          sums[r][0] = fma(w, first, sums[r][0]);
          sums[r][1] = fma(w, second, sums[r][1]);
        }
      }
      for (std::int64_t r = 0; r < row_block; ++r) {
        sums[r][0].store(y + (block + r) * length + i);
        sums[r][1].store(y + (block + r) * length + i + lane_width);
      }
    }
    packed += static_cast<std::int64_t>(k) * row_block;
  }
}

/// The gradient of the weights, a few images at a time: sums are kept in registers' width until the last
/// ones. `columns` taps are taken at once.
template <int columns>
class WeightGradient {
 public:
  WeightGradient(std::int64_t rows, std::vector<std::int64_t> offsets)
      : rows_(rows),
        offsets_(std::move(offsets)),
        wide_(static_cast<std::size_t>(rows) * offsets_.size() * Lane::width) {}

  struct Batch {
    std::int64_t images = 0;
    const float* g = nullptr;  // [images, rows] of planes, from their first element on
    std::int64_t g_plane = 0;
    const float* x = nullptr;  // [images] of x_image elements
    std::int64_t x_image = 0;
    std::int64_t length = 0;
    bool first = false;
    bool last = false;
  };

  /// gradient[row, p] = sum over images and i of g[row, i] * x[offsets[p] + i].
  void add(const Batch& b, float* gradient) {
    const auto k = static_cast<std::int64_t>(offsets_.size());
    float* wide = wide_.data();
    for (std::int64_t row = 0; row < rows_; row += 4) {
      for (std::int64_t p = 0; p < k; p += columns, wide += 4 * columns * lane_width) {
        Lane sums[4][columns];
        for (int r = 0; r < 4; ++r) {
          for (int c = 0; c < columns; ++c)
            sums[r][c] = b.first ? Lane(0.0F) : Lane::load(wide + (r * columns + c) * lane_width);
        }
        for (std::int64_t image = 0; image < b.images; ++image) {
          add_image(b.g + (image * rows_ + row) * b.g_plane, b.g_plane, b.x + image * b.x_image,
                    offsets_.data() + p, b.length, sums);
        }
        for (int r = 0; r < 4; ++r) {
          for (int c = 0; c < columns; ++c) {
            if (b.last) {
              gradient[(row + r) * k + p + c] = sum_of(sums[r][c]);
            } else {
              sums[r][c].store(wide + (r * columns + c) * lane_width);
            }
          }
        }
      }
    }
  }

 private:
  static void add_image(const float* g, std::int64_t g_plane, const float* x, const std::int64_t* offsets,
                        std::int64_t length, Lane (&total)[4][columns]) {
    Lane sums[4][columns];
    std::copy(&total[0][0], &total[0][0] + 4 * columns, &sums[0][0]);
    for (std::int64_t i = 0; i < length; i += lane_width) {
      Lane tap[columns];
#pragma GCC unroll 4
      for (int c = 0; c < columns; ++c) tap[c] = Lane::load(x + offsets[c] + i);
#pragma GCC unroll 4
      for (int r = 0; r < 4; ++r) {
        const Lane cotangent = Lane::load(g + r * g_plane + i);
#pragma GCC unroll 4
        for (int c = 0; c < columns; ++c) sums[r][c] = fma(cotangent, tap[c], sums[r][c]);
      }
    }
    std::copy(&sums[0][0], &sums[0][0] + 4 * columns, &total[0][0]);
  }

  std::int64_t rows_;
  std::vector<std::int64_t> offsets_;
  std::vector<float> wide_;
};

}  // namespace bench
