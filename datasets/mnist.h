#pragma once

#include <optional>
#include <string>

#include "xtgrad/autograd/export.h"
#include "xtgrad/datasets/dataset.h"

namespace xtgrad { inline namespace XTGRAD_PUBLIC v1 { namespace datasets {

// MNIST and its kin: grey images of 28x28 pixels, inputs [n, 1, 28, 28], 0 background and 1 ink; int64
// labels. The images stay bytes until a batch is made: MNIST's 60,000 take 47 MB.
//
// They read the usual IDX files, plain or gzip, from `root`; without it from the folder that the environment
// names as XTGRAD_DATA, from ./data, or from where the system's package put them. Each may be the data set's
// own folder or one that has it in a sub-folder of the usual name (mnist, MNIST/raw, ...). All throw IoError
// for files that are missing (listing where they looked and how to get them), damaged or foreign, and
// DtypeError for a dtype that is not floating.
//
//   datasets::Dataset train = datasets::mnist();
//   datasets::Dataset test = datasets::mnist({.train = false});

struct MnistOptions {
  std::string root = {};   ///< a folder; looked for if absent
  bool train = true;       ///< the 60,000 training images rather than the 10,000 test images
  bool unit_range = true;  ///< inputs in [0, 1], as bytes / 255; else 0 .. 255
  std::optional<Dtype> dtype =
      std::nullopt;  ///< of a batch's inputs, floating; the thread's default dtype if absent
};

/// Handwritten digits, 10 classes. Source: Y. LeCun, C. Cortes, C. J. C. Burges, "The MNIST database of
/// handwritten digits". Get it with scripts/download_data.sh mnist.
[[nodiscard]] Dataset mnist(const MnistOptions& options = {});

/// Pieces of clothing, 10 classes: files like MNIST's, but harder. Source: H. Xiao, K. Rasul, R. Vollgraf,
/// "Fashion-MNIST: a Novel Image Dataset for Benchmarking Machine Learning Algorithms", arXiv:1708.07747.
/// Debian has it as package dataset-fashion-mnist.
[[nodiscard]] Dataset fashion_mnist(const MnistOptions& options = {});

struct EmnistOptions {
  std::string split = "balanced";  ///< "byclass", "bymerge", "balanced", "letters", "digits" or "mnist"
  std::string root = {};           ///< a folder; looked for if absent
  bool train = true;               ///< the training images rather than the test images
  bool unit_range = true;          ///< inputs in [0, 1], as bytes / 255; else 0 .. 255
  std::optional<Dtype> dtype =
      std::nullopt;  ///< of a batch's inputs, floating; the thread's default dtype if absent
};

/// Handwritten digits and letters, 10 to 62 classes: upright, though the files hold them transposed, and with
/// labels from 0, though those of "letters" begin with 1. Throws ValueError for another split. Source:
/// G. Cohen, S. Afshar, J. Tapson, A. van Schaik, "EMNIST: an extension of MNIST to handwritten letters",
/// arXiv:1702.05373.
[[nodiscard]] Dataset emnist(const EmnistOptions& options = {});

}}}  // namespace xtgrad::v1::datasets
