#include "xtgrad/datasets/class_members.h"

#include <fmt/format.h>

#include <cstddef>
#include <map>
#include <utility>

#include "xtgrad/autograd/errors.h"

namespace xtgrad::inline v1::datasets::detail {

std::vector<std::vector<std::int64_t>> class_members(std::string_view function, const Tensor& labels) {
  if (!labels.defined()) throw ValueError(fmt::format("{}: labels: the handle is empty", function));
  if (labels.rank() != 1) {
    throw ShapeError(fmt::format("{}: labels must be one number a sample, [n]: got {}", function,
                                 to_string(labels.shape())));
  }
  if (labels.dtype() != int64 && labels.dtype() != int32) {
    throw DtypeError(
        fmt::format("{}: labels must be int64 or int32: got {}", function, to_string(labels.dtype())));
  }
  const Tensor wide = labels.to(int64);
  std::map<std::int64_t, std::vector<std::int64_t>> by_label;
  for (std::int64_t i = 0; const std::int64_t label : wide.data<std::int64_t>()) {
    if (label < 0) {
      throw ValueError(fmt::format("{}: labels must not be negative: label {} is {}", function, i, label));
    }
    by_label[label].push_back(i++);
  }
  std::vector<std::vector<std::int64_t>> members;
  for (auto& [label, rows] : by_label) members.push_back(std::move(rows));
  return members;
}

}  // namespace xtgrad::v1::datasets::detail
