#include "xtgrad/autograd/kernels/conv2d.h"

#include <algorithm>

#include "xtgrad/autograd/kernels/copy_short.h"
#include "xtgrad/autograd/kernels/lanes.h"
#include "xtgrad/autograd/kernels/padded_images.h"
#include "xtgrad/autograd/kernels/parallel.h"
#include "xtgrad/autograd/kernels/row_products.h"

namespace xtgrad {
inline namespace v1 {
namespace detail {
namespace {

/// What the scratch of one unit of work should fit in: part of a core's second-level cache.
constexpr std::int64_t scratch_bytes = std::int64_t{512} << 10;
/// The least work of a tile, in multiply-adds: some tens of microseconds.
constexpr std::int64_t tile_work = std::int64_t{1} << 21;
/// Parts that a weight gradient is summed up in, each with a sum of its own.
constexpr std::int64_t gradient_parts = 16;
/// Room for those sums; with large weights there are fewer parts.
constexpr std::int64_t gradient_parts_bytes = std::int64_t{64} << 20;

std::int64_t ceil_div(std::int64_t a, std::int64_t b) { return (a + b - 1) / b; }

struct Group {
  explicit Group(const Conv2dSizes& s)
      : in(s.in / s.groups), out(s.out / s.groups), taps(s.kernel.height * s.kernel.width) {}

  std::int64_t in;
  std::int64_t out;
  std::int64_t taps;
};

/// Images cut into runs of rows, so that the scratch of one stays in cache however large an image is.
struct Runs {
  /// `row_elements`: scratch for each row of a run.
  template <class T>
  Runs(T, std::int64_t image_rows, std::int64_t row_elements)
      : rows(image_rows),
        length(std::clamp<std::int64_t>(
            scratch_bytes / static_cast<std::int64_t>(sizeof(T)) / std::max<std::int64_t>(row_elements, 1), 1,
            std::max<std::int64_t>(image_rows, 1))),
        per_image(ceil_div(image_rows, length)) {}

  [[nodiscard]] std::int64_t first(std::int64_t run) const { return run * length; }
  [[nodiscard]] std::int64_t size(std::int64_t run) const { return std::min(length, rows - first(run)); }

  std::int64_t rows;
  std::int64_t length;
  std::int64_t per_image;
};

/// Calls `body(first, last)` for ranges of `units` that are worth a tile.
template <class F>
void for_each_range(std::int64_t units, std::int64_t unit_work, F&& body) {
  const std::int64_t units_per_tile =
      std::max<std::int64_t>(tile_work / std::max<std::int64_t>(unit_work, 1), 1);
  for_each_tile(ceil_div(units, units_per_tile), [&](std::int64_t tile) {
    body(tile * units_per_tile, std::min((tile + 1) * units_per_tile, units));
  });
}

/// The padded copy of a group's input channels that `rows` rows of the output meet.
PaddedImages padded_input(const Conv2dSizes& s, const Taps& vertical, const Taps& horizontal,
                          std::int64_t rows) {
  return {.channels = s.in / s.groups,
          .rows = {.size = s.image.height,
                   .length = rows + vertical.max_shift(),
                   .stride = s.stride.height,
                   .padding = s.padding.height,
                   .phases = vertical.phases},
          .columns = {.size = s.image.width,
                      .length = s.result.width + horizontal.max_shift(),
                      .stride = s.stride.width,
                      .padding = s.padding.width,
                      .phases = horizontal.phases}};
}

/// For each element [in, kh, kw] of a filter, where in the padded copy the row of elements that it meets
/// begins.
PoolVector<std::int64_t> row_offsets(const PaddedImages& copy, const Taps& vertical, const Taps& horizontal) {
  PoolVector<std::int64_t> offsets;
  for (std::int64_t c = 0; c < copy.channels; ++c) {
    for (std::int64_t i = 0; i < vertical.count(); ++i) {
      for (std::int64_t j = 0; j < horizontal.count(); ++j) {
        offsets.push_back(copy.plane_at(c, vertical.slot(i), horizontal.slot(j)) +
                          vertical.shift(i) * copy.columns.length + horizontal.shift(j));
      }
    }
  }
  return offsets;
}

template <class T>
class Forward {
 public:
  Forward(const Conv2dSizes& sizes, const T* weight)
      : s_(sizes),
        group_(sizes),
        k_(group_.in * group_.taps),
        vertical_(s_.kernel.height, s_.stride.height, s_.dilation.height),
        horizontal_(s_.kernel.width, s_.stride.width, s_.dilation.width),
        width_(s_.result.width + horizontal_.max_shift()),
        runs_(T{}, s_.result.height,
              width_ * (group_.out + group_.in * static_cast<std::int64_t>(vertical_.phases.size() *
                                                                           horizontal_.phases.size()))),
        copy_(padded_input(s_, vertical_, horizontal_, runs_.length)),
        offsets_(row_offsets(copy_, vertical_, horizontal_)),
        packed_(static_cast<std::size_t>(s_.out * k_)) {
    PoolVector<std::int64_t> in_order(static_cast<std::size_t>(k_));
    for (std::size_t p = 0; p < in_order.size(); ++p) in_order[p] = static_cast<std::int64_t>(p);
    for (std::int64_t g = 0; g < s_.groups; ++g) {
      const std::int64_t at = g * group_.out * k_;
      pack_left(group_.out, k_, weight + at, k_, in_order.data(), packed_.data() + at);
    }
  }

  void run(const T* x, const T* bias, T* y) const {
    const std::int64_t units = s_.n * s_.groups * runs_.per_image;
    const std::int64_t n = whole_lanes<T>(runs_.length * width_);
    for_each_range(units, group_.out * k_ * n, [&](std::int64_t first, std::int64_t last) {
      PoolVector<T> copy(static_cast<std::size_t>(copy_.elements<T>()));
      PoolVector<T> product(static_cast<std::size_t>(group_.out * n));
      for (std::int64_t unit = first; unit < last; ++unit) {
        const std::int64_t image = unit / runs_.per_image;  // counts the groups of all images
        const std::int64_t run = unit % runs_.per_image;
        const std::int64_t g = image % s_.groups;
        copy_.fill(x + image * group_.in * s_.image.height * s_.image.width, runs_.first(run), copy.data(),
                   runs_.per_image == 1);
        const std::int64_t columns = whole_lanes<T>(runs_.size(run) * width_);
        multiply_rows<T>({.m = group_.out,
                          .n = columns,
                          .k = k_,
                          .packed = packed_.data() + g * group_.out * k_,
                          .base = copy.data(),
                          .offsets = offsets_.data(),
                          .c = product.data()});
        store(product.data(), columns, run, bias == nullptr ? nullptr : bias + g * group_.out,
              y + image * group_.out * s_.result.height * s_.result.width);
      }
    });
  }

 private:
  /// Copies a run's rows without the columns between them, which belong to no output.
  void store(const T* product, std::int64_t columns, std::int64_t run, const T* bias, T* y) const {
    const std::int64_t width = s_.result.width;
    for (std::int64_t o = 0; o < group_.out; ++o) {
      const T shift = bias == nullptr ? T(0) : bias[o];
      for (std::int64_t r = 0; r < runs_.size(run); ++r) {
        const T* from = product + o * columns + r * width_;
        T* to = y + (o * s_.result.height + runs_.first(run) + r) * width;
        for (std::int64_t i = 0; i < width; ++i) to[i] = from[i] + shift;
      }
    }
  }

  Conv2dSizes s_;
  Group group_;
  std::int64_t k_;
  Taps vertical_;
  Taps horizontal_;
  std::int64_t width_;
  Runs runs_;
  PaddedImages copy_;
  PoolVector<std::int64_t> offsets_;
  PoolVector<T> packed_;
};

/// One side of the input's gradient. The padded image's element stride * q + phase gets, from each tap of
/// that phase, the cotangent's element q - shift.
struct GradSide {
  GradSide(std::int64_t size, std::int64_t result, std::int64_t kernel, std::int64_t stride_,
           std::int64_t padding_, std::int64_t dilation)
      : taps(kernel, stride_, dilation),
        image(size),
        stride(stride_),
        padding(padding_),
        first(padding / stride),
        count(size == 0 ? 0 : (padding + size - 1) / stride - first + 1),
        cotangent{.size = result, .length = count + taps.max_shift(), .padding = taps.max_shift() - first} {}

  Taps taps;
  std::int64_t image;
  std::int64_t stride;
  std::int64_t padding;
  std::int64_t first;  // q of the first element that is not padding
  std::int64_t count;  // of q
  PaddedSide cotangent;
};

/// The taps of one pair of phases, and where their products go.
template <class T>
struct PhaseProduct {
  std::int64_t row_phase;
  std::int64_t column_phase;
  PoolVector<std::int64_t> offsets;  // of rows of the padded cotangent
  PoolVector<T> packed;              // [groups, in, k]
};

template <class T>
class InputGrad {
 public:
  InputGrad(const Conv2dSizes& sizes, const T* weight)
      : s_(sizes),
        group_(sizes),
        vertical_(s_.image.height, s_.result.height, s_.kernel.height, s_.stride.height, s_.padding.height,
                  s_.dilation.height),
        horizontal_(s_.image.width, s_.result.width, s_.kernel.width, s_.stride.width, s_.padding.width,
                    s_.dilation.width),
        width_(horizontal_.cotangent.length),
        runs_(T{}, vertical_.count, width_ * (group_.in + group_.out)),
        copy_{.channels = group_.out, .rows = vertical_.cotangent, .columns = horizontal_.cotangent} {
    copy_.rows.length = runs_.length + vertical_.taps.max_shift();
    for (const std::int64_t row_phase : vertical_.taps.phases) {
      for (const std::int64_t column_phase : horizontal_.taps.phases) {
        products_.push_back(phase_product(row_phase, column_phase, weight));
      }
    }
  }

  void run(const T* g, T* dx) const {
    // Between taps that are further apart than they reach lie elements that no output has met.
    if (static_cast<std::int64_t>(vertical_.taps.phases.size()) < s_.stride.height ||
        static_cast<std::int64_t>(horizontal_.taps.phases.size()) < s_.stride.width) {
      std::fill_n(dx, s_.n * s_.in * s_.image.height * s_.image.width, T(0));
    }
    const std::int64_t units = s_.n * s_.groups * runs_.per_image;
    const std::int64_t n = whole_lanes<T>(runs_.length * width_);
    for_each_range(units, group_.out * group_.in * group_.taps * n,
                   [&](std::int64_t first, std::int64_t last) {
                     PoolVector<T> copy(static_cast<std::size_t>(copy_.elements<T>()));
                     PoolVector<T> product(static_cast<std::size_t>(group_.in * n));
                     for (std::int64_t unit = first; unit < last; ++unit) {
                       const std::int64_t image = unit / runs_.per_image;
                       const std::int64_t run = unit % runs_.per_image;
                       copy_.fill(g + image * group_.out * s_.result.height * s_.result.width,
                                  runs_.first(run), copy.data(), runs_.per_image == 1);
                       const std::int64_t columns = whole_lanes<T>(runs_.size(run) * width_);
                       for (const PhaseProduct<T>& phase : products_) {
                         const auto k = static_cast<std::int64_t>(phase.offsets.size());
                         multiply_rows<T>({.m = group_.in,
                                           .n = columns,
                                           .k = k,
                                           .packed = phase.packed.data() + image % s_.groups * group_.in * k,
                                           .base = copy.data(),
                                           .offsets = phase.offsets.data(),
                                           .c = product.data()});
                         store(product.data(), columns, run, phase,
                               dx + image * group_.in * s_.image.height * s_.image.width);
                       }
                     }
                   });
  }

 private:
  PhaseProduct<T> phase_product(std::int64_t row_phase, std::int64_t column_phase, const T* weight) const {
    PhaseProduct<T> result{row_phase, column_phase, {}, {}};
    PoolVector<std::int64_t> elements;  // of the weight, for input channel 0
    for (std::int64_t o = 0; o < group_.out; ++o) {
      for (std::int64_t i = 0; i < s_.kernel.height; ++i) {
        if (vertical_.taps.taps[static_cast<std::size_t>(i)].phase != row_phase) continue;
        for (std::int64_t j = 0; j < s_.kernel.width; ++j) {
          if (horizontal_.taps.taps[static_cast<std::size_t>(j)].phase != column_phase) continue;
          const std::int64_t down = vertical_.taps.max_shift() - vertical_.taps.shift(i);
          const std::int64_t right = horizontal_.taps.max_shift() - horizontal_.taps.shift(j);
          result.offsets.push_back(copy_.plane_at(o, 0, 0) + down * width_ + right);
          elements.push_back(o * group_.in * group_.taps + i * s_.kernel.width + j);
        }
      }
    }
    const auto k = static_cast<std::int64_t>(elements.size());
    result.packed.resize(static_cast<std::size_t>(s_.in * k));
    for (std::int64_t g = 0; g < s_.groups; ++g) {
      pack_left(group_.in, k, weight + g * group_.out * group_.in * group_.taps, group_.taps, elements.data(),
                result.packed.data() + g * group_.in * k);
    }
    return result;
  }

  void store(const T* product, std::int64_t columns, std::int64_t run, const PhaseProduct<T>& phase,
             T* dx) const {
    const std::int64_t step = s_.stride.width;
    // Columns u with 0 <= step * (first + u) + phase - padding < width.
    const std::int64_t start = step * horizontal_.first + phase.column_phase - s_.padding.width;
    const std::int64_t begin = start < 0 ? ceil_div(-start, step) : 0;
    const std::int64_t end =
        std::min(horizontal_.count, start < s_.image.width ? (s_.image.width - 1 - start) / step + 1 : 0);
    for (std::int64_t c = 0; c < group_.in; ++c) {
      for (std::int64_t r = 0; r < runs_.size(run); ++r) {
        const std::int64_t q = vertical_.first + runs_.first(run) + r;
        const std::int64_t y = s_.stride.height * q + phase.row_phase - s_.padding.height;
        if (y < 0 || y >= s_.image.height) continue;
        const T* from = product + c * columns + r * width_;
        T* to = dx + (c * s_.image.height + y) * s_.image.width + start;
        if (step == 1) {
          copy_short(from + begin, end - begin, to + begin);
        } else {
          for (std::int64_t u = begin; u < end; ++u) to[u * step] = from[u];
        }
      }
    }
  }

  Conv2dSizes s_;
  Group group_;
  GradSide vertical_;
  GradSide horizontal_;
  std::int64_t width_;
  Runs runs_;
  PaddedImages copy_;
  PoolVector<PhaseProduct<T>> products_;
};

template <class T>
class WeightGrad {
 public:
  explicit WeightGrad(const Conv2dSizes& sizes)
      : s_(sizes),
        group_(sizes),
        k_(group_.in * group_.taps),
        vertical_(s_.kernel.height, s_.stride.height, s_.dilation.height),
        horizontal_(s_.kernel.width, s_.stride.width, s_.dilation.width),
        width_(s_.result.width + horizontal_.max_shift()),
        runs_(T{}, s_.result.height,
              width_ * (group_.out + group_.in * static_cast<std::int64_t>(vertical_.phases.size() *
                                                                           horizontal_.phases.size()))),
        copy_(padded_input(s_, vertical_, horizontal_, runs_.length)),
        offsets_(row_offsets(copy_, vertical_, horizontal_)),
        columns_(whole_lanes<T>(runs_.length * width_)),
        together_(
            std::clamp<std::int64_t>(row_dots_columns<T>() / std::max<std::int64_t>(columns_, 1), 1, 16)) {}

  void run(const T* x, const T* g, T* dw) const {
    const std::int64_t units = s_.n * runs_.per_image;
    const std::int64_t elements = s_.out * k_;
    const std::int64_t room =
        gradient_parts_bytes / static_cast<std::int64_t>(sizeof(T)) / std::max<std::int64_t>(elements, 1);
    const std::int64_t most = std::clamp<std::int64_t>(room, 2, gradient_parts);
    // A part is worth a tile, at least.
    const std::int64_t worth = ceil_div(tile_work, std::max<std::int64_t>(elements * columns_, 1));
    const std::int64_t per_part = std::max(ceil_div(units, most), worth);
    const std::int64_t parts = ceil_div(units, per_part);
    PoolVector<T> sums(static_cast<std::size_t>(parts * elements));  // zeros
    for_each_tile(parts, [&](std::int64_t part) {
      add_units(x, g, part * per_part, std::min((part + 1) * per_part, units), sums.data() + part * elements);
    });
    std::fill_n(dw, elements, T(0));
    for (std::int64_t part = 0; part < parts; ++part) {
      const T* from = sums.data() + part * elements;
      for (std::int64_t e = 0; e < elements; ++e) dw[e] += from[e];
    }
  }

 private:
  void add_units(const T* x, const T* g, std::int64_t first, std::int64_t last, T* dw) const {
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
          finite = finite && all_finite(copy, copy_elements);
          spread(g + image * group_.out * s_.result.height * s_.result.width, run,
                 cotangents.data() + q * group_.out * columns_);
        }
        const RowDots<T> dots{.m = group_.out,
                              .n = columns_,
                              .k = k_,
                              .count = count,
                              .a = cotangents.data(),
                              .base = copies.data(),
                              .base_stride = copy_elements,
                              .offsets = offsets_.data(),
                              .c = dw + group * group_.out * k_};
        if (finite) {
          add_row_dots(dots);
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

  static bool all_finite(const T* values, std::int64_t n) {
    Lane<T> sum(T(0));
    for (std::int64_t i = 0; i < n; i += static_cast<std::int64_t>(Lane<T>::width))
      sum += Lane<T>::load(values + i) * 0;  // inf * 0 is NaN
    return all(sum == 0);
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
      add_row_dots(dots);
    }
  }

  Conv2dSizes s_;
  Group group_;
  std::int64_t k_;
  Taps vertical_;
  Taps horizontal_;
  std::int64_t width_;
  Runs runs_;
  PaddedImages copy_;
  PoolVector<std::int64_t> offsets_;
  std::int64_t columns_;   // of a run, in whole lanes
  std::int64_t together_;  // runs whose products are summed in registers
};

}  // namespace

void conv2d(const Conv2dSizes& sizes, const Array& x, const Array& weight, const Array* bias, Array& y) {
  visit_floating(x.dtype, [&](auto zero) {
    using T = decltype(zero);
    Forward<T>(sizes, weight.data<T>())
        .run(x.data<T>(), bias == nullptr ? nullptr : bias->data<T>(), y.mutable_data<T>());
  });
}

void conv2d_input_grad(const Conv2dSizes& sizes, const Array& g, const Array& weight, Array& dx) {
  visit_floating(g.dtype, [&](auto zero) {
    using T = decltype(zero);
    InputGrad<T>(sizes, weight.data<T>()).run(g.data<T>(), dx.mutable_data<T>());
  });
}

void conv2d_weight_grad(const Conv2dSizes& sizes, const Array& x, const Array& g, Array& dw) {
  visit_floating(x.dtype, [&](auto zero) {
    using T = decltype(zero);
    WeightGrad<T>(sizes).run(x.data<T>(), g.data<T>(), dw.mutable_data<T>());
  });
}

}  // namespace detail
}  // namespace v1
}  // namespace xtgrad
