#include "xtgrad/datasets/jpeg_file.h"

#include <fmt/format.h>

#include "xtgrad/autograd/errors.h"

#ifdef XTGRAD_HAS_LIBJPEG
#include <array>
#include <csetjmp>
#include <cstdint>
#include <cstdio>
#include <string>

// Needs <cstdio> before it.
#include <jpeglib.h>

#include <jerror.h>
#endif

namespace xtgrad::inline v1::datasets::detail {

bool is_jpeg(std::string_view bytes) { return bytes.starts_with("\xff\xd8\xff"); }

#ifdef XTGRAD_HAS_LIBJPEG

namespace {

constexpr int most_scans = 500;  // of a progressive image: each goes over all of it

/// libjpeg's own state, and where it jumps to when it gives up.
struct Decoder {
  Decoder() = default;
  ~Decoder() { ::jpeg_destroy_decompress(&info); }
  Decoder(const Decoder&) = delete;
  Decoder& operator=(const Decoder&) = delete;

  jpeg_decompress_struct info = {};
  jpeg_error_mgr errors = {};
  jpeg_progress_mgr progress = {};
  std::jmp_buf back = {};
  std::array<char, JMSG_LENGTH_MAX> message = {};
};

Decoder& decoder_of(j_common_ptr info) { return *static_cast<Decoder*>(info->client_data); }

[[noreturn]] void give_up(j_common_ptr info) {
  Decoder& decoder = decoder_of(info);
  info->err->format_message(info, decoder.message.data());
  std::longjmp(decoder.back, 1);
}

/// Warnings of libjpeg are mostly harmless, but for those of data that are not there and would become grey.
void on_message(j_common_ptr info, int level) {
  if (level >= 0) return;
  const int code = info->err->msg_code;
  if (code == JWRN_JPEG_EOF || code == JWRN_HIT_MARKER) give_up(info);
}

void on_progress(j_common_ptr info) {
  if (!info->is_decompressor) return;
  const int scans = decoder_of(info).info.input_scan_number;
  if (scans <= most_scans) return;
  info->err->msg_code = JERR_BAD_PROGRESSION;
  give_up(info);
}

/// What reading has come to.
enum class Outcome { done, failed, no_colors };

// Between setjmp and the jump nothing may be made that has a destructor: these functions hold none.

Outcome read_header(Decoder& decoder, std::string_view bytes) {
  if (setjmp(decoder.back) != 0) return Outcome::failed;
  ::jpeg_create_decompress(&decoder.info);
  decoder.info.client_data = &decoder;
  decoder.info.progress = &decoder.progress;
  ::jpeg_mem_src(&decoder.info, reinterpret_cast<const unsigned char*>(bytes.data()),
                 static_cast<unsigned long>(bytes.size()));
  ::jpeg_read_header(&decoder.info, TRUE);
  const J_COLOR_SPACE colors = decoder.info.jpeg_color_space;
  if (colors == JCS_CMYK || colors == JCS_YCCK) return Outcome::no_colors;
  decoder.info.out_color_space = colors == JCS_GRAYSCALE ? JCS_GRAYSCALE : JCS_RGB;
  return Outcome::done;
}

Outcome read_rows(Decoder& decoder, RawImage& image) {
  if (setjmp(decoder.back) != 0) return Outcome::failed;
  ::jpeg_start_decompress(&decoder.info);
  const std::size_t stride = image.width * image.channels;
  while (decoder.info.output_scanline < decoder.info.output_height) {
    JSAMPROW row = image.bytes.data() + decoder.info.output_scanline * stride;
    ::jpeg_read_scanlines(&decoder.info, &row, 1);
  }
  ::jpeg_finish_decompress(&decoder.info);
  return Outcome::done;
}

}  // namespace

RawImage read_jpeg(const ImageSource& source) {
  Decoder decoder;
  decoder.info.err = ::jpeg_std_error(&decoder.errors);
  decoder.info.client_data = &decoder;
  decoder.errors.error_exit = give_up;
  decoder.errors.emit_message = on_message;
  decoder.progress.progress_monitor = on_progress;
  const auto check = [&](Outcome outcome) {
    if (outcome == Outcome::no_colors)
      source.fail("the JPEG image has the colours of a printer, CMYK: grey or RGB are read");
    if (outcome == Outcome::failed) {
      source.fail(fmt::format("the JPEG image is damaged or ends too early: libjpeg says \"{}\"",
                              decoder.message.data()));
    }
  };
  check(read_header(decoder, source.bytes));
  // A block of 64 pixels takes a bit at least.
  source.check_size(decoder.info.image_width, decoder.info.image_height, std::uint64_t{64} * 8);
  RawImage image{.channels = decoder.info.out_color_space == JCS_GRAYSCALE ? std::size_t{1} : std::size_t{3},
                 .height = decoder.info.image_height,
                 .width = decoder.info.image_width};
  image.bytes.resize(image.channels * image.height * image.width);
  check(read_rows(decoder, image));
  return image;
}

#else

RawImage read_jpeg(const ImageSource& source) {
  throw IoError(
      fmt::format("{}: this library was built without libjpeg: install libjpeg-dev and configure again",
                  source.function));
}

#endif

}  // namespace xtgrad::v1::datasets::detail
