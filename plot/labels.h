#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "xtgrad/autograd/tensor.h"
#include "xtgrad/plot/confusion_matrix.h"

namespace xtgrad::inline v1::plot::detail {

/// The name of a class: its number if there are no names.
[[nodiscard]] std::string class_name(std::span<const std::string> names, std::int64_t label);

/// The names of `classes` classes. Throws ShapeError, naming `function`, for another number of names.
[[nodiscard]] std::vector<std::string> class_names(std::string_view function,
                                                   std::span<const std::string> names, std::int64_t classes);

/// "1 filter", "1,234 filters".
[[nodiscard]] std::string plural(std::int64_t count, std::string_view what);

/// Throws, naming `function`, unless labels are an int64 vector.
void check_label_vector(std::string_view function, const Tensor& labels);
/// Throws, naming `function`, unless each label is one of 0 .. classes - 1.
void check_label_range(std::string_view function, const Tensor& labels, std::int64_t classes);

inline constexpr std::int64_t any_class = -1;
/// Throws, naming `function`, unless both are int64 vectors of one length, of labels of so many classes.
void check_labels(std::string_view function, const Predictions& predictions, std::int64_t classes);

}  // namespace xtgrad::v1::plot::detail
