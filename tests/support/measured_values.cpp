#include <fmt/format.h>

#include <array>
#include <cmath>
#include <iterator>
#include <utility>

#include "tests/support/measured_functions.h"
#include "xtgrad/xtgrad.h"

namespace xtgrad::inline v1::testing {
namespace {

constexpr std::size_t row_length = 4;

/// Another number for each name, so that a new line leaves the others' draws as they were (FNV-1a).
std::uint64_t seed_of(std::string_view text) {
  std::uint64_t hash = 14695981039346656037ULL;
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 1099511628211ULL;
  return hash;
}

/// Of each of `operands` the numbers of all points.
std::vector<std::vector<double>> drawn(const MeasuredFunction& function, const Region& region, Dtype dtype,
                                       int points) {
  const auto& draws = dtype == float32 && !region.in_float32.empty() ? region.in_float32 : region.operands;
  Random random(seed_of(function.label + region.name));
  const std::size_t count = function.of_rows ? row_length : function.operands;
  std::vector<std::vector<double>> numbers(count);
  for (int i = 0; i < points; ++i) {
    for (std::size_t k = 0; k < count; ++k)
      numbers[k].push_back(draws[draws.size() == 1 ? 0 : k].next(random));
  }
  return numbers;
}

Tensor column(const std::vector<double>& numbers, Dtype dtype) { return from_vector(numbers).to(dtype); }

std::vector<Tensor> inputs_of(const MeasuredFunction& function,
                              const std::vector<std::vector<double>>& numbers, Dtype dtype) {
  std::vector<Tensor> columns;
  for (const auto& each : numbers) columns.push_back(column(each, dtype));
  if (function.of_rows) columns = {stack(columns, 1)};
  for (Tensor& input : columns) input = input.detach().set_requires_grad();
  return columns;
}

/// The numbers of each point, where a tensor has one or, of rows, some for each.
void append(std::vector<std::vector<double>>& lines, const Tensor& tensor) {
  const Tensor numbers = tensor.detach().to(float64);
  const auto elements = numbers.data<double>();
  const std::size_t each = elements.size() / lines.size();
  for (std::size_t i = 0; i < elements.size(); ++i) lines[i / each].push_back(elements[i]);
}

std::vector<Tensor> slopes(const Tensor& y, const std::vector<Tensor>& inputs, bool record) {
  if (y.requires_grad()) return grad(sum(y), inputs, {.create_graph = record, .materialize_grads = true});
  std::vector<Tensor> zeros;
  for (const Tensor& input : inputs) zeros.push_back(zeros_like(input));
  return zeros;
}

}  // namespace

double Draw::next(Random& random) const {
  const double u = random.next_uniform(), side = random.next_uniform() < 0.5 ? -1 : 1;
  const double size =
      logarithmic ? std::exp(std::log(low) + u * (std::log(high) - std::log(low))) : low + u * (high - low);
  return around + (both ? side : sign) * size;
}

std::string measured_values(const MeasuredFunction& function, const Region& region, Dtype dtype, int points) {
  const std::vector<Tensor> inputs = inputs_of(function, drawn(function, region, dtype, points), dtype);
  const auto first_of_row = [&](const Tensor& t) { return t.shape().rank() == 2 ? select(t, 1, 0) : t; };
  std::array<std::vector<std::vector<double>>, 4> parts;  // operands, value, first and second derivatives
  for (auto& part : parts) part.resize(static_cast<std::size_t>(points));
  for (const Tensor& input : inputs) append(parts[0], input);

  const Tensor y = first_of_row(function.apply(inputs));
  append(parts[1], y);
  for (const Tensor& slope : slopes(first_of_row(function.apply(inputs)), inputs, false))
    append(parts[2], slope);
  const std::vector<Tensor> recorded = slopes(y, inputs, true);
  for (std::size_t k = 0; k < recorded.size(); ++k) {
    const std::vector<Tensor> bends = slopes(first_of_row(recorded[k]), inputs, true);
    for (std::size_t j = k; j < bends.size(); ++j) append(parts[3], bends[j]);
  }

  std::string text = fmt::format("# {} | {} | {} | {} | {}\n", function.label, region.name, to_string(dtype),
                                 parts[0][0].size(), function.of_rows ? "rows" : "elements");
  for (std::size_t i = 0; i < parts[0].size(); ++i) {
    for (std::size_t part = 0; part < parts.size(); ++part) {
      if (part > 0) text += ":";
      for (const double number : parts[part][i]) fmt::format_to(std::back_inserter(text), " {:a} ", number);
    }
    text += "\n";
  }
  return text;
}

}  // namespace xtgrad::v1::testing
