// OpenCV's part of docs/memory.md. A program of its own: OpenCV brings a BLAS, which is not the library's.
#include <doctest/doctest.h>

#ifdef XTGRAD_HAS_OPENCV
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <opencv2/core.hpp>
#include <span>

#include "xtgrad/xtgrad.h"

using namespace xtgrad;

namespace {

// clang-format off
Tensor from_mat(const cv::Mat& image) {  // 8-bit BGR to [3, height, width], from 0 to 1, blue first
  if (image.dims != 2 || image.type() != CV_8UC3) throw DtypeError("from_mat: expected an image of type CV_8UC3");
  const cv::Mat rows = image.isContinuous() ? image : image.clone();  // a region's rows do not follow each other
  const std::span<const std::uint8_t> bytes(rows.data, rows.total() * rows.elemSize());
  return permute(from_span(bytes, {rows.rows, rows.cols, 3}), {2, 0, 1}).to(Dtype::float32) / 255;
}

cv::Mat to_mat(const Tensor& x) {  // the way back; what lies outside of 0 and 1 is clipped
  const Tensor bytes = permute(clamp(x * 255, {.min = 0, .max = 255}) + 0.5, {1, 2, 0}).to(Dtype::uint8);
  cv::Mat image(static_cast<int>(x.size(1)), static_cast<int>(x.size(2)), CV_8UC3);
  std::memcpy(image.data, bytes.data<std::uint8_t>().data(), static_cast<std::size_t>(bytes.numel()));
  return image;
}
// clang-format on

/// Every byte is another one, up to 255.
cv::Mat numbered(int height, int width) {
  cv::Mat image(height, width, CV_8UC3);
  for (int i = 0; i < height * width * 3; ++i) image.data[i] = static_cast<std::uint8_t>(i % 256);
  return image;
}

bool are_equal(const cv::Mat& a, const cv::Mat& b) {
  return a.size() == b.size() && a.type() == b.type() && cv::norm(a, b, cv::NORM_INF) == 0;
}

}  // namespace

TEST_CASE("docs/memory.md: OpenCV") {
  const cv::Mat image = numbered(8, 16);

  SUBCASE("there and back: each of 256 values") {
    REQUIRE(image.isContinuous());
    const Tensor x = from_mat(image);
    CHECK(x.shape() == Shape{3, 8, 16});
    CHECK(x.dtype() == Dtype::float32);
    const auto pixel = image.at<cv::Vec3b>(1, 15);
    for (int c = 0; c < 3; ++c) CHECK(x.at({c, 1, 15}) == static_cast<float>(pixel[c]) / 255.F);
    CHECK(are_equal(to_mat(x), image));
  }
  SUBCASE("a region, which is not continuous") {
    const cv::Mat region = image(cv::Rect(3, 2, 5, 4));
    REQUIRE(!region.isContinuous());
    const Tensor x = from_mat(region);
    CHECK(x.shape() == Shape{3, 4, 5});
    CHECK(x.at({1, 2, 4}) == static_cast<float>(image.at<cv::Vec3b>(4, 7)[1]) / 255.F);
    CHECK(are_equal(to_mat(x), region));
  }
  SUBCASE("what is too bright or too dark") {
    const cv::Mat back = to_mat(tensor({{{-0.25}}, {{0.5}}, {{7}}}));
    CHECK(back.at<cv::Vec3b>(0, 0) == cv::Vec3b(0, 128, 255));
  }
  SUBCASE("the image goes and the tensor stays") {
    cv::Mat other = image.clone();
    const Tensor x = from_mat(other);
    other.setTo(0);
    CHECK(are_equal(to_mat(x), image));
  }
  SUBCASE("an image of other elements is refused") {
    CHECK_THROWS_AS(static_cast<void>(from_mat(cv::Mat(2, 2, CV_32FC3))), DtypeError);
    CHECK_THROWS_AS(static_cast<void>(from_mat(cv::Mat(2, 2, CV_8UC1))), DtypeError);
  }
}

#else
#include "tests/support/skip.h"

TEST_CASE("docs/memory.md: OpenCV") { xtgrad::testing::skip("OpenCV is not installed (libopencv-core-dev)"); }
#endif
