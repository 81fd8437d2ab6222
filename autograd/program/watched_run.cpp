#include "xtgrad/autograd/program/watched_run.h"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "xtgrad/autograd/core/attribute_lists.h"
#include "xtgrad/autograd/core/compute.h"
#include "xtgrad/autograd/core/copied.h"

namespace xtgrad::inline v1::detail {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point begin) {
  return std::chrono::duration<double>(Clock::now() - begin).count();
}

std::int64_t flops_of(const ProgramStep& step) {
  std::vector<const Spec*> in, out;
  for (const ProgramOperand& input : step.inputs) in.push_back(&input.spec);
  for (const ProgramOperand& output : step.outputs) out.push_back(&output.spec);
  return (*step).flops(in, out);
}

std::optional<std::size_t> number_of(ValueIndex value) {
  if (value == no_value) return std::nullopt;
  return value;
}

/// Copies what steps read from outside and what they make.
class Copier final : public RunWatcher {
 public:
  explicit Copier(const ProgramSteps& program) : program_(program) {
    for (std::size_t i = 0; i < program.values.size(); ++i) add_value(i);
    for (const ProgramStep& step : program.steps) add_step(step);
    for (const ProgramOperand& input : program.inputs) run_.inputs.push_back(input.value);
    for (const ProgramState& each : program.state) {
      if (each.before.value == no_value && each.after.value == no_value) continue;
      run_.state.push_back({each.name, number_of(each.before.value), number_of(each.after.value)});
    }
    for (const ProgramOperand& result : program.results)
      run_.results.push_back({result.value, result.spec.shape});
  }

  void before_step(std::size_t) override { began_ = Clock::now(); }
  void after_step(std::size_t s, Inputs, Outputs out) override {
    run_.steps[s].seconds = seconds_since(began_);
    const ProgramStep& step = program_.steps[s];
    for (std::size_t k = 0; k < out.size(); ++k) {
      if (out[k] != nullptr) keep(step.outputs[k].value, *out[k]);
    }
  }

  void keep(ValueIndex value, const Array& array) {
    run_.values[value].elements = make_constant(copied(array.buffer, program_.values[value].spec));
  }
  [[nodiscard]] ProgramRun take() { return std::move(run_); }

 private:
  void add_value(std::size_t number) {
    const ProgramValue& value = program_.values[number];
    const auto source = [&] {
      switch (value.source) {
        case ProgramValue::Source::input:
          return ProgramRun::Source::input;
        case ProgramValue::Source::state:
          return ProgramRun::Source::state;
        case ProgramValue::Source::constant:
          return ProgramRun::Source::constant;
        case ProgramValue::Source::step:
          break;
      }
      return ProgramRun::Source::step;
    };
    run_.values.push_back({.name = name_of(program_, {static_cast<ValueIndex>(number), value.spec}),
                           .source = source(),
                           .elements = {},
                           .cotangent = number_of(value.cotangent)});
    if (value.source == ProgramValue::Source::constant)
      keep(static_cast<ValueIndex>(number), Array(value.spec.shape, value.spec.dtype, value.elements));
  }

  void add_step(const ProgramStep& step) {
    ProgramRun::Step added{.operation = std::string((*step).name()),
                           .attributes = attribute_text(*step),
                           .module = step.origin.module,
                           .rule = step.origin.rule,
                           .of = number_of(step.origin.of),
                           .inputs = {},
                           .outputs = {},
                           .seconds = 0,
                           .flops = flops_of(step)};
    for (const ProgramOperand& input : step.inputs) added.inputs.push_back({input.value, input.spec.shape});
    for (const ProgramOperand& output : step.outputs) {
      if (output.value != no_value) added.outputs.push_back({output.value, output.spec.shape});
    }
    run_.steps.push_back(std::move(added));
  }

  const ProgramSteps& program_;
  ProgramRun run_;
  Clock::time_point began_;
};

/// Takes times alone.
class Timer final : public RunWatcher {
 public:
  explicit Timer(std::size_t steps) : seconds(steps) {}
  void before_step(std::size_t) override { began_ = Clock::now(); }
  void after_step(std::size_t s, Inputs, Outputs) override { seconds[s].push_back(seconds_since(began_)); }

  std::vector<std::vector<double>> seconds;  // of each step, a number a run

 private:
  Clock::time_point began_;
};

double median_of(std::vector<double> numbers) {
  const auto middle = numbers.begin() + static_cast<std::ptrdiff_t>(numbers.size() / 2);
  std::nth_element(numbers.begin(), middle, numbers.end());
  return *middle;
}

/// Sums of rows by name, the costliest first.
class Sums {
 public:
  void add(const std::string& name, const ProfileRow& row) {
    ProfileRow& sum = by_name_.try_emplace(name, ProfileRow{.name = name}).first->second;
    sum.calls += row.calls;
    sum.seconds += row.seconds;
    sum.bytes += row.bytes;
    sum.flops += row.flops;
  }
  [[nodiscard]] std::vector<ProfileRow> rows() const {
    std::vector<ProfileRow> rows;
    for (const auto& [name, row] : by_name_) rows.push_back(row);
    std::ranges::stable_sort(rows, [](const auto& a, const auto& b) { return a.seconds > b.seconds; });
    return rows;
  }

 private:
  std::map<std::string, ProfileRow> by_name_;
};

/// Calls f(operand) for all that a run is given.
template <class F>
void for_each_given(const ProgramSteps& steps, const F& f) {
  for (const ProgramOperand& input : steps.inputs) f(input);
  for (const ProgramState& each : steps.state) {
    if (each.before.value != no_value) f(each.before);
  }
}

void run_once(ProgramRunner& runner, const ProgramSteps& steps, const ValueReader& read) {
  for_each_given(steps, [&](const ProgramOperand& operand) { runner.bind(operand, read(operand)); });
  runner.begin();
  runner.finish();
}

}  // namespace

ProgramRun watch_run(const std::shared_ptr<const ProgramSteps>& steps, const ValueReader& read) {
  ProgramRunner runner(steps);
  Copier copier(*steps);
  runner.watch(&copier);
  for_each_given(*steps, [&](const ProgramOperand& operand) { copier.keep(operand.value, read(operand)); });
  run_once(runner, *steps, read);
  return copier.take();
}

ProgramProfile profile_runs(const std::shared_ptr<const ProgramSteps>& steps, const ValueReader& read,
                            std::size_t runs) {
  ProgramRunner runner(steps);
  run_once(runner, *steps, read);  // results find their memory
  std::vector<double> whole;
  Timer timer(steps->steps.size());
  // In turns, so that both see the same of what else goes on.
  for (std::size_t r = 0; r < runs; ++r) {
    runner.watch(nullptr);
    const Clock::time_point begin = Clock::now();
    run_once(runner, *steps, read);
    whole.push_back(seconds_since(begin));
    runner.watch(&timer);
    run_once(runner, *steps, read);
  }
  ProgramProfile profile{.steps = {}, .operations = {}, .modules = {}, .seconds = 0, .runs = runs};
  if (runs > 0) profile.seconds = median_of(std::move(whole));
  Sums operations, modules;
  for (std::size_t s = 0; s < steps->steps.size(); ++s) {
    const ProgramStep& step = steps->steps[s];
    ProfileRow row{.name = step_text(*steps, step), .calls = 1, .flops = flops_of(step)};
    if (runs > 0) row.seconds = median_of(std::move(timer.seconds[s]));
    for (const ProgramOperand& output : step.outputs) {
      if (output.value != no_value)
        row.bytes += static_cast<std::int64_t>(bytes_of(output.spec.shape, output.spec.dtype));
    }
    operations.add(std::string((*step).name()), row);
    modules.add(step.origin.module.empty() ? "(outside)" : step.origin.module, row);
    profile.steps.push_back(std::move(row));
  }
  profile.operations = operations.rows();
  profile.modules = modules.rows();
  return profile;
}

}  // namespace xtgrad::v1::detail
