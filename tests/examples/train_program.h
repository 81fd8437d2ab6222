#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "tests/support/program.h"

namespace xtgrad::inline v1::testing {

inline ProgramResult train(std::vector<std::string> arguments, const ProgramOptions& options = {}) {
  return run_program(std::filesystem::path(XTGRAD_EXAMPLES) / "train", arguments, options);
}

/// The same, with `--out folder` at the end.
inline ProgramResult train_into(const std::filesystem::path& folder, std::vector<std::string> arguments,
                                const ProgramOptions& options = {}) {
  arguments.insert(arguments.end(), {"--out", folder.string()});
  return train(std::move(arguments), options);
}

inline nlohmann::json report_in(const std::filesystem::path& folder) {
  return nlohmann::json::parse(file_text(folder / "report.json"));
}

}  // namespace xtgrad::testing
