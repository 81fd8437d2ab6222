#include "tests/random_programs/generate.h"

#include <algorithm>
#include <cmath>

#include "tests/random_programs/operands.h"
#include "xtgrad/autograd/grad.h"
#include "xtgrad/autograd/random.h"

namespace xtgrad::random_programs {
namespace {

constexpr std::int64_t most_elements = 150;
constexpr double largest = 100;

Role role_of(Dtype dtype) {
  return dtype == boolean ? Role::mask : dtype == int64 ? Role::index : Role::floating;
}

/// Runs each step as it is added, so that it knows what the next one may do.
class Generator {
 public:
  Generator(std::uint64_t seed, const GenerateOptions& options) : random_(seed), options_(options) {
    for (const Row& row : all_rows()) rows_.push_back(&row);
    rows_.insert(rows_.end(), options.more.begin(), options.more.end());
  }

  Program make() {
    const NoGrad no_grad;
    const double share = random_.next_uniform();
    const double least = static_cast<double>(options_.least_steps),
                 most = static_cast<double>(options_.most_steps);
    const auto wanted = static_cast<std::size_t>(least * std::pow(most / least, share));
    bool is_with = options_.with == nullptr;
    while (steps_.size() < wanted || !is_with || !floating_step()) {
      const bool now = !is_with && 2 * steps_.size() >= wanted;
      const Row& row =
          now ? *options_.with
              : *rows_[static_cast<std::size_t>(random_.next_below(static_cast<std::int64_t>(rows_.size())))];
      const bool added = try_row(row);
      is_with = is_with || (now && added);
    }
    // What is no number of the loss's dtype has no part in it but by a conversion.
    for (std::size_t i = 0; i < values_.size(); ++i) {
      if (!values_[i].is_used && !values_[i].is_leaf && !is_floating(values_[i].tensor.dtype()))
        add_step({.row = &row_of("a.to(dtype)"), .operands = {i}});
    }
    return finished();
  }

 private:
  /// Values keep the order in which they come up; the leaves go first in the end.
  struct Value {
    Tensor tensor;
    std::size_t leaf_or_step;
    bool is_leaf;
    bool is_used = false;
  };

  std::size_t add_leaf(Tensor tensor) {
    values_.push_back({std::move(tensor), leaves_++, true});
    return values_.size() - 1;
  }

  /// Nothing where the step throws or its value is none that others can go on with.
  std::optional<std::size_t> add_step(Step step) {
    std::vector<Tensor> operands;
    for (const Value& value : values_) operands.push_back(value.tensor);
    Tensor made = run_step(step, operands, float64);
    if (made.numel() > most_elements || made.numel() == 0) return std::nullopt;
    const std::vector<double> elements = testing::values(made);
    if (!std::all_of(elements.begin(), elements.end(), [](double x) { return std::abs(x) <= largest; }))
      return std::nullopt;
    for (const std::size_t operand : step.operands) values_[operand].is_used = true;
    values_.push_back({std::move(made), steps_.size(), false});
    steps_.push_back(std::move(step));
    return values_.size() - 1;
  }

  /// One of the values for which `suits`; the later ones are likelier.
  template <class Suits>
  std::optional<std::size_t> pick(Suits suits) {
    std::vector<std::size_t> suiting;
    for (std::size_t i = 0; i < values_.size(); ++i) {
      if (suits(values_[i].tensor)) suiting.push_back(i);
    }
    if (suiting.empty()) return std::nullopt;
    const auto n = static_cast<std::int64_t>(suiting.size());
    return suiting[static_cast<std::size_t>(std::max(random_.next_below(n), random_.next_below(n)))];
  }

  /// The value squeezed into the operand's range, which takes three steps.
  std::optional<std::size_t> squeezed(std::size_t value, const Operand& operand) {
    const auto [low, high] = *operand.range;
    const auto inner = add_step({.row = &row_of("sigmoid(a)"), .operands = {value}});
    if (!inner) return std::nullopt;
    const auto scaled = add_step({.row = &row_of("a * p"), .operands = {*inner}, .p = high - low});
    if (!scaled) return std::nullopt;
    return add_step({.row = &row_of("a + p"), .operands = {*scaled}, .p = low});
  }

  [[nodiscard]] bool suits_index(const Tensor& value, std::int64_t below) const {
    const std::vector<double> elements = testing::values(value);
    return std::all_of(elements.begin(), elements.end(),
                       [&](double x) { return x >= 0 && x < static_cast<double>(below); });
  }

  /// A value, as it is or in another shape or range, for an operand of a shape.
  std::optional<std::size_t> reused(const Operand& operand, const Shape& shape, std::int64_t below) {
    auto found = pick([&](const Tensor& value) {
      return role_of(value.dtype()) == operand.role && value.shape() == shape &&
             (operand.role != Role::index || suits_index(value, below));
    });
    if (!found && operand.role == Role::floating) {
      const auto from = pick([&](const Tensor& value) {
        return is_floating(value.dtype()) && (!operand.apart || value.numel() >= shape.numel());
      });
      if (!from) return std::nullopt;
      const std::int64_t numel = values_[*from].tensor.numel();
      found =
          add_step({.row = &fit_row(), .operands = {*from}, .k = random_.next_below(numel), .shape = shape});
    }
    return found ? ranged(*found, operand) : std::nullopt;
  }

  /// The value if it may be the operand, squeezed where it has to be.
  std::optional<std::size_t> ranged(std::size_t value, const Operand& operand) {
    std::optional<std::size_t> found = value;
    if (operand.role == Role::floating && !in_range(operand, values_[value].tensor))
      found = squeezed(value, operand);
    if (!found || !away_from_kinks(operand, values_[*found].tensor)) return std::nullopt;
    return found;
  }

  std::size_t operand_of_shape(const Operand& operand, const Shape& shape, std::int64_t below) {
    if (random_.next_below(8) != 0) {
      const auto found = reused(operand, shape, below);
      const bool is_tied = found && operand.apart && !are_apart(std::span(&values_[*found].tensor, 1));
      if (found && !is_tied) return *found;
    }
    return add_leaf(draw_leaf(operand, shape, below, random_));
  }

  /// The first operand decides the shapes of the others: some value's, as often as one suits.
  std::size_t first_operand(const Operand& operand, Sizes& sizes) {
    if (random_.next_below(8) != 0) {
      for (int tries = 0; tries < 4; ++tries) {
        Sizes bound;
        const auto value = pick([&](const Tensor& each) {
          Sizes ignored;
          return role_of(each.dtype()) == operand.role && bind(operand.shape, each.shape(), ignored) &&
                 (operand.role != Role::index || suits_index(each, operand.below));
        });
        if (!value || !bind(operand.shape, values_[*value].tensor.shape(), bound)) break;
        const auto found = ranged(*value, operand);
        if (!found || (operand.apart && !are_apart(std::span(&values_[*found].tensor, 1)))) continue;
        sizes = bound;
        return *found;
      }
    }
    return operand_of_shape(operand, draw_shape(operand.shape, sizes, random_), operand.below);
  }

  bool try_row(const Row& row) {
    Step step{.row = &row};
    Sizes sizes;
    for (std::size_t i = 0; i < row.operands.size(); ++i) {
      const Operand& operand = row.operands[i];
      if (i == 0) {
        step.operands.push_back(first_operand(operand, sizes));
        set_attributes(step, sizes);
        continue;
      }
      const std::int64_t below = operand.below > 0 ? operand.below : step.n;
      step.operands.push_back(operand_of_shape(operand, draw_shape(operand.shape, sizes, random_), below));
    }
    untie(step);
    return add_step(std::move(step)).has_value();
  }

  void set_attributes(Step& step, Sizes& sizes) {
    sizes.first = values_[step.operands[0]].tensor.shape();
    step.shape = sizes.first;
    step.p = 0.5 + static_cast<double>(random_.next_below(16)) / 10;
    if (sizes.first.rank() == 0) return;
    step.axis = random_.next_below(static_cast<std::int64_t>(sizes.first.rank()));
    step.n = sizes.first[static_cast<std::size_t>(step.axis)];
    step.k = random_.next_below(step.n);
  }

  /// Operands that are apart each but not from one another are drawn anew, together.
  void untie(Step& step) {
    std::vector<Tensor> apart;
    std::vector<std::size_t> places;
    for (std::size_t i = 0; i < step.operands.size(); ++i) {
      if (!step.row->operands[i].apart) continue;
      apart.push_back(values_[step.operands[i]].tensor);
      places.push_back(i);
    }
    if (are_apart(apart)) return;
    std::vector<testing::Input> inputs;
    for (const Tensor& each : apart) inputs.push_back({.shape = each.shape(), .domain = {.apart = true}});
    const std::vector<testing::Values> drawn = testing::draw(inputs, random_);
    for (std::size_t i = 0; i < places.size(); ++i)
      step.operands[places[i]] = add_leaf(testing::to_tensor(drawn[i], float64));
  }

  /// The last value that a step made and that can be differentiated.
  [[nodiscard]] std::optional<std::size_t> floating_step() const {
    for (std::size_t i = values_.size(); i-- > 0;) {
      if (!values_[i].is_leaf && is_floating(values_[i].tensor.dtype())) return i;
    }
    return std::nullopt;
  }

  Program finished() {
    Program program;
    std::vector<std::size_t> number;
    for (const Value& value : values_) number.push_back(value.leaf_or_step + (value.is_leaf ? 0 : leaves_));
    for (std::size_t i = 0; i < values_.size(); ++i) {
      const Value& value = values_[i];
      if (value.is_leaf) program.leaves.push_back(value.tensor);
      // What nobody uses, and a few of the others.
      const bool is_output = !value.is_used || random_.next_below(8) == 0;
      if (!value.is_leaf && is_floating(value.tensor.dtype()) && is_output)
        program.outputs.push_back(number[i]);
    }
    for (Step step : steps_) {
      for (std::size_t& operand : step.operands) operand = number[operand];
      program.steps.push_back(std::move(step));
    }
    if (program.outputs.empty()) program.outputs = {number[*floating_step()]};
    return pruned(program);
  }

  Random random_;
  const GenerateOptions& options_;
  std::vector<const Row*> rows_;
  std::vector<Value> values_;
  std::vector<Step> steps_;
  std::size_t leaves_ = 0;
};

}  // namespace

Program generate(std::uint64_t seed, const GenerateOptions& options) {
  return Generator(seed, options).make();
}

}  // namespace xtgrad::random_programs
