#pragma once

#include <vector>

#include "benchmarks/compare/by_hand/loops.h"

namespace bench {

// A convolution of stride 1 without a matrix of windows. An image is copied once, with a rim of zeros, into
// planes whose rows follow each other; then the elements that one tap of the filter meets are the plane
// itself, further on, and a whole plane is one long row of registers. Columns between rows are computed on
// and never read.

/// Images with the rim that an odd kernel needs to keep their size.
struct Planes {
  std::int64_t channels, height, width;
  std::int64_t kernel = 3;

  [[nodiscard]] std::int64_t rim() const { return kernel / 2; }
  [[nodiscard]] std::int64_t pitch() const { return width + 2 * rim(); }
  /// Whole registers, so that all planes are aligned alike.
  [[nodiscard]] std::int64_t plane() const {
    return ((height + 2 * rim()) * pitch() + lane_width - 1) / lane_width * lane_width;
  }
  [[nodiscard]] std::int64_t image() const { return channels * plane(); }
  /// Where the first element of a plane stands, behind its rim.
  [[nodiscard]] std::int64_t inside() const { return rim() * (pitch() + 1); }
  /// Elements from a result's first to its last, and those between its rows, in whole pairs of registers.
  [[nodiscard]] std::int64_t length() const {
    const std::int64_t step = 2 * lane_width;
    return (height * pitch() + step - 1) / step * step;
  }
};

/// Zeros, of which element `aligned_at` begins a line of the cache, and room behind them for registers that
/// reach over the end.
class Room {
 public:
  explicit Room(std::int64_t elements, std::int64_t aligned_at = 0)
      : storage_(static_cast<std::size_t>(elements) + 128 + 4 * line), begin_(storage_.data()) {
    const auto place = reinterpret_cast<std::uintptr_t>(begin_ + aligned_at) / sizeof(float) % line;
    begin_ += (line - place) % line;
  }
  Room(const Room&) = delete;
  Room& operator=(const Room&) = delete;
  ~Room() = default;

  float* data() { return begin_; }
  [[nodiscard]] const float* data() const { return begin_; }

 private:
  static constexpr std::size_t line = 64 / sizeof(float);
  std::vector<float> storage_;
  float* begin_;
};

/// Where the taps of a filter meet each plane; `turned` round for the gradient of the input.
inline std::vector<std::int64_t> offsets_of_taps(const Planes& planes, bool turned) {
  std::vector<std::int64_t> offsets;
  const std::int64_t taps = planes.kernel * planes.kernel;
  for (std::int64_t c = 0; c < planes.channels; ++c) {
    for (std::int64_t tap = 0; tap < taps; ++tap) {
      const std::int64_t place = turned ? taps - 1 - tap : tap;
      offsets.push_back(c * planes.plane() + place / planes.kernel * planes.pitch() + place % planes.kernel);
    }
  }
  return offsets;
}

/// Rows of the result that a kernel computes at once: with two registers each, half of those of AVX-512.
inline constexpr std::int64_t row_block = Lane::width >= 16 ? 8 : 4;

inline std::int64_t whole_blocks(std::int64_t rows) { return (rows + row_block - 1) / row_block * row_block; }

/// Weights [rows, k] as `multiply` reads them: [blocks, k, row_block], and zeros in rows that there are not.
template <class At>
void pack(std::int64_t rows, std::int64_t k, const At& at, float* packed) {
  for (std::int64_t block = 0; block < rows; block += row_block) {
    for (std::int64_t p = 0; p < k; ++p) {
      for (std::int64_t r = block; r < block + row_block; ++r) *packed++ = r < rows ? at(r, p) : 0.0F;
    }
  }
}

/// y[row, i] = sum over p of weights[row, p] * x[offsets[p] + i], for i < length and rows in whole blocks.
inline void multiply(std::int64_t rows, const std::vector<std::int64_t>& offsets, const float* packed,
                     const float* x, std::int64_t length, float* y) {
  const std::size_t k = offsets.size();
  for (std::int64_t block = 0; block < rows; block += row_block) {
    for (std::int64_t i = 0; i < length; i += 2 * lane_width) {
      Lane sums[row_block][2];
#pragma GCC unroll 8
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
#pragma GCC unroll 8
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
class WeightGradient {
 public:
  /// `keeps` sums in registers' width from call to call, for filters of few elements; else they are added up
  /// in each.
  WeightGradient(std::int64_t rows, const std::vector<std::int64_t>& offsets, bool keeps = true)
      : rows_(rows), count_(static_cast<std::int64_t>(offsets.size())), offsets_(offsets), keeps_(keeps) {
    while (offsets_.size() % columns != 0) offsets_.push_back(offsets_.back());
    wide_.resize(keeps ? static_cast<std::size_t>(rows) * offsets_.size() * Lane::width
                       : block * Lane::width);
  }

  struct Batch {
    std::int64_t images = 0;
    const float* g = nullptr;  // [images, rows in whole blocks] of planes, from their first element on
    std::int64_t g_plane = 0;
    const float* x = nullptr;  // [images] of x_image elements
    std::int64_t x_image = 0;
    std::int64_t length = 0;
    bool first = false;
    bool last = false;
  };

  /// gradient[row, p] = sum over images and i of g[row, i] * x[offsets[p] + i].
  void add(const Batch& b, float* gradient) {
    if (b.first && keeps_) std::fill(wide_.begin(), wide_.end(), 0.0F);
    float* wide = wide_.data();
    for (std::int64_t row = 0; row < rows_; row += rows_at_once) {
      for (std::int64_t p = 0; p < count_; p += columns) {
        if (!keeps_) std::fill(wide_.begin(), wide_.end(), 0.0F);
        add_block(b, row, offsets_.data() + p, wide);
        if (!keeps_ || b.last) add_up(wide, row, p, !keeps_ && !b.first, gradient);
        if (keeps_) wide += block * lane_width;
      }
    }
  }

 private:
  static constexpr int rows_at_once = row_block;
  static constexpr int columns = 3;
  static constexpr int block = rows_at_once * columns;

  void add_up(const float* wide, std::int64_t row, std::int64_t p, bool to_others, float* gradient) const {
    for (int r = 0; r < rows_at_once && row + r < rows_; ++r) {
      for (int c = 0; c < columns && p + c < count_; ++c) {
        const float sum = sum_of(Lane::load(wide + (r * columns + c) * lane_width));
        float& to = gradient[(row + r) * count_ + p + c];
        to = to_others ? to + sum : sum;
      }
    }
  }

  // Every loop over the sums is unrolled, or the compiler keeps them in memory.
  void add_block(const Batch& b, std::int64_t row, const std::int64_t* offsets, float* wide) const {
    Lane sums[block];
#pragma GCC unroll 24
    for (int i = 0; i < block; ++i) sums[i] = Lane::load(wide + i * lane_width);
    for (std::int64_t image = 0; image < b.images; ++image) {
      const float* g = b.g + (image * whole_blocks(rows_) + row) * b.g_plane;
      const float* x = b.x + image * b.x_image;
      for (std::int64_t j = 0; j < b.length; j += lane_width) {
        Lane tap[columns];
#pragma GCC unroll 4
        for (int c = 0; c < columns; ++c) tap[c] = Lane::load(x + offsets[c] + j);
#pragma GCC unroll 8
        for (int r = 0; r < rows_at_once; ++r) {
          const Lane cotangent = Lane::load(g + r * b.g_plane + j);
#pragma GCC unroll 4
          for (int c = 0; c < columns; ++c)
            sums[r * columns + c] = fma(cotangent, tap[c], sums[r * columns + c]);
        }
      }
    }
#pragma GCC unroll 24
    for (int i = 0; i < block; ++i) sums[i].store(wide + i * lane_width);
  }

  std::int64_t rows_, count_;
  std::vector<std::int64_t> offsets_;
  bool keeps_;
  std::vector<float> wide_;
};

}  // namespace bench
