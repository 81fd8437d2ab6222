#include "xtgrad/datasets/iris.h"

#include <cstddef>
#include <cstdint>
#include <iterator>
#include <span>
#include <vector>

#include "xtgrad/autograd/creation.h"
#include "xtgrad/datasets/checks.h"

namespace xtgrad::inline v1::datasets {

namespace {

constexpr std::size_t features = 4;
constexpr std::size_t samples = 150;

// Rows of four lengths in cm and a label. The build makes the file from datasets/iris/iris.csv.
constexpr double table[] = {
#include "xtgrad_iris.inc"
};
static_assert(std::size(table) == samples * (features + 1), "iris.csv is not 150 rows of 5 numbers");

}  // namespace

Dataset iris(const IrisOptions& options) {
  const Dtype dtype = detail::inputs_dtype("iris", options.dtype);
  std::vector<double> inputs;
  std::vector<std::int64_t> labels;
  for (std::size_t row = 0; row < samples; ++row) {
    const double* const numbers = table + row * (features + 1);
    inputs.insert(inputs.end(), numbers, numbers + features);
    labels.push_back(static_cast<std::int64_t>(numbers[features]));
  }
  return Dataset({.inputs = from_span(std::span<const double>(inputs), {samples, features}).to(dtype),
                  .labels = from_vector(labels),
                  .classes = 3,
                  .class_names = {"setosa", "versicolor", "virginica"},
                  .feature_names = {"sepal_length", "sepal_width", "petal_length", "petal_width"}});
}

}  // namespace xtgrad::v1::datasets
