#include "xtgrad/datasets/split.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <numeric>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/errors.h"
#include "xtgrad/datasets/seed.h"

namespace xtgrad::inline v1::datasets {

namespace {

// Decimal fractions such as 0.7 + 0.2 + 0.1 miss 1 by a few of the last digits; a real surplus is larger.
constexpr double slack = 1e-9;

void check_classes(std::string_view function, const Dataset& data) {
  if (data.classes() == 0) {
    throw ValueError(fmt::format("{}: needs class labels: classes is 0 and labels are {} {}", function,
                                 to_string(data.labels().dtype()), to_string(data.labels().shape())));
  }
}

void check_fraction(std::string_view function, std::string_view name, double fraction) {
  if (!(fraction > 0 && fraction < 1)) {
    throw ValueError(fmt::format("{}: {} must be in (0, 1): got {}", function, name, fraction));
  }
}

/// The rows of each class, in order.
std::vector<std::vector<std::int64_t>> rows_by_class(const Dataset& data) {
  std::vector<std::vector<std::int64_t>> rows(static_cast<std::size_t>(data.classes()));
  const std::span<const std::int64_t> labels = data.labels().data<std::int64_t>();
  for (std::size_t i = 0; i < labels.size(); ++i) {
    rows[static_cast<std::size_t>(labels[i])].push_back(static_cast<std::int64_t>(i));
  }
  return rows;
}

/// Deals the members of one class after another to parts whose fractions sum up to 1. Rounding each class on
/// its own would add up: of 100 classes of 3, each would give 3 * 0.2 = 0.6, rounded to one sample, to a test
/// part that should have 60. So each class rounds up those parts that are owed most so far.
class Dealer {
 public:
  explicit Dealer(std::vector<double> fractions)
      : fractions_(std::move(fractions)), owed_(fractions_.size(), 0) {}

  /// How many of `members` each part gets: its share rounded up or down.
  std::vector<std::int64_t> deal(std::int64_t members) {
    const std::size_t parts = fractions_.size();
    std::vector<std::int64_t> counts(parts);
    std::vector<std::size_t> may_round_up;
    std::int64_t left = members;
    for (std::size_t p = 0; p < parts; ++p) {
      const double share = fractions_[p] * static_cast<double>(members);
      counts[p] = static_cast<std::int64_t>(std::floor(share + slack));
      if (share - static_cast<double>(counts[p]) > slack) may_round_up.push_back(p);
      owed_[p] += share - static_cast<double>(counts[p]);
      left -= counts[p];
    }
    std::stable_sort(may_round_up.begin(), may_round_up.end(),
                     [this](std::size_t a, std::size_t b) { return owed_[a] > owed_[b]; });
    for (std::size_t i = 0; left > 0; ++i, --left) {
      const std::size_t p = may_round_up.at(i);
      ++counts[p];
      owed_[p] -= 1;
    }
    return counts;
  }

 private:
  std::vector<double> fractions_;
  std::vector<double> owed_;  // samples that rounding has kept from each part so far
};

/// One data set for each fraction; they sum up to 1.
std::vector<Dataset> split(const Dataset& data, const std::vector<double>& fractions, std::uint64_t seed) {
  std::vector<std::vector<std::int64_t>> parts(fractions.size());
  Dealer dealer(fractions);
  Random random = detail::random_for(seed, detail::SeedUse::split);
  for (const std::vector<std::int64_t>& rows : rows_by_class(data)) {
    const auto members = static_cast<std::int64_t>(rows.size());
    const Tensor order = randperm(members, random);
    const std::int64_t* next = order.data<std::int64_t>().data();
    const std::vector<std::int64_t> counts = dealer.deal(members);
    for (std::size_t p = 0; p < parts.size(); ++p) {
      for (std::int64_t i = 0; i < counts[p]; ++i)
        parts[p].push_back(rows[static_cast<std::size_t>(*next++)]);
    }
  }
  std::vector<Dataset> result;
  result.reserve(parts.size());
  for (std::vector<std::int64_t>& rows : parts) {
    std::sort(rows.begin(), rows.end());
    result.push_back(data.subset(rows));
  }
  return result;
}

}  // namespace

TrainTest stratified_split(const Dataset& data, const SplitOptions& options) {
  check_classes("stratified_split", data);
  check_fraction("stratified_split", "test", options.test);
  std::vector<Dataset> parts = split(data, {1 - options.test, options.test}, options.seed);
  return {.train = std::move(parts[0]), .test = std::move(parts[1])};
}

std::vector<Dataset> stratified_parts(const Dataset& data, const PartsOptions& options) {
  check_classes("stratified_parts", data);
  std::vector<double> fractions = options.fractions;
  if (fractions.empty()) throw ValueError("stratified_parts: no fractions are given");
  for (std::size_t i = 0; i < fractions.size(); ++i) {
    check_fraction("stratified_parts", fmt::format("fractions[{}]", i), fractions[i]);
  }
  const double sum = std::accumulate(fractions.begin(), fractions.end(), 0.0);
  if (sum > 1 + slack) {
    std::string list;
    for (const double fraction : fractions) list += fmt::format("{}{}", list.empty() ? "" : ", ", fraction);
    throw ValueError(
        fmt::format("stratified_parts: fractions must sum up to at most 1: {} sum up to {}", list, sum));
  }
  if (sum >= 1 - slack) {
    for (double& fraction : fractions) fraction /= sum;
    return split(data, fractions, options.seed);
  }
  // The samples in no part are one more part to the dealer, which nobody sees.
  fractions.push_back(1 - sum);
  std::vector<Dataset> parts = split(data, fractions, options.seed);
  parts.pop_back();
  return parts;
}

}  // namespace xtgrad::v1::datasets
