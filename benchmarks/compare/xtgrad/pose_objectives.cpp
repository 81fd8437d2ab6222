// Objectives of what cameras see: bundle adjustment, and the tracking of a hand.

#include "benchmarks/compare/xtgrad/objectives.h"

namespace bench {
namespace {

using xtgrad::Tensor;

Tensor rows(const Tensor& x, std::int64_t start, std::int64_t stop) {
  return slice(x, {.start = start, .stop = stop});
}
Tensor total(const Tensor& x) { return sum(x, {.axes = 0, .keepdim = true}); }
/// Rows 1, 2, 0.
Tensor rolled(const Tensor& x) { return xtgrad::concat({rows(x, 1, 3), rows(x, 0, 1)}); }
Tensor cross_of_columns(const Tensor& a, const Tensor& b) { return rolled(a * rolled(b) - rolled(a) * b); }

/// One index a column, for a gather of so many rows.
Tensor columns(std::uint64_t stream, std::int64_t count, std::int64_t end, std::int64_t rows) {
  return broadcast_to(xtgrad::from_span(integers(stream, count, end), {1, count}), {rows, count});
}

/// What cameras miss, squared: rotation by Rodrigues' formula, center, focal length, principal point, two
/// factors of distortion; a column each.
std::unique_ptr<Workload> bundle(const Name& name, float /*rate*/) {
  const std::int64_t n = name.numbers().at(0), points = name.numbers().at(1), seen = name.numbers().at(2);
  constexpr double ends[][2] = {{-0.3, 0.3}, {-0.3, 0.3}, {-0.3, 0.3}, {-0.2, 0.2}, {-0.2, 0.2}, {-6, -4},
                                {0.8, 1.2},  {-0.1, 0.1}, {-0.1, 0.1}, {-0.1, 0.1}, {-0.1, 0.1}};
  std::vector<Tensor> parts;
  for (std::uint64_t row = 0; row < 11; ++row)
    parts.push_back(input(10 + row, {n}, ends[row][0], ends[row][1]));
  const Tensor cameras = xtgrad::stack(parts).set_requires_grad(), x = leaf(1, {3, points});
  const Tensor weights = leaf(2, {seen}, 0.5, 1), seen_at = input(3, {2, seen}, -0.5, 0.5);
  const Tensor camera_of = columns(4, seen, n, 11), point_of = columns(5, seen, points, 3);
  return std::make_unique<Differentiated>(std::vector{cameras, x, weights}, [=] {
    const Tensor camera = gather(cameras, 1, camera_of);
    const Tensor from = gather(x, 1, point_of) - rows(camera, 3, 6);
    const Tensor rotation = rows(camera, 0, 3);
    const Tensor angle = sqrt(total(square(rotation))), axis = rotation / angle, cosine = cos(angle);
    const Tensor turned = from * cosine + cross_of_columns(axis, from) * sin(angle) +
                          axis * (total(axis * from) * (1 - cosine));
    const Tensor plane = rows(turned, 0, 2) / rows(turned, 2, 3), radius = total(square(plane));
    const Tensor bent = (rows(camera, 10, 11) * radius + rows(camera, 9, 10)) * radius + 1;
    const Tensor missed = (plane * (bent * rows(camera, 6, 7)) + rows(camera, 7, 9) - seen_at) * weights;
    return sum(square(missed)) + sum(square(1 - square(weights)));
  });
}

/// The four rows of a bone's matrix, of the three that are given.
Tensor bone_matrices(std::uint64_t stream, const std::vector<std::int64_t>& order) {
  const Values given = numbers(stream, 22 * 12, -0.3, 0.3);
  Values all;
  for (const std::int64_t bone : order) {
    for (std::size_t k = 0; k < 12; ++k)
      all.push_back(given[static_cast<std::size_t>(bone) * 12 + k] + (k % 5 == 0 ? 1.0F : 0.0F));
    all.insert(all.end(), {0, 0, 0, 1});
  }
  return xtgrad::from_span(all, {22, 4, 4});
}

/// What the hand's model is made of, and does not move.
struct HandModel {
  HandModel(std::int64_t vertices, std::int64_t seen)
      : inverse(bone_matrices(4, by_level())),
        points(input(7, {3, seen})),
        corners(columns(8, 3 * seen, vertices, 3)) {
    std::vector<std::int64_t> order(22), angles(44, 26);
    for (std::size_t b = 0; b < 22; ++b) order[b] = static_cast<std::int64_t>(b);
    base = bone_matrices(3, order);
    for (std::size_t finger = 0; finger < 5; ++finger) {
      const auto first = static_cast<std::int64_t>(6 + 4 * finger);
      angles[2 + 4 * finger] = first;
      angles[22 + 2 + 4 * finger] = first + 1;
      angles[3 + 4 * finger] = first + 2;
      angles[4 + 4 * finger] = first + 3;
    }
    angle_of = xtgrad::from_vector(angles);
    const Tensor rest = xtgrad::concat({input(5, {3, vertices}), xtgrad::ones({1, vertices})});
    const std::vector<Tensor> weights = unbind(input(6, {22, vertices}, 0, 0.1));
    std::vector<Tensor> of_bones;
    for (const std::int64_t bone : by_level())
      of_bones.push_back(rest * weights[static_cast<std::size_t>(bone)]);
    skin = xtgrad::concat(of_bones);
  }

  /// The wrist; the fingers' first bones and the forearm; the second bones, and so on.
  static std::vector<std::int64_t> by_level() {
    return {0, 1, 5, 9, 13, 17, 21, 2, 6, 10, 14, 18, 3, 7, 11, 15, 19, 4, 8, 12, 16, 20};
  }

  Tensor base, inverse;    // [22, 4, 4]
  Tensor angle_of;         // [2 * 22]: where in theta the angles around x and z are; behind it for none
  Tensor skin;             // [22 * 4, vertices]: the vertices at rest times the bones' weights
  Tensor points, corners;  // [3, seen], [3, 3 * seen]
  // What cosine and sine of an angle around x and z are multiplied with in a matrix.
  Tensor cosine_x = xtgrad::from_span(Values{0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0}, {16});
  Tensor sine_x = xtgrad::from_span(Values{0, 0, 0, 0, 0, 0, -1, 0, 0, 1, 0, 0, 0, 0, 0, 0}, {16});
  Tensor rest_x = xtgrad::from_span(Values{1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}, {16});
  Tensor cosine_z = xtgrad::from_span(Values{1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}, {16});
  Tensor sine_z = xtgrad::from_span(Values{0, -1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}, {16});
  Tensor rest_z = xtgrad::from_span(Values{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1}, {16});
  Tensor to_cross = xtgrad::from_span(
      Values{0, 0, 0, 0, 0, -1, 0, 1, 0, 0, 0, 1, 0, 0, 0, -1, 0, 0, 0, -1, 0, 1, 0, 0, 0, 0, 0},
      {9, 3});  // a to the matrix of a x
  Tensor identity = xtgrad::eye(3);
};

Tensor rotation_of(const HandModel& model, const Tensor& vector) {
  const Tensor angle = sqrt(sum(square(vector))), axis = reshape(vector / angle, {3, 1});
  const Tensor cosine = cos(angle);
  return model.identity * cosine + reshape(matmul(model.to_cross, axis), {3, 3}) * sin(angle) +
         matmul(axis, axis, {.transpose_b = true}) * (1 - cosine);
}

/// The bones' matrices, level after level.
Tensor pose_of(const HandModel& model, const Tensor& theta) {
  const Tensor angles =
      reshape(gather(xtgrad::concat({theta, xtgrad::zeros({1})}), 0, model.angle_of), {2, 22, 1});
  const std::vector<Tensor> c = unbind(cos(angles)), s = unbind(sin(angles));
  const Tensor around_x = reshape(c[0] * model.cosine_x + s[0] * model.sine_x + model.rest_x, {22, 4, 4});
  const Tensor around_z = reshape(c[1] * model.cosine_z + s[1] * model.sine_z + model.rest_z, {22, 4, 4});
  const Tensor relative = matmul(model.base, matmul(around_z, around_x));
  std::vector<Tensor> levels{rows(relative, 0, 1)};
  for (std::int64_t level = 1; level <= 4; ++level) {
    const Tensor below = slice(relative, {.start = level, .stop = level == 1 ? 22 : 21, .step = 4});
    const Tensor above = level == 2 ? rows(levels.back(), 0, 5) : levels.back();
    levels.push_back(matmul(above, below));
  }
  return matmul(xtgrad::concat(levels), model.inverse);
}

/// A pose of a hand whose skin follows its bones, and places on triangles of it, against measured points: the
/// sum of squares.
std::unique_ptr<Workload> hand(const Name& name, float /*rate*/) {
  const std::int64_t vertices = name.numbers().at(0), seen = name.numbers().at(1);
  const Tensor theta = leaf(1, {26}, -0.5, 0.5), us = leaf(2, {2, seen}, 0, 0.5);
  return std::make_unique<Differentiated>(std::vector{theta, us}, [=, model = HandModel(vertices, seen)] {
    const Tensor bones = permute(slice(pose_of(model, theta), {.axis = 1, .stop = 3}), {1, 0, 2});
    const Tensor positions =
        matmul(rotation_of(model, rows(theta, 0, 3)), matmul(reshape(bones, {3, 88}), model.skin)) +
        reshape(rows(theta, 3, 6), {3, 1});
    const Tensor shares = xtgrad::concat({us, 1 - total(us)});
    const Tensor at = sum(reshape(gather(positions, 1, model.corners), {3, 3, seen}) * shares, {.axes = 1});
    return sum(square(model.points - at));
  });
}

}  // namespace

void add_pose_objectives(Families& kinds) {
  kinds["ba"] = bundle;
  kinds["ht"] = hand;
}

}  // namespace bench
