#include "xtgrad/autograd/kernels/conv2d_input_grad.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <optional>
#include <utility>

#include "xtgrad/autograd/kernels/conv2d_input_fold.h"
#include "xtgrad/autograd/kernels/conv2d_parts.h"
#include "xtgrad/autograd/kernels/conv2d_places.h"
#include "xtgrad/autograd/kernels/copy_short.h"
#include "xtgrad/autograd/kernels/gemm.h"

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

/// A function of its own, for there are no registers left where it is called.
template <class T>
[[gnu::noinline]] void put_apart(const T* from, std::int64_t n, T* __restrict to, std::int64_t step) {
  for (const T* end = from + n; from != end; ++from, to += step) *to = *from;
}

/// A pair of phases.
struct Phases {
  std::int64_t row;
  std::int64_t start;                 // column of the image that the first place of a row is
  PlaceRange inside;                  // places of a row that are columns of the image
  PoolVector<std::int64_t> elements;  // of a kernel: its taps
};

/// The pairs of phases whose taps meet the same elements of the cotangent, and their weights.
template <class T>
struct PhaseProduct {
  PoolVector<std::int64_t> views;  // of the taps, in a padded cotangent
  PoolVector<std::int64_t> rows;   // [k]: the same in those of all channels
  PoolVector<Phases> phases;
  PoolVector<T> weight;  // [groups, in, phases, k]
  const T* left = nullptr;
  std::int64_t left_row = 0, left_column = 0;
};

template <class T>
class InputGrad {
 public:
  InputGrad(const Conv2dSizes& sizes, const T* weight)
      : s_(sizes),
        group_(sizes),
        vertical_(s_.rows(), s_.image.height, s_.result.height),
        horizontal_(s_.columns(), s_.image.width, s_.result.width),
        pairs_(static_cast<std::int64_t>(vertical_.taps.phases.size() * horizontal_.taps.phases.size())),
        runs_(T{}, vertical_.count, horizontal_.cotangent.length * (group_.in * pairs_ + group_.out)),
        copy_{.channels = group_.out, .rows = vertical_.cotangent, .columns = horizontal_.cotangent} {
    copy_.rows.length = runs_.length + vertical_.taps.max_shift();
    places_.emplace(T{}, s_.n, group_.in * pairs_, horizontal_.count, vertical_.taps.max_shift(), runs_,
                    copy_);
    if (places_->is_direct()) copy_.rows.length = copy_.rows.size;
    for (const std::int64_t row : vertical_.taps.phases) {
      for (const std::int64_t column : horizontal_.taps.phases) add_phases(row, column);
    }
    for (PhaseProduct<T>& product : products_) lay_out_weight(product, weight);
  }

  /// Returns false if a weight is infinite or NaN, or if a product is for another reason.
  [[nodiscard]] bool run(const T* g, T* dx) const {
    std::atomic<bool> finite = true;
    // Between taps that are further apart than they reach lie elements that no output has met.
    if (pairs_ < s_.stride.height * s_.stride.width)
      std::fill_n(dx, s_.n * s_.in * s_.image.height * s_.image.width, T(0));
    const std::int64_t units = s_.n * runs_.per_image;
    const std::int64_t chunks = ceil_div(units, places_->together());
    const std::int64_t terms = group_.out * vertical_.taps.count() * horizontal_.taps.count();
    const ChannelRanges ranges(group_.in, chunks * s_.groups, places_->columns() * terms);
    const std::int64_t work = ranges.size() * terms * places_->columns();
    for_each_range(chunks * s_.groups * ranges.count(), work, [&](std::int64_t first, std::int64_t last) {
      PlaceProduct<T> product(*places_, copy_, ranges.size() * most_phases_, most_terms_);
      for (std::int64_t i = first; i < last; ++i) {
        const std::int64_t g_index = i / ranges.count() % s_.groups;
        const std::int64_t unit = i / ranges.count() / s_.groups * places_->together();
        const std::int64_t count = std::min(places_->together(), units - unit);
        product.take(unit, count, [&](std::int64_t u) {
          const std::int64_t image = u / runs_.per_image * s_.groups + g_index;
          return g + image * group_.out * s_.result.height * s_.result.width;
        });
        for (const PhaseProduct<T>& phases : products_) {
          if (!multiply(product, phases, g_index, ranges.at(i % ranges.count()), unit, count, dx))
            finite.store(false, std::memory_order_relaxed);
        }
      }
    });
    return finite;
  }

 private:
  /// To the product whose taps meet the same elements, if there is one.
  void add_phases(std::int64_t row_phase, std::int64_t column_phase) {
    const std::int64_t step = s_.stride.width;
    const std::int64_t start = step * horizontal_.first + column_phase - s_.padding.width;
    const std::int64_t begin = start < 0 ? ceil_div(-start, step) : 0;
    const std::int64_t end = start < s_.image.width ? (s_.image.width - 1 - start) / step + 1 : 0;
    Phases phases{row_phase, start, {begin, std::min(horizontal_.count, end)}, {}};
    PoolVector<std::int64_t> views;
    for (const Tap& row : vertical_.taps.taps) {
      if (row.phase != row_phase) continue;
      for (const Tap& column : horizontal_.taps.taps) {
        if (column.phase != column_phase) continue;
        phases.elements.push_back(row.element * s_.kernel.width + column.element);
        const std::int64_t down = vertical_.taps.max_shift() - row.shift;
        const std::int64_t right = horizontal_.taps.max_shift() - column.shift;
        views.push_back(down * copy_.columns.length + right);
      }
    }
    auto same = std::find_if(products_.begin(), products_.end(),
                             [&](const PhaseProduct<T>& product) { return product.views == views; });
    if (same == products_.end()) {
      PhaseProduct<T>& added = products_.emplace_back();
      added.views = std::move(views);
      for (std::int64_t o = 0; o < group_.out; ++o) {
        for (const std::int64_t view : added.views) added.rows.push_back(copy_.plane_at(o, 0, 0) + view);
      }
      most_terms_ = std::max(most_terms_, static_cast<std::int64_t>(added.rows.size()));
      same = products_.end() - 1;
    }
    same->phases.push_back(std::move(phases));
    most_phases_ = std::max(most_phases_, static_cast<std::int64_t>(same->phases.size()));
  }

  /// weight[o, c, tap] as [c, phase, (o, tap)], but for kernels of one element, whose rows are columns there.
  void lay_out_weight(PhaseProduct<T>& product, const T* weight) const {
    if (group_.taps == 1) {
      product.left = weight;
      product.left_row = 1;
      product.left_column = group_.in;
      return;
    }
    const auto k = static_cast<std::int64_t>(product.rows.size());
    const auto count = static_cast<std::int64_t>(product.phases.size());
    product.weight.resize(static_cast<std::size_t>(s_.in * count * k));
    for (std::int64_t g = 0; g < s_.groups; ++g) {
      T* to = product.weight.data() + g * group_.in * count * k;
      for (const Phases& phases : product.phases) {
        lay_out_phase(weight + g * group_.out * group_.in * group_.taps, phases.elements, to, count * k, k);
        to += k;
      }
    }
    product.left = product.weight.data();
    product.left_row = k;
    product.left_column = 1;
  }

  /// weight[o, c, elements] as rows c, a few channels at a time: what is written and read stays near.
  void lay_out_phase(const T* weight, const PoolVector<std::int64_t>& elements, T* rows, std::int64_t row,
                     std::int64_t k) const {
    constexpr std::int64_t few = 16;
    const auto taps = static_cast<std::int64_t>(elements.size());
    for (std::int64_t c0 = 0; c0 < group_.in; c0 += few) {
      const std::int64_t c1 = std::min(c0 + few, group_.in);
      for (std::int64_t at = 0; at < k; at += taps) {
        const T* filter = weight + at / taps * group_.in * group_.taps;
        for (std::int64_t c = c0; c < c1; ++c) {
          const T* from = filter + c * group_.taps;
          T* to = rows + c * row + at;
          if (taps == group_.taps) {
            copy_short(from, taps, to);
          } else {
            for (const std::int64_t element : elements) *to++ = from[element];
          }
        }
      }
    }
  }

  /// Returns false if a weight may be infinite or NaN.
  bool multiply(PlaceProduct<T>& product, const PhaseProduct<T>& phases, std::int64_t g, PlaceRange channels,
                std::int64_t unit, std::int64_t count, T* dx) const {
    const auto k = static_cast<std::int64_t>(phases.rows.size());
    const auto pairs = static_cast<std::int64_t>(phases.phases.size());
    const std::int64_t channel = g * group_.in + channels.first;
    const std::int64_t rows = (channels.last - channels.first) * pairs;
    const T* left = phases.left + (phases.left_column == 1 ? channel * pairs * k
                                                           : g * group_.out * group_.in + channels.first);
    product.multiply({.m = rows,
                      .k = k,
                      .a = left,
                      .a_row = phases.left_row,
                      .a_column = phases.left_column,
                      .rows = phases.rows.data()});
    bool finite = true;
    // A weight takes part in all columns of its row, so the first tells whether one may be infinite.
    for (std::int64_t i = 0; i < rows; ++i) finite = finite && std::isfinite(*product.places_of(i, 0));
    for (std::int64_t q = 0; q < count; ++q) {
      const std::int64_t run = (unit + q) % runs_.per_image;
      T* image = dx + ((unit + q) / runs_.per_image * s_.in + channel) * s_.image.height * s_.image.width;
      for (std::int64_t i = 0; i < rows; image += s_.image.height * s_.image.width) {
        for (const Phases& pair : phases.phases) store(product.places_of(i++, q), run, pair, image);
      }
    }
    return finite;
  }

  /// A run of places of one phase, of an image's channel.
  void store(const T* from, std::int64_t run, const Phases& phases, T* dx) const {
    const std::int64_t step = s_.stride.width;
    const auto [begin, end] = phases.inside;
    for (std::int64_t r = 0; r < runs_.size(run); ++r, from += places_->row()) {
      const std::int64_t q = vertical_.first + runs_.first(run) + r;
      const std::int64_t y = s_.stride.height * q + phases.row - s_.padding.height;
      if (y < 0 || y >= s_.image.height) continue;
      T* to = dx + y * s_.image.width + phases.start;
      if (step == 1) {
        copy_short(from + begin, end - begin, to + begin);
      } else {
        put_apart(from + begin, end - begin, to + begin * step, step);
      }
    }
  }

  Conv2dSizes s_;
  ConvGroup group_;
  GradSide vertical_;
  GradSide horizontal_;
  std::int64_t pairs_;  // of phases
  RowRuns runs_;
  PaddedImages copy_;
  std::optional<Places> places_;
  PoolVector<PhaseProduct<T>> products_;
  std::int64_t most_phases_ = 0;  // of one product
  std::int64_t most_terms_ = 0;
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
    if (sizes.is_product()) {
      gemm({.m = sizes.n, .n = dx.numel() / sizes.n, .k = sizes.out}, g.data<T>(), w, dx.mutable_data<T>());
      return;
    }
    if (folding_is_cheaper(sizes)) {
      conv2d_input_fold(sizes, g.data<T>(), w, dx.mutable_data<T>());
      return;
    }
    // Looking through the weights first would take a twentieth of the time of a small batch.
    if (InputGrad<T>(sizes, w).run(g.data<T>(), dx.mutable_data<T>())) return;
    const bool finite = std::all_of(w, w + weight.numel(), [](T value) { return std::isfinite(value); });
    if (!finite) input_grad_by_terms(sizes, g.data<T>(), w, dx.mutable_data<T>());
  });
}

}  // namespace xtgrad::v1::detail
