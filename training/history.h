#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "xtgrad/autograd/export.h"
#include "xtgrad/autograd/tensor.h"
#include "xtgrad/nn/members.h"
#include "xtgrad/training/records.h"

namespace xtgrad { inline namespace XTGRAD_PUBLIC v1 { namespace training {

/// What the epochs of a training came to, as part of a state: a checkpoint remembers them.
class History : public nn::Stateful {
 public:
  /// Of records whose values have these names.
  explicit History(std::vector<std::string> names) : names_(std::move(names)) {}

  /// Adds the next epoch. Throws ValueError for another one, and for values of other names.
  void add(const EpochRecord& record);
  [[nodiscard]] std::int64_t epochs() const { return rows_.defined() ? rows_.size(0) : 0; }
  [[nodiscard]] EpochRecord last() const { return record(epochs()); }
  /// Those of all epochs, in order.
  [[nodiscard]] std::vector<EpochRecord> records() const;
  /// Forgets them all; then it takes over a state with any number of them.
  void clear() { rows_ = {}; }
  /// Throws ValueError unless it has this many epochs, of these names. What it took over may be anything.
  void check_epochs(std::int64_t epochs) const;

  /// "records", unless there are none.
  void members(nn::Members& m) override { m("records", rows_); }

 private:
  [[nodiscard]] EpochRecord record(std::int64_t epoch) const;

  std::vector<std::string> names_;
  Tensor rows_;  // float64 [epochs, values and four more]; empty without epochs
};

}}}  // namespace xtgrad::v1::training
