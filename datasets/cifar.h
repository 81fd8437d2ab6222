#pragma once

#include <optional>
#include <string>
#include <vector>

#include "xtgrad/autograd/export.h"
#include "xtgrad/datasets/dataset.h"

namespace xtgrad { inline namespace XTGRAD_PUBLIC v1 { namespace datasets {

// CIFAR-10, binary version: colour images of 32x32 pixels, inputs [n, 3, 32, 32] in the order red, green,
// blue; int64 labels, 10 classes. The images stay bytes until a batch is made. A file is any number of
// records of 3,073 bytes, the label and then the three planes; plain or gzip. All throw IoError, with file
// and offset, for files that are missing, empty, or no whole number of records, and for labels above 9; and
// DtypeError for a dtype that is not floating.
//
// Source: A. Krizhevsky, "Learning Multiple Layers of Features from Tiny Images", 2009.

struct Cifar10Options {
  std::string root = {};   ///< a folder; looked for as by `mnist` if absent
  bool train = true;       ///< data_batch_1.bin and those that follow, rather than test_batch.bin
  bool unit_range = true;  ///< inputs in [0, 1], as bytes / 255; else 0 .. 255
  std::optional<Dtype> dtype =
      std::nullopt;  ///< of a batch's inputs, floating; the thread's default dtype if absent
};

/// The batches of a folder, with the class names of its batches.meta.txt if it has one. Fewer than five
/// training batches will do, as long as no number between is missing. Get it with scripts/download_data.sh
/// cifar10.
///
///   datasets::Dataset train = datasets::cifar10({.root = "data/cifar-10-batches-bin"});
[[nodiscard]] Dataset cifar10(const Cifar10Options& options = {});

struct Cifar10FilesOptions {
  std::vector<std::string> files = {};  ///< at least one; read one after the other
  std::string class_names = {};         ///< text file with ten names, one a line; the usual ones if absent
  bool unit_range = true;               ///< inputs in [0, 1], as bytes / 255; else 0 .. 255
  std::optional<Dtype> dtype =
      std::nullopt;  ///< of a batch's inputs, floating; the thread's default dtype if absent
};

/// The records of some files. Throws ValueError if none are named.
[[nodiscard]] Dataset cifar10_files(const Cifar10FilesOptions& options);

}}}  // namespace xtgrad::v1::datasets
