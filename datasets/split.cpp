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

using Rows = std::vector<std::int64_t>;

/// All rows, as if they were one class.
std::vector<Rows> all_rows(const Dataset& data) {
  Rows rows(static_cast<std::size_t>(data.size()));
  std::iota(rows.begin(), rows.end(), std::int64_t{0});
  return {std::move(rows)};
}

/// The rows of each class, in order.
std::vector<Rows> rows_by_class(const Dataset& data) {
  std::vector<Rows> rows(static_cast<std::size_t>(data.classes()));
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

/// The rows of each part, in order; the fractions sum up to 1.
std::vector<Rows> deal_rows(const std::vector<Rows>& classes, const std::vector<double>& fractions,
                            std::uint64_t seed) {
  std::vector<Rows> parts(fractions.size());
  Dealer dealer(fractions);
  Random random = detail::random_for(seed, detail::SeedUse::split);
  for (const Rows& rows : classes) {
    const auto members = static_cast<std::int64_t>(rows.size());
    const Tensor order = randperm(members, random);
    const std::int64_t* next = order.data<std::int64_t>().data();
    const std::vector<std::int64_t> counts = dealer.deal(members);
    for (std::size_t p = 0; p < parts.size(); ++p) {
      for (std::int64_t i = 0; i < counts[p]; ++i)
        parts[p].push_back(rows[static_cast<std::size_t>(*next++)]);
    }
  }
  for (Rows& rows : parts) std::sort(rows.begin(), rows.end());
  return parts;
}

/// A part that was asked for and has no sample says nothing until much later, when what is measured on it is
/// no number.
void check_not_empty(std::string_view function, std::string_view name, double fraction, const Rows& part,
                     const Dataset& data) {
  if (!part.empty()) return;
  throw ValueError(fmt::format("{}: {} {} of {} sample{} is an empty part", function, name, fraction,
                               data.size(), data.size() == 1 ? "" : "s"));
}

TrainTest split_in_two(std::string_view function, const Dataset& data, const std::vector<Rows>& classes,
                       const SplitOptions& options) {
  check_fraction(function, "test", options.test);
  const std::vector<Rows> parts = deal_rows(classes, {1 - options.test, options.test}, options.seed);
  check_not_empty(function, "test", options.test, parts[1], data);
  check_not_empty(function, "1 - test", 1 - options.test, parts[0], data);
  return {.train = data.subset(parts[0]), .test = data.subset(parts[1])};
}

std::vector<Dataset> split_in_parts(std::string_view function, const Dataset& data,
                                    const std::vector<Rows>& classes, const PartsOptions& options) {
  std::vector<double> fractions = options.fractions;
  if (fractions.empty()) throw ValueError(fmt::format("{}: no fractions are given", function));
  for (std::size_t i = 0; i < fractions.size(); ++i) {
    check_fraction(function, fmt::format("fractions[{}]", i), fractions[i]);
  }
  const double sum = std::accumulate(fractions.begin(), fractions.end(), 0.0);
  if (sum > 1 + slack) {
    std::string list;
    for (const double fraction : fractions) list += fmt::format("{}{}", list.empty() ? "" : ", ", fraction);
    throw ValueError(
        fmt::format("{}: fractions must sum up to at most 1: {} sum up to {}", function, list, sum));
  }
  const std::size_t wanted = fractions.size();
  if (sum >= 1 - slack) {
    for (double& fraction : fractions) fraction /= sum;
  } else {
    fractions.push_back(1 - sum);  // the samples in no part are one more part to the dealer
  }
  const std::vector<Rows> parts = deal_rows(classes, fractions, options.seed);
  std::vector<Dataset> result;
  result.reserve(wanted);
  for (std::size_t p = 0; p < wanted; ++p) {
    check_not_empty(function, fmt::format("fractions[{}]", p), options.fractions[p], parts[p], data);
    result.push_back(data.subset(parts[p]));
  }
  return result;
}

}  // namespace

TrainTest random_split(const Dataset& data, const SplitOptions& options) {
  return split_in_two("random_split", data, all_rows(data), options);
}

TrainTest stratified_split(const Dataset& data, const SplitOptions& options) {
  check_classes("stratified_split", data);
  return split_in_two("stratified_split", data, rows_by_class(data), options);
}

std::vector<Dataset> random_parts(const Dataset& data, const PartsOptions& options) {
  return split_in_parts("random_parts", data, all_rows(data), options);
}

std::vector<Dataset> stratified_parts(const Dataset& data, const PartsOptions& options) {
  check_classes("stratified_parts", data);
  return split_in_parts("stratified_parts", data, rows_by_class(data), options);
}

std::vector<TrainTest> k_fold(const Dataset& data, const KFoldOptions& options) {
  if (options.stratified) check_classes("k_fold", data);
  if (options.folds < 2 || options.folds > data.size()) {
    throw ValueError(
        fmt::format("k_fold: folds must be at least 2 and at most the number of samples, {}: got {}",
                    data.size(), options.folds));
  }
  const auto folds = static_cast<std::size_t>(options.folds);
  const std::vector<double> fractions(folds, 1 / static_cast<double>(options.folds));
  const std::vector<Rows> parts =
      deal_rows(options.stratified ? rows_by_class(data) : all_rows(data), fractions, options.seed);
  std::vector<TrainTest> result;
  result.reserve(folds);
  for (std::size_t fold = 0; fold < folds; ++fold) {
    Rows others;
    for (std::size_t p = 0; p < folds; ++p) {
      if (p != fold) others.insert(others.end(), parts[p].begin(), parts[p].end());
    }
    std::sort(others.begin(), others.end());
    result.push_back({.train = data.subset(others), .test = data.subset(parts[fold])});
  }
  return result;
}

}  // namespace xtgrad::v1::datasets
