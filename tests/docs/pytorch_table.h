// Rows of the tables of docs/from_pytorch.md: PyTorch's names, with the expression that gives the same here,
// which is compiled and run, or the reason why there is none.
#pragma once

#include <functional>
#include <set>
#include <sstream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "xtgrad/xtgrad.h"

namespace xtgrad::pytorch_table {

/// A line of a table, or the head of a part of it.
struct Row {
  std::string names;
  std::string code;  ///< empty where the names are lacking
  std::string note;  ///< what the code does not say, or why there is none
};

/// What an expression gave.
struct Given {
  bool is_there = true;
  std::vector<std::string> sizes = {};  ///< of each tensor that is compared with PyTorch's
  std::vector<double> elements = {};    ///< of all of them

  void add(const Tensor& tensor) {
    is_there = is_there && tensor.defined();
    const Tensor numbers = tensor.detach().to(float64);
    const auto values = numbers.data<double>();
    elements.insert(elements.end(), values.begin(), values.end());
    std::string text;
    for (const std::int64_t size : tensor.shape()) text += std::to_string(size) + ' ';
    sizes.push_back(std::move(text));
  }
};

inline Given given(const Tensor& tensor) {
  Given gave;
  gave.add(tensor);
  return gave;
}
inline Given given(const std::vector<Tensor>& tensors) {
  Given gave{.is_there = !tensors.empty()};
  for (const Tensor& tensor : tensors) gave.add(tensor);
  return gave;
}
inline Given given(const std::pair<Tensor, Tensor>& pair) {
  return given(std::vector<Tensor>{pair.first, pair.second});
}
/// The factors of seven steps.
inline Given given(const optim::Schedule& schedule) {
  std::vector<double> factors;
  for (std::int64_t step = 0; step < 7; ++step) factors.push_back(schedule.factor(step));
  return given(from_vector(factors));
}
inline Given given(const Shape& shape) {
  return given(from_vector(std::vector<std::int64_t>(shape.begin(), shape.end())));
}
inline Given given(double number) { return given(full({}, number, {.dtype = float64})); }

using Expression = std::function<Given()>;
using OnRow = std::function<void(const Row&, const Expression&)>;
/// Tells a function of each line, with what computes its expression.
using Rows = std::function<void(const OnRow&)>;

inline std::string as_cell(std::string text) {
  for (std::size_t at = 0; (at = text.find('|', at)) != std::string::npos; at += 2) text.insert(at, 1, '\\');
  return text;
}

/// "F.relu" of "nn.functional.relu", as the page says at its head.
inline std::string shortened(std::string names) {
  const std::string long_prefix = "nn.functional.";
  for (std::size_t at = 0; (at = names.find(long_prefix, at)) != std::string::npos;)
    names.replace(at, long_prefix.size(), "F.");
  return names;
}

inline std::string table(const Rows& rows) {
  std::ostringstream page;
  rows([&](const Row& row, const Expression&) {
    const std::string note = as_cell(row.note);
    if (!row.code.empty()) {
      page << "| " << shortened(row.names) << " | `" << as_cell(row.code) << '`'
           << (note.empty() ? "" : "; " + note) << " |\n";
    } else if (!note.empty()) {
      page << "| " << shortened(row.names) << " | not here: " << note << " |\n";
    } else {
      page << "\n### " << row.names << "\n\n| PyTorch | xtgrad |\n|---|---|\n";
    }
  });
  return page.str();
}

/// The page with the table where it says that a file begins, up to the next "end"; empty if it says so
/// nowhere.
inline std::string with_table(const std::string& page, const std::string& file, const std::string& table) {
  const std::string begin = "<!-- begin: tests/docs/" + file + " -->\n", end = "\n<!-- end -->";
  const std::size_t first = page.find(begin);
  const std::size_t last = first == std::string::npos ? first : page.find(end, first);
  if (last == std::string::npos) return {};
  return page.substr(0, first + begin.size()) + table + page.substr(last);
}

/// What stands between commas.
inline std::set<std::string> names_of(const Rows& rows) {
  std::set<std::string> all;
  rows([&](const Row& row, const Expression&) {
    std::istringstream names(row.names);
    for (std::string name; std::getline(names >> std::ws, name, ',');) all.insert(name);
  });
  return all;
}

/// "KIND NAME | SIZES | SIZES : ELEMENTS", as tests/docs/pytorch_compare.py reads it.
inline void write(std::ostream& file, std::string_view kind, const std::string& name, const Given& gave) {
  file << kind << ' ' << name;
  for (const std::string& sizes : gave.sizes) file << " | " << sizes;
  file << " :";
  for (const double element : gave.elements) file << ' ' << element;
  file << '\n';
}

}  // namespace xtgrad::pytorch_table

#define PYTORCH_FAMILY(title) row(Row{title, {}, {}}, [] { return Given{}; });
#define PYTORCH_NAME(names, ...) row(Row{names, #__VA_ARGS__, {}}, [&] { return given(__VA_ARGS__); });
#define PYTORCH_NOTED(names, note, ...) \
  row(Row{names, #__VA_ARGS__, note}, [&] { return given(__VA_ARGS__); });
#define PYTORCH_LACKS(names, reason) row(Row{names, {}, reason}, [] { return Given{}; });
