#pragma once

#include <cstdint>
#include <string>

#include "xtgrad/autograd/export.h"
#include "xtgrad/autograd/program_run.h"

namespace xtgrad { inline namespace XTGRAD_PUBLIC v1 {

struct ExploreOptions {
  std::string title = "A program, step by step";
  /// How many elements of a value the page has at most; of all of them, however many, it has statistics and a
  /// histogram. A matrix is what the last two axes make: of many the first ones are kept, whole, and of one
  /// that is larger by itself every so manieth row and column.
  std::int64_t most_elements = 1 << 14;
};

/// A page, HTML in one file without anything from elsewhere, that steps through a run in a browser: what each
/// step computes and of what, its values and their cotangents, what it cost, where the first NaN is. Throws
/// ValueError for `most_elements` below 1, and for a run whose steps name values that it does not have.
[[nodiscard]] std::string explorer_page(const ProgramRun& run, const ExploreOptions& options = {});

/// Writes that page, whole or not at all; throws IoError, as `write_file_atomically` does, where it cannot.
///
///   explore(step.watch(x, y), "step.html", {.title = "The first step"});
void explore(const ProgramRun& run, const std::string& path, const ExploreOptions& options = {});

}}  // namespace xtgrad::v1
