// Squared distances of points to the nearest center, and their derivatives in the centers.

#include <vector>

#include "benchmarks/compare/by_hand/loops.h"
#include "benchmarks/compare/by_hand/objectives.h"
#include "benchmarks/compare/common/inputs.h"

namespace bench {
namespace {

/// A register holds as many points, which are kept number by number for it, too.
class KMeans final : public Workload {
 public:
  KMeans(std::int64_t points, std::int64_t features, std::int64_t centers)
      : points_(points),
        n_(features),
        count_(centers),
        padded_((centers + at_once - 1) / at_once * at_once),
        stride_((points + lane_width - 1) / lane_width * lane_width),
        x_(numbers(1, points * features)),
        columns_(static_cast<std::size_t>(stride_ * features)),
        centers_(numbers(2, centers * features)),
        dcenters_(centers_.size()),
        factors_(static_cast<std::size_t>(padded_ * features)),
        squares_(static_cast<std::size_t>(padded_), 1e30F),
        members_(static_cast<std::size_t>(centers)) {
    for (std::int64_t i = 0; i < points; ++i)
      for (std::int64_t j = 0; j < features; ++j) columns_[at(j * stride_ + i)] = x_[at(i * features + j)];
  }

  void step() override {
    for (std::int64_t c = 0; c < count_; ++c) {
      const float* center = centers_.data() + c * n_;
      squares_[at(c)] = total(
          n_, [](Lane v) { return v * v; }, center);
      for (std::int64_t j = 0; j < n_; ++j) factors_[at(c * n_ + j)] = -2 * center[j];
    }
    std::fill(dcenters_.begin(), dcenters_.end(), 0.0F);
    std::fill(members_.begin(), members_.end(), 0.0F);
    Lane sum(0.0F);
    for (std::int64_t i = 0; i < points_; i += lane_width) sum += assign(i);
    loss_ = sum_of(sum);
    for (std::int64_t c = 0; c < count_; ++c) {
      for (std::int64_t j = c * n_; j < (c + 1) * n_; ++j)
        dcenters_[at(j)] = 2 * (members_[at(c)] * centers_[at(j)] - dcenters_[at(j)]);
    }
  }
  std::vector<Values> outputs() override { return {{loss_}, dcenters_}; }

 private:
  static constexpr std::int64_t at_once = 4;  // centers whose sums are in registers
  static std::size_t at(std::int64_t i) { return static_cast<std::size_t>(i); }

  /// Adds the points of a register to their nearest centers' sums; gives their squared distances.
  Lane assign(std::int64_t i) {
    Lane best(1e30F), place(0.0F);
    for (std::int64_t c = 0; c < count_; c += at_once) {
      Lane d[at_once];
      for (std::int64_t k = 0; k < at_once; ++k) d[k] = Lane(squares_[at(c + k)]);
      const float* factor = factors_.data() + c * n_;
      for (std::int64_t j = 0; j < n_; ++j) {
        const Lane x = Lane::load(columns_.data() + j * stride_ + i);
#pragma GCC unroll 4
        for (std::int64_t k = 0; k < at_once; ++k) d[k] = fma(x, Lane(factor[k * n_ + j]), d[k]);
      }
#pragma GCC unroll 4
      for (std::int64_t k = 0; k < at_once; ++k) {
        const auto nearer = d[k] < best;
        best = where(nearer, d[k], best);
        place = where(nearer, Lane(static_cast<float>(c + k)), place);
      }
    }
    for (std::int64_t j = 0; j < n_; ++j) {
      const Lane x = Lane::load(columns_.data() + j * stride_ + i);
      best = fma(x, x, best);
    }
    float nearest[Lane::width];
    place.store(nearest);
    const std::int64_t rest = std::min(lane_width, points_ - i);
    for (std::int64_t k = 0; k < rest; ++k) {
      const auto c = static_cast<std::int64_t>(nearest[k]);
      members_[at(c)] += 1;
      float* to = dcenters_.data() + c * n_;
      const float* x = x_.data() + (i + k) * n_;
      for (std::int64_t j = 0; j < n_; ++j) to[j] += x[j];
    }
    if (rest == lane_width) return best;
    float distances[Lane::width];
    best.store(distances);
    std::fill(distances + rest, distances + lane_width, 0.0F);
    return Lane::load(distances);
  }

  std::int64_t points_, n_, count_, padded_, stride_;
  Values x_, columns_, centers_, dcenters_;
  Values factors_, squares_;  // -2 times the centers, and their squares
  Values members_;
  float loss_ = 0;
};

}  // namespace

void add_kmeans(Families& kinds) {
  kinds["kmeans"] = [](const Name& name, float) {
    const std::vector<std::int64_t> sizes = name.numbers();
    return std::make_unique<KMeans>(sizes.at(0), sizes.at(1), sizes.at(2));
  };
}

}  // namespace bench
