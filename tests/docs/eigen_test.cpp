// Eigen's part of docs/memory.md.
#include <doctest/doctest.h>

#ifdef XTGRAD_HAS_EIGEN
#include <Eigen/Core>
#include <cstddef>
#include <span>

#include "xtgrad/xtgrad.h"

using namespace xtgrad;

namespace {

// clang-format off
using RowMajor = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

Tensor from_eigen(const RowMajor& m) {  // of a column-major matrix, Eigen makes the row-major one
  return from_span(std::span<const float>(m.data(), static_cast<std::size_t>(m.size())), {m.rows(), m.cols()});
}

Eigen::Map<const RowMajor> as_eigen(const Tensor& x) {  // a view, as long as x lives
  return {x.data<float>().data(), x.size(0), x.size(1)};
}
// clang-format on

}  // namespace

TEST_CASE("docs/memory.md: Eigen") {
  Eigen::MatrixXf m(2, 3);
  m << 1, 2, 3, 4, 5, 6;
  const Tensor x = from_eigen(m);
  CHECK(x.shape() == Shape{2, 3});
  CHECK(x.at({0, 1}) == 2);
  CHECK(as_eigen(x)(1, 0) == 4);
  CHECK(as_eigen(x) == m);

  SUBCASE("a row-major matrix, and a part of one, which is evaluated first") {
    const RowMajor rows = m;
    CHECK(as_eigen(from_eigen(rows)) == m);
    CHECK(as_eigen(from_eigen(rows.rightCols(2))) == m.rightCols(2));
  }
  SUBCASE("the matrix goes and the tensor stays") {
    m.setZero();
    CHECK(x.at({1, 2}) == 6);
  }
  SUBCASE("nothing") {
    const Tensor none = from_eigen(RowMajor(0, 3));
    CHECK(none.shape() == Shape{0, 3});
    CHECK(as_eigen(none).size() == 0);
  }
}

#else
#include "tests/support/skip.h"

TEST_CASE("docs/memory.md: Eigen") { xtgrad::testing::skip("Eigen is not installed (libeigen3-dev)"); }
#endif
