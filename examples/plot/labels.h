#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "report_pictures.h"

namespace plot {

/// The name of a class: its number if there are no names.
[[nodiscard]] std::string class_name(std::span<const std::string> names, std::int64_t label);

/// The names of `classes` classes. Throws xtgrad::ShapeError, naming `function`, for another number of names.
[[nodiscard]] std::vector<std::string> class_names(std::string_view function,
                                                   std::span<const std::string> names, std::int64_t classes);

/// Throws, naming `function`, unless both are int64 vectors of one length, of labels with a name: any label
/// if there are no names.
void check_labels(std::string_view function, const Predictions& predictions,
                  std::span<const std::string> names);

}  // namespace plot
