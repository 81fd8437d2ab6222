#pragma once

#include <cstdint>
#include <cstdio>
#include <memory>
#include <string>
#include <string_view>

#include "xtgrad/autograd/export.h"
#include "xtgrad/autograd/tensor.h"
#include "xtgrad/training/callback.h"

namespace xtgrad { inline namespace XTGRAD_PUBLIC v1 { namespace training {

struct TensorBoardOptions {
  std::int64_t every_steps = 0;  ///< "step/loss" and "step/lr" after so many steps; 0: never
  bool histograms = false;       ///< of every parameter after every epoch, by its name
};

/// An event file that TensorBoard shows: `tensorboard --logdir run`. A Trainer adds the values of every
/// epoch, and what the options ask for; a loop of one's own adds whatever it has. Each value is on its way to
/// the disk when its function returns. All of them throw IoError where that fails.
///
///   auto board = std::make_shared<training::TensorBoard>("run");
///   training::Trainer trainer(model, loss, adam, loader, {.epochs = 30, .callbacks = {board}});
///   board->add_image("filters", filters, 0);
///
/// A training that goes on from a checkpoint writes a file of its own beside the earlier one, which says from
/// which step on the earlier one no longer counts.
class TensorBoard final : public Callback {
 public:
  /// Makes the folder, and in it a file called events.out.tfevents and by time, machine and process.
  explicit TensorBoard(const std::string& folder, const TensorBoardOptions& options = {});
  ~TensorBoard() override;
  TensorBoard(const TensorBoard&) = delete;
  TensorBoard& operator=(const TensorBoard&) = delete;

  /// A number, as a float32.
  void add_scalar(std::string_view tag, double value, std::int64_t step);
  /// How the elements of a floating tensor are distributed: numbers of them between limits that grow by a
  /// tenth. Elements that are not finite are left out. Throws DtypeError for another dtype.
  void add_histogram(std::string_view tag, const Tensor& values, std::int64_t step);
  /// A picture [height, width] or [channels, height, width], of 1 or 3 channels: uint8, or floating from 0 to
  /// 1, to which other numbers are clamped; a NaN is 0. Throws ShapeError or DtypeError for others, IoError
  /// in a build without libpng.
  void add_image(std::string_view tag, const Tensor& image, std::int64_t step);
  /// Values of this step and later ones that were written before, to this folder, no longer count.
  void purge_from(std::int64_t step);

  /// The file.
  [[nodiscard]] const std::string& path() const& { return path_; }
  [[nodiscard]] std::string path() const&& { return path_; }

  void begin(Trainer& trainer) override;
  void after_step(Trainer& trainer, const StepRecord& step) override;
  void after_epoch(Trainer& trainer, const EpochRecord& epoch) override;

 private:
  void write(std::string_view event);
  void write_value(std::string_view value, std::int64_t step);

  TensorBoardOptions options_;
  std::string path_;
  struct Close {
    void operator()(std::FILE* file) const;
  };
  std::unique_ptr<std::FILE, Close> file_;
  std::int64_t good_size_ = 0;  // of the file: whole records
};

}}}  // namespace xtgrad::v1::training
