#include "xtgrad/autograd/kernels/ctc.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <utility>
#include <vector>

#include "xtgrad/autograd/core/dtype_visit.h"
#include "xtgrad/autograd/kernels/parallel.h"
#include "xtgrad/autograd/memory/pool_allocator.h"

namespace xtgrad::inline v1::detail {
namespace {

using Doubles = std::vector<double, PoolAllocator<double>>;

constexpr double impossible = -std::numeric_limits<double>::infinity();

/// e^x for x <= 0, and 0 where 1 + e^x is 1. NaN gets through.
double exp_beside_one(double x) { return x < -40 ? 0 : std::exp(x); }

/// log(e^a + e^b + e^c).
double log_sum(double a, double b, double c) {
  if (b > a) std::swap(a, b);
  if (c > a) std::swap(a, c);
  if (a == impossible) return a + b + c;  // or NaN, which is larger than nothing
  return a + std::log1p(exp_beside_one(b - a) + exp_beside_one(c - a));
}

template <class T>
void take_row(const Array& log_p, std::int64_t from, const std::vector<std::int64_t>& classes, double* row) {
  const T* const all = log_p.data<T>() + from;
  for (const std::int64_t c : classes) *row++ = static_cast<double>(all[c]);
}

/// One item: what its states emit, and how they follow each other.
class Item {
 public:
  Item(const Array& log_p, const CtcTargets& targets, std::int64_t item, const std::int64_t* labels)
      : log_p_(&log_p),
        item_(item),
        steps_(targets.input_lengths[item]),
        states_(2 * targets.target_lengths[item] + 1) {
    for (std::int64_t s = 0; s < states_; ++s) classes_.push_back(s % 2 == 0 ? targets.blank : labels[s / 2]);
  }

  [[nodiscard]] std::int64_t steps() const { return steps_; }
  [[nodiscard]] std::int64_t states() const { return states_; }
  [[nodiscard]] std::int64_t class_of(std::int64_t s) const { return classes_[static_cast<std::size_t>(s)]; }
  /// Where step t of the item is in an array like the log probabilities.
  [[nodiscard]] std::int64_t place(std::int64_t t) const {
    return (t * log_p_->shape[1] + item_) * log_p_->shape[2];
  }

  /// From the sums before step t to those with it. Paths come from a state itself, from the one before, and
  /// past a blank, unless that keeps two equal labels apart.
  void forward(std::int64_t t, const double* before, double* after) const {
    load(t, after);
    for (std::int64_t s = 0; s < states_; ++s) {
      const double one = s >= 1 ? before[s - 1] : impossible;
      const double two = s >= 2 && class_of(s) != class_of(s - 2) ? before[s - 2] : impossible;
      const double sum = log_sum(before[s], one, two);
      after[s] = sum == impossible ? sum : sum + after[s];
    }
  }
  /// From the sums over what comes after step t to those over what comes after step t - 1. `scratch` is as
  /// long.
  void backward(std::int64_t t, double* after, double* scratch) const {
    load(t, scratch);
    for (std::int64_t s = 0; s < states_; ++s)
      scratch[s] = after[s] == impossible ? impossible : after[s] + scratch[s];
    for (std::int64_t s = 0; s < states_; ++s) {
      const double one = s + 1 < states_ ? scratch[s + 1] : impossible;
      const double two = s + 2 < states_ && class_of(s) != class_of(s + 2) ? scratch[s + 2] : impossible;
      after[s] = log_sum(scratch[s], one, two);
    }
  }
  /// Paths begin with the first blank or label: they come from the first state.
  void begin(double* sums) const {
    std::fill_n(sums, states_, impossible);
    sums[0] = 0;
  }
  /// They end with the last label or the blank behind it.
  void end(double* sums) const {
    std::fill_n(sums, states_, impossible);
    for (std::int64_t s = std::max<std::int64_t>(0, states_ - 2); s < states_; ++s) sums[s] = 0;
  }
  [[nodiscard]] double total(const double* sums) const {
    return log_sum(sums[states_ - 1], states_ > 1 ? sums[states_ - 2] : impossible, impossible);
  }

 private:
  void load(std::int64_t t, double* row) const {
    visit_floating(log_p_->dtype,
                   [&](auto zero) { take_row<decltype(zero)>(*log_p_, place(t), classes_, row); });
  }

  const Array* log_p_;
  std::int64_t item_, steps_, states_;
  std::vector<std::int64_t> classes_;
};

/// The log of an item's probability. `alphas`, if not null, has a row for each step.
double log_probability(const Item& item, double* alphas) {
  const auto states = static_cast<std::size_t>(item.states());
  Doubles scratch(2 * states);
  double *before = scratch.data(), *after = scratch.data() + states;
  item.begin(before);
  for (std::int64_t t = 0; t < item.steps(); ++t) {
    if (alphas != nullptr) after = alphas + t * item.states();
    item.forward(t, before, after);
    std::swap(before, after);
  }
  return item.total(before);
}

/// Calls `put(t, shares)`, backwards, with the share of each class in the paths at a step, of `classes`.
template <class F>
void each_share(const Item& item, const double* alphas, std::int64_t classes, F put) {
  if (item.steps() == 0) return;
  const std::int64_t states = item.states();
  const double total = item.total(alphas + (item.steps() - 1) * states);
  if (total == impossible) return;
  Doubles betas(static_cast<std::size_t>(2 * states)), shares(static_cast<std::size_t>(classes));
  item.end(betas.data());
  for (std::int64_t t = item.steps() - 1; t >= 0; --t) {
    const double* const alpha = alphas + t * states;
    std::fill(shares.begin(), shares.end(), 0);
    for (std::int64_t s = 0; s < states; ++s) {
      const double beta = betas[static_cast<std::size_t>(s)];
      if (alpha[s] == impossible || beta == impossible) continue;
      shares[static_cast<std::size_t>(item.class_of(s))] += std::exp(alpha[s] + beta - total);
    }
    put(t, shares.data());
    if (t > 0) item.backward(t, betas.data(), betas.data() + states);
  }
}

/// Calls `body` for each item, with its first label and its first state: a tile each, if they are much work.
template <class F>
void for_each_item(const CtcTargets& targets, std::int64_t work, F body) {
  struct Start {
    const std::int64_t* label;
    std::int64_t state;
  };
  std::vector<Start> starts;
  targets.for_each_item([&](std::int64_t, const std::int64_t* label, std::int64_t state) {
    starts.push_back({label, state});
  });
  constexpr std::int64_t worth_threads = 1 << 14;
  const std::int64_t tiles = work < worth_threads ? 1 : targets.items;
  const std::int64_t per_tile = tiles == 1 ? targets.items : 1;
  for_each_tile(tiles, [&](std::int64_t tile) {
    for (std::int64_t item = tile * per_tile; item < (tile + 1) * per_tile; ++item)
      body(item, starts[static_cast<std::size_t>(item)]);
  });
}

std::int64_t work_of(const Array& log_p, const CtcTargets& targets) {
  std::int64_t states = 0;
  for (std::int64_t item = 0; item < targets.items; ++item) states += 2 * targets.target_lengths[item] + 1;
  return states * log_p.shape[0];
}

}  // namespace

void ctc_losses(const Array& log_probabilities, const CtcTargets& targets, Array& losses, Array* alphas) {
  const std::int64_t steps = log_probabilities.shape[0];
  double* const rows = alphas == nullptr ? nullptr : alphas->mutable_data<double>();
  if (rows != nullptr) std::fill_n(rows, alphas->numel(), 0.0);
  for_each_item(targets, work_of(log_probabilities, targets), [&](std::int64_t i, const auto& start) {
    const Item item(log_probabilities, targets, i, start.label);
    const double loss = 0 - log_probability(item, rows == nullptr ? nullptr : rows + steps * start.state);
    visit_floating(losses.dtype, [&](auto zero) {
      using T = decltype(zero);
      losses.mutable_data<T>()[i] = static_cast<T>(loss);
    });
  });
}

void ctc_gradient(const Array& g, const Array& log_probabilities, const CtcTargets& targets,
                  const Array& alphas, Array& gradient) {
  const std::int64_t steps = log_probabilities.shape[0], classes = log_probabilities.shape[2];
  std::memset(gradient.buffer.data(), 0, gradient.buffer.bytes());
  const std::int64_t work = work_of(log_probabilities, targets) + gradient.numel();
  for_each_item(targets, work, [&](std::int64_t i, const auto& start) {
    const Item item(log_probabilities, targets, i, start.label);
    each_share(item, alphas.data<double>() + steps * start.state, classes,
               [&](std::int64_t t, const double* shares) {
                 visit_floating(gradient.dtype, [&](auto zero) {
                   using T = decltype(zero);
                   const double factor = -static_cast<double>(g.data<T>()[i]);
                   T* const row = gradient.mutable_data<T>() + item.place(t);
                   for (std::int64_t c = 0; c < classes; ++c) row[c] = static_cast<T>(factor * shares[c]);
                 });
               });
  });
}

}  // namespace xtgrad::v1::detail
