#include "xtgrad/autograd/explore.h"

#include <fmt/format.h>

#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/explorer/page.h"
#include "xtgrad/autograd/explorer/run_json.h"
#include "xtgrad/autograd/io/file.h"

namespace xtgrad::inline v1 {
namespace {

/// The first place where the run names a value that is none of its own.
void check_numbers(const ProgramRun& run) {
  const auto check = [&](std::size_t value, const std::string& who) {
    if (value < run.values.size()) return;
    throw ValueError(fmt::format("explorer_page: {} names value {}, but the run has {} values", who, value,
                                 run.values.size()));
  };
  for (std::size_t s = 0; s < run.steps.size(); ++s) {
    const ProgramRun::Step& step = run.steps[s];
    const std::string who = fmt::format("step {}", s);
    for (const ProgramRun::Operand& operand : step.inputs) check(operand.value, who);
    for (const ProgramRun::Operand& operand : step.outputs) check(operand.value, who);
    if (step.of) check(*step.of, who);
  }
  for (const ProgramRun::Value& value : run.values) {
    if (value.cotangent) check(*value.cotangent, value.name);
  }
  for (const std::size_t input : run.inputs) check(input, "an input");
  for (const ProgramRun::Operand& result : run.results) check(result.value, "a result");
  for (const ProgramRun::Change& change : run.state) {
    if (change.before) check(*change.before, change.name);
    if (change.after) check(*change.after, change.name);
  }
}

}  // namespace

std::string explorer_page(const ProgramRun& run, const ExploreOptions& options) {
  if (options.most_elements < 1) {
    throw ValueError(
        fmt::format("explorer_page: most_elements must be at least 1, got {}", options.most_elements));
  }
  check_numbers(run);
  return detail::page_with(options.title, detail::run_json(run, options.most_elements));
}

void explore(const ProgramRun& run, const std::string& path, const ExploreOptions& options) {
  write_file_atomically(path, explorer_page(run, options));
}

}  // namespace xtgrad::v1
