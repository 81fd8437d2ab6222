#pragma once

#include <string>

#include "model.h"
#include "options.h"
#include "xtgrad/datasets/dataset.h"

namespace train {

/// Writes what a first training step computes, of at most eight samples, as a page that steps through it. The
/// classifier stays as it is. Throws xtgrad::IoError where the file cannot be written.
void write_step_page(const Classifier& classifier, const xtgrad::datasets::Dataset& data,
                     const Options& options);

}  // namespace train
