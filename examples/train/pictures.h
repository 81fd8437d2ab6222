#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "model.h"
#include "xtgrad/datasets/dataset.h"
#include "xtgrad/training/records.h"

namespace train {

/// What a training came to, to be looked at.
struct Outcome {
  Classifier& classifier;
  const xtgrad::datasets::Dataset& test;
  xtgrad::Tensor predicted;  ///< int64 [n], the class given to each test sample
  std::vector<xtgrad::training::EpochRecord> epochs;
};

/// Draws into `folder`, as PNG: learning_curves; confusion_matrix; for images mistakes, the test images that
/// got a wrong class; and for a convnet filters, of its first layer, and feature_maps, what that makes of the
/// first test image. Removes pictures of an earlier run that are not drawn anew. Returns what came of it, for
/// the user to read; a build without Cairo draws nothing. Throws xtgrad::IoError if a file can't be written,
/// and xtgrad::training::Interrupted between two pictures.
std::string draw_pictures(const Outcome& outcome, const std::filesystem::path& folder);

}  // namespace train
