#include "xtgrad/autograd/kernels/conv2d_weight_dots.h"

#include <algorithm>

#include "xtgrad/autograd/kernels/conv2d_parts.h"
#include "xtgrad/autograd/kernels/copy_short.h"
#include "xtgrad/autograd/kernels/levels/row_dots.h"

namespace xtgrad::inline v1::detail {
namespace {

void add_dots(const RowDots<float>& dots) { add_row_dots_float32(dots); }
void add_dots(const RowDots<double>& dots) { add_row_dots_float64(dots); }
bool are_finite(const float* values, std::int64_t n) { return all_finite_float32(values, n); }
bool are_finite(const double* values, std::int64_t n) { return all_finite_float64(values, n); }

/// Parts that a weight gradient is summed up in, each with a sum of its own.
constexpr std::int64_t gradient_parts = 16;
/// Room for those sums; with large weights there are fewer parts.
constexpr std::int64_t gradient_parts_bytes = std::int64_t{64} << 20;

std::size_t index(std::int64_t i) { return static_cast<std::size_t>(i); }

template <class T>
class WeightDots : InputRows {
 public:
  explicit WeightDots(const Conv2dSizes& sizes)
      : InputRows(T{}, sizes),
        columns_(whole_lanes<T>(runs_.length * width_)),
        together_(std::clamp<std::int64_t>(
            row_dots_bytes() / static_cast<std::int64_t>(sizeof(T)) / std::max<std::int64_t>(columns_, 1), 1,
            16)) {}

  void run(const T* x, const T* g, T* dw) const {
    const std::int64_t elements = s_.out * k_;
    const std::int64_t units = elements == 0 ? 0 : s_.n * runs_.per_image;
    const std::int64_t room = gradient_parts_bytes / static_cast<std::int64_t>(sizeof(LongSum<T>)) /
                              std::max<std::int64_t>(elements, 1);
    const std::int64_t most = std::clamp<std::int64_t>(room, 2, gradient_parts);
    // A part is worth a tile, at least.
    const std::int64_t worth = ceil_div(tile_work, std::max<std::int64_t>(elements * columns_, 1));
    const std::int64_t per_part = std::max(ceil_div(units, most), worth);
    const std::int64_t parts = ceil_div(units, per_part);
    PoolVector<LongSum<T>> sums(static_cast<std::size_t>(parts * elements));
    for_each_tile(parts, [&](std::int64_t part) {
      add_units(x, g, part * per_part, std::min((part + 1) * per_part, units), sums.data() + part * elements);
    });
    for (std::int64_t e = 0; e < elements; ++e) {
      LongSum<T> sum;
      for (std::int64_t part = 0; part < parts; ++part) sum.add(sums[index(part * elements + e)]);
      dw[e] = parts == 0 ? T(0) : sum.value();
    }
  }

 private:
  void add_units(const T* x, const T* g, std::int64_t first, std::int64_t last, LongSum<T>* dw) const {
    const std::int64_t copy_elements = copy_.elements<T>();
    PoolVector<T> copies(static_cast<std::size_t>(together_ * copy_elements));
    PoolVector<T> cotangents(static_cast<std::size_t>(together_ * group_.out * columns_));
    for (std::int64_t group = 0; group < s_.groups; ++group) {
      for (std::int64_t unit = first; unit < last; unit += together_) {
        const std::int64_t count = std::min(together_, last - unit);
        bool finite = true;
        for (std::int64_t q = 0; q < count; ++q) {
          const std::int64_t image = (unit + q) / runs_.per_image * s_.groups + group;
          const std::int64_t run = (unit + q) % runs_.per_image;
          T* copy = copies.data() + q * copy_elements;
          copy_.fill(x + image * group_.in * s_.image.height * s_.image.width, runs_.first(run), copy,
                     runs_.per_image == 1);
          finite = finite && are_finite(copy, copy_elements);
          spread(g + image * group_.out * s_.result.height * s_.result.width, run,
                 cotangents.data() + q * group_.out * columns_);
        }
        const RowDots<T> dots{.m = group_.out,
                              .n = columns_,
                              .k = k_,
                              .count = count,
                              .terms = s_.n * s_.result.height * s_.result.width,
                              .a = cotangents.data(),
                              .base = copies.data(),
                              .base_stride = copy_elements,
                              .offsets = offsets_.data(),
                              .c = dw + group * group_.out * k_};
        if (finite) {
          add_dots(dots);
        } else {
          add_one_by_one(dots, unit);
        }
      }
    }
  }

  /// Rows of the cotangent at the distance that rows have in the padded copy, with zeros between them.
  void spread(const T* g, std::int64_t run, T* rows) const {
    const std::int64_t width = s_.result.width;
    const std::int64_t lines = runs_.size(run);
    for (std::int64_t o = 0; o < group_.out; ++o, rows += columns_) {
      for (std::int64_t r = 0; r < lines; ++r) {
        const T* from = g + (o * s_.result.height + runs_.first(run) + r) * width;
        copy_short(from, width, rows + r * width_);
      }
      // Between the rows there is nothing but the zeros that were there at first.
      if (lines < runs_.length) std::fill(rows + lines * width_, rows + columns_, T(0));
    }
  }

  /// The zeros between the cotangent's rows meet elements of the image that no output there has; where these
  /// may be infinite or NaN they must not take part, for 0 * inf is NaN.
  void add_one_by_one(const RowDots<T>& all, std::int64_t first_unit) const {
    for (std::int64_t q = 0; q < all.count; ++q) {
      PoolVector<T> mask(static_cast<std::size_t>(columns_), T(0));
      for (std::int64_t r = 0; r < runs_.size((first_unit + q) % runs_.per_image); ++r)
        std::fill_n(mask.begin() + r * width_, s_.result.width, T(1));
      RowDots<T> dots = all;
      dots.count = 1;
      dots.a += q * group_.out * columns_;
      dots.base += q * all.base_stride;
      dots.mask = mask.data();
      add_dots(dots);
    }
  }

  std::int64_t columns_;   // of a run, in whole lanes
  std::int64_t together_;  // runs whose products are summed in registers
};

}  // namespace

void conv2d_weight_dots(const Conv2dSizes& sizes, const float* x, const float* g, float* dw) {
  WeightDots<float>(sizes).run(x, g, dw);
}
void conv2d_weight_dots(const Conv2dSizes& sizes, const double* x, const double* g, double* dw) {
  WeightDots<double>(sizes).run(x, g, dw);
}

}  // namespace xtgrad::v1::detail
