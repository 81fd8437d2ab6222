#include "xtgrad/training/tensorboard.h"

#include <fmt/format.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <filesystem>
#include <system_error>

#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/grad.h"
#include "xtgrad/autograd/ops.h"
#include "xtgrad/datasets/image_file.h"
#include "xtgrad/nn/options.h"
#include "xtgrad/training/event_file.h"
#include "xtgrad/training/histogram.h"
#include "xtgrad/training/trainer.h"

namespace xtgrad::inline v1::training {
namespace {

namespace fs = std::filesystem;
using detail::Message;

constexpr const char* own_name = "TensorBoard";

// Numbers of the fields of Event, Summary and Summary.Value, and of a value's kinds.
namespace field {
constexpr int wall_time = 1, step = 2, file_version = 3, summary = 5, session_log = 7;
constexpr int value = 1, tag = 1, simple_value = 2, image = 4, histogram = 5;
constexpr int image_height = 1, image_width = 2, image_channels = 3, image_bytes = 4;
constexpr int session_status = 1, session_start = 1;
}  // namespace field

double seconds_now() {
  return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
}

[[noreturn]] void fail(std::string_view what, const std::string& path, int error) {
  throw IoError(
      fmt::format("{}: cannot {} {}: {}", own_name, what, path, std::generic_category().message(error)));
}

/// By the time to a microsecond: TensorBoard reads a folder's files in the order of their names.
std::string file_name() {
  static std::atomic<int> count{0};
  std::array<char, 256> host{};
  if (::gethostname(host.data(), host.size() - 1) != 0) host[0] = '\0';
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  const auto microseconds = std::chrono::duration_cast<std::chrono::microseconds>(now).count();
  return fmt::format("events.out.tfevents.{:010}.{:06}.{}.{}.{}", microseconds / 1'000'000,
                     microseconds % 1'000'000, host.data(), ::getpid(), count++);
}

Message event_at(std::int64_t step) {
  Message event;
  event.add_double(field::wall_time, seconds_now());
  event.add_integer(field::step, step);
  return event;
}

Message value_of(std::string_view tag) {
  Message value;
  value.add_bytes(field::tag, tag);
  return value;
}

/// A picture's bytes, in the shape that it has.
Tensor bytes_of_image(const Tensor& image) {
  const NoGrad no_grad;
  const bool has_channels = image.rank() == 3;
  if ((!has_channels && image.rank() != 2) || (has_channels && image.size(0) != 1 && image.size(0) != 3) ||
      image.numel() == 0) {
    throw ShapeError(
        fmt::format("{}: add_image: an image must be [height, width] or [1 or 3, height, width]: got {}",
                    own_name, to_string(image.shape())));
  }
  if (image.dtype() != uint8 && !is_floating(image.dtype())) {
    throw DtypeError(fmt::format("{}: add_image: an image must be uint8, float32 or float64: got {}",
                                 own_name, to_string(image.dtype())));
  }
  if (image.dtype() == uint8) return image;
  const Tensor number = where(equal(image, image), image, 0);
  return (clamp(number, {.min = 0, .max = 1}) * 255 + 0.5).to(int64).to(uint8);
}

}  // namespace

TensorBoard::TensorBoard(const std::string& folder, const TensorBoardOptions& options) : options_(options) {
  nn::detail::check_option(own_name, "every_steps", options.every_steps, 0);
  std::error_code error;
  fs::create_directories(folder, error);
  if (error) fail("create the folder", folder, error.value());
  path_ = (fs::path(folder) / file_name()).string();
  file_.reset(std::fopen(path_.c_str(), "wbx"));
  if (file_ == nullptr) fail("create", path_, errno);
  std::setvbuf(file_.get(), nullptr, _IONBF, 0);  // so that nothing of a failed write is tried again
  Message event = event_at(0);
  event.add_bytes(field::file_version, "brain.Event:2");
  write(event.bytes());
}

TensorBoard::~TensorBoard() = default;

void TensorBoard::Close::operator()(std::FILE* file) const { std::fclose(file); }

void TensorBoard::write(std::string_view event) {
  const std::string record = detail::framed(event);
  std::FILE* const file = file_.get();
  if (std::fwrite(record.data(), 1, record.size(), file) == record.size() && std::fflush(file) == 0) {
    good_size_ += static_cast<std::int64_t>(record.size());
    return;
  }
  const int cause = errno;
  // Readers stop at half a record: it is taken back, and what comes next can be read.
  std::clearerr(file);
  if (ftruncate(fileno(file), good_size_) == 0) fseeko(file, good_size_, SEEK_SET);
  fail("write to", path_, cause);
}

void TensorBoard::write_value(std::string_view value, std::int64_t step) {
  Message summary;
  summary.add_bytes(field::value, value);
  Message event = event_at(step);
  event.add_bytes(field::summary, summary.bytes());
  write(event.bytes());
}

void TensorBoard::add_scalar(std::string_view tag, double value, std::int64_t step) {
  Message message = value_of(tag);
  message.add_float(field::simple_value, static_cast<float>(value));
  write_value(message.bytes(), step);
}

void TensorBoard::add_histogram(std::string_view tag, const Tensor& values, std::int64_t step) {
  if (!is_floating(values.dtype())) {
    throw DtypeError(fmt::format("{}: add_histogram: values must be float32 or float64: got {}", own_name,
                                 to_string(values.dtype())));
  }
  const Tensor wide = values.detach().to(float64);
  Message message = value_of(tag);
  message.add_bytes(field::histogram, detail::histogram_message(wide.data<double>()));
  write_value(message.bytes(), step);
}

void TensorBoard::add_image(std::string_view tag, const Tensor& image, std::int64_t step) {
  const Tensor pixels = bytes_of_image(image.detach());
  Message picture;
  picture.add_integer(field::image_height, pixels.size(-2));
  picture.add_integer(field::image_width, pixels.size(-1));
  picture.add_integer(field::image_channels, pixels.rank() == 3 ? pixels.size(0) : 1);
  picture.add_bytes(field::image_bytes, datasets::encode_png(pixels));
  Message message = value_of(tag);
  message.add_bytes(field::image, picture.bytes());
  write_value(message.bytes(), step);
}

void TensorBoard::purge_from(std::int64_t step) {
  Message session;
  session.add_integer(field::session_status, field::session_start);
  Message event = event_at(step);
  event.add_bytes(field::session_log, session.bytes());
  write(event.bytes());
}

void TensorBoard::begin(Trainer& trainer) {
  if (trainer.step() > 0) purge_from(trainer.step() + 1);
}

void TensorBoard::after_step(Trainer& /*trainer*/, const StepRecord& step) {
  if (options_.every_steps == 0 || step.step % options_.every_steps != 0) return;
  add_scalar("step/loss", step.loss, step.step);
  add_scalar("step/lr", step.lr, step.step);
}

void TensorBoard::after_epoch(Trainer& trainer, const EpochRecord& epoch) {
  for (const auto& [name, value] : epoch.values) add_scalar(name, value, epoch.step);
  add_scalar("lr", epoch.lr, epoch.step);
  add_scalar("samples_per_second", epoch.samples_per_second, epoch.step);
  if (!options_.histograms) return;
  for (const auto& [name, parameter] : trainer.module().named_parameters()) {
    add_histogram(name, parameter->tensor(), epoch.step);
  }
}

}  // namespace xtgrad::v1::training
