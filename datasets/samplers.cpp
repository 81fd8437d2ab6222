#include "xtgrad/datasets/samplers.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <memory>
#include <numeric>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/errors.h"
#include "xtgrad/datasets/checks.h"
#include "xtgrad/datasets/class_members.h"

namespace xtgrad::inline v1::datasets {

namespace {

using Indices = std::vector<std::int64_t>;

std::vector<double> checked_weights(const Tensor& weights) {
  if (!weights.defined()) throw ValueError("weighted_sampler: weights: the handle is empty");
  if (weights.rank() != 1) {
    throw ShapeError(fmt::format("weighted_sampler: weights must be one number a sample, [n]: got {}",
                                 to_string(weights.shape())));
  }
  if (weights.dtype() == boolean) {
    throw DtypeError("weighted_sampler: weights must be numbers: got bool");
  }
  const Tensor wide = weights.detach().to(float64);
  const std::span<const double> values = wide.data<double>();
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (values[i] >= 0 && std::isfinite(values[i])) continue;
    throw ValueError(fmt::format("weighted_sampler: weights must be finite and not negative: weight {} is {}",
                                 i, values[i]));
  }
  return {values.begin(), values.end()};
}

/// Samples of positive weight, and the sums of the weights up to each of them.
struct Cumulative {
  Indices samples;
  std::vector<double> sums;
};

Cumulative cumulative(const std::vector<double>& weights) {
  // By the largest, or the sum might be infinite.
  const double largest = weights.empty() ? 0 : *std::max_element(weights.begin(), weights.end());
  Cumulative result;
  double sum = 0;
  for (std::size_t i = 0; i < weights.size(); ++i) {
    if (weights[i] == 0) continue;
    sum += weights[i] / largest;
    result.samples.push_back(static_cast<std::int64_t>(i));
    result.sums.push_back(sum);
  }
  return result;
}

Tensor drawn_with_replacement(const Cumulative& all, std::int64_t draws, Random& random) {
  Indices indices;
  indices.reserve(static_cast<std::size_t>(draws));
  for (std::int64_t i = 0; i < draws; ++i) {
    const double place = random.next_uniform() * all.sums.back();
    const auto found = std::upper_bound(all.sums.begin(), all.sums.end(), place);
    // The product may be rounded up to the sum itself.
    const auto at = std::min(found, all.sums.end() - 1) - all.sums.begin();
    indices.push_back(all.samples[static_cast<std::size_t>(at)]);
  }
  return from_vector(indices);
}

/// Each sample waits for a time that is exponential with its weight as rate; the first ones come, in order:
/// whatever has come, the next is one of the others in proportion to the weights.
Tensor drawn_without_replacement(const std::vector<double>& weights, std::int64_t draws, Random& random) {
  std::vector<std::pair<double, std::int64_t>> waits;
  for (std::size_t i = 0; i < weights.size(); ++i) {
    // One draw each, so that a sample's does not depend on the weights of others. Of the logarithm, for tiny
    // weights would wait for ever.
    const double wait = std::log(-std::log(1 - random.next_uniform())) - std::log(weights[i]);
    if (weights[i] > 0) waits.emplace_back(wait, static_cast<std::int64_t>(i));
  }
  std::sort(waits.begin(), waits.end());
  Indices indices;
  for (std::int64_t i = 0; i < draws; ++i) indices.push_back(waits[static_cast<std::size_t>(i)].second);
  return from_vector(indices);
}

void shuffle(Indices& indices, Random& random) {
  for (std::size_t left = indices.size(); left > 1; --left) {
    const auto other = static_cast<std::size_t>(random.next_below(static_cast<std::int64_t>(left)));
    std::swap(indices[left - 1], indices[other]);
  }
}

/// Hands out the samples of a class, shuffled anew whenever all have been there.
class Deck {
 public:
  Deck(const Indices& members, Random random) : members_(members), random_(std::move(random)) {
    shuffle(members_, random_);
  }
  std::int64_t next() {
    if (at_ == members_.size()) {
      shuffle(members_, random_);
      at_ = 0;
    }
    return members_[at_++];
  }

 private:
  Indices members_;
  Random random_;
  std::size_t at_ = 0;
};

/// Says how many samples of each class a batch has. Shares are exact: `parts[c]` of `sum`. Products of two
/// numbers of samples are integers of 64 bits, which has room for data sets of three thousand million.
class Shares {
 public:
  explicit Shares(Indices parts) : parts_(std::move(parts)), given_(parts_.size(), 0) {
    sum_ = std::accumulate(parts_.begin(), parts_.end(), std::int64_t{0});
  }

  /// The classes of a batch of `size` samples, of which `all` come in all batches up to this one: the share
  /// of each rounded down, and one more of those that are owed most. A class is owed one at most in a batch
  /// but for the last, in which everything comes out even.
  Indices deal(std::int64_t size, std::int64_t all, bool last) {
    Indices classes;
    std::vector<std::pair<std::int64_t, std::int64_t>> owed;
    for (std::size_t c = 0; c < parts_.size(); ++c) {
      give(c, size * parts_[c] / sum_, classes);
      owed.emplace_back(-owed_to(c, all), static_cast<std::int64_t>(c));
    }
    while (static_cast<std::int64_t>(classes.size()) < size) {
      std::sort(owed.begin(), owed.end());
      for (auto& [debt, c] : owed) {
        if (static_cast<std::int64_t>(classes.size()) == size) break;
        give(static_cast<std::size_t>(c), 1, classes);
        debt += sum_;
        if (last) break;
      }
    }
    return classes;
  }

 private:
  /// Samples, in parts of which `sum_` are one.
  [[nodiscard]] std::int64_t owed_to(std::size_t c, std::int64_t all) const {
    return all * parts_[c] - given_[c] * sum_;
  }
  void give(std::size_t c, std::int64_t count, Indices& classes) {
    classes.insert(classes.end(), static_cast<std::size_t>(count), static_cast<std::int64_t>(c));
    given_[c] += count;
  }

  Indices parts_;
  Indices given_;
  std::int64_t sum_;
};

Tensor stratified(const std::vector<Indices>& members, bool balanced, std::int64_t draws,
                  std::int64_t batch_size, Random& random) {
  Indices order(members.size());
  std::iota(order.begin(), order.end(), std::int64_t{0});
  shuffle(order, random);  // ties between classes are broken by it
  std::vector<Deck> decks;
  Indices parts;
  for (const std::int64_t c : order) {
    const Indices& samples = members[static_cast<std::size_t>(c)];
    decks.emplace_back(samples, random.split());
    parts.push_back(balanced ? 1 : static_cast<std::int64_t>(samples.size()));
  }
  Shares shares(std::move(parts));
  Indices indices;
  indices.reserve(static_cast<std::size_t>(draws));
  for (std::int64_t done = 0; done < draws;) {
    const std::int64_t size = std::min(batch_size, draws - done);
    done += size;
    Indices batch = shares.deal(size, done, done == draws);
    for (std::int64_t& place : batch) place = decks[static_cast<std::size_t>(place)].next();
    shuffle(batch, random);
    indices.insert(indices.end(), batch.begin(), batch.end());
  }
  return from_vector(indices);
}

}  // namespace

Sampler weighted_sampler(const Tensor& weights, const WeightedSamplerOptions& options) {
  const auto values = std::make_shared<const std::vector<double>>(checked_weights(weights));
  const auto all = std::make_shared<const Cumulative>(cumulative(*values));
  const auto n = static_cast<std::int64_t>(values->size());
  const std::int64_t draws = options.draws.value_or(n);
  detail::require_at_least("weighted_sampler", "draws", draws, 0);
  const auto positive = static_cast<std::int64_t>(all->samples.size());
  if (draws > 0 && positive == 0) {
    throw ValueError(
        fmt::format("weighted_sampler: a weight must be positive: all {} are 0, draws is {}", n, draws));
  }
  if (!options.replacement && draws > positive) {
    throw ValueError(
        fmt::format("weighted_sampler: without replacement there are at most as many draws as samples of "
                    "positive weight: draws is {}, these are {}",
                    draws, positive));
  }
  return {{.draws = draws, .size = n}, [=, replacement = options.replacement](std::int64_t, Random& random) {
            return replacement ? drawn_with_replacement(*all, draws, random)
                               : drawn_without_replacement(*values, draws, random);
          }};
}

Tensor class_balancing_weights(const Tensor& labels) {
  std::vector<double> weights;
  for (const Indices& samples : detail::class_members("class_balancing_weights", labels)) {
    weights.resize(static_cast<std::size_t>(labels.numel()));
    for (const std::int64_t i : samples) {
      weights[static_cast<std::size_t>(i)] = 1 / static_cast<double>(samples.size());
    }
  }
  return from_vector(weights, {.dtype = float64});
}

Sampler stratified_sampler(const Tensor& labels, const StratifiedSamplerOptions& options) {
  const auto members =
      std::make_shared<const std::vector<Indices>>(detail::class_members("stratified_sampler", labels));
  const std::int64_t n = labels.numel();
  const std::int64_t draws = options.draws.value_or(n);
  detail::require_at_least("stratified_sampler", "draws", draws, 0);
  if (!options.balanced && draws != n) {
    throw ValueError(fmt::format(
        "stratified_sampler: draws may differ from the number of samples only if balanced: draws is {}, "
        "samples are {}",
        draws, n));
  }
  if (draws > 0 && n == 0) {
    throw ValueError(fmt::format("stratified_sampler: there is no sample to draw: draws is {}", draws));
  }
  return {{.draws = draws, .size = n},
          [=, balanced = options.balanced](std::int64_t batch_size, Random& random) {
            return stratified(*members, balanced, draws, batch_size, random);
          }};
}

}  // namespace xtgrad::v1::datasets
