#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "xtgrad/autograd/export.h"
#include "xtgrad/autograd/size2d.h"
#include "xtgrad/autograd/tensor.h"
#include "xtgrad/datasets/source.h"

namespace xtgrad { inline namespace XTGRAD_PUBLIC v1 { namespace datasets {

struct ImageFolderOptions {
  std::int64_t channels = 3;  ///< 1: grey, 3: red, green, blue; what else a file has is converted
  /// Of all images; if absent they keep their own, and a loader's transform must make them equal.
  std::optional<Size2d> size = std::nullopt;
  bool antialias = true;                            ///< see `resize`
  bool crop = false;                                ///< see `resize`
  Pixels pixels = {};                               ///< what bytes become in batches
  std::int64_t max_pixels = std::int64_t{1} << 27;  ///< IoError for a larger file
  bool upright = true;                              ///< as a photograph was held: see `ReadImageOptions`
};

/// Images in a folder that has a sub-folder for each class, named as the class: cats/1.png, dogs/a/b.jpg.
/// Sample i is {image uint8 [c, h, w], label int64 []}; files are read when they are wanted.
///
///   auto folder = std::make_shared<datasets::ImageFolder>("animals", datasets::ImageFolderOptions{.size =
///   64}); datasets::Loader loader(folder, {.batch_size = 32, .shuffle = true, .workers = 2});
///
/// Classes are in the order of their names, images in that of their paths, both byte by byte, whatever order
/// the system has them in. Names that begin with a dot are left out, and so are files whose names do not end
/// in .png, .jpg or .jpeg, in small letters or capitals. A file with such a name that is no image, or a
/// damaged one, is an IoError that names it, when it is read. Names are read once: what is added to the
/// folder later is not seen. A link to a folder may be a class; links to folders inside of one are not
/// followed.
class ImageFolder final : public SampleSource {
 public:
  /// Throws IoError if there is no such folder, no sub-folder in it, or no image in one of these; ValueError
  /// for options out of range.
  explicit ImageFolder(const std::string& root, const ImageFolderOptions& options = {});

  [[nodiscard]] std::int64_t size() const override { return static_cast<std::int64_t>(paths_.size()); }
  [[nodiscard]] Sample get(std::int64_t index) const override;
  [[nodiscard]] SourceInfo info() const override;
  /// "sample 17 (animals/cats/1.png)".
  [[nodiscard]] std::string name_of(std::int64_t index) const override;

  [[nodiscard]] std::int64_t classes() const { return static_cast<std::int64_t>(class_names_.size()); }
  [[nodiscard]] const std::vector<std::string>& class_names() const& { return class_names_; }
  [[nodiscard]] std::vector<std::string> class_names() const&& { return class_names_; }
  /// int64 [n].
  [[nodiscard]] const Tensor& labels() const& { return labels_; }
  [[nodiscard]] Tensor labels() const&& { return labels_; }
  /// Of each image, beginning with the folder's own.
  [[nodiscard]] const std::vector<std::string>& paths() const& { return paths_; }
  [[nodiscard]] std::vector<std::string> paths() const&& { return paths_; }

 private:
  ImageFolderOptions options_;
  std::vector<std::string> class_names_;
  std::vector<std::string> paths_;
  Tensor labels_;
};

}}}  // namespace xtgrad::v1::datasets
