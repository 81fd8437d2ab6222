#include "xtgrad/datasets/image_folder.h"

#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include "tests/support/message_of.h"
#include "tests/support/program.h"
#include "tests/support/skip.h"
#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/ops.h"
#include "xtgrad/datasets/image_file.h"
#include "xtgrad/datasets/loader.h"
#include "xtgrad/datasets/resize.h"
#include "xtgrad/datasets/split.h"

using namespace xtgrad;
using namespace xtgrad::testing;
using datasets::ImageFolder;
using datasets::ImageFolderOptions;
using datasets::Loader;

namespace fs = std::filesystem;

namespace {

void write_text(const fs::path& path, const std::string& text) {
  fs::create_directories(path.parent_path());
  std::ofstream(path) << text;
}

/// An image of one shade: [channels, h, w].
void write_shade(const fs::path& path, std::int64_t shade, const Shape& shape) {
  fs::create_directories(path.parent_path());
  datasets::write_png(path.string(), full(shape, shade, {.dtype = uint8}));
}

bool no_png() {
  try {
    static_cast<void>(datasets::encode_png(zeros({1, 1, 1})));
    return false;
  } catch (const IoError&) {
    skip("built without libpng");
    return true;
  }
}

std::int64_t shade_of(const Tensor& image) { return image.to(int64).at_int64({0, 0, 0}); }

}  // namespace

TEST_CASE("ImageFolder: classes and images are in the order of their names, and nothing else counts") {
  if (no_png()) return;
  const TemporaryFolder temporary;
  const fs::path root = temporary.path() / "animals";
  // Written in another order than that of the names.
  write_shade(root / "dogs" / "2.png", 4, {1, 2, 3});
  write_shade(root / "dogs" / "10.PNG", 3, {3, 2, 3});
  write_shade(root / "cats" / "young" / "a.png", 2, {1, 2, 3});
  write_shade(root / "cats" / "b.png", 1, {1, 2, 3});
  write_shade(root / "cats" / ".hidden.png", 9, {1, 2, 3});
  write_shade(root / "cats" / ".trash" / "c.png", 9, {1, 2, 3});
  write_shade(root / ".git" / "c.png", 9, {1, 2, 3});
  write_shade(root / "beside.png", 9, {1, 2, 3});
  write_text(root / "dogs" / "notes.txt", "no image");
  const ImageFolder folder(root.string());
  CHECK(folder.size() == 4);
  CHECK(folder.classes() == 2);
  CHECK(folder.class_names() == std::vector<std::string>{"cats", "dogs"});
  CHECK(folder.paths() == std::vector<std::string>{root / "cats" / "b.png", root / "cats" / "young" / "a.png",
                                                   root / "dogs" / "10.PNG", root / "dogs" / "2.png"});
  CHECK(folder.labels().dtype() == int64);
  CHECK(sum(equal(folder.labels(), tensor({0, 0, 1, 1}, {.dtype = int64})).to(int64)).item_int64() == 4);
  for (std::int64_t i = 0; i < 4; ++i) {
    const datasets::Sample sample = folder.get(i);
    REQUIRE(sample.size() == 2);
    CHECK(sample[0].dtype() == uint8);
    CHECK(sample[0].shape() == Shape{3, 2, 3});
    CHECK(shade_of(sample[0]) == i + 1);
    CHECK(sample[1].shape() == Shape{});
    CHECK(sample[1].item_int64() == i / 2);
  }
  CHECK(ImageFolder(root.string(), {.channels = 1}).get(2)[0].shape() == Shape{1, 2, 3});
  CHECK(folder.name_of(1) == "sample 1 (" + (root / "cats" / "young" / "a.png").string() + ")");
  CHECK_THROWS_WITH_AS(static_cast<void>(folder.get(4)), "ImageFolder: index out of range: got 4, size is 4",
                       ValueError);
}

TEST_CASE(
    "ImageFolder: batches of numbers, resized, whatever the number of workers; in memory they are bytes") {
  if (no_png()) return;
  const TemporaryFolder temporary;
  for (int i = 0; i < 6; ++i) {
    write_shade(temporary.path() / (i < 3 ? "a" : "b") / (std::to_string(i) + ".png"), 51 * (i % 6),
                {1, 2 + i, 9 - i});
  }
  for (const Dtype dtype : {float32, float64}) {
    const auto folder = std::make_shared<const ImageFolder>(
        temporary.path().string(),
        ImageFolderOptions{.channels = 1, .size = Size2d(4, 5), .pixels = {.dtype = dtype}});
    const datasets::Dataset data = in_memory(*folder);
    CHECK(data.stored_inputs().dtype() == uint8);
    CHECK(data.stored_inputs().shape() == Shape{6, 1, 4, 5});
    CHECK(data.class_counts() == std::vector<std::int64_t>{3, 3});
    CHECK(data.class_names() == folder->class_names());
    for (const std::int64_t workers : {0, 2}) {
      Loader loader(folder, {.batch_size = 4, .workers = workers});
      std::int64_t at = 0;
      for (auto& [x, y] : loader) {
        CHECK(x.dtype() == dtype);
        CHECK(x.shape() == Shape{at == 0 ? 4 : 2, 1, 4, 5});
        for (std::int64_t k = 0; k < x.size(0); ++k, ++at) {
          CHECK(x.at({k, 0, 3, 4}) == doctest::Approx(0.2 * static_cast<double>(at)).epsilon(1e-7));
          CHECK(x.at({k, 0, 3, 4}) == data.inputs().at({at, 0, 3, 4}));
          CHECK(y.at({k}) == (at < 3 ? 0 : 1));
        }
      }
      CHECK(at == 6);
    }
    const auto [train, test] = datasets::stratified_split(data, {.test = 0.34});
    CHECK(test.class_counts() == std::vector<std::int64_t>{1, 1});
  }
}

TEST_CASE("ImageFolder: a loader's transform makes images of different sizes equal") {
  if (no_png()) return;
  const TemporaryFolder temporary;
  const fs::path root = temporary.path();
  write_shade(root / "a" / "1.png", 10, {1, 4, 6});
  write_shade(root / "a" / "2.png", 20, {1, 5, 5});
  const auto folder = std::make_shared<const ImageFolder>(root.string(), ImageFolderOptions{.channels = 1});
  Loader equal_sizes(folder, {.sample_transform = datasets::random_resized_crop({.size = 3})});
  for (auto& [x, y] : equal_sizes) CHECK(x.shape() == Shape{2, 1, 3, 3});
  Loader loader(folder);
  CHECK(message_of<ShapeError>([&] { return loader.begin()->inputs; }) ==
        "collate: shapes of tensor 0 differ: sample 0 (" + (root / "a" / "1.png").string() +
            ") has [1, 4, 6], sample 1 (" + (root / "a" / "2.png").string() + ") has [1, 5, 5]");
}

TEST_CASE("ImageFolder: a file that is no image is named") {
  if (no_png()) return;
  const TemporaryFolder temporary;
  const fs::path bad = temporary.path() / "a" / "2.jpeg";
  write_shade(temporary.path() / "a" / "1.png", 10, {1, 4, 6});
  write_text(bad, "GIF8");
  for (const std::int64_t workers : {0, 2}) {
    Loader loader(std::make_shared<ImageFolder>(temporary.path().string()),
                  {.batch_size = 1, .workers = workers});
    auto at = loader.begin();
    CHECK(message_of<IoError>([&] { return (++at)->inputs; }) ==
          "Loader: sample 1: read_image: " + bad.string() +
              ": neither PNG nor JPEG: it begins with 47 49 46 38");
  }
  CHECK(message_of<IoError>([&] {
          return ImageFolder(temporary.path().string(), {.max_pixels = 23}).get(0);
        }).find("the image is too large: 6 x 4 pixels, and at most 23 are read") != std::string::npos);
}

TEST_CASE("ImageFolder: folders that are none") {
  const TemporaryFolder temporary;
  const std::string root = temporary.path().string();
  CHECK(message_of<IoError>([&] { return ImageFolder(root + "/x").size(); }) ==
        "ImageFolder: " + root + "/x: there is no such folder");
  CHECK(message_of<IoError>([&] { return ImageFolder(root).size(); }) ==
        "ImageFolder: " + root + ": needs a sub-folder for each class, and there is none");
  write_text(temporary.path() / "cats" / "notes.txt", "no image");
  CHECK(message_of<IoError>([&] { return ImageFolder(root).size(); }) ==
        "ImageFolder: " + root + "/cats: no file ends in .png, .jpg or .jpeg, and a class needs an image");
  CHECK(message_of<ValueError>([&] { return ImageFolder(root, {.channels = 4}).size(); }) ==
        "ImageFolder: channels must be 1 or 3: got 4");
  CHECK(message_of<ValueError>([&] { return ImageFolder(root, {.size = Size2d(3, 0)}).size(); }) ==
        "ImageFolder: size must be at least 1x1: got 3x0");
  CHECK(message_of<DtypeError>([&] { return ImageFolder(root, {.pixels = {.dtype = int64}}).size(); }) ==
        "ImageFolder: pixels.dtype must be float32 or float64: got int64");
  CHECK(message_of<ValueError>([&] { return ImageFolder(root, {.max_pixels = 0}).size(); }) ==
        "ImageFolder: max_pixels must be at least 1: got 0");
}
