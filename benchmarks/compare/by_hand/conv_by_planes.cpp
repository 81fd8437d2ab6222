// Convolution by planes with a rim of zeros, without a matrix of windows (direct_conv.h). Images are taken in
// strips of rows, so that what a strip needs stays in the second-level cache.

#include "benchmarks/compare/by_hand/convolution.h"
#include "benchmarks/compare/by_hand/direct_conv.h"

namespace bench {
namespace {

constexpr std::int64_t strip_bytes = std::int64_t{400} << 10U;

class ByPlanes final : public Convolution {
 public:
  explicit ByPlanes(const ConvSizes& sizes)
      : s_(sizes),
        strip_(rows_of_strip(sizes)),
        strips_((sizes.size + strip_ - 1) / strip_),
        in_{sizes.in, strip_, sizes.size, sizes.kernel},
        out_{sizes.out, strip_, sizes.size, sizes.kernel},
        taps_(offsets_of_taps(in_, false)),
        turned_taps_(offsets_of_taps(out_, true)),
        packed_(static_cast<std::size_t>(
            std::max(whole_blocks(sizes.out) * sizes.in, whole_blocks(sizes.in) * sizes.out) * sizes.taps())),
        images_(chunk() * in_.image()),
        cotangents_(chunk() * whole_blocks(sizes.out) * out_.plane(), out_.inside()),
        product_(whole_blocks(std::max(sizes.in, sizes.out)) * in_.length()),
        gradient_(sizes.out, taps_, false) {}

  void forward(const float* x, const float* weight, float* y) override {
    const auto k = static_cast<std::int64_t>(taps_.size());
    pack(
        s_.out, k, [&](std::int64_t row, std::int64_t p) { return weight[row * k + p]; }, packed_.data());
    for (std::int64_t unit = 0; unit < units(); ++unit) {
      copy_in(in_, x, unit, images_.data());
      multiply(whole_blocks(s_.out), taps_, packed_.data(), images_.data(), in_.length(), product_.data());
      copy_out(s_.out, unit, y);
    }
  }

  void input_gradient(const float* g, const float* weight, float* dx) override {
    const std::int64_t taps = s_.taps();
    pack(
        s_.in, s_.out * taps,
        [&](std::int64_t row, std::int64_t p) { return weight[(p / taps * s_.in + row) * taps + p % taps]; },
        packed_.data());
    for (std::int64_t unit = 0; unit < units(); ++unit) {
      copy_in(out_, g, unit, cotangents_.data());
      multiply(whole_blocks(s_.in), turned_taps_, packed_.data(), cotangents_.data(), in_.length(),
               product_.data());
      copy_out(s_.in, unit, dx);
    }
  }

  void weight_gradient(const float* x, const float* g, float* dweight) override {
    for (std::int64_t first = 0; first < units(); first += chunk()) {
      const std::int64_t count = std::min(chunk(), units() - first);
      for (std::int64_t i = 0; i < count; ++i) {
        copy_in(in_, x, first + i, images_.data() + i * in_.image());
        copy_in(out_, g, first + i, cotangents_.data() + i * whole_blocks(s_.out) * out_.plane(), false);
      }
      gradient_.add({.images = count,
                     .g = cotangents_.data() + out_.inside(),
                     .g_plane = out_.plane(),
                     .x = images_.data(),
                     .x_image = in_.image(),
                     .length = strip_ * in_.pitch(),
                     .first = first == 0},
                    dweight);
    }
  }

 private:
  static std::int64_t rows_of_strip(const ConvSizes& s) {
    const std::int64_t row_bytes =
        (s.in + s.out) * (s.size + 2 * s.padding) * static_cast<std::int64_t>(sizeof(float));
    const std::int64_t most = std::clamp<std::int64_t>(strip_bytes / row_bytes, 1, s.size);
    const std::int64_t strips = (s.size + most - 1) / most;
    return (s.size + strips - 1) / strips;
  }
  [[nodiscard]] std::int64_t units() const { return s_.n * strips_; }
  /// Strips whose dot products are added up in registers: enough that adding up the registers costs little.
  [[nodiscard]] std::int64_t chunk() const {
    return std::clamp<std::int64_t>(200 * lane_width / (strip_ * in_.pitch()), 1, units());
  }

  /// A strip of all channels, with the rows above and below it, or with zeros there.
  void copy_in(const Planes& planes, const float* images, std::int64_t unit, float* to,
               bool with_neighbours = true) const {
    const std::int64_t plane = s_.size * s_.size, first = unit % strips_ * strip_, rim = planes.rim();
    const std::int64_t begin = with_neighbours ? std::max<std::int64_t>(first - rim, 0) : first;
    const std::int64_t end = std::min(first + strip_ + (with_neighbours ? rim : 0), s_.size);
    const float* image = images + unit / strips_ * planes.channels * plane;
    for (std::int64_t c = 0; c < planes.channels; ++c) {
      float* row = to + c * planes.plane() + rim;
      for (std::int64_t y = first - rim; y < first + strip_ + rim; ++y, row += planes.pitch()) {
        if (y >= begin && y < end) {
          std::copy_n(image + c * plane + y * s_.size, s_.size, row);
        } else {
          std::fill_n(row, s_.size, 0.0F);
        }
      }
    }
  }

  void copy_out(std::int64_t channels, std::int64_t unit, float* images) const {
    const std::int64_t top = unit % strips_ * strip_, rows = std::min(strip_, s_.size - top);
    float* image = images + (unit / strips_ * channels * s_.size + top) * s_.size;
    for (std::int64_t c = 0; c < channels; ++c) {
      const float* from = product_.data() + c * in_.length();
      for (std::int64_t row = 0; row < rows; ++row)
        std::copy_n(from + row * in_.pitch(), s_.size, image + (c * s_.size + row) * s_.size);
    }
  }

  ConvSizes s_;
  std::int64_t strip_, strips_;  // rows, and how many strips an image has
  Planes in_, out_;              // of a strip
  std::vector<std::int64_t> taps_, turned_taps_;
  std::vector<float> packed_;
  Room images_, cotangents_, product_;
  WeightGradient gradient_;
};

}  // namespace

std::unique_ptr<Convolution> conv_by_planes(const ConvSizes& sizes) {
  const bool same_size = sizes.stride == 1 && sizes.kernel == 2 * sizes.padding + 1;
  if (!same_size || sizes.groups != 1) return nullptr;
  return std::make_unique<ByPlanes>(sizes);
}

}  // namespace bench
