#include "xtgrad/autograd/kernels/point_samples.h"

#include <algorithm>
#include <vector>

#include "xtgrad/autograd/kernels/broadcast.h"
#include "xtgrad/autograd/kernels/long_sum.h"
#include "xtgrad/autograd/kernels/parallel.h"
#include "xtgrad/autograd/memory/pool_allocator.h"

namespace xtgrad::inline v1::detail {
namespace {

/// Points that are worked on together: what is known of their pixels stays in cache for all channels.
constexpr std::int64_t block_points = 64;
constexpr std::int64_t largest_box = 16;
constexpr std::int64_t outside = -1;
/// Channels whose images are added to together, for what is found once of each point's pixels.
constexpr std::int64_t channel_group = 8;

template <class T>
using List = std::vector<T, PoolAllocator<T>>;

/// i wrapped into a period.
std::int64_t modulo(std::int64_t i, std::int64_t period) {
  const std::int64_t rest = i % period;
  return rest < 0 ? rest + period : rest;
}

/// Where an index beyond a side lies on it.
std::int64_t on_side(std::int64_t i, std::int64_t side, const PointSamples& at) {
  if (at.padding == GridPadding::border) return std::clamp<std::int64_t>(i, 0, side - 1);
  if (side == 1) return 0;
  const std::int64_t period = at.align_corners ? 2 * (side - 1) : 2 * side;
  const std::int64_t place = modulo(i, period);
  return place < side ? place : (at.align_corners ? period : period - 1) - place;
}

/// Some neighbouring points of a sample, and where their pixels are in a plane.
struct Block {
  using Places = std::array<std::int64_t, block_points>;

  std::int64_t first = 0;  // point
  std::int64_t count = 0;
  std::array<Places, largest_box> pixels{};

  /// Of the corners [directions, points] of a sample.
  template <class T>
  [[gnu::noinline]] void find(const PointSamples& at, const T* corners, std::int64_t first_point) {
    constexpr T far = 1 << 30;
    first = first_point;
    count = std::min(block_points, at.points - first);
    pixels[0].fill(0);
    std::int64_t boxes = 1;
    for (std::size_t d = 0; d < at.directions; ++d, boxes *= at.box_side) {
      const T* from = corners + static_cast<std::int64_t>(d) * at.points + first;
      Places whole;
      for (std::int64_t b = 0; b < count; ++b) {
        const bool is_near = from[b] >= -far && from[b] <= far;  // and not NaN
        whole[index(b)] = is_near ? static_cast<std::int64_t>(from[b]) : nowhere;
      }
      append(at, d, whole, boxes);
    }
  }

 private:
  static constexpr std::int64_t nowhere = std::int64_t{-1} << 40;
  static std::size_t index(std::int64_t i) { return static_cast<std::size_t>(i); }

  /// From places in `boxes` pixels of the slower directions to those in this one, too; backwards, since they
  /// are where the result will be.
  [[gnu::noinline]] void append(const PointSamples& at, std::size_t d, const Places& corners,
                                std::int64_t boxes) {
    std::array<Places, 4> on;
    for (std::int64_t k = 0; k < at.box_side; ++k) find_on_side(at, at.sides[d], corners, k, on[index(k)]);
    const std::int64_t side = at.sides[d];
    for (std::int64_t box = boxes; box-- > 0;) {
      const Places slower = pixels[index(box)];
      for (std::int64_t k = at.box_side; k-- > 0;) {
        const Places& here = on[index(k)];
        Places& to = pixels[index(box * at.box_side + k)];
        for (std::size_t b = 0; b < index(count); ++b) {
          const std::int64_t none = (slower[b] | here[b]) >> 63;  // `outside` if either is, else 0
          to[b] = (slower[b] * side + here[b]) | none;
        }
      }
    }
  }
  /// The k-th place from each corner on.
  void find_on_side(const PointSamples& at, std::int64_t side, const Places& corners, std::int64_t k,
                    Places& places) const {
    for (std::size_t b = 0; b < index(count); ++b) {
      const std::int64_t place = corners[b] + k;
      places[b] = place >= 0 && place < side ? place : outside;
    }
    if (at.padding == GridPadding::zeros) return;
    for (std::size_t b = 0; b < index(count); ++b) {
      if (places[b] == outside && corners[b] != nowhere) places[b] = on_side(corners[b] + k, side, at);
    }
  }
};

/// A pixel, and 0 outside: without a branch, which points beyond an image would mispredict.
template <class T>
T pixel_at(const T* plane, std::int64_t pixel) {
  const T value = plane[pixel == outside ? 0 : pixel];
  return pixel == outside ? T(0) : value;
}

template <class T>
void take_block(const PointSamples& at, const Block& block, const T* images, const T* weights, T* y) {
  const std::int64_t plane = at.plane_size(), box = at.box();
  for (std::int64_t c = 0; c < at.c; ++c) {
    std::array<T, block_points> total{};
    // In parts of four, so that no sum has many roundings.
    for (std::int64_t begin = 0; begin < box; begin += 4) {
      std::array<T, block_points> part{};
      for (std::int64_t k = begin; k < std::min(box, begin + 4); ++k) {
        const Block::Places& pixels = block.pixels[static_cast<std::size_t>(k)];
        const T *plane_of_c = images + c * plane, *w = weights + k * at.points + block.first;
        for (std::int64_t b = 0; b < block.count; ++b) {
          const auto i = static_cast<std::size_t>(b);
          part[i] += w[b] * pixel_at(plane_of_c, pixels[i]);
        }
      }
      for (std::size_t b = 0; b < total.size(); ++b) total[b] += part[b];
    }
    std::copy_n(total.begin(), block.count, y + c * at.points + block.first);
  }
}

/// Calls `body(sample, block)` for every block of every sample.
template <class T, class F>
void for_each_block_of(const PointSamples& at, const T* corners, const F& body) {
  const std::int64_t blocks = (at.points + block_points - 1) / block_points;
  const std::int64_t cost = block_points * at.box() * (at.c + 1);
  const std::int64_t per_tile = std::max<std::int64_t>(1, tile_elements / cost);
  const std::int64_t tiles_each = (blocks + per_tile - 1) / per_tile;
  const auto directions = static_cast<std::int64_t>(at.directions);
  for_each_tile(at.n * tiles_each, [&](std::int64_t tile) {
    const std::int64_t sample = tile / tiles_each, first = tile % tiles_each * per_tile;
    Block block;
    for (std::int64_t i = first; i < std::min(blocks, first + per_tile); ++i) {
      block.find(at, corners + sample * directions * at.points, i * block_points);
      body(sample, block);
    }
  });
}

/// True if no pixel of the sample's images is named by more than a few points.
template <class T>
bool few_points_meet(const PointSamples& at, const T* corners) {
  List<std::uint8_t> terms(static_cast<std::size_t>(at.plane_size()), std::uint8_t{0});
  std::uint8_t most = 0;
  Block block;
  for (std::int64_t first = 0; first < at.points && most <= few_terms; first += block_points) {
    block.find(at, corners, first);
    for (std::int64_t k = 0; k < at.box(); ++k) {
      for (std::int64_t b = 0; b < block.count; ++b) {
        const std::int64_t pixel = block.pixels[static_cast<std::size_t>(k)][static_cast<std::size_t>(b)];
        if (pixel == outside) continue;
        std::uint8_t& of_pixel = terms[static_cast<std::size_t>(pixel)];
        of_pixel = static_cast<std::uint8_t>(of_pixel + static_cast<int>(of_pixel <= few_terms));
        most = std::max(most, of_pixel);
      }
    }
  }
  return most <= few_terms;
}

template <class T>
void add_term(T& sum, T term) {
  sum += term;
}
template <class T>
void add_term(LongSum<T>& sum, T term) {
  sum.add(term);
}

/// Adds a sample's points to the planes of some channels.
template <class T, class Sum>
void add_points(const PointSamples& at, std::int64_t channels, const T* g, const T* weights, const T* corners,
                Sum* sums) {
  const std::int64_t plane = at.plane_size(), box = at.box();
  Block block;
  for (std::int64_t first = 0; first < at.points; first += block_points) {
    block.find(at, corners, first);
    for (std::int64_t c = 0; c < channels; ++c) {
      const T* from = g + c * at.points + first;
      Sum* to = sums + c * plane;
      for (std::int64_t k = 0; k < box; ++k) {
        const auto& pixels = block.pixels[static_cast<std::size_t>(k)];
        const T* w = weights + k * at.points + first;
        for (std::int64_t b = 0; b < block.count; ++b) {
          const std::int64_t pixel = pixels[static_cast<std::size_t>(b)];
          if (pixel != outside) add_term(to[pixel], w[b] * from[b]);
        }
      }
    }
  }
}

template <class T>
void put_typed(const PointSamples& at, const T* g, const T* weights, const T* corners, T* x) {
  const auto directions = static_cast<std::int64_t>(at.directions);
  List<std::uint8_t> few(static_cast<std::size_t>(at.n));
  for_each_tile(at.n, [&](std::int64_t sample) {
    few[static_cast<std::size_t>(sample)] =
        few_points_meet(at, corners + sample * directions * at.points) ? 1 : 0;
  });
  const std::int64_t plane = at.plane_size(), groups = (at.c + channel_group - 1) / channel_group;
  for_each_tile(at.n * groups, [&](std::int64_t tile) {
    const std::int64_t sample = tile / groups, first = tile % groups * channel_group;
    const std::int64_t channels = std::min(channel_group, at.c - first), size = channels * plane;
    const T* from = g + (sample * at.c + first) * at.points;
    const T* w = weights + sample * at.box() * at.points;
    const T* where = corners + sample * directions * at.points;
    T* to = x + (sample * at.c + first) * plane;
    if (few[static_cast<std::size_t>(sample)] != 0) {
      std::fill_n(to, size, T(0));
      add_points(at, channels, from, w, where, to);
      return;
    }
    LongSum<T> nothing;
    nothing.add(T(0));  // it begins at -0
    List<LongSum<T>> sums(static_cast<std::size_t>(size), nothing);
    add_points(at, channels, from, w, where, sums.data());
    for (const LongSum<T>& sum : sums) *to++ = sum.value();
  });
}

template <class T>
void dot_block(const PointSamples& at, const Block& block, const T* images, const T* g, T* weights) {
  const std::int64_t plane = at.plane_size();
  for (std::int64_t k = 0; k < at.box(); ++k) {
    const auto& pixels = block.pixels[static_cast<std::size_t>(k)];
    std::array<LongSum<T>, block_points> sums{};
    for (std::int64_t c = 0; c < at.c; ++c) {
      const T *image = images + c * plane, *from = g + c * at.points + block.first;
      for (std::int64_t b = 0; b < block.count; ++b) {
        const auto i = static_cast<std::size_t>(b);
        sums[i].add(from[b] * pixel_at(image, pixels[i]));
      }
    }
    T* to = weights + k * at.points + block.first;
    for (std::int64_t b = 0; b < block.count; ++b)
      to[b] = at.c == 0 ? T(0) : sums[static_cast<std::size_t>(b)].value();
  }
}

}  // namespace

void take_points(const PointSamples& at, const Array& x, const Array& weights, const Array& corners,
                 Array& y) {
  if (y.numel() == 0) return;
  visit_floating(x.dtype, [&](auto zero) {
    using T = decltype(zero);
    for_each_block_of(at, corners.data<T>(), [&](std::int64_t sample, const Block& block) {
      take_block(at, block, x.data<T>() + sample * at.c * at.plane_size(),
                 weights.data<T>() + sample * at.box() * at.points,
                 y.mutable_data<T>() + sample * at.c * at.points);
    });
  });
}

void put_points(const PointSamples& at, const Array& g, const Array& weights, const Array& corners,
                Array& x) {
  if (x.numel() == 0) return;
  visit_floating(x.dtype, [&](auto zero) {
    using T = decltype(zero);
    put_typed(at, g.data<T>(), weights.data<T>(), corners.data<T>(), x.mutable_data<T>());
  });
}

void dot_points(const PointSamples& at, const Array& x, const Array& g, const Array& corners,
                Array& weights) {
  if (weights.numel() == 0) return;
  visit_floating(x.dtype, [&](auto zero) {
    using T = decltype(zero);
    for_each_block_of(at, corners.data<T>(), [&](std::int64_t sample, const Block& block) {
      dot_block(at, block, x.data<T>() + sample * at.c * at.plane_size(),
                g.data<T>() + sample * at.c * at.points,
                weights.mutable_data<T>() + sample * at.box() * at.points);
    });
  });
}

}  // namespace xtgrad::v1::detail
