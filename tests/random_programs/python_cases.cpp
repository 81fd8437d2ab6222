#include "tests/random_programs/python_cases.h"

#include <doctest/doctest.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cmath>
#include <iostream>

#include "tests/random_programs/check.h"
#include "tests/random_programs/prelude.h"
#include "tests/support/program.h"
#include "xtgrad/autograd/grad.h"

namespace xtgrad::random_programs {
namespace {

std::string python_numbers(const std::vector<double>& numbers) {
  std::vector<std::string> texts;
  for (const double x : numbers)
    texts.push_back(std::isnan(x)   ? "nan"
                    : std::isinf(x) ? (x > 0 ? "inf" : "-inf")
                                    : fmt::format("{:.17g}", x));
  return fmt::format("[{}]", fmt::join(texts, ", "));
}

std::string python_list(const std::vector<std::string>& items) {
  return fmt::format("[{}]", fmt::join(items, ", "));
}

std::string python_numbers_of(const std::vector<Tensor>& tensors) {
  std::vector<double> all;
  for (const Tensor& tensor : tensors) {
    const std::vector<double> elements = testing::values(tensor);
    all.insert(all.end(), elements.begin(), elements.end());
  }
  return python_numbers(all);
}

}  // namespace

std::string python_tensor(const Tensor& tensor) {
  const Shape& shape = tensor.shape();
  const std::vector<std::int64_t> sizes(shape.begin(), shape.end());
  const std::string dtype(tensor.dtype() == boolean ? "bool" : to_string(tensor.dtype()));
  return fmt::format("('{}', {}, {})", dtype, fmt::format("[{}]", fmt::join(sizes, ", ")),
                     python_numbers(testing::values(tensor)));
}

std::string python_case(const Program& program, std::uint64_t seed) {
  std::vector<std::string> leaves, steps, operations;
  for (const Tensor& leaf : program.leaves) leaves.push_back(python_tensor(leaf));
  for (const Step& step : program.steps) {
    steps.push_back(fmt::format("\"{}\"", expression(program, step, true)));
    operations.push_back(fmt::format("'{}'", step.row->op));
  }
  std::vector<double> terms;
  {
    const NoGrad no_grad;
    const std::vector<Tensor> values = run(program, leaves_of(program, float64, false), float64);
    for (const std::size_t output : program.outputs)
      terms.push_back(weighted(values[output], static_cast<std::int64_t>(output)).item());
  }
  const Derivatives derivatives(program, seed);
  return fmt::format(
      "{{'name': 'seed {}', 'leaves': {}, 'steps': {}, 'operations': {}, 'outputs': [{}], 'terms': {}, "
      "'gradient': "
      "{}, 'direction': {}, 'second': {}}}\n",
      seed, python_list(leaves), python_list(steps), python_list(operations),
      fmt::join(program.outputs, ", "), python_numbers(terms), python_numbers(derivatives.at(1)),
      python_numbers_of(derivatives.direction(2)), python_numbers(derivatives.at(2)));
}

void compare_in_python(const std::string& python, const std::filesystem::path& cases) {
  const std::filesystem::path script =
      std::filesystem::path(XTGRAD_SOURCE_DIR) / "tests/random_programs/compare.py";
  const testing::ProgramResult compared = testing::run_program(python, {script.string(), cases.string()});
  const std::vector<std::string> lines = testing::lines_of(compared.out);
  std::cout << (lines.empty() ? "" : lines.back()) << std::endl;
  CHECK_MESSAGE(compared.exit_code == 0, compared.out << compared.err);
  CHECK(compared.out.find(" 0 differ") != std::string::npos);
}

}  // namespace xtgrad::random_programs
