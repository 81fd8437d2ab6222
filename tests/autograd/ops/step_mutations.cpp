#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <string>
#include <tuple>
#include <vector>

#include "tests/autograd/ops/derivative_orders.h"
#include "tests/autograd/ops/mutations.h"
#include "tests/support/rule_step_mutation.h"
#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/grad.h"

namespace xtgrad::inline v1::testing {
namespace {

/// A sample at one point: its gradients, with a fault or without.
class Point {
 public:
  Point(const Op& op, const Sample& sample) : sample_(sample) {
    Random random = random_for(op, Check::derivatives);
    values_ = draw_inputs(sample, float64, random);
    const std::vector<Tensor> inputs = make_inputs(sample, values_, float64, true);
    const Tensor y = sample.apply(inputs);
    cotangent_ = fill(y.shape(), [&](const Index&) { return random.next_normal(); });
    std::vector<Shape> shapes;
    for (const Tensor& x : differentiable_of(sample, inputs)) shapes.push_back(x.shape());
    for (int i = 0; i < 3; ++i) probes_.push_back(draw_probes(shapes, random));
  }

  /// <gradient, probe> for each input and probe, and the same of sizes.
  struct Compared {
    std::vector<Real> sums, sizes;
  };
  [[nodiscard]] Compared compared(bool records) const {
    const std::vector<Tensor> inputs = make_inputs(sample_, values_, float64, true);
    const Tensor y = sample_.apply(inputs);
    Compared result;
    if (!y.requires_grad()) return result;
    const std::vector<Tensor> wanted = differentiable_of(sample_, inputs);
    const std::vector<Tensor> gradients = grad(
        std::span(&y, 1), wanted,
        {.cotangents = {to_tensor(cotangent_, y.dtype())}, .create_graph = records, .allow_unused = true});
    for (const std::vector<Values>& probe : probes_) {
      for (std::size_t i = 0; i < wanted.size(); ++i) {
        Real sum = 0, size = 0;
        const Values gradient = gradients[i].defined() ? to_values(gradients[i]) : Values{};
        for (std::size_t e = 0; e < gradient.data.size(); ++e) {
          sum += gradient.data[e] * probe[i].data[e];
          size += std::abs(gradient.data[e] * probe[i].data[e]);
        }
        result.sums.push_back(sum);
        result.sizes.push_back(size);
      }
    }
    return result;
  }

 private:
  const Sample& sample_;
  std::vector<Values> values_;
  Values cotangent_;
  std::vector<std::vector<Values>> probes_;
};

/// The derivative check sees a relative error of 1e-4 in an input for sure (CheckGradsOptions::coarsest).
bool differs(const Point::Compared& right, const Point::Compared& wrong) {
  for (std::size_t i = 0; i < right.sums.size(); ++i) {
    if (!(std::abs(wrong.sums[i] - right.sums[i]) <= 1e-4 * right.sizes[i])) return true;
  }
  return false;
}

/// Steps that only fit shapes make no other rule.
bool fits_shapes(const RuleStep& step) {
  return step.name == "sum_to" || step.name == "reshape" || step.name == "alias";
}

/// The rule that a step is part of, as the names of its steps, and which one it is.
struct Place {
  std::string rule;
  std::size_t number;
  StepFault::Kind kind;
  std::size_t place;
  friend auto operator<=>(const Place&, const Place&) = default;
};
struct Fate {
  StepFault fault;
  std::string where;
  bool is_seen = false;
};

/// What becomes of each fault of each step, over all samples and some points of each.
class StepMutationRun {
 public:
  explicit StepMutationRun(const Op& op) : name_(detail::to_string(op.id)) {}

  void run(const Op& op, const Sample& sample) {
    const Point point(op, sample);
    for (const bool records : {false, true}) {
      const auto [right, steps] = listed(point, records);
      std::string rule;
      for (const RuleStep& step : steps) rule += step.name + " ";
      for (std::size_t i = 0; i < steps.size(); ++i) {
        for (const StepFault& fault : steps[i].faults) {
          Fate& fate = fates_[{rule, i, fault.kind, fault.place}];
          if (fate.where.empty()) {
            fate.where = fmt::format("{} of rule {}({})", steps[i].text, rule, sample.attributes);
            fate.fault = fault;
          }
          if (!fate.is_seen) fate.is_seen = is_seen(point, right, fault, records);
        }
      }
    }
  }

  /// What NaN alone can show, in the exact calls.
  void run_exact(const Op& op) {
    for (auto& [place, fate] : fates_) {
      if (fate.is_seen) continue;
      const RuleStepMutation mutation(name_, fate.fault);
      fate.is_seen = !findings_of(op, Check::exact).empty();
    }
  }

  [[nodiscard]] const std::map<Place, Fate>& fates() const { return fates_; }

 private:
  [[nodiscard]] std::pair<Point::Compared, std::vector<RuleStep>> listed(const Point& point,
                                                                         bool records) const {
    const RuleStepMutation listing(name_);
    Point::Compared right = point.compared(records);
    std::vector<RuleStep> steps = listing.steps();
    std::erase_if(steps, fits_shapes);
    return {std::move(right), std::move(steps)};
  }

  [[nodiscard]] bool is_seen(const Point& point, const Point::Compared& right, const StepFault& fault,
                             bool records) const {
    try {
      const RuleStepMutation mutation(name_, fault);
      return differs(right, point.compared(records));
    } catch (const Error&) {
      return true;  // a later step refuses it
    }
  }

  std::string_view name_;
  std::map<Place, Fate> fates_;
};

Fault fault_of(StepFault::Kind kind) {
  switch (kind) {
    case StepFault::Kind::operand_zero:
      return Fault::operand_zero;
    case StepFault::Kind::exchanged:
      return Fault::exchanged;
    case StepFault::Kind::axis:
      return Fault::axis;
  }
  return Fault::axis;
}

}  // namespace

void mutate_steps(Op op, MutationReport& report) {
  StepMutationRun run(op);
  constexpr std::uint64_t points = 3;
  for (op.salt = 0; op.salt < points; ++op.salt) {
    for (const Sample& sample : op.samples) {
      if (sample.derivatives) run.run(op, sample);
    }
  }
  op.salt = 0;
  run.run_exact(op);
  std::vector<EquivalentFault> listed;
  for (const EquivalentFault& one : equivalent_faults()) {
    if (one.op == op.id) listed.push_back(one);
  }
  std::vector<bool> is_needed(listed.size());
  for (const auto& [place, fate] : run.fates()) {
    const Fault fault = fault_of(place.kind);
    if (fate.is_seen) {
      ++report.of(fault).seen;
      continue;
    }
    const auto found =
        std::find_if(listed.begin(), listed.end(), [fault, &where = fate.where](const EquivalentFault& one) {
          return one.fault == fault && where.starts_with(one.step);
        });
    if (found == listed.end()) {
      report.survivors.push_back(fmt::format("{}: {} {} in {}", detail::to_string(op.id), to_string(fault),
                                             place.place, fate.where));
    } else {
      ++report.of(fault).equivalent;
      is_needed[static_cast<std::size_t>(found - listed.begin())] = true;
    }
  }
  for (std::size_t i = 0; i < listed.size(); ++i) {
    if (is_needed[i]) continue;
    report.survivors.push_back(fmt::format("{}: {} in {} is listed as equivalent and is none",
                                           detail::to_string(op.id), to_string(listed[i].fault),
                                           listed[i].step));
  }
}

}  // namespace xtgrad::v1::testing
