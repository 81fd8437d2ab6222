#pragma once

#include <array>
#include <cstddef>
#include <filesystem>
#include <string_view>

namespace train {

/// The files that a run may write into its folder. All of them are named by `path_of` alone, so that what a
/// killed run has left of one is known for what it is (xtgrad/training/leftovers.h).
enum class Output {
  weights,
  checkpoint,
  report,
  timing,
  graph,
  graph_picture,
  learning_curves,
  filters,
  feature_maps,
  confusion_matrix,
  mistakes
};

/// In the order of `Output`.
inline constexpr std::array<std::string_view, 11> output_names{
    "weights.safetensors", "checkpoint.safetensors",
    "report.json",         "timing.json",
    "graph.dot",           "graph.svg",
    "learning_curves.png", "filters.png",
    "feature_maps.png",    "confusion_matrix.png",
    "mistakes.png"};
static_assert(output_names.size() == static_cast<std::size_t>(Output::mistakes) + 1);

/// The pictures of a finished training, in the order in which they are told.
inline constexpr std::array<Output, 5> picture_outputs{Output::learning_curves, Output::filters,
                                                       Output::feature_maps, Output::confusion_matrix,
                                                       Output::mistakes};

[[nodiscard]] inline std::filesystem::path path_of(Output output, const std::filesystem::path& folder) {
  return folder / output_names.at(static_cast<std::size_t>(output));
}

/// Makes the folder and its parents; throws xtgrad::IoError unless files can be written there.
void prepare_folder(const std::filesystem::path& folder);

}  // namespace train
