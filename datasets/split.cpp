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
#include "xtgrad/datasets/class_members.h"
#include "xtgrad/datasets/combine.h"
#include "xtgrad/datasets/seed.h"
#include "xtgrad/datasets/source.h"

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
std::vector<Rows> all_rows(std::int64_t size) {
  Rows rows(static_cast<std::size_t>(size));
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

std::int64_t size_of(std::string_view function, const SampleSource* source) {
  if (source == nullptr) throw ValueError(fmt::format("{}: the source is null", function));
  const std::int64_t size = source->size();
  if (size >= 0) return size;
  throw ValueError(fmt::format("{}: a source's size must not be negative: got {}", function, size));
}

/// The rows of each class that occurs, in order.
std::vector<Rows> rows_by_label(std::string_view function, const SampleSource* source, const Tensor& labels) {
  const std::int64_t size = size_of(function, source);
  std::vector<Rows> rows = detail::class_members(function, labels);
  if (labels.size(0) == size) return rows;
  throw ShapeError(fmt::format("{}: labels must be [n], one for each of the source's {} samples: got {}",
                               function, size, to_string(labels.shape())));
}

std::int64_t count(const std::vector<Rows>& classes) {
  std::int64_t sum = 0;
  for (const Rows& rows : classes) sum += static_cast<std::int64_t>(rows.size());
  return sum;
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
                     std::int64_t size) {
  if (!part.empty()) return;
  throw ValueError(fmt::format("{}: {} {} of {} sample{} is an empty part", function, name, fraction, size,
                               size == 1 ? "" : "s"));
}

/// The rows of training and test.
std::vector<Rows> split_in_two(std::string_view function, const std::vector<Rows>& classes,
                               const SplitOptions& options) {
  check_fraction(function, "test", options.test);
  std::vector<Rows> parts = deal_rows(classes, {1 - options.test, options.test}, options.seed);
  check_not_empty(function, "test", options.test, parts[1], count(classes));
  check_not_empty(function, "1 - test", 1 - options.test, parts[0], count(classes));
  return parts;
}

/// The rows of each fraction.
std::vector<Rows> split_in_parts(std::string_view function, const std::vector<Rows>& classes,
                                 const PartsOptions& options) {
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
  std::vector<Rows> parts = deal_rows(classes, fractions, options.seed);
  parts.resize(wanted);
  for (std::size_t p = 0; p < wanted; ++p) {
    check_not_empty(function, fmt::format("fractions[{}]", p), options.fractions[p], parts[p],
                    count(classes));
  }
  return parts;
}

struct Fold {
  Rows train, test;
};

std::vector<Fold> split_in_folds(const std::vector<Rows>& classes, const KFoldOptions& options) {
  const std::int64_t size = count(classes);
  if (options.folds < 2 || options.folds > size) {
    throw ValueError(
        fmt::format("k_fold: folds must be at least 2 and at most the number of samples, {}: got {}", size,
                    options.folds));
  }
  const auto folds = static_cast<std::size_t>(options.folds);
  const std::vector<double> fractions(folds, 1 / static_cast<double>(options.folds));
  std::vector<Rows> parts = deal_rows(classes, fractions, options.seed);
  std::vector<Fold> result(folds);
  for (std::size_t fold = 0; fold < folds; ++fold) {
    Rows& others = result[fold].train;
    for (std::size_t p = 0; p < folds; ++p) {
      if (p != fold) others.insert(others.end(), parts[p].begin(), parts[p].end());
    }
    std::sort(others.begin(), others.end());
  }
  for (std::size_t fold = 0; fold < folds; ++fold) result[fold].test = std::move(parts[fold]);
  return result;
}

using Source = std::shared_ptr<const SampleSource>;

std::vector<Dataset> chosen(const Dataset& data, const std::vector<Rows>& parts) {
  std::vector<Dataset> result;
  result.reserve(parts.size());
  for (const Rows& rows : parts) result.push_back(data.subset(rows));
  return result;
}

std::vector<Source> chosen(const Source& source, const std::vector<Rows>& parts) {
  std::vector<Source> result;
  for (const Rows& rows : parts) result.push_back(subset(source, rows));
  return result;
}

TrainTest in_two(const Dataset& data, const std::vector<Rows>& parts) {
  return {.train = data.subset(parts[0]), .test = data.subset(parts[1])};
}

TrainTestSources in_two(const Source& source, const std::vector<Rows>& parts) {
  return {.train = subset(source, parts[0]), .test = subset(source, parts[1])};
}

std::vector<TrainTestSources> in_folds(const Source& source, const std::vector<Fold>& folds) {
  std::vector<TrainTestSources> result;
  for (const Fold& fold : folds)
    result.push_back({.train = subset(source, fold.train), .test = subset(source, fold.test)});
  return result;
}

}  // namespace

TrainTest random_split(const Dataset& data, const SplitOptions& options) {
  return in_two(data, split_in_two("random_split", all_rows(data.size()), options));
}

TrainTestSources random_split(const Source& source, const SplitOptions& options) {
  const std::int64_t size = size_of("random_split", source.get());
  return in_two(source, split_in_two("random_split", all_rows(size), options));
}

TrainTest stratified_split(const Dataset& data, const SplitOptions& options) {
  check_classes("stratified_split", data);
  return in_two(data, split_in_two("stratified_split", rows_by_class(data), options));
}

TrainTestSources stratified_split(const Source& source, const Tensor& labels, const SplitOptions& options) {
  const std::vector<Rows> classes = rows_by_label("stratified_split", source.get(), labels);
  return in_two(source, split_in_two("stratified_split", classes, options));
}

std::vector<Dataset> random_parts(const Dataset& data, const PartsOptions& options) {
  return chosen(data, split_in_parts("random_parts", all_rows(data.size()), options));
}

std::vector<Source> random_parts(const Source& source, const PartsOptions& options) {
  const std::int64_t size = size_of("random_parts", source.get());
  return chosen(source, split_in_parts("random_parts", all_rows(size), options));
}

std::vector<Dataset> stratified_parts(const Dataset& data, const PartsOptions& options) {
  check_classes("stratified_parts", data);
  return chosen(data, split_in_parts("stratified_parts", rows_by_class(data), options));
}

std::vector<Source> stratified_parts(const Source& source, const Tensor& labels,
                                     const PartsOptions& options) {
  const std::vector<Rows> classes = rows_by_label("stratified_parts", source.get(), labels);
  return chosen(source, split_in_parts("stratified_parts", classes, options));
}

std::vector<TrainTest> k_fold(const Dataset& data, const KFoldOptions& options) {
  if (options.stratified) check_classes("k_fold", data);
  std::vector<TrainTest> result;
  for (const Fold& fold :
       split_in_folds(options.stratified ? rows_by_class(data) : all_rows(data.size()), options)) {
    result.push_back({.train = data.subset(fold.train), .test = data.subset(fold.test)});
  }
  return result;
}

std::vector<TrainTestSources> k_fold(const Source& source, const KFoldOptions& options) {
  const std::int64_t size = size_of("k_fold", source.get());
  if (options.stratified) {
    throw ValueError("k_fold: stratified folds of a source want labels, as its second argument: got none");
  }
  return in_folds(source, split_in_folds(all_rows(size), options));
}

std::vector<TrainTestSources> k_fold(const Source& source, const Tensor& labels,
                                     const KFoldOptions& options) {
  return in_folds(source, split_in_folds(rows_by_label("k_fold", source.get(), labels), options));
}

}  // namespace xtgrad::v1::datasets
