// Bundle adjustment: cameras, points and weights against where cameras have seen points.

#include <array>

#include "benchmarks/compare/by_hand/loops.h"
#include "benchmarks/compare/by_hand/objectives.h"
#include "benchmarks/compare/common/inputs.h"

namespace bench {
namespace {

using Vector = std::array<Lane, 3>;

Lane dot(const Vector& a, const Vector& b) { return fma(a[0], b[0], fma(a[1], b[1], a[2] * b[2])); }
Vector cross(const Vector& a, const Vector& b) {
  return {a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]};
}
/// a x + b y + c z.
Vector mix(Lane x, const Vector& a, Lane y, const Vector& b, Lane z, const Vector& c) {
  Vector sum;
  for (std::size_t i = 0; i < 3; ++i) sum[i] = fma(x, a[i], fma(y, b[i], z * c[i]));
  return sum;
}

/// A camera is a rotation vector, a center, a focal length, a principal point and two factors of distortion;
/// the sum of squares of what is missed, weighted, and of 1 - weight^2. A register holds as many
/// observations.
class Bundle final : public Workload {
 public:
  Bundle(std::int64_t cameras, std::int64_t points, std::int64_t seen)
      : cameras_(cameras, camera_inputs(cameras)),
        points_(points, numbers(1, 3 * points)),
        seen_(seen),
        w_(padded(numbers(2, seen, 0.5, 1), 1)),
        seen_at_(padded(numbers(3, 2 * seen, -0.5, 0.5), 2)),
        camera_of_(integers(4, seen, cameras)),
        point_of_(integers(5, seen, points)),
        dw_(w_.size()) {}

  void step() override {
    cameras_.begin();
    points_.begin();
    Lane sum(0.0F);
    for (std::int64_t i = 0; i < seen_; i += lane_width) sum += observe(i, std::min(lane_width, seen_ - i));
    cameras_.end();
    points_.end();
    loss_ = sum_of(sum);
  }
  std::vector<Values> outputs() override {
    return {{loss_}, cameras_.gradient, points_.gradient, Values(dw_.begin(), dw_.begin() + seen_)};
  }

 private:
  /// Rows of numbers, turned at the beginning and the end of a step, so that an item's are neighbours.
  template <std::size_t rows, std::size_t item>
  struct Table {
    Table(std::int64_t n, Values values)
        : count(static_cast<std::size_t>(n)),
          value(std::move(values)),
          gradient(value.size()),
          items(count * item),
          ditems(count * item) {}
    void begin() {
      for (std::size_t r = 0; r < rows; ++r)
        for (std::size_t i = 0; i < count; ++i) items[i * item + r] = value[r * count + i];
      std::fill(ditems.begin(), ditems.end(), 0.0F);
    }
    void end() {
      for (std::size_t r = 0; r < rows; ++r)
        for (std::size_t i = 0; i < count; ++i) gradient[r * count + i] = ditems[i * item + r];
    }
    void gather(const std::int64_t* index, std::int64_t n, Lane* out) const {
      float all[rows * Lane::width];
      for (std::int64_t k = 0; k < lane_width; ++k) {
        const float* from = items.data() + static_cast<std::size_t>(index[k < n ? k : 0]) * item;
        for (std::size_t r = 0; r < rows; ++r) all[r * Lane::width + static_cast<std::size_t>(k)] = from[r];
      }
      for (std::size_t r = 0; r < rows; ++r) out[r] = Lane::load(all + r * Lane::width);
    }
    void add(const std::int64_t* index, std::int64_t n, const Lane* in) {
      float all[rows * Lane::width];
      for (std::size_t r = 0; r < rows; ++r) in[r].store(all + r * Lane::width);
      for (std::int64_t k = 0; k < n; ++k) {
        float* to = ditems.data() + static_cast<std::size_t>(index[k]) * item;
        for (std::size_t r = 0; r < rows; ++r) to[r] += all[r * Lane::width + static_cast<std::size_t>(k)];
      }
    }

    std::size_t count;
    Values value, gradient;
    Values items, ditems;
  };

  static Values camera_inputs(std::int64_t cameras) {
    constexpr double ends[][2] = {{-0.3, 0.3}, {-0.3, 0.3}, {-0.3, 0.3}, {-0.2, 0.2}, {-0.2, 0.2}, {-6, -4},
                                  {0.8, 1.2},  {-0.1, 0.1}, {-0.1, 0.1}, {-0.1, 0.1}, {-0.1, 0.1}};
    Values all;
    for (std::uint64_t row = 0; row < 11; ++row) {
      const Values one = numbers(10 + row, cameras, ends[row][0], ends[row][1]);
      all.insert(all.end(), one.begin(), one.end());
    }
    return all;
  }
  /// Rows with a register's zeros behind each.
  static Values padded(const Values& values, std::size_t rows) {
    const std::size_t n = values.size() / rows;
    Values all(rows * (n + Lane::width));
    for (std::size_t i = 0; i < values.size(); ++i) all[i / n * (n + Lane::width) + i % n] = values[i];
    return all;
  }

  Lane observe(std::int64_t i, std::int64_t n) {
    Lane camera[11], dcamera[11];
    Vector point, from;
    cameras_.gather(camera_of_.data() + i, n, camera);
    points_.gather(point_of_.data() + i, n, point.data());
    for (std::size_t k = 0; k < 3; ++k) from[k] = point[k] - camera[3 + k];

    // Rodrigues' rotation, and the picture.
    Vector axis{camera[0], camera[1], camera[2]};
    const Lane angle = sqrt(dot(axis, axis)), inverse = 1 / angle;
    for (Lane& a : axis) a *= inverse;
    const Lane s = sin(angle), c = cos(angle), along = dot(axis, from);
    const Vector around = cross(axis, from);
    const Vector turned = mix(c, from, s, around, along * (1 - c), axis);
    const Lane near = 1 / turned[2], u = turned[0] * near, v = turned[1] * near;
    const Lane square = fma(u, u, v * v);
    const Lane bent = fma(square, fma(square, camera[10], camera[9]), Lane(1.0F));
    const Lane w = Lane::load(w_.data() + i);
    const Lane x = u * bent, y = v * bent;
    const Lane miss_x = fma(camera[6], x, camera[7]) - Lane::load(seen_at_.data() + i);
    const Lane miss_y = fma(camera[6], y, camera[8]) - Lane::load(seen_at_.data() + seen_ + lane_width + i);
    const Lane excess = 1 - w * w, miss = fma(miss_x, miss_x, miss_y * miss_y);

    // The way back: the picture.
    const Lane scale = 2 * w * w;
    (2 * w * (miss - 2 * excess)).store(dw_.data() + i);
    dcamera[7] = scale * miss_x;
    dcamera[8] = scale * miss_y;
    dcamera[6] = fma(dcamera[7], x, dcamera[8] * y);
    const Lane gx = dcamera[7] * camera[6], gy = dcamera[8] * camera[6];
    const Lane gbent = fma(gx, u, gy * v);
    dcamera[9] = gbent * square;
    dcamera[10] = dcamera[9] * square;
    const Lane gsquare = 2 * gbent * fma(2 * square, camera[10], camera[9]);
    const Lane gu = fma(gx, bent, gsquare * u), gv = fma(gy, bent, gsquare * v);
    const Vector g{gu * near, gv * near, -(fma(gu, u, gv * v) * near)};

    // The rotation.
    const Lane g_along = dot(axis, g), rest = 1 - c;
    const Vector dfrom = mix(c, g, s, cross(g, axis), rest * g_along, axis);
    const Vector daxis = mix(s, cross(from, g), rest * along, g, rest * g_along, from);
    const Lane dangle = c * dot(g, around) - s * (dot(g, from) - g_along * along);
    const Lane radial = dangle - dot(axis, daxis) * inverse;
    for (std::size_t k = 0; k < 3; ++k) {
      dcamera[k] = fma(daxis[k], inverse, axis[k] * radial);
      dcamera[3 + k] = -dfrom[k];
    }
    cameras_.add(camera_of_.data() + i, n, dcamera);
    points_.add(point_of_.data() + i, n, dfrom.data());
    const Lane error = fma(w * w, miss, excess * excess);
    if (n == lane_width) return error;
    float errors[Lane::width];
    error.store(errors);
    std::fill(errors + n, errors + lane_width, 0.0F);
    return Lane::load(errors);
  }

  Table<11, 16> cameras_;
  Table<3, 4> points_;
  std::int64_t seen_;
  Values w_, seen_at_;
  std::vector<std::int64_t> camera_of_, point_of_;
  Values dw_;
  float loss_ = 0;
};

}  // namespace

void add_bundle(Families& kinds) {
  kinds["ba"] = [](const Name& name, float) {
    const std::vector<std::int64_t> sizes = name.numbers();
    return std::make_unique<Bundle>(sizes.at(0), sizes.at(1), sizes.at(2));
  };
}

}  // namespace bench
