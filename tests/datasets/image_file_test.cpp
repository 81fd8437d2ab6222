#include "xtgrad/datasets/image_file.h"

#include <doctest/doctest.h>
#include <zlib.h>

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "tests/support/message_of.h"
#include "tests/support/program.h"
#include "xtgrad/datasets/image_folder.h"
#include "xtgrad/xtgrad.h"

#ifdef XTGRAD_HAS_LIBJPEG
// Needs <cstdio> before it.
#include <jpeglib.h>
#endif

using namespace xtgrad;
using namespace std::string_literals;
using testing::file_text;

namespace {

using Bytes = std::vector<std::uint8_t>;

[[maybe_unused]] Bytes bytes_of(const Tensor& image) {
  const auto data = image.data<std::uint8_t>();
  return {data.begin(), data.end()};
}

[[maybe_unused]] std::string big_endian(std::uint32_t number) {
  return {static_cast<char>(number >> 24U), static_cast<char>(number >> 16U), static_cast<char>(number >> 8U),
          static_cast<char>(number)};
}

[[maybe_unused]] std::string chunk(const std::string& name, const std::string& data) {
  const std::string checked = name + data;
  const auto sum =
      ::crc32(0, reinterpret_cast<const Bytef*>(checked.data()), static_cast<uInt>(checked.size()));
  return big_endian(static_cast<std::uint32_t>(data.size())) + checked +
         big_endian(static_cast<std::uint32_t>(sum));
}

/// The head of a PNG file.
struct Head {
  std::uint32_t width;
  std::uint32_t height;
  int depth = 8;
  int color_type = 0;  // 0 grey, 2 RGB, 3 palette, 4 grey and alpha, 6 RGB and alpha
};

/// A PNG file made by hand; each row of `rows` begins with its filter's byte.
[[maybe_unused]] std::string png_of(const Head& head, const std::string& rows,
                                    const std::string& before = {}) {
  uLongf size = ::compressBound(static_cast<uLong>(rows.size()));
  std::string packed(size, '\0');
  REQUIRE(::compress(reinterpret_cast<Bytef*>(packed.data()), &size,
                     reinterpret_cast<const Bytef*>(rows.data()), static_cast<uLong>(rows.size())) == Z_OK);
  packed.resize(size);
  const std::string kind{static_cast<char>(head.depth), static_cast<char>(head.color_type), 0, 0, 0};
  return "\x89PNG\r\n\x1a\n" + chunk("IHDR", big_endian(head.width) + big_endian(head.height) + kind) +
         before + chunk("IDAT", packed) + chunk("IEND", "");
}

}  // namespace

TEST_CASE("what is no image is refused, with its file and first bytes") {
  using datasets::decode_image;
  CHECK_THROWS_WITH_AS((void)decode_image("", "a.png"),
                       "decode_image: a.png: the file is empty: a PNG or JPEG image was expected", IoError);
  CHECK_THROWS_WITH_AS((void)decode_image("GIF89a", "a.png"),
                       "decode_image: a.png: neither PNG nor JPEG: it begins with 47 49 46 38", IoError);
  CHECK_THROWS_WITH_AS((void)decode_image("x", "a"),
                       "decode_image: a: neither PNG nor JPEG: it begins with 78", IoError);
  CHECK_THROWS_WITH_AS(
      (void)decode_image("version https://git-lfs.github.com/spec/v1\noid sha256:0\n", "a.png"),
      "decode_image: a.png: this is a Git LFS pointer, which stands for a file that was not "
      "fetched; run git lfs pull in its repository",
      IoError);
  CHECK(testing::message_of<IoError>([] {
          (void)decode_image("<!DOCTYPE html><html>", "a.png");
        }).starts_with("decode_image: a.png: this is an HTML or XML page"));
  CHECK(testing::message_of<IoError>([] {
          (void)decode_image("{\"error\": 404}", "a.png");
        }).starts_with("decode_image: a.png: this is a text that begins with \"{\"error\": 404}\""));
  CHECK_THROWS_WITH_AS((void)decode_image("", "a", {.channels = 2}),
                       "decode_image: channels must be 0, 1 or 3: got 2", ValueError);
  CHECK_THROWS_WITH_AS((void)decode_image("", "a", {.max_pixels = 0}),
                       "decode_image: max_pixels must be 1 or more: got 0", ValueError);
  const testing::TemporaryFolder folder;
  const std::string absent = (folder.path() / "absent.png").string();
  const std::string message = testing::message_of<IoError>([&] { (void)datasets::read_image(absent); });
  CHECK(message.starts_with("read_image: "));
  CHECK(message.find(absent) != std::string::npos);
  CHECK(message.ends_with("No such file or directory"));
}

#ifndef XTGRAD_HAS_LIBPNG
TEST_CASE("without libpng its files are refused by an error that says so") {
  const std::string rest = ": this library was built without libpng: install libpng-dev and configure again";
  CHECK_THROWS_WITH_AS((void)datasets::encode_png(ones({2, 2})), ("encode_png" + rest).c_str(), IoError);
  CHECK_THROWS_WITH_AS(datasets::write_png("a.png", ones({2, 2})), ("write_png" + rest).c_str(), IoError);
  CHECK_THROWS_WITH_AS((void)datasets::decode_image("\x89PNG\r\n\x1a\n", "a"),
                       ("decode_image" + rest).c_str(), IoError);
}
#else

TEST_CASE("an image that is written is read again, and is the same bytes each time") {
  const testing::TemporaryFolder folder;
  const std::string path = (folder.path() / "image.png").string();
  const Tensor color = tensor({{{0, 255}, {1, 2}}, {{3, 4}, {5, 6}}, {{7, 8}, {9, 10}}}, {.dtype = uint8});
  datasets::write_png(path, color);
  const Tensor again = datasets::read_image(path);
  CHECK(again.dtype() == uint8);
  CHECK(again.shape() == Shape{3, 2, 2});
  CHECK(bytes_of(again) == bytes_of(color));
  CHECK(file_text(path) == datasets::encode_png(color));

  for (const Dtype dtype : {float32, float64}) {
    const Tensor grey = tensor({{0, 0.25, 0.5}, {0.75, 0.999, 1}}, {.dtype = dtype, .requires_grad = true});
    const Tensor flat = datasets::decode_image(datasets::encode_png(grey), "grey");
    CHECK(flat.shape() == Shape{1, 2, 3});
    CHECK(bytes_of(flat) == Bytes{0, 64, 128, 191, 255, 255});
    CHECK(datasets::encode_png(reshape(grey, {1, 2, 3})) == datasets::encode_png(grey));
  }
}

TEST_CASE("images that cannot be written are refused before there is a file") {
  using datasets::encode_png;
  for (const Tensor& wrong : {ones({}), ones({4}), ones({2, 3, 3}), ones({1, 3, 2, 2})}) {
    CHECK_THROWS_WITH_AS(
        (void)encode_png(wrong),
        ("encode_png: an image must be [h, w], [1, h, w] or [3, h, w]: got " + to_string(wrong.shape()))
            .c_str(),
        ShapeError);
  }
  CHECK_THROWS_WITH_AS((void)encode_png(Tensor()),
                       "encode_png: an image must be [h, w], [1, h, w] or [3, h, w]: got [0]", ShapeError);
  CHECK_THROWS_WITH_AS((void)encode_png(ones({0, 3})),
                       "encode_png: an image has 1 to 1000000 pixels a side: got [0, 3]", ShapeError);
  CHECK_THROWS_WITH_AS((void)encode_png(ones({2, 2}, {.dtype = int64})),
                       "encode_png: an image must be uint8 or floating: got int64", DtypeError);
  CHECK_THROWS_WITH_AS((void)encode_png(tensor({{0.0, 1.5}})),
                       "encode_png: floating elements must be in [0, 1]: element 1 is 1.5", ValueError);
  CHECK_THROWS_WITH_AS((void)encode_png(tensor({{std::nan(""), 1.0}})),
                       "encode_png: floating elements must be in [0, 1]: element 0 is nan", ValueError);
  const testing::TemporaryFolder folder;
  const std::string path = (folder.path() / "absent/image.png").string();
  const std::string message = testing::message_of<IoError>([&] { datasets::write_png(path, ones({2, 2})); });
  CHECK(message.starts_with("write_png: cannot create " + path));
}

TEST_CASE("every kind of PNG becomes bytes of its own channels, or of those that are asked for") {
  const auto read = [](const std::string& file, std::int64_t channels = 0) {
    const Tensor image = datasets::decode_image(file, "made", {.channels = channels});
    Bytes found{static_cast<std::uint8_t>(image.size(0))};  // the channels first
    const Bytes bytes = bytes_of(image);
    found.insert(found.end(), bytes.begin(), bytes.end());
    return found;
  };
  const std::string one_bit = png_of({.width = 4, .height = 1, .depth = 1}, "\0\xA0"s);
  CHECK(read(one_bit) == Bytes{1, 255, 0, 255, 0});
  CHECK(read(one_bit, 3) == Bytes{3, 255, 0, 255, 0, 255, 0, 255, 0, 255, 0, 255, 0});
  // 16 bits: the upper eight, rounded.
  CHECK(read(png_of({.width = 3, .height = 1, .depth = 16}, "\0\x80\x00\x12\x34\xFF\xFF"s)) ==
        Bytes{1, 128, 18, 255});
  const std::string palette = png_of({.width = 4, .height = 1, .depth = 2, .color_type = 3}, "\0\x1B"s,
                                     chunk("PLTE", "\x01\x02\x03\x0A\x14\x1E\xFF\x00\x00\x00\x00\xFF"s));
  CHECK(read(palette) == Bytes{3, 1, 10, 255, 0, 2, 20, 0, 0, 3, 30, 0, 255});
  CHECK(read(palette, 1) == Bytes{1, 2, 18, 76, 29});
  const std::string rgba =
      png_of({.width = 2, .height = 1, .color_type = 6}, "\0\x0A\x14\x1E\x00\xFF\x00\x00\x80"s);
  CHECK(read(rgba) == Bytes{4, 10, 255, 20, 0, 30, 0, 0, 128});
  CHECK(read(rgba, 3) == Bytes{3, 10, 255, 20, 0, 30, 0});  // what is transparent keeps its colour
  const std::string grey_alpha = png_of({.width = 2, .height = 1, .color_type = 4}, "\0\x07\xFF\x09\x00"s);
  CHECK(read(grey_alpha) == Bytes{2, 7, 9, 255, 0});
  CHECK(read(grey_alpha, 1) == Bytes{1, 7, 9});
}

TEST_CASE("a PNG that is cut off, damaged or makes claims is refused") {
  const std::string whole = png_of({.width = 40, .height = 40}, std::string(40 * 41, '\0'));
  CHECK(datasets::decode_image(whole, "whole").shape() == Shape{1, 40, 40});
  const std::size_t data_end = whole.size() - 12 - 4;  // before the checksum of the data and the last chunk
  for (std::size_t size = 8; size + 8 < data_end; ++size) {
    CHECK_THROWS_AS((void)datasets::decode_image(whole.substr(0, size), "cut"), IoError);
  }
  const std::string message =
      testing::message_of<IoError>([&] { (void)datasets::decode_image(whole.substr(0, 20), "cut.png"); });
  CHECK(message.starts_with(
      "decode_image: cut.png: the PNG image is damaged or ends too early: libpng says \""));
  std::string damaged = whole;
  damaged[18] = 1;  // the width, which the checksum has seen
  CHECK_THROWS_AS((void)datasets::decode_image(damaged, "damaged"), IoError);
  // Four gigabytes from a hundred bytes.
  const std::string bomb = png_of({.width = 65535, .height = 65535}, "");
  CHECK_THROWS_WITH_AS(
      (void)datasets::decode_image(bomb, "bomb"),
      "decode_image: bomb: the image is too large: 65535 x 65535 pixels, and at most 134217728 are read",
      IoError);
  const std::string claim = png_of({.width = 10000, .height = 10000}, "");
  CHECK_THROWS_WITH_AS((void)datasets::decode_image(claim, "claim"),
                       ("decode_image: claim: the file is too short for its image: " +
                        std::to_string(claim.size()) + " bytes, 10000 x 10000 pixels")
                           .c_str(),
                       IoError);
  // As many bytes as grey of one bit could fill are too few for colours of 16.
  const std::string ramp(2000, 'x');
  const auto padded = [&](int depth, int color_type) {
    const std::string text = chunk("teXt", ramp);
    return testing::message_of<IoError>([&] {
      (void)datasets::decode_image(
          png_of({.width = 2000, .height = 1000, .depth = depth, .color_type = color_type}, "", text),
          "padded");
    });
  };
  CHECK(padded(1, 0).find("damaged or ends too early") != std::string::npos);
  CHECK(padded(16, 6).find("too short for its image") != std::string::npos);
  CHECK_THROWS_WITH_AS(
      (void)datasets::decode_image(whole, "whole", {.max_pixels = 1599}),
      "decode_image: whole: the image is too large: 40 x 40 pixels, and at most 1599 are read", IoError);
  CHECK_THROWS_AS((void)datasets::decode_image(png_of({.width = 0, .height = 1}, ""), "none"), IoError);
}
#endif

#ifndef XTGRAD_HAS_LIBJPEG
TEST_CASE("without libjpeg its files are refused by an error that says so") {
  CHECK_THROWS_WITH_AS(
      (void)datasets::decode_image("\xff\xd8\xff", "a"),
      "decode_image: this library was built without libjpeg: install libjpeg-dev and configure again",
      IoError);
}
#else

namespace {

/// A JPEG file of `channels` side by side.
std::string jpeg_of(Bytes pixels, int width, int height, int channels, bool progressive = false) {
  jpeg_compress_struct info = {};
  jpeg_error_mgr errors = {};
  info.err = ::jpeg_std_error(&errors);
  ::jpeg_create_compress(&info);
  unsigned char* memory = nullptr;
  unsigned long size = 0;
  ::jpeg_mem_dest(&info, &memory, &size);
  info.image_width = static_cast<JDIMENSION>(width);
  info.image_height = static_cast<JDIMENSION>(height);
  info.input_components = channels;
  info.in_color_space = channels == 1 ? JCS_GRAYSCALE : channels == 3 ? JCS_RGB : JCS_CMYK;
  ::jpeg_set_defaults(&info);
  ::jpeg_set_quality(&info, 95, TRUE);
  if (progressive) ::jpeg_simple_progression(&info);
  ::jpeg_start_compress(&info, TRUE);
  while (info.next_scanline < info.image_height) {
    JSAMPROW row = pixels.data() +
                   static_cast<std::size_t>(info.next_scanline) * static_cast<std::size_t>(width * channels);
    ::jpeg_write_scanlines(&info, &row, 1);
  }
  ::jpeg_finish_compress(&info);
  ::jpeg_destroy_compress(&info);
  std::string file(reinterpret_cast<const char*>(memory), size);
  std::free(memory);
  return file;
}

/// Red above, blue below; or white above and black below.
Bytes halves(int width, int height, int channels) {
  Bytes pixels;
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x) {
      for (int c = 0; c < channels; ++c) {
        const bool full = channels == 1 ? y < height / 2 : (y < height / 2 ? c == 0 : c == 2);
        pixels.push_back(full ? 255 : 0);
      }
    }
  }
  return pixels;
}

}  // namespace

TEST_CASE("ImageFolder reads JPEG files, grey or coloured") {
  const testing::TemporaryFolder temporary;
  for (const int channels : {1, 3}) {
    const auto folder = temporary.path() / (channels == 1 ? "grey" : "red");
    std::filesystem::create_directory(folder);
    std::ofstream(folder / (channels == 1 ? "1.jpg" : "1.JPEG"), std::ios::binary)
        << jpeg_of(halves(16, 16, channels), 16, 16, channels);
  }
  const datasets::ImageFolder folder(temporary.path().string(), {.channels = 3, .size = 4});
  REQUIRE(folder.size() == 2);
  CHECK(folder.class_names() == std::vector<std::string>{"grey", "red"});
  const Bytes white = bytes_of(folder.get(0)[0]);
  const Bytes red = bytes_of(folder.get(1)[0]);
  REQUIRE(white.size() == 48);
  for (const std::size_t channel : {0U, 1U, 2U}) {
    CHECK(white[16 * channel] > 240);
    CHECK(white[16 * channel + 12] < 15);
  }
  CHECK(red[0] > 240);
  CHECK(red[16] < 15);
  CHECK(red[32 + 12] > 240);
}

TEST_CASE("a JPEG is read in its colours, plain or progressive") {
  for (const bool progressive : {false, true}) {
    CAPTURE(progressive);
    const std::string file = jpeg_of(halves(32, 32, 3), 32, 32, 3, progressive);
    const Tensor image = datasets::decode_image(file, "halves");
    REQUIRE(image.shape() == Shape{3, 32, 32});
    const Bytes bytes = bytes_of(image);
    CHECK(bytes[32 * 4 + 4] > 240);              // red above
    CHECK(bytes[2 * 1024 + 32 * 4 + 4] < 15);    // no blue there
    CHECK(bytes[32 * 28 + 4] < 15);              // no red below
    CHECK(bytes[2 * 1024 + 32 * 28 + 4] > 240);  // but blue
    const Bytes grey = bytes_of(datasets::decode_image(file, "halves", {.channels = 1}));
    REQUIRE(grey.size() == 1024);
    CHECK(std::abs(grey[32 * 4 + 4] - 76) < 4);  // 0.299 of 255
    CHECK(std::abs(grey[32 * 28 + 4] - 29) < 4);
  }
  const std::string grey = jpeg_of(halves(16, 16, 1), 16, 16, 1);
  CHECK(datasets::decode_image(grey, "grey").shape() == Shape{1, 16, 16});
  CHECK(datasets::decode_image(grey, "grey", {.channels = 3}).shape() == Shape{3, 16, 16});
  const testing::TemporaryFolder folder;
  const std::string path = (folder.path() / "wrong_ending.png").string();
  write_file_atomically(path, grey);
  CHECK(datasets::read_image(path).shape() == Shape{1, 16, 16});
}

TEST_CASE("a photograph that was taken with the camera on its side is read upright") {
  std::string file = jpeg_of(halves(16, 8, 1), 16, 8, 1);  // white above
  // Orientation 6: the first row is on the right.
  const std::string block = "MM\0\x2a\0\0\0\x08\0\1\x01\x12\0\3\0\0\0\1\0\6\0\0\0\0\0\0"s;
  file.insert(2, "\xff\xe1\0\x22"s + "Exif\0\0"s + block);
  const Tensor upright = datasets::decode_image(file, "a.jpg");
  REQUIRE(upright.shape() == Shape{1, 16, 8});
  CHECK(upright.to(float32).at({0, 8, 7}) > 240);
  CHECK(upright.to(float32).at({0, 8, 0}) < 15);
  CHECK(datasets::decode_image(file, "a.jpg", {.upright = false}).shape() == Shape{1, 8, 16});
}

TEST_CASE("a JPEG that is cut off, damaged, of a printer or makes claims is refused") {
  const std::string whole = jpeg_of(halves(64, 64, 3), 64, 64, 3);
  for (std::size_t size = 3; size + 2 < whole.size(); size += 7) {
    CAPTURE(size);
    CHECK_THROWS_AS((void)datasets::decode_image(whole.substr(0, size), "cut"), IoError);
  }
  const std::string message = testing::message_of<IoError>(
      [&] { (void)datasets::decode_image(whole.substr(0, whole.size() / 2), "cut.jpg"); });
  CHECK(message.starts_with(
      "decode_image: cut.jpg: the JPEG image is damaged or ends too early: libjpeg says \""));
  CHECK_THROWS_WITH_AS(
      (void)datasets::decode_image(jpeg_of(Bytes(64 * 4, 9), 8, 8, 4), "print"),
      "decode_image: print: the JPEG image has the colours of a printer, CMYK: grey or RGB are read",
      IoError);
  // The size stands behind the marker ff c0, its length and the depth.
  std::string claim = whole;
  const std::size_t at = claim.find("\xff\xc0") + 5;
  claim.replace(at, 4, "\x27\x10\x27\x10");  // 10000 x 10000
  CHECK_THROWS_WITH_AS((void)datasets::decode_image(claim, "claim"),
                       ("decode_image: claim: the file is too short for its image: " +
                        std::to_string(claim.size()) + " bytes, 10000 x 10000 pixels")
                           .c_str(),
                       IoError);
  claim.replace(at, 4, "\xff\xdc\xff\xdc");
  CHECK_THROWS_WITH_AS(
      (void)datasets::decode_image(claim, "claim"),
      "decode_image: claim: the image is too large: 65500 x 65500 pixels, and at most 134217728 are read",
      IoError);
}
#endif
