#include "xtgrad/autograd/shape.h"

#include <doctest/doctest.h>

#include <cstdint>
#include <sstream>
#include <utility>
#include <vector>

#include "xtgrad/autograd/dtype.h"
#include "xtgrad/autograd/errors.h"

using namespace xtgrad;

TEST_CASE("a shape counts its elements") {
  CHECK(Shape{}.rank() == 0);
  CHECK(Shape{}.numel() == 1);
  CHECK(Shape{2, 3, 4}.rank() == 3);
  CHECK(Shape{2, 3, 4}.numel() == 24);
  CHECK(Shape{2, 0, 4}.numel() == 0);
  CHECK(Shape{2, 3, 4}.back() == 4);
  CHECK(Shape{std::int64_t{1} << 62}.numel() == std::int64_t{1} << 62);
}

TEST_CASE("shapes are equal if ranks and sizes are") {
  CHECK(Shape{2, 3} == Shape{2, 3});
  CHECK(Shape{2, 3} != Shape{3, 2});
  CHECK(Shape{2} != Shape{2, 1});
  CHECK(Shape{} != Shape{1});
  const std::vector<std::int64_t> sizes{2, 3};
  CHECK(Shape(std::span<const std::int64_t>(sizes)) == Shape{2, 3});
}

TEST_CASE("a shape prints in brackets") {
  CHECK(to_string(Shape{}) == "[]");
  CHECK(to_string(Shape{7}) == "[7]");
  CHECK(to_string(Shape{2, 3, 0}) == "[2, 3, 0]");
  std::ostringstream out;
  out << Shape{2, 3} << " " << float64;
  CHECK(out.str() == "[2, 3] float64");
}

TEST_CASE("push_back adds a dimension at the end") {
  Shape shape;
  shape.push_back(4);
  shape.push_back(5);
  CHECK(shape == Shape{4, 5});
  shape = {1, 1, 1, 1, 1, 1, 1};
  shape.push_back(2);
  CHECK(shape.rank() == Shape::max_rank);
}

TEST_CASE("a size below 0 is an error that shows the shape") {
  CHECK_THROWS_WITH_AS((Shape{2, -1}), "Shape: sizes must not be negative: got [2, -1]", ShapeError);
  CHECK_THROWS_WITH_AS((Shape{0, -1}), "Shape: sizes must not be negative: got [0, -1]", ShapeError);
  Shape shape{2};
  CHECK_THROWS_WITH_AS(shape.push_back(-3), "Shape: sizes must not be negative: got [2, -3]", ShapeError);
  CHECK(shape == Shape{2});
}

TEST_CASE("more than eight dimensions are an error") {
  CHECK_THROWS_WITH_AS((Shape{1, 1, 1, 1, 1, 1, 1, 1, 2}),
                       "Shape: at most 8 dimensions: got 9 in [1, 1, 1, 1, 1, 1, 1, 1, 2]", ShapeError);
  const std::vector<std::int64_t> sizes(20, 1);
  CHECK_THROWS_AS(Shape{std::span<const std::int64_t>(sizes)}, ShapeError);
  Shape shape{1, 1, 1, 1, 1, 1, 1, 1};
  CHECK_THROWS_WITH_AS(shape.push_back(2),
                       "Shape: at most 8 dimensions: got 9 in [1, 1, 1, 1, 1, 1, 1, 1, 2]", ShapeError);
  CHECK(shape.rank() == 8);
}

TEST_CASE("a count of elements past int64 is an error, even beside a dimension of 0") {
  const std::int64_t big = std::int64_t{1} << 32;
  CHECK_THROWS_WITH_AS((Shape{big, big}), "Shape: more than 2^63 - 1 elements: got [4294967296, 4294967296]",
                       ShapeError);
  CHECK_THROWS_AS((Shape{big, big, 0}), ShapeError);
  CHECK_THROWS_AS((Shape{0, big, big}), ShapeError);
  Shape shape{big};
  CHECK_THROWS_AS(shape.push_back(big / 2), ShapeError);
  CHECK(shape == Shape{big});
  shape.push_back(big / 4);
  CHECK(shape.numel() == std::int64_t{1} << 62);
  CHECK_THROWS_AS(static_cast<void>(broadcast_shapes("add", Shape{big, 1}, Shape{big})), ShapeError);
}

TEST_CASE("broadcasting aligns shapes at the end and stretches sizes of 1") {
  const auto both = [](const Shape& a, const Shape& b) {
    const Shape result = broadcast_shapes("add", a, b);
    CHECK(broadcast_shapes("add", b, a) == result);
    return result;
  };
  CHECK(both({2, 3}, {2, 3}) == Shape{2, 3});
  CHECK(both({2, 3}, {3}) == Shape{2, 3});
  CHECK(both({2, 1}, {3}) == Shape{2, 3});
  CHECK(both({4, 1, 3}, {2, 1}) == Shape{4, 2, 3});
  CHECK(both({}, {2, 3}) == Shape{2, 3});
  CHECK(both({}, {}) == Shape{});
  CHECK(both({1}, {}) == Shape{1});
  CHECK(both({1}, {0}) == Shape{0});
  CHECK(both({3, 0}, {1, 1}) == Shape{3, 0});
}

TEST_CASE("shapes that do not broadcast are an error that names the function and both") {
  CHECK_THROWS_WITH_AS(static_cast<void>(broadcast_shapes("add", {2, 3}, {4})),
                       "add: shapes do not broadcast: a is [2, 3], b is [4]", ShapeError);
  CHECK_THROWS_WITH_AS(static_cast<void>(broadcast_shapes("mul", {2, 3}, {3, 3})),
                       "mul: shapes do not broadcast: a is [2, 3], b is [3, 3]", ShapeError);
  CHECK_THROWS_WITH_AS(static_cast<void>(broadcast_shapes("pow", {0}, {2})),
                       "pow: shapes do not broadcast: a is [0], b is [2]", ShapeError);
}

TEST_CASE("a negative axis counts from the end") {
  CHECK(normalize_axis("sum", 0, 3) == 0);
  CHECK(normalize_axis("sum", 2, 3) == 2);
  CHECK(normalize_axis("sum", -1, 3) == 2);
  CHECK(normalize_axis("sum", -3, 3) == 0);
}

TEST_CASE("an axis out of range is an error that gives the range") {
  CHECK_THROWS_WITH_AS(static_cast<void>(normalize_axis("sum", 2, 2)),
                       "sum: axis 2 is out of range: 2 dimensions have the axes -2 to 1", ShapeError);
  CHECK_THROWS_WITH_AS(static_cast<void>(normalize_axis("softmax", -3, 2)),
                       "softmax: axis -3 is out of range: 2 dimensions have the axes -2 to 1", ShapeError);
  CHECK_THROWS_WITH_AS(static_cast<void>(normalize_axis("sum", 0, 0)),
                       "sum: axis 0 is out of range: a 0-d tensor has no axes", ShapeError);
  CHECK_THROWS_AS(static_cast<void>(normalize_axis("sum", INT64_MIN, 2)), ShapeError);
}

TEST_CASE("a dimension or an entry that is not there is an error, not the memory beside") {
  CHECK_THROWS_WITH_AS(static_cast<void>(Shape{}.back()), "Shape: no dimension -1: [] has 0", ShapeError);
  CHECK_THROWS_WITH_AS(static_cast<void>(Shape{}.front()), "Shape: no dimension 0: [] has 0", ShapeError);
  CHECK(Shape{2, 3}.front() == 2);
  Shape shape{2, 3};
  CHECK_THROWS_WITH_AS(static_cast<void>(std::as_const(shape)[9]), "Shape: no dimension 9: [2, 3] has 2",
                       ShapeError);
  CHECK_THROWS_WITH_AS(shape[2] = 1, "Shape: no dimension 2: [2, 3] has 2", ShapeError);
  CHECK(shape[1] == 3);
  Dims dims{0, -1};
  CHECK_THROWS_WITH_AS(static_cast<void>(std::as_const(dims)[8]), "Dims: no entry 8: [0, -1] has 2",
                       ShapeError);
  CHECK_THROWS_WITH_AS(dims[2] = 1, "Dims: no entry 2: [0, -1] has 2", ShapeError);
}
