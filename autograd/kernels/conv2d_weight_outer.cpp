#include "xtgrad/autograd/kernels/conv2d_weight_outer.h"

#include <algorithm>
#include <bit>

#include "xtgrad/autograd/core/buffer.h"
#include "xtgrad/autograd/kernels/conv2d_parts.h"
#include "xtgrad/autograd/kernels/long_sum.h"
#include "xtgrad/autograd/kernels/product/chosen.h"
#include "xtgrad/autograd/threads.h"

namespace xtgrad::inline v1::detail {
namespace {

/// Columns of one product, whose sums are then added to long ones: enough for that to cost little.
constexpr std::int64_t chunk_columns = outer_runs;
/// Room for the padded copies of images.
constexpr std::int64_t copies_bytes = std::int64_t{2} << 20;
/// Output channels of one product.
constexpr std::int64_t channel_block = 64;
/// Parts that the images are shared out in where channels give no more work, each with long sums of its own,
/// and room for these.
constexpr std::int64_t most_parts = 16;
constexpr std::int64_t parts_bytes = std::int64_t{64} << 20;

std::size_t index(std::int64_t i) { return static_cast<std::size_t>(i); }

/// Terms that may be added in order, so that with the pairs of such runs in a chunk, and the rounding of the
/// long sum's value, a sum of `terms` loses at most 4 + log2(terms) roundings.
std::int64_t run_length(std::int64_t terms) {
  const auto log = [](std::int64_t n) { return static_cast<std::int64_t>(std::bit_width(index(n))) - 1; };
  const auto log_up = [&](std::int64_t n) { return n == 1 ? 0 : log(n - 1) + 1; };
  std::int64_t length = 1;
  const std::int64_t columns = std::min(terms, chunk_columns);
  while (length < columns && length + 1 + log_up(ceil_div(columns, length + 1)) + 1 <= 4 + log(terms))
    ++length;
  return length;
}

/// Columns of some images, for one product.
template <class T>
class Chunk {
 public:
  explicit Chunk(std::int64_t run_length) : run_length_(run_length) {}

  /// `count` columns from a's column `first` on, and b's at `b`; no more than there is room for.
  void add(std::int64_t first, const T* b, std::int64_t count) {
    columns_ += count;
    if (!sources_.empty() && sources_.back().b + sources_.back().count == b) {
      sources_.back().count += count;
    } else {
      sources_.push_back({b, count});
    }
    while (count > 0) {
      const std::int64_t taken = std::min(count, run_length_ - in_run_);
      in_run_ = (in_run_ + taken) % run_length_;
      pieces_.push_back({first, taken, in_run_ == 0});
      first += taken;
      count -= taken;
    }
  }
  [[nodiscard]] std::int64_t room() const { return chunk_columns - columns_; }
  [[nodiscard]] bool empty() const { return columns_ == 0; }

  /// Ends the last run, and puts the columns into the task.
  void put_into(OuterTask<T>& task) {
    pieces_.back().ends_run = true;
    task.pieces = pieces_.data();
    task.piece_count = static_cast<std::int64_t>(pieces_.size());
    task.sources = sources_.data();
    task.source_count = static_cast<std::int64_t>(sources_.size());
  }
  void clear() {
    pieces_.clear();
    sources_.clear();
    columns_ = in_run_ = 0;
  }

 private:
  std::int64_t run_length_;
  std::int64_t columns_ = 0;
  std::int64_t in_run_ = 0;
  PoolVector<OuterPiece> pieces_;
  PoolVector<OuterSource<T>> sources_;
};

/// to[j, i] = from[i, j], a few rows at a time.
template <class T>
void transpose(const T* from, std::int64_t rows, std::int64_t columns, std::int64_t from_row, T* to,
               std::int64_t to_row) {
  constexpr std::int64_t few = 16;
  for (std::int64_t i0 = 0; i0 < rows; i0 += few) {
    const std::int64_t i1 = std::min(i0 + few, rows);
    for (std::int64_t j = 0; j < columns; ++j) {
      for (std::int64_t i = i0; i < i1; ++i) to[j * to_row + i] = from[i * from_row + j];
    }
  }
}

template <class T>
class WeightOuter : InputRows {
 public:
  explicit WeightOuter(const Conv2dSizes& sizes)
      : InputRows(T{}, sizes),
        units_(s_.n * runs_.per_image),
        is_direct_(copy_.is_the_images(runs_.rows + vertical_.max_shift())),
        copy_elements_(is_direct_ ? 0 : copy_.template elements<T>()),
        together_(std::clamp<std::int64_t>(
            chunk_columns / std::max<std::int64_t>(runs_.length * s_.result.width, 1), 1, most_copies())),
        run_length_(run_length(std::max<std::int64_t>(s_.n * s_.result.height * s_.result.width, 1))),
        blocks_(ceil_div(group_.out, channel_block)) {
    if (is_direct_) read_directly();
    const std::int64_t elements = s_.out * k_;
    const std::int64_t room = parts_bytes / static_cast<std::int64_t>(sizeof(LongSum<T>)) / elements;
    const std::int64_t most = std::clamp<std::int64_t>(room, 1, ceil_div(most_parts, blocks_ * s_.groups));
    const std::int64_t unit_work = elements * runs_.length * s_.result.width;
    const std::int64_t worth = ceil_div(tile_work, std::max<std::int64_t>(unit_work, 1));
    // Whole products' worth of images: half a chunk costs as much to put away as a whole one.
    per_part_ = ceil_div(std::max(ceil_div(units_, most), worth), together_) * together_;
    parts_ = ceil_div(units_, per_part_);
    is_one_chunk_ = units_ <= together_ && units_ * runs_.length * s_.result.width <= chunk_columns;
  }

  void run(const T* x, const T* g, T* dw) {
    if (units_ == 0) {
      std::fill_n(dw, s_.out * k_, T(0));
      return;
    }
    if (!is_one_chunk_) sums_.resize(index(parts_ * s_.out * k_));
    // Neither channels nor groups have a part in bits: they may follow the number of threads.
    const std::int64_t ranges =
        std::clamp<std::int64_t>(ceil_div(num_threads(), parts_ * s_.groups), 1, blocks_);
    const std::int64_t range = ceil_div(blocks_, ranges) * channel_block;
    for_each_tile(parts_ * s_.groups * ranges, [&](std::int64_t tile) {
      const std::int64_t first = tile % ranges * range;
      Work work(*this, tile / ranges % s_.groups, {first, std::min(first + range, group_.out)});
      const std::int64_t part = tile / ranges / s_.groups;
      work.add_units(x, g, part * per_part_, std::min((part + 1) * per_part_, units_), part, dw);
    });
    if (!is_one_chunk_) add_up(dw);
  }

 private:
  /// What a tile does: some output channels of a group.
  class Work {
   public:
    Work(WeightOuter& all, std::int64_t group, PlaceRange channels)
        : all_(all),
          group_(group),
          channels_(channels),
          copies_(index(all.together_ * all.copy_elements_)),
          product_(index(all.k_ * channel_block)),
          panel_(BufferRef::allocate(index(chunk_columns * outer_scratch) * sizeof(T))),
          chunk_(all.run_length_) {}

    void add_units(const T* x, const T* g, std::int64_t first, std::int64_t last, std::int64_t part, T* dw) {
      const Conv2dSizes& s = all_.s_;
      const RowRuns& runs = all_.runs_;
      const std::int64_t plane = s.result.height * s.result.width;
      for (std::int64_t unit = first; unit < last; unit += all_.together_) {
        const std::int64_t count = std::min(all_.together_, last - unit);
        for (std::int64_t q = 0; q < count; ++q) {
          const std::int64_t image = (unit + q) / runs.per_image * s.groups + group_;
          const std::int64_t run = (unit + q) % runs.per_image;
          const T* source = x + image * all_.group_.in * s.image.height * s.image.width;
          std::int64_t first_column = q * all_.copy_elements_;
          if (all_.is_direct_) {
            if (q == 0) images_ = source;
            first_column = source - images_ + runs.first(run) * all_.width_;
          } else {
            all_.copy_.fill(source, runs.first(run), copies_.data() + first_column, runs.per_image == 1);
            images_ = copies_.data();
          }
          const T* from = g + image * all_.group_.out * plane + runs.first(run) * s.result.width;
          if (all_.width_ == s.result.width) {
            add_row(first_column, runs.size(run) * s.result.width, from, part, dw);
            continue;
          }
          for (std::int64_t r = 0; r < runs.size(run); ++r, from += s.result.width)
            add_row(first_column + r * all_.width_, s.result.width, from, part, dw);
        }
        // The next images' copies take the place of these.
        end_chunk(part, dw);
      }
    }

   private:
    void add_row(std::int64_t first, std::int64_t count, const T* from, std::int64_t part, T* dw) {
      while (count > 0) {
        const std::int64_t taken = std::min(count, chunk_.room());
        chunk_.add(first, from, taken);
        first += taken;
        from += taken;
        count -= taken;
        if (chunk_.room() == 0) end_chunk(part, dw);
      }
    }

    void end_chunk(std::int64_t part, T* dw) {
      if (chunk_.empty()) return;
      const std::int64_t plane = all_.s_.result.height * all_.s_.result.width;
      OuterTask<T> task{.m = all_.k_,
                        .a = images_,
                        .a_rows = all_.offsets_.data(),
                        .b_row = plane,
                        .c = product_.data(),
                        .c_row = channel_block,
                        .scratch = static_cast<T*>(panel_.data())};
      chunk_.put_into(task);
      for (std::int64_t o = channels_.first; o < channels_.last; o += channel_block) {
        task.n = std::min(channel_block, channels_.last - o);
        task.b_offset = o * plane;
        detail::run(task);
        if (all_.is_one_chunk_) {
          transpose(task.c, all_.k_, task.n, channel_block, dw + (group_ * all_.group_.out + o) * all_.k_,
                    all_.k_);
        } else {
          add(task, all_.sums_.data() + ((part * all_.s_.groups + group_) * all_.k_) * all_.group_.out + o);
        }
      }
      chunk_.clear();
    }

    void add(const OuterTask<T>& task, LongSum<T>* sums) const {
      const T* c = task.c;
      for (std::int64_t p = 0; p < task.m; ++p, c += task.c_row, sums += all_.group_.out) {
        for (std::int64_t o = 0; o < task.n; ++o) sums[o].add(c[o]);
      }
    }

    WeightOuter& all_;
    std::int64_t group_;
    PlaceRange channels_;
    const T* images_ = nullptr;  // where columns are counted from
    PoolVector<T> copies_;
    PoolVector<T> product_;  // [k, channel_block]
    BufferRef panel_;
    Chunk<T> chunk_;
  };

  /// Part of the bits, so not a matter of the room that lanes want behind a copy.
  [[nodiscard]] std::int64_t most_copies() const {
    if (is_direct_) return chunk_columns;
    const std::int64_t elements = copy_.channels * copy_.planes_per_channel() * copy_.plane();
    return std::max<std::int64_t>(copies_bytes / (elements * static_cast<std::int64_t>(sizeof(T))), 1);
  }

  /// dw[o, p] is the sum of all parts; a few p at a time, whose lines stay near.
  void add_up(T* dw) const {
    constexpr std::int64_t few = 16;
    for (std::int64_t g = 0; g < s_.groups; ++g) {
      for (std::int64_t p0 = 0; p0 < k_; p0 += few) {
        for (std::int64_t o = 0; o < group_.out; ++o) {
          for (std::int64_t p = p0; p < std::min(p0 + few, k_); ++p) {
            LongSum<T> sum;
            for (std::int64_t part = 0; part < parts_; ++part)
              sum.add(sums_[index(((part * s_.groups + g) * k_ + p) * group_.out + o)]);
            dw[(g * group_.out + o) * k_ + p] = sum.value();
          }
        }
      }
    }
  }

  std::int64_t units_;  // runs of all images
  bool is_direct_;      // the images are read themselves
  std::int64_t copy_elements_;
  std::int64_t together_;  // units in one chunk
  std::int64_t run_length_;
  std::int64_t blocks_;    // of a group's output channels
  std::int64_t per_part_;  // units
  std::int64_t parts_;
  bool is_one_chunk_;
  PoolVector<LongSum<T>> sums_;  // [parts, groups, k, out]
};

}  // namespace

void conv2d_weight_outer(const Conv2dSizes& sizes, const float* x, const float* g, float* dw) {
  WeightOuter<float>(sizes).run(x, g, dw);
}
void conv2d_weight_outer(const Conv2dSizes& sizes, const double* x, const double* g, double* dw) {
  WeightOuter<double>(sizes).run(x, g, dw);
}

}  // namespace xtgrad::v1::detail
