#include <doctest/doctest.h>

#include <algorithm>
#include <cstddef>
#include <vector>

#include "tests/gallery/gallery_page.h"
#include "xtgrad/datasets/digits.h"
#include "xtgrad/datasets/split.h"

using namespace xtgrad;

namespace {

constexpr int side = 8;
using Image = std::vector<double>;  // [side, side]

/// The first test image, from 0 to 1, as the page takes it.
Image digit() {
  const datasets::TrainTest data = datasets::stratified_split(datasets::digits());
  const Tensor pixels = data.test.subset({0}).inputs();
  Image image;
  for (const float value : pixels.data<float>()) image.push_back(static_cast<double>(value) / 16);
  return image;
}

/// The kernel's response with zeros around the image, in plain loops.
double response(const Image& image, const std::vector<double>& kernel, int row, int column) {
  double sum = 0;
  for (int i = 0; i < 3; ++i) {
    for (int j = 0; j < 3; ++j) {
      const int y = row + i - 1;
      const int x = column + j - 1;
      if (y < 0 || y >= side || x < 0 || x >= side) continue;
      sum += kernel[static_cast<std::size_t>(3 * i + j)] * image[static_cast<std::size_t>(side * y + x)];
    }
  }
  return sum;
}

}  // namespace

TEST_CASE("gallery 11: edge kernels' responses, padding, pooling and flattening are those of plain loops") {
  const testing::GalleryPage page("11_convolution");
  const Image image = digit();
  const std::vector<double> vertical{1, 0, -1, 1, 0, -1, 1, 0, -1};
  const std::vector<double> horizontal{1, 1, 1, 0, 0, 0, -1, -1, -1};
  const std::vector<double> v = page.numbers("vertical edges, middle row");
  const std::vector<double> h = page.numbers("horizontal edges, middle row");
  REQUIRE(v.size() == side);
  REQUIRE(h.size() == side);
  // Sixteenths: exact in float32.
  for (int column = 0; column < side; ++column) {
    CHECK(v[static_cast<std::size_t>(column)] == response(image, vertical, side / 2, column));
    CHECK(h[static_cast<std::size_t>(column)] == response(image, horizontal, side / 2, column));
  }
  std::vector<double> flat;
  for (int row = 0; row < side; row += 2) {
    for (int column = 0; column < side; column += 2) {
      double largest = 0;  // of what ReLU leaves
      for (const int i : {0, 1}) {
        for (const int j : {0, 1}) {
          largest = std::max(largest, response(image, vertical, row + i, column + j));
        }
      }
      flat.push_back(largest);
    }
  }
  CHECK(page.numbers("these numbers") == flat);
  CHECK(page.number("side without padding (pixels)") == side - 2);
  CHECK(page.number("side with padding (pixels)") == side);
  CHECK(page.number("numbers for the dense layer") == side * side / 4);
  CHECK(page.number("test accuracy (%)") > 94);
}
