#include "xtgrad/autograd/batched_sweep.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <string>
#include <utility>

#include "xtgrad/autograd/batch_loop.h"
#include "xtgrad/autograd/batched_call.h"
#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/grad.h"
#include "xtgrad/autograd/linearize.h"
#include "xtgrad/autograd/ops.h"
#include "xtgrad/autograd/unit_tensor.h"

namespace xtgrad::inline v1::detail {
namespace {

/// Fewer rows are swept one by one: of small operations listing a sweep takes as long as four to ten
/// sweeps, and a run of the list as long again.
constexpr std::int64_t least_listed_rows = 20;
/// Of the largest tensor on the way, for all rows that run at once: they shall stay in a cache.
constexpr std::size_t most_bytes_at_once = std::size_t{1} << 16;
constexpr std::int64_t least_rows_at_once = 8;
/// Of so many rows, and so many bytes that a step makes on average, a program is faster, whose steps are
/// fused: there is little to save but passes over memory. Recording one takes as long as forty sweeps.
constexpr std::int64_t least_recorded_rows = 96;
constexpr std::size_t least_heavy_bytes = 512;

Shape rows_of(std::int64_t rows, const Shape& shape) {
  Shape all{rows};
  for (const std::int64_t size : shape) all.push_back(size);
  return all;
}

std::int64_t count_rows(std::string_view function, const Pullback& pullback,
                        std::span<const Tensor> cotangents) {
  const std::vector<Tensor>& outputs = pullback.outputs();
  if (cotangents.size() != outputs.size()) {
    throw ValueError(
        fmt::format("{}: got {} cotangents, it needs {}", function, cotangents.size(), outputs.size()));
  }
  std::optional<std::int64_t> rows;
  for (std::size_t k = 0; k < outputs.size(); ++k) {
    const Tensor& given = cotangents[k];
    if (!given.defined()) continue;
    if (!rows && given.rank() > 0) rows = given.size(0);
    const Shape& shape = outputs[k].shape();
    if (!rows || shape.rank() == Shape::max_rank || given.shape() != rows_of(*rows, shape)) {
      throw ShapeError(fmt::format("{}: cotangent {} has shape {}, it needs rows of {}{}", function, k,
                                   to_string(given.shape()), to_string(shape),
                                   rows ? fmt::format(", {} as the others", *rows) : ""));
    }
    if (given.dtype() != outputs[k].dtype()) {
      throw DtypeError(fmt::format("{}: cotangent {} is {}, it needs {}", function, k,
                                   to_string(given.dtype()), to_string(outputs[k].dtype())));
    }
  }
  if (!rows)
    throw ValueError(fmt::format("{}: no cotangent is given, so there is no number of rows", function));
  return *rows;
}

/// Rows of what sweeps gave, by input.
class Collected {
 public:
  void add(std::vector<Tensor> some) {
    parts_.resize(some.size());
    for (std::size_t i = 0; i < some.size(); ++i) {
      if (some[i].defined()) parts_[i].push_back(std::move(some[i]));
    }
  }
  [[nodiscard]] std::vector<Tensor> joined(bool are_rows) const {
    std::vector<Tensor> all;
    for (const std::vector<Tensor>& parts : parts_) {
      if (parts.empty()) {
        all.emplace_back();
      } else if (are_rows) {
        all.push_back(stack(parts));
      } else {
        all.push_back(parts.size() == 1 ? parts[0] : concat(parts));
      }
    }
    return all;
  }

 private:
  std::vector<std::vector<Tensor>> parts_;
};

std::vector<Tensor> row_at(const CotangentRows& cotangents, std::int64_t i) {
  std::vector<Tensor> row = cotangents(i, i + 1);
  for (Tensor& given : row) {
    if (given.defined()) given = example_of({given, true}, 0);
  }
  return row;
}

std::vector<Tensor> sweep_each(const Pullback& pullback, const CotangentRows& cotangents, std::int64_t rows) {
  Collected collected;
  for (std::int64_t i = 0; i < rows; ++i) {
    collected.add(pullback(row_at(cotangents, i)));
  }
  return collected.joined(true);
}

std::vector<Tensor> run_program(const Pullback& pullback, const CotangentRows& cotangents,
                                std::int64_t rows) {
  Linearization map(pullback, pullback.inputs());
  Collected collected;
  for (std::int64_t i = 0; i < rows; ++i) collected.add(map.transposed(row_at(cotangents, i)));
  return collected.joined(true);
}

/// The pullback as a list, of cotangents and gradients that are there.
class ListedPullback {
 public:
  ListedPullback(std::string_view function, const Pullback& pullback, const CotangentRows& cotangents)
      : cotangents_(cotangents),
        call_(function, of_given(pullback), given(0, 1), 1, ExampleGuard::Refusal::is_noted) {}

  [[nodiscard]] bool is_listed() const { return call_.refused().empty(); }
  [[nodiscard]] bool is_heavy() const { return call_.bytes_made().mean >= least_heavy_bytes; }

  [[nodiscard]] std::vector<Tensor> run(std::int64_t rows) const {
    std::size_t largest = std::max<std::size_t>(1, call_.bytes_made().largest);
    for (const BatchInput& cotangent : given(0, 1)) {
      const Array& row = array_of(cotangent.tensor);
      largest = std::max(largest, bytes_of(row.shape, row.dtype));
    }
    const std::size_t fitting = most_bytes_at_once / largest;
    const std::int64_t at_once = std::max(least_rows_at_once, static_cast<std::int64_t>(fitting));
    Collected collected;
    for (std::int64_t first = 0; first < rows; first += at_once)
      collected.add(run_some(first, std::min(rows, first + at_once)));
    return collected.joined(false);
  }

 private:
  [[nodiscard]] std::vector<BatchInput> given(std::int64_t first, std::int64_t last) const {
    std::vector<BatchInput> given;
    for (const Tensor& cotangent : cotangents_(first, last)) {
      if (cotangent.defined()) given.push_back({cotangent, true});
    }
    return given;
  }

  TensorFunction of_given(const Pullback& pullback) {
    return [this, &pullback](std::span<const Tensor> given) {
      std::vector<Tensor> all = cotangents_(0, 1);
      std::size_t next = 0;
      for (Tensor& cotangent : all) {
        if (cotangent.defined()) cotangent = given[next++];
      }
      std::vector<Tensor> there;
      for (Tensor& gradient : pullback(all)) {
        is_there_.push_back(gradient.defined());
        if (gradient.defined()) there.push_back(std::move(gradient));
      }
      return there;
    };
  }

  [[nodiscard]] std::vector<Tensor> run_some(std::int64_t first, std::int64_t last) const {
    std::vector<BatchInput> found = call_.run(given(first, last), last - first);
    std::vector<Tensor> all;
    std::size_t next = 0;
    for (const bool is_there : is_there_) {
      all.emplace_back();
      if (!is_there) continue;
      BatchInput& gradient = found[next++];
      all.back() = gradient.is_batched
                       ? std::move(gradient.tensor)
                       : broadcast_to(gradient.tensor, rows_of(last - first, gradient.tensor.shape()));
    }
    return all;
  }

  const CotangentRows& cotangents_;
  std::vector<bool> is_there_;  // of the pullback's gradients
  BatchedCall call_;            // made last: listing fills the others
};

std::vector<Tensor> no_rows(const Pullback& pullback, std::span<const Tensor> cotangents) {
  std::vector<Tensor> row;
  for (std::size_t k = 0; k < cotangents.size(); ++k)
    row.push_back(cotangents[k].defined() ? zeros_like(pullback.outputs()[k]) : Tensor());
  std::vector<Tensor> gradients = pullback(row);
  for (Tensor& gradient : gradients) {
    if (gradient.defined()) gradient = zeros(rows_of(0, gradient.shape()), {.dtype = gradient.dtype()});
  }
  return gradients;
}

}  // namespace

std::vector<Tensor> pull_rows(std::string_view function, const Pullback& pullback,
                              const CotangentRows& cotangents, std::int64_t rows) {
  const std::vector<Tensor> first = cotangents(0, 1);
  const bool is_wanted = std::ranges::any_of(
      first, [](const Tensor& given) { return given.defined() && given.requires_grad(); });
  std::optional<NoGrad> no_history;
  if (!pullback.has_history() && !is_wanted) no_history.emplace();
  if (rows < least_listed_rows || pullback.has_hooked_inputs()) return sweep_each(pullback, cotangents, rows);
  const ListedPullback listed(function, pullback, cotangents);
  if (rows >= least_recorded_rows && no_history && listed.is_listed() && listed.is_heavy())
    return run_program(pullback, cotangents, rows);
  return listed.is_listed() ? listed.run(rows) : sweep_each(pullback, cotangents, rows);
}

std::vector<Tensor> pull_batch(std::string_view function, const Pullback& pullback,
                               std::span<const Tensor> cotangents) {
  const std::int64_t rows = count_rows(function, pullback, cotangents);
  if (rows == 0) return no_rows(pullback, cotangents);
  const auto some = [&](std::int64_t first, std::int64_t last) {
    std::vector<Tensor> part(cotangents.begin(), cotangents.end());
    for (Tensor& given : part) {
      if (given.defined() && last - first < rows)
        given = slice(given, {.axis = 0, .start = first, .stop = last});
    }
    return part;
  };
  return pull_rows(function, pullback, some, rows);
}

std::vector<Tensor> pull_units(std::string_view function, const Pullback& pullback, std::size_t k) {
  const Tensor& y = pullback.outputs()[k];
  const std::int64_t m = y.numel();
  const auto units = [&](std::int64_t first, std::int64_t last) {
    std::vector<Tensor> rows(pullback.outputs().size());
    if (last - first == 1) {
      rows[k] = reshape(unit_tensor({m}, first, y.dtype()), rows_of(1, y.shape()));
    } else {
      const Tensor ones = eye(last - first, std::nullopt, {.dtype = y.dtype()});
      rows[k] =
          reshape(pad(ones, {.axis = 1, .low = first, .high = m - last}), rows_of(last - first, y.shape()));
    }
    return rows;
  };
  return pull_rows(function, pullback, units, m);
}

}  // namespace xtgrad::v1::detail
