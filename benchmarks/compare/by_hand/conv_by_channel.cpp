// Depthwise convolution: a filter a channel, on a plane with a rim of zeros.

#include "benchmarks/compare/by_hand/convolution.h"
#include "benchmarks/compare/by_hand/direct_conv.h"
#include "benchmarks/compare/by_hand/loops.h"

namespace bench {
namespace {

class ByChannel final : public Convolution {
 public:
  explicit ByChannel(const ConvSizes& sizes)
      : s_(sizes),
        pitch_(sizes.size + 2 * sizes.padding),
        plane_(static_cast<std::size_t>(pitch_ * pitch_)),
        sums_(plane_.size()),
        partial_(static_cast<std::size_t>(sizes.taps() * lane_width)) {}

  void forward(const float* x, const float* weight, float* y) override {
    const std::int64_t result = s_.result();
    for (std::int64_t c = 0; c < s_.n * s_.in; ++c) {
      copy_in(x + c * s_.size * s_.size);
      const float* filter = weight + c % s_.in * s_.taps();
      for (std::int64_t row = 0; row < result; ++row, y += result) {
        std::fill_n(y, result, 0.0F);
        each_tap(plane_, row, [&](std::int64_t tap, const float* from) {
          const float w = filter[tap];
          if (s_.stride == 1) {
            for (std::int64_t i = 0; i < result; ++i) y[i] += w * from[i];
          } else {
            for (std::int64_t i = 0; i < result; ++i) y[i] += w * from[i * s_.stride];
          }
        });
      }
    }
  }

  void input_gradient(const float* g, const float* weight, float* dx) override {
    const std::int64_t result = s_.result();
    for (std::int64_t c = 0; c < s_.n * s_.in; ++c) {
      std::fill(sums_.begin(), sums_.end(), 0.0F);
      const float* filter = weight + c % s_.in * s_.taps();
      for (std::int64_t row = 0; row < result; ++row, g += result) {
        each_tap(sums_, row, [&](std::int64_t tap, float* to) {
          const float w = filter[tap];
          if (s_.stride == 1) {
            for (std::int64_t i = 0; i < result; ++i) to[i] += w * g[i];
          } else {
            for (std::int64_t i = 0; i < result; ++i) to[i * s_.stride] += w * g[i];
          }
        });
      }
      for (std::int64_t row = 0; row < s_.size; ++row, dx += s_.size)
        std::copy_n(sums_.data() + (row + s_.padding) * pitch_ + s_.padding, s_.size, dx);
    }
  }

  void weight_gradient(const float* x, const float* g, float* dweight) override {
    const std::int64_t result = s_.result();
    std::fill_n(dweight, s_.weights(), 0.0F);
    for (std::int64_t c = 0; c < s_.n * s_.in; ++c) {
      copy_in(x + c * s_.size * s_.size);
      std::fill(partial_.begin(), partial_.end(), 0.0F);
      float* gradient = dweight + c % s_.in * s_.taps();
      for (std::int64_t row = 0; row < result; ++row, g += result) {
        each_tap(plane_, row, [&](std::int64_t tap, const float* from) {
          if (s_.stride != 1) {
            float sum = 0;
            for (std::int64_t i = 0; i < result; ++i) sum += g[i] * from[i * s_.stride];
            gradient[tap] += sum;
            return;
          }
          float* sums = partial_.data() + tap * lane_width;
          (Lane::load(sums) + total_lanes(
                                  result, [](Lane a, Lane b) { return a * b; }, g, from))
              .store(sums);
        });
      }
      for (std::int64_t tap = 0; tap < s_.taps(); ++tap)
        gradient[tap] += sum_of(Lane::load(partial_.data() + tap * lane_width));
    }
  }

 private:
  void copy_in(const float* from) {
    for (std::int64_t row = 0; row < s_.size; ++row, from += s_.size)
      std::copy_n(from, s_.size, plane_.data() + (row + s_.padding) * pitch_ + s_.padding);
  }

  /// Calls body(tap, where it meets the plane for the first place of the result's row).
  template <class F>
  void each_tap(std::vector<float>& plane, std::int64_t row, const F& body) const {
    for (std::int64_t tap = 0; tap < s_.taps(); ++tap)
      body(tap, plane.data() + (row * s_.stride + tap / s_.kernel) * pitch_ + tap % s_.kernel);
  }

  ConvSizes s_;
  std::int64_t pitch_;
  std::vector<float> plane_;    // with a rim that stays zero
  std::vector<float> sums_;     // the same of the gradient, whose rim is dropped
  std::vector<float> partial_;  // a register a tap
};

/// The same of 3x3 filters and stride 1, whose planes are each one long row (direct_conv.h).
class ByLongRows final : public Convolution {
 public:
  explicit ByLongRows(const ConvSizes& sizes)
      : s_(sizes),
        planes_{1, sizes.size, sizes.size, 3},
        taps_(offsets_of_taps(planes_, false)),
        x_(planes_.plane()),
        g_(planes_.plane(), planes_.inside()),
        product_(planes_.length()) {}

  void forward(const float* x, const float* weight, float* y) override {
    for (std::int64_t c = 0; c < s_.n * s_.in; ++c) {
      copy_in(x + c * s_.size * s_.size, x_.data());
      correlate(weight + c % s_.in * 9, x_.data());
      copy_out(y + c * s_.size * s_.size);
    }
  }

  void input_gradient(const float* g, const float* weight, float* dx) override {
    for (std::int64_t c = 0; c < s_.n * s_.in; ++c) {
      float turned[9];
      std::reverse_copy(weight + c % s_.in * 9, weight + c % s_.in * 9 + 9, turned);
      copy_in(g + c * s_.size * s_.size, g_.data());
      correlate(turned, g_.data());
      copy_out(dx + c * s_.size * s_.size);
    }
  }

  void weight_gradient(const float* x, const float* g, float* dweight) override {
    for (std::int64_t c = 0; c < s_.in; ++c) {
      Lane sums[9];
#pragma GCC unroll 9
      for (Lane& sum : sums) sum = Lane(0.0F);
      for (std::int64_t i = 0; i < s_.n; ++i) {
        const std::int64_t at = (i * s_.in + c) * s_.size * s_.size;
        copy_in(x + at, x_.data());
        copy_in(g + at, g_.data());
        const float* cotangent = g_.data() + planes_.inside();
        for (std::int64_t j = 0; j < s_.size * planes_.pitch(); j += lane_width) {
          const Lane here = Lane::load(cotangent + j);
#pragma GCC unroll 9
          for (std::size_t tap = 0; tap < 9; ++tap)
            sums[tap] = fma(here, Lane::load(x_.data() + taps_[tap] + j), sums[tap]);
        }
      }
#pragma GCC unroll 9
      for (int tap = 0; tap < 9; ++tap) dweight[c * 9 + tap] = sum_of(sums[tap]);
    }
  }

 private:
  void copy_in(const float* from, float* to) const {
    for (std::int64_t row = 0; row < s_.size; ++row)
      std::copy_n(from + row * s_.size, s_.size, to + planes_.inside() + row * planes_.pitch());
  }
  void copy_out(float* to) const {
    for (std::int64_t row = 0; row < s_.size; ++row)
      std::copy_n(product_.data() + row * planes_.pitch(), s_.size, to + row * s_.size);
  }

  void correlate(const float* filter, const float* x) {
    for (std::int64_t i = 0; i < planes_.length(); i += 2 * lane_width) {
      Lane first(0.0F), second(0.0F);
#pragma GCC unroll 9
      for (std::size_t tap = 0; tap < 9; ++tap) {
        const Lane w(filter[tap]);
        first = fma(w, Lane::load(x + taps_[tap] + i), first);
        second = fma(w, Lane::load(x + taps_[tap] + i + lane_width), second);
      }
      first.store(product_.data() + i);
      second.store(product_.data() + i + lane_width);
    }
  }

  ConvSizes s_;
  Planes planes_;
  std::vector<std::int64_t> taps_;
  Room x_, g_, product_;
};

}  // namespace

std::unique_ptr<Convolution> conv_by_channel(const ConvSizes& sizes) {
  if (sizes.groups != sizes.in || sizes.out != sizes.in || sizes.groups == 1) return nullptr;
  if (sizes.kernel == 3 && sizes.stride == 1 && sizes.padding == 1)
    return std::make_unique<ByLongRows>(sizes);
  return std::make_unique<ByChannel>(sizes);
}

}  // namespace bench
