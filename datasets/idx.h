#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "xtgrad/autograd/export.h"
#include "xtgrad/datasets/dataset.h"

namespace xtgrad { inline namespace XTGRAD_PUBLIC v1 { namespace datasets {

// IDX files, the format of MNIST and its kin: two zero bytes, the element type, the number of dimensions,
// their sizes as big-endian 32-bit numbers, then the elements in row-major order, big-endian, too. Plain or
// gzip; the content says which. All functions throw IoError, with the file, the offset of the byte, what was
// found there and what was expected, for files that are missing, damaged, too short, too long, or something
// else. Memory grows with what is in the file, never with what its header claims.
//
// Format: Y. LeCun, C. Cortes, C. J. C. Burges, "The MNIST database of handwritten digits".

struct ReadIdxOptions {
  /// float32 or float64 for any file, int64 or int32 for files of integers, uint8 for unsigned bytes. If
  /// absent, it follows from the file's element type: int64 for unsigned and signed bytes, 16-bit and 32-bit
  /// integers; float32; float64.
  std::optional<Dtype> dtype = std::nullopt;
};

/// The tensor of an IDX file, 1 to 8 dimensions. A dtype with fewer digits than the file rounds, but
/// a number that is finite and too large for float32 is an IoError. Throws DtypeError for bool, and for
/// integers that cannot hold what the file may.
///
///   Tensor labels = datasets::read_idx("t10k-labels-idx1-ubyte.gz");  // int64 [10000]
[[nodiscard]] Tensor read_idx(const std::string& path, const ReadIdxOptions& options = {});

struct IdxDatasetOptions {
  std::string images = {};                    ///< file of unsigned bytes, [n, h, w] or [n, ...]
  std::string labels = {};                    ///< file of integers, [n]
  std::int64_t classes = 0;                   ///< how many; the number of names if absent
  std::int64_t first_label = 0;               ///< the file's label of class 0, such as 1 in EMNIST's letters
  std::vector<std::string> class_names = {};  ///< one a class, or none
  bool transposed = false;                    ///< the file has columns for rows, as EMNIST's
  bool unit_range = true;                     ///< inputs in [0, 1], as bytes / 255; else 0 .. 255
  std::optional<Dtype> dtype =
      std::nullopt;  ///< of a batch's inputs, floating; the thread's default dtype if absent
};

/// Images and labels of two IDX files. Images [n, h, w] become inputs [n, 1, h, w], for convolutions; others
/// keep their shape. They stay bytes until a batch is made. Labels become 0 .. classes-1. Throws ValueError
/// for options that are missing, DtypeError for a dtype that is not floating, and IoError, also for labels
/// out of range and for counts that disagree.
///
///   datasets::Dataset kana = datasets::idx_dataset({.images = "k49/train-images-idx3-ubyte.gz",
///                                                   .labels = "k49/train-labels-idx1-ubyte.gz",
///                                                   .classes = 49});
[[nodiscard]] Dataset idx_dataset(const IdxDatasetOptions& options);

}}}  // namespace xtgrad::v1::datasets
