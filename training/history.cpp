#include "xtgrad/training/history.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/ops.h"

namespace xtgrad::inline v1::training {
namespace {

constexpr std::int64_t other_columns = 4;  // step, learning rate, samples a second, seconds

}  // namespace

void History::add(const EpochRecord& record) {
  if (record.epoch != epochs() + 1) {
    throw ValueError(fmt::format("History: the next epoch must be {}: got {}", epochs() + 1, record.epoch));
  }
  std::vector<std::string> names;
  std::vector<double> row;
  for (const auto& [name, value] : record.values) {
    names.push_back(name);
    row.push_back(value);
  }
  if (names != names_) {
    throw ValueError(fmt::format("History: values must be called {}: got {}", fmt::join(names_, ", "),
                                 fmt::join(names, ", ")));
  }
  row.insert(row.end(),
             {static_cast<double>(record.step), record.lr, record.samples_per_second, record.seconds});
  const Tensor last = from_span(row, {1, static_cast<std::int64_t>(row.size())}, {.dtype = float64});
  rows_ = rows_.defined() ? concat({rows_, last}) : last;
}

EpochRecord History::record(std::int64_t epoch) const {
  EpochRecord record{.epoch = epoch};
  std::int64_t column = 0;
  const auto next = [&] { return rows_.at({epoch - 1, column++}); };
  for (const std::string& name : names_) record.values.push_back({name, next()});
  record.step = static_cast<std::int64_t>(next());
  record.lr = next();
  record.samples_per_second = next();
  record.seconds = next();
  return record;
}

std::vector<EpochRecord> History::records() const {
  std::vector<EpochRecord> records;
  for (std::int64_t epoch = 1; epoch <= epochs(); ++epoch) records.push_back(record(epoch));
  return records;
}

void History::check_epochs(std::int64_t epochs) const {
  if (!rows_.defined() && epochs == 0) return;
  const auto values = static_cast<std::int64_t>(names_.size());
  const Shape expected{epochs, values + other_columns};
  if (epochs > 0 && rows_.defined() && rows_.dtype() == float64 && rows_.shape() == expected) {
    for (std::int64_t row = 0; row < epochs; ++row) {
      if (const double step = rows_.at({row, values}); !(step >= 0 && step <= 0x1p53))
        throw ValueError(
            fmt::format("History: the step of epoch {} must be from 0 to 2^53: got {}", row + 1, step));
    }
    return;
  }
  throw ValueError(fmt::format(
      "History: records must be float64 {}: got {}", to_string(expected),
      rows_.defined() ? fmt::format("{} {}", to_string(rows_.dtype()), to_string(rows_.shape())) : "none"));
}

}  // namespace xtgrad::v1::training
