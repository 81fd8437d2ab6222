#include "xtgrad/autograd/kernels/conv2d_input_grad.h"

#include <algorithm>
#include <atomic>
#include <cmath>

#include "xtgrad/autograd/kernels/conv2d_parts.h"
#include "xtgrad/autograd/kernels/copy_short.h"

namespace xtgrad::inline v1::detail {
namespace {

/// One side of the input's gradient. The padded image's element stride * q + phase gets, from each tap of
/// that phase, the cotangent's element q - shift.
struct GradSide {
  GradSide(const WindowSide& window, std::int64_t size, std::int64_t result)
      : taps(window, size, result),
        first(window.padding / window.stride),
        count(size == 0 ? 0 : (window.padding + size - 1) / window.stride - first + 1),
        cotangent{.size = result,
                  .length = count + taps.max_shift(),
                  .padding = taps.first_shift + taps.max_shift() - first} {}

  Taps taps;
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
        vertical_(s_.rows(), s_.image.height, s_.result.height),
        horizontal_(s_.columns(), s_.image.width, s_.result.width),
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

  /// Returns false if a weight is infinite or NaN, or if a product is for another reason.
  [[nodiscard]] bool run(const T* g, T* dx) const {
    std::atomic<bool> finite = true;
    // Between taps that are further apart than they reach lie elements that no output has met.
    if (static_cast<std::int64_t>(vertical_.taps.phases.size()) < s_.stride.height ||
        static_cast<std::int64_t>(horizontal_.taps.phases.size()) < s_.stride.width) {
      std::fill_n(dx, s_.n * s_.in * s_.image.height * s_.image.width, T(0));
    }
    const std::int64_t units = s_.n * s_.groups * runs_.per_image;
    const std::int64_t n = whole_lanes<T>(runs_.length * width_);
    const std::int64_t taps = vertical_.taps.count() * horizontal_.taps.count();
    for_each_range(units, group_.out * group_.in * taps * n, [&](std::int64_t first, std::int64_t last) {
      PoolVector<T> copy(static_cast<std::size_t>(copy_.elements<T>()));
      PoolVector<T> product(static_cast<std::size_t>(group_.in * n));
      for (std::int64_t unit = first; unit < last; ++unit) {
        const std::int64_t image = unit / runs_.per_image;
        const std::int64_t run = unit % runs_.per_image;
        copy_.fill(g + image * group_.out * s_.result.height * s_.result.width, runs_.first(run), copy.data(),
                   runs_.per_image == 1);
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
          // A weight takes part in all columns of its row, so the first tells whether one may be infinite.
          for (std::int64_t c = 0; c < group_.in; ++c) {
            if (!std::isfinite(product[static_cast<std::size_t>(c * columns)]))
              finite.store(false, std::memory_order_relaxed);
          }
          store(product.data(), columns, run, phase,
                dx + image * group_.in * s_.image.height * s_.image.width);
        }
      }
    });
    return finite;
  }

 private:
  PhaseProduct<T> phase_product(std::int64_t row_phase, std::int64_t column_phase, const T* weight) const {
    PhaseProduct<T> result{row_phase, column_phase, {}, {}};
    PoolVector<std::int64_t> elements;  // of the weight, for input channel 0
    for (std::int64_t o = 0; o < group_.out; ++o) {
      for (const Tap& row : vertical_.taps.taps) {
        if (row.phase != row_phase) continue;
        for (const Tap& column : horizontal_.taps.taps) {
          if (column.phase != column_phase) continue;
          const std::int64_t down = vertical_.taps.max_shift() - row.shift;
          const std::int64_t right = horizontal_.taps.max_shift() - column.shift;
          result.offsets.push_back(copy_.plane_at(o, 0, 0) + down * width_ + right);
          elements.push_back(o * group_.in * group_.taps + row.element * s_.kernel.width + column.element);
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
  ConvGroup group_;
  GradSide vertical_;
  GradSide horizontal_;
  std::int64_t width_;
  RowRuns runs_;
  PaddedImages copy_;
  PoolVector<PhaseProduct<T>> products_;
};

/// dx += weight * g for one element of the kernel and one pair of channels, at the outputs where it meets the
/// image.
template <class T>
void add_term(const Conv2dSizes& s, const Size2d& tap, T weight, const T* g, T* dx) {
  const PlaceRange rows = places_inside(s.rows(), tap.height, s.image.height, s.result.height);
  const PlaceRange columns = places_inside(s.columns(), tap.width, s.image.width, s.result.width);
  for (std::int64_t i = rows.first; i < rows.last; ++i) {
    const T* from = g + i * s.result.width;
    T* to = dx + (i * s.stride.height + s.rows().offset(tap.height)) * s.image.width;
    for (std::int64_t j = columns.first; j < columns.last; ++j)
      to[j * s.stride.width + s.columns().offset(tap.width)] += weight * from[j];
  }
}

/// InputGrad multiplies weights with zeros around the cotangent, too, where an image's element has no such
/// term. For a weight that is infinite or NaN these would not be 0: here every term is one that there is.
template <class T>
void input_grad_by_terms(const Conv2dSizes& s, const T* g, const T* weight, T* dx) {
  const ConvGroup group(s);
  const std::int64_t plane = s.image.height * s.image.width;
  const std::int64_t cotangents = s.result.height * s.result.width;
  const std::int64_t work = group.out * group.in * group.taps * cotangents;
  for_each_range(s.n * s.groups, work, [&](std::int64_t first, std::int64_t last) {
    for (std::int64_t unit = first; unit < last; ++unit) {
      T* image = dx + unit * group.in * plane;
      std::fill_n(image, group.in * plane, T(0));
      for (std::int64_t o = 0; o < group.out; ++o) {
        const T* from = g + (unit * group.out + o) * cotangents;
        const T* filter = weight + (unit % s.groups * group.out + o) * group.in * group.taps;
        for (std::int64_t e = 0; e < group.in * group.taps; ++e) {
          const std::int64_t tap = e % group.taps;
          add_term<T>(s, {tap / s.kernel.width, tap % s.kernel.width}, filter[e], from,
                      image + e / group.taps * plane);
        }
      }
    }
  });
}

}  // namespace

void conv2d_input_grad(const Conv2dSizes& sizes, const Array& g, const Array& weight, Array& dx) {
  if (dx.numel() == 0) return;
  visit_floating(g.dtype, [&](auto zero) {
    using T = decltype(zero);
    const T* w = weight.data<T>();
    // Looking through the weights first would take a twentieth of the time of a small batch.
    if (InputGrad<T>(sizes, w).run(g.data<T>(), dx.mutable_data<T>())) return;
    const bool finite = std::all_of(w, w + weight.numel(), [](T value) { return std::isfinite(value); });
    if (!finite) input_grad_by_terms(sizes, g.data<T>(), w, dx.mutable_data<T>());
  });
}

}  // namespace xtgrad::v1::detail
