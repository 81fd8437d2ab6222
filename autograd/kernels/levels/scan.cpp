#include "xtgrad/autograd/kernels/levels/scan.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <type_traits>

#include "xtgrad/autograd/core/dtype_visit.h"
#include "xtgrad/autograd/kernels/parallel.h"

namespace xtgrad::inline v1::detail::inline XTGRAD_LEVEL {
namespace {

/// Elements that one unit of work reads.
constexpr std::int64_t unit_elements = 1 << 16;
/// Columns scanned side by side, whose states stay in the first-level cache.
constexpr std::int64_t most_columns = 256;
/// Rows scanned side by side: each waits for its last sum, so there should be some, but rows of a power of
/// two share cache sets, and of these each has room for eight lines.
constexpr int rows_abreast = 4;

std::int64_t ceil_div(std::int64_t a, std::int64_t b) { return (a + b - 1) / b; }

/// What states are kept in. int64 goes through here as uint64, whose overflow is defined.
template <class T>
using State = std::conditional_t<std::is_floating_point_v<T>, double, T>;

/// Lines that are scanned side by side.
struct Strip {
  std::int64_t first;    // the element of the first line that is met first
  std::int64_t abreast;  // lines
  std::int64_t apart;    // from one line to the next
  std::int64_t step;     // along a line
  std::int64_t length;   // of a line
};

/// Calls `body(strip)` for strips that cover the view, on several threads where there is much to do.
template <class F>
void for_each_strip(AxisView view, bool reverse, F&& body) {
  if (view.outer == 0 || view.axis == 0 || view.inner == 0) return;
  // Lines of one element are neighbours.
  if (view.axis == 1) view = {1, 1, view.outer * view.inner};
  const bool are_rows = view.inner == 1;
  const std::int64_t lines = are_rows ? view.outer : view.inner;
  const std::int64_t width = are_rows ? rows_abreast : most_columns;
  const std::int64_t strips = ceil_div(lines, width);
  const std::int64_t units = are_rows ? strips : view.outer * strips;
  const std::int64_t per_tile =
      std::max<std::int64_t>(1, unit_elements / (view.axis * std::min(width, lines)));
  const std::int64_t start = reverse ? (view.axis - 1) * view.inner : 0;
  for_each_tile(ceil_div(units, per_tile), [&](std::int64_t tile) {
    const std::int64_t last = std::min(units, (tile + 1) * per_tile);
    for (std::int64_t unit = tile * per_tile; unit < last; ++unit) {
      const std::int64_t line = unit % strips * width;
      const std::int64_t block = unit / strips * view.axis * view.inner;
      const std::int64_t apart = are_rows ? view.axis : 1;
      body(Strip{.first = block + start + line * apart,
                 .abreast = std::min(width, lines - line),
                 .apart = apart,
                 .step = reverse ? -view.inner : view.inner,
                 .length = view.axis});
    }
  });
}

/// Calls `meet(k, element, is_first)` for the lines k of a strip, place by place. Of `Lines` lines, where
/// that is not 0, so that their states are registers.
template <int Lines, bool AreColumns, class F>
void walk_lines(const Strip& strip, F&& meet) {
  const std::int64_t lines = Lines == 0 ? strip.abreast : Lines;
  const std::int64_t apart = AreColumns ? 1 : strip.apart;
  std::int64_t at = strip.first;
  for (std::int64_t k = 0; k < lines; ++k) meet(k, at + k * apart, std::true_type{});
  for (std::int64_t a = 1; a < strip.length; ++a) {
    at += strip.step;
    for (std::int64_t k = 0; k < lines; ++k) meet(k, at + k * apart, std::false_type{});
  }
}

/// `scan(states, strip)`: the same for a scan whose lines have states of one kind. `put(state, in..., first)`
/// gives the result, and changes the state, which is `none` at first.
template <class S, class Out, class Put, class... In>
void scan_lines(const AxisView& view, bool reverse, S none, Put put, Out* __restrict out, const In*... in) {
  for_each_strip(view, reverse, [&](const Strip& strip) {
    if (strip.apart == 1 && strip.abreast > 1) {
      std::array<S, most_columns> states;
      std::fill_n(states.begin(), strip.abreast, none);
      S* const state = states.data();
      return walk_lines<0, true>(strip, [&, out](std::int64_t k, std::int64_t at, auto first) {
        out[at] = put(state[k], in[at]..., first);
      });
    }
    if (strip.abreast == rows_abreast) {
      std::array<S, rows_abreast> states;
      states.fill(none);
      return walk_lines<rows_abreast, false>(strip, [&, out](std::int64_t k, std::int64_t at, auto first) {
        out[at] = put(states[static_cast<std::size_t>(k)], in[at]..., first);
      });
    }
    for (std::int64_t line = 0; line < strip.abreast; ++line) {
      Strip one = strip;
      one.first += line * strip.apart;
      S state = none;
      walk_lines<1, false>(one, [&, out](std::int64_t, std::int64_t at, auto first) {
        out[at] = put(state, in[at]..., first);
      });
    }
  });
}

struct Plus {
  static constexpr int none = 0;
  static void join(auto& state, auto v) { state += v; }
};
struct Times {
  static constexpr int none = 1;
  static void join(auto& state, auto v) { state *= v; }
};

template <class Join, class T>
void cumulate(const T* in, const AxisView& view, ScanOrder order, T* out) {
  using S = State<T>;
  if (order.exclusive) {
    scan_lines(
        view, order.reverse, S(Join::none),
        [](S& state, T v, auto) {
          const T before = static_cast<T>(state);
          Join::join(state, static_cast<S>(v));
          return before;
        },
        out, in);
  } else {
    scan_lines(
        view, order.reverse, S(Join::none),
        [](S& state, T v, auto) {
          Join::join(state, static_cast<S>(v));
          return static_cast<T>(state);
        },
        out, in);
  }
}

template <class Join>
void cumulate_axis(const Array& in, const AxisView& view, ScanOrder order, Array& out) {
  if (in.dtype == Dtype::int64) {
    cumulate<Join>(in.data<std::uint64_t>(), view, order, out.mutable_data<std::uint64_t>());
    return;
  }
  visit_floating(in.dtype, [&](auto zero) {
    using T = decltype(zero);
    cumulate<Join>(in.data<T>(), view, order, out.mutable_data<T>());
  });
}

struct Larger {
  static bool beats(auto a, auto b) { return a > b; }
};
struct Smaller {
  static bool beats(auto a, auto b) { return a < b; }
};

template <class T>
struct Best {
  T value;
  std::int64_t place;
};

template <class Order, class T>
void best_so_far(const T* in, const AxisView& view, bool reverse, T* __restrict best,
                 std::int64_t* __restrict index) {
  for_each_strip(view, reverse, [&](const Strip& strip) {
    std::array<Best<T>, most_columns> bests;
    std::int64_t place = reverse ? strip.length - 1 : 0;
    const std::int64_t step = reverse ? -1 : 1;
    std::int64_t at = strip.first;
    for (std::int64_t a = 0; a < strip.length; ++a, at += strip.step, place += step) {
      for (std::int64_t k = 0; k < strip.abreast; ++k) {
        const std::int64_t here = at + k * strip.apart;
        const T v = in[here];
        Best<T>& so_far = bests[static_cast<std::size_t>(k)];
        // No branches: which element is the best nobody can guess.
        const bool takes =
            a == 0 || (static_cast<int>(Order::beats(v, so_far.value)) |
                       (static_cast<int>(v != v) & static_cast<int>(so_far.value == so_far.value)));
        so_far.value = takes ? v : so_far.value;
        so_far.place = takes ? place : so_far.place;
        best[here] = so_far.value;
        index[here] = so_far.place;
      }
    }
  });
}

template <class Order>
void best_so_far_axis(const Array& in, const AxisView& view, bool reverse, Array& best, Array& index) {
  visit_numeric(in.dtype, [&](auto zero) {
    using T = decltype(zero);
    best_so_far<Order>(in.data<T>(), view, reverse, best.mutable_data<T>(),
                       index.mutable_data<std::int64_t>());
  });
}

/// The largest logarithm so far, and the sum of exponentials of what differs from it.
struct Exponentials {
  double largest = -std::numeric_limits<double>::infinity();
  double sum = 0;

  double add(double x) {
    if (x > largest) {
      sum = sum * std::exp(largest - x) + 1;
      largest = x;
    } else {
      sum += x == largest ? 1 : std::exp(x - largest);  // also of infinities, whose difference is NaN
    }
    return largest + std::log(sum);
  }
};

}  // namespace

void cumsum_axis(const Array& in, const AxisView& view, ScanOrder order, Array& out) {
  cumulate_axis<Plus>(in, view, order, out);
}

void cumprod_axis(const Array& in, const AxisView& view, ScanOrder order, Array& out) {
  cumulate_axis<Times>(in, view, order, out);
}

void linear_scan_axis(const Array& a, const Array& b, const AxisView& view, bool reverse, bool lagged,
                      Array& out) {
  visit_floating(a.dtype, [&](auto zero) {
    using T = decltype(zero);
    const T *factors = a.data<T>(), *terms = b.data<T>();
    T* const to = out.mutable_data<T>();
    // The first result is its term alone: no factor, which may be infinite, meets a 0 that is not there.
    if (lagged) {
      scan_lines(
          view, reverse, 0.0,
          [](double& carry, T factor, T term, auto first) {
            const double y = first ? static_cast<double>(term) : static_cast<double>(term) + carry;
            carry = static_cast<double>(factor) * y;
            return static_cast<T>(y);
          },
          to, factors, terms);
    } else {
      scan_lines(
          view, reverse, 0.0,
          [](double& y, T factor, T term, auto first) {
            y = first ? static_cast<double>(term)
                      : static_cast<double>(term) + static_cast<double>(factor) * y;
            return static_cast<T>(y);
          },
          to, factors, terms);
    }
  });
}

void cummax_axis(const Array& in, const AxisView& view, bool reverse, Array& best, Array& index) {
  best_so_far_axis<Larger>(in, view, reverse, best, index);
}

void cummin_axis(const Array& in, const AxisView& view, bool reverse, Array& best, Array& index) {
  best_so_far_axis<Smaller>(in, view, reverse, best, index);
}

void logcumsumexp_axis(const Array& in, const AxisView& view, bool reverse, Array& out) {
  visit_floating(in.dtype, [&](auto zero) {
    using T = decltype(zero);
    scan_lines(
        view, reverse, Exponentials{},
        [](Exponentials& sum, T v, auto) { return static_cast<T>(sum.add(static_cast<double>(v))); },
        out.mutable_data<T>(), in.data<T>());
  });
}

}  // namespace xtgrad::v1::detail
