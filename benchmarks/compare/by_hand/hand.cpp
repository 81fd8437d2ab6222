// Hand tracking: the pose of a hand whose skin follows its bones, against points that were measured.

#include <array>
#include <cmath>

#include "benchmarks/compare/by_hand/loops.h"
#include "benchmarks/compare/by_hand/objectives.h"
#include "benchmarks/compare/common/inputs.h"

namespace bench {
namespace {

constexpr std::size_t bones = 22;

/// Three rows of a matrix whose fourth is 0 0 0 1.
using Affine = std::array<std::array<float, 4>, 3>;

Affine times(const Affine& a, const Affine& b) {
  Affine y;
  for (std::size_t r = 0; r < 3; ++r) {
    for (std::size_t c = 0; c < 4; ++c) y[r][c] = a[r][0] * b[0][c] + a[r][1] * b[1][c] + a[r][2] * b[2][c];
    y[r][3] += a[r][3];
  }
  return y;
}
/// What a gets of the cotangent g of a b.
void add_left(const Affine& g, const Affine& b, Affine& da) {
  for (std::size_t r = 0; r < 3; ++r) {
    for (std::size_t k = 0; k < 3; ++k)
      da[r][k] += g[r][0] * b[k][0] + g[r][1] * b[k][1] + g[r][2] * b[k][2] + g[r][3] * b[k][3];
    da[r][3] += g[r][3];
  }
}
/// What b gets of it.
Affine right(const Affine& g, const Affine& a) {
  Affine db;
  for (std::size_t k = 0; k < 3; ++k)
    for (std::size_t c = 0; c < 4; ++c) db[k][c] = a[0][k] * g[0][c] + a[1][k] * g[1][c] + a[2][k] * g[2][c];
  return db;
}

/// A wrist, five fingers of four bones each, a forearm.
constexpr std::size_t parent_of(std::size_t bone) { return bone == 21 || bone % 4 == 1 ? 0 : bone - 1; }

class Hand final : public Workload {
 public:
  Hand(std::int64_t vertices, std::int64_t seen)
      : stride_((vertices + lane_width - 1) / lane_width * lane_width),
        seen_(static_cast<std::size_t>(seen)),
        theta_(numbers(1, 26, -0.5, 0.5)),
        us_(numbers(2, 2 * seen, 0, 0.5)),
        points_(numbers(7, 3 * seen)),
        corners_(integers(8, 3 * seen, vertices)),
        skin_(4 * bones * static_cast<std::size_t>(stride_)),
        positions_(3 * static_cast<std::size_t>(stride_)),
        dpositions_(positions_.size()),
        dtheta_(theta_.size()),
        dus_(us_.size()) {
    const Values base = numbers(3, 12 * std::int64_t{bones}, -0.3, 0.3);
    const Values inverse = numbers(4, 12 * std::int64_t{bones}, -0.3, 0.3);
    const Values rest = numbers(5, 3 * vertices),
                 weights = numbers(6, std::int64_t{bones} * vertices, 0, 0.1);
    const auto n = static_cast<std::size_t>(vertices);
    for (std::size_t b = 0; b < bones; ++b) {
      for (std::size_t r = 0; r < 3; ++r) {
        for (std::size_t c = 0; c < 4; ++c) {
          base_[b][r][c] = base[(b * 3 + r) * 4 + c] + (r == c ? 1.0F : 0.0F);
          inverse_[b][r][c] = inverse[(b * 3 + r) * 4 + c] + (r == c ? 1.0F : 0.0F);
        }
      }
      for (std::size_t c = 0; c < 4; ++c)
        for (std::size_t v = 0; v < n; ++v)
          skin_[(b * 4 + c) * static_cast<std::size_t>(stride_) + v] =
              weights[b * n + v] * (c == 3 ? 1 : rest[c * n + v]);
    }
  }

  void step() override {
    pose();
    turn();
    place();
    std::fill(dpositions_.begin(), dpositions_.end(), 0.0F);
    std::fill(dtheta_.begin(), dtheta_.end(), 0.0F);
    compare();
    gather_skin();
    back_turn();
    back_pose();
  }
  std::vector<Values> outputs() override { return {{loss_}, dtheta_, dus_}; }

 private:
  /// The bone's angles around x and z: the second bone of a finger has both, those behind it the first.
  [[nodiscard]] static std::size_t angle_of(std::size_t bone) {
    return 6 + (bone - 2) / 4 * 4 + (bone - 2) % 4 + ((bone - 2) % 4 > 0 ? 1U : 0U);
  }
  [[nodiscard]] static bool bends(std::size_t bone) { return bone >= 2 && bone < 21 && bone % 4 != 1; }
  [[nodiscard]] static bool spreads(std::size_t bone) { return bends(bone) && bone % 4 == 2; }

  void pose() {
    float angles[2][lanes_of_bones] = {};
    for (std::size_t b = 0; b < bones; ++b) {
      if (bends(b)) angles[0][b] = theta_[angle_of(b)];
      if (spreads(b)) angles[1][b] = theta_[angle_of(b) + 1];
    }
    for (std::size_t k = 0; k < 2; ++k) {
      for (std::size_t b = 0; b < lanes_of_bones; b += Lane::width) {
        const Lane x = Lane::load(angles[k] + b);
        sin(x).store(sines_[k] + b);
        cos(x).store(cosines_[k] + b);
      }
    }
    for (std::size_t b = 0; b < bones; ++b) {
      const float sx = sines_[0][b], cx = cosines_[0][b], sz = sines_[1][b], cz = cosines_[1][b];
      const Affine turn{{{cz, -sz * cx, sz * sx, 0}, {sz, cz * cx, -cz * sx, 0}, {0, sx, cx, 0}}};
      relative_[b] = times(base_[b], turn);
      absolute_[b] = b == 0 ? relative_[b] : times(absolute_[parent_of(b)], relative_[b]);
      moved_[b] = times(absolute_[b], inverse_[b]);
    }
  }

  /// The hand's own rotation, by Rodrigues: it goes into the bones'.
  void turn() {
    angle_ = std::sqrt(theta_[0] * theta_[0] + theta_[1] * theta_[1] + theta_[2] * theta_[2]);
    for (std::size_t k = 0; k < 3; ++k) axis_[k] = theta_[k] / angle_;
    const float s = std::sin(angle_), c = std::cos(angle_);
    const auto [x, y, z] = axis_;
    const float cross[3][3] = {{0, -z, y}, {z, 0, -x}, {-y, x, 0}};
    for (std::size_t r = 0; r < 3; ++r)
      for (std::size_t k = 0; k < 3; ++k)
        rotation_[r][k] = (r == k ? c : 0) + s * cross[r][k] + (1 - c) * axis_[r] * axis_[k];
    for (std::size_t b = 0; b < bones; ++b) {
      for (std::size_t r = 0; r < 3; ++r) {
        for (std::size_t k = 0; k < 4; ++k) {
          turned_[r][b * 4 + k] = rotation_[r][0] * moved_[b][0][k] + rotation_[r][1] * moved_[b][1][k] +
                                  rotation_[r][2] * moved_[b][2][k];
        }
      }
    }
  }

  const float* skin(std::size_t row) const { return skin_.data() + static_cast<std::int64_t>(row) * stride_; }
  float* coordinate(Values& of, std::size_t r) const {
    return of.data() + static_cast<std::int64_t>(r) * stride_;
  }

  void place() {
    for (std::int64_t i = 0; i < stride_; i += lane_width) {
      Lane sums[2][3];
      for (std::size_t r = 0; r < 3; ++r) {
        sums[0][r] = Lane(theta_[3 + r]);
        sums[1][r] = Lane(0.0F);
      }
      for (std::size_t row = 0; row < 4 * bones; row += 2) {
        for (std::size_t k = 0; k < 2; ++k) {
          const Lane x = Lane::load(skin(row + k) + i);
          for (std::size_t r = 0; r < 3; ++r) sums[k][r] = fma(x, Lane(turned_[r][row + k]), sums[k][r]);
        }
      }
      for (std::size_t r = 0; r < 3; ++r) (sums[0][r] + sums[1][r]).store(coordinate(positions_, r) + i);
    }
  }

  /// The squares of what points are off, and all that depends on which triangle they are in.
  void compare() {
    loss_ = 0;
    for (std::size_t n = 0; n < seen_; ++n) {
      const float u[] = {us_[n], us_[seen_ + n], 1 - us_[n] - us_[seen_ + n]};
      float du[2] = {};
      for (std::size_t r = 0; r < 3; ++r) {
        const float* p = coordinate(positions_, r);
        const float at[] = {p[corners_[n]], p[corners_[seen_ + n]], p[corners_[2 * seen_ + n]]};
        const float off = points_[r * seen_ + n] - (u[0] * at[0] + u[1] * at[1] + u[2] * at[2]);
        const float g = -2 * off;
        loss_ += off * off;
        du[0] += g * (at[0] - at[2]);
        du[1] += g * (at[1] - at[2]);
        float* dp = coordinate(dpositions_, r);
        for (std::size_t k = 0; k < 3; ++k) dp[corners_[k * seen_ + n]] += g * u[k];
        dtheta_[3 + r] += g;
      }
      dus_[n] = du[0];
      dus_[seen_ + n] = du[1];
    }
  }

  void gather_skin() {
    for (std::size_t row = 0; row < 4 * bones; row += 4) {
      Lane sums[4][3];
      for (auto& of_row : sums) of_row[0] = of_row[1] = of_row[2] = Lane(0.0F);
      for (std::int64_t i = 0; i < stride_; i += lane_width) {
        Lane g[3];
        for (std::size_t r = 0; r < 3; ++r) g[r] = Lane::load(coordinate(dpositions_, r) + i);
        for (std::size_t k = 0; k < 4; ++k) {
          const Lane x = Lane::load(skin(row + k) + i);
          for (std::size_t r = 0; r < 3; ++r) sums[k][r] = fma(x, g[r], sums[k][r]);
        }
      }
      for (std::size_t k = 0; k < 4; ++k)
        for (std::size_t r = 0; r < 3; ++r) dturned_[r][row + k] = sum_of(sums[k][r]);
    }
  }

  void back_turn() {
    float g[3][3];
    for (std::size_t r = 0; r < 3; ++r) {
      for (std::size_t k = 0; k < 3; ++k) {
        g[r][k] = 0;
        for (std::size_t b = 0; b < bones; ++b)
          for (std::size_t c = 0; c < 4; ++c) g[r][k] += dturned_[r][b * 4 + c] * moved_[b][k][c];
      }
    }
    const float s = std::sin(angle_), c = std::cos(angle_);
    const auto& a = axis_;
    const float twist[] = {g[2][1] - g[1][2], g[0][2] - g[2][0], g[1][0] - g[0][1]};
    float daxis[3], dc = 0, ds = 0, along = 0;
    for (std::size_t k = 0; k < 3; ++k) {
      float both = 0, one = 0;
      for (std::size_t j = 0; j < 3; ++j) {
        both += (g[k][j] + g[j][k]) * a[j];
        one += g[k][j] * a[j];
      }
      daxis[k] = s * twist[k] + (1 - c) * both;
      dc += g[k][k] - a[k] * one;
      ds += twist[k] * a[k];
      along += daxis[k] * a[k];
    }
    const float dangle = c * ds - s * dc;
    for (std::size_t k = 0; k < 3; ++k) dtheta_[k] = (daxis[k] - a[k] * along) / angle_ + a[k] * dangle;
  }

  void back_pose() {
    dabsolute_.fill({});
    for (std::size_t b = bones; b-- > 0;) {
      Affine dmoved;
      for (std::size_t r = 0; r < 3; ++r) {
        for (std::size_t c = 0; c < 4; ++c) {
          dmoved[r][c] = rotation_[0][r] * dturned_[0][b * 4 + c] + rotation_[1][r] * dturned_[1][b * 4 + c] +
                         rotation_[2][r] * dturned_[2][b * 4 + c];
        }
      }
      add_left(dmoved, inverse_[b], dabsolute_[b]);
      if (b > 0) add_left(dabsolute_[b], relative_[b], dabsolute_[parent_of(b)]);
      if (!bends(b)) continue;
      const Affine g = right(right(dabsolute_[b], absolute_[parent_of(b)]), base_[b]);
      const float sx = sines_[0][b], cx = cosines_[0][b], sz = sines_[1][b], cz = cosines_[1][b];
      dtheta_[angle_of(b)] = sz * (sx * g[0][1] + cx * g[0][2]) - cz * (sx * g[1][1] + cx * g[1][2]) +
                             cx * g[2][1] - sx * g[2][2];
      if (spreads(b)) {
        dtheta_[angle_of(b) + 1] =
            cz * (g[1][0] - cx * g[0][1] + sx * g[0][2]) - sz * (g[0][0] + cx * g[1][1] - sx * g[1][2]);
      }
    }
  }

  static constexpr std::size_t lanes_of_bones = (bones + Lane::width - 1) / Lane::width * Lane::width;

  std::int64_t stride_;
  std::size_t seen_;
  Values theta_, us_, points_;
  std::vector<std::int64_t> corners_;  // three vertices a point
  Values skin_;                        // [bone, row, vertex]: the vertex at rest times the bone's weight
  Values positions_, dpositions_;      // [coordinate, vertex]
  Values dtheta_, dus_;
  std::array<Affine, bones> base_, inverse_, relative_, absolute_, moved_, dabsolute_;
  float sines_[2][lanes_of_bones], cosines_[2][lanes_of_bones];
  std::array<float, 3> axis_{};
  float angle_ = 0, rotation_[3][3], turned_[3][4 * bones], dturned_[3][4 * bones];
  float loss_ = 0;
};

}  // namespace

void add_hand(Families& kinds) {
  kinds["ht"] = [](const Name& name, float) {
    return std::make_unique<Hand>(name.numbers().at(0), name.numbers().at(1));
  };
}

}  // namespace bench
