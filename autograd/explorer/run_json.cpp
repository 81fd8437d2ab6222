#include "xtgrad/autograd/explorer/run_json.h"

#include <cstddef>
#include <nlohmann/json.hpp>
#include <string_view>
#include <vector>

#include "xtgrad/autograd/explorer/base64.h"
#include "xtgrad/autograd/explorer/formulas.h"
#include "xtgrad/autograd/explorer/kept_elements.h"
#include "xtgrad/autograd/explorer/phases.h"
#include "xtgrad/autograd/explorer/statistics.h"

namespace xtgrad::inline v1::detail {
namespace {

using nlohmann::ordered_json;

ordered_json sizes_of(const Shape& shape) {
  ordered_json sizes = ordered_json::array();
  for (std::size_t axis = 0; axis < shape.rank(); ++axis) sizes.push_back(shape[axis]);
  return sizes;
}

std::string_view source_text(ProgramRun::Source source) {
  switch (source) {
    case ProgramRun::Source::input:
      return "input";
    case ProgramRun::Source::state:
      return "state";
    case ProgramRun::Source::constant:
      return "constant";
    case ProgramRun::Source::step:
      break;
  }
  return "step";
}

ordered_json statistics_json(const ElementStatistics& statistics) {
  ordered_json json{{"finite", statistics.finite},
                    {"nan", statistics.nan},
                    {"inf", statistics.inf},
                    {"minus_inf", statistics.minus_inf}};
  if (statistics.finite == 0) return json;
  json["min"] = statistics.min;
  json["max"] = statistics.max;
  json["mean"] = statistics.mean;
  json["std"] = statistics.deviation;
  return json;
}

/// Without elements where nothing made the value, as where only a shape of it is wanted.
void add_elements(ordered_json& json, const Tensor& elements, std::int64_t most_elements) {
  json["dtype"] = to_string(elements.dtype());
  json["shape"] = sizes_of(elements.shape());
  const ElementStatistics statistics = statistics_of(elements);
  json["stats"] = statistics_json(statistics);
  if (statistics.histogram) {
    json["histogram"] = {{"low", statistics.histogram->low},
                         {"high", statistics.histogram->high},
                         {"counts", statistics.histogram->counts}};
  }
  const KeptElements kept = keep_elements(elements, most_elements);
  json["kept"] = {{"matrices", kept.matrices},
                  {"row_step", kept.row_step},
                  {"column_step", kept.column_step},
                  {"elements", base64(kept.bytes)}};
}

ordered_json value_json(const ProgramRun::Value& value, std::int64_t most_elements) {
  ordered_json json{{"name", value.name}, {"source", source_text(value.source)}};
  if (value.elements.defined()) {
    add_elements(json, value.elements, most_elements);
  } else {
    json["dtype"] = "";
    json["shape"] = ordered_json::array();
  }
  if (value.cotangent) json["cotangent"] = *value.cotangent;
  return json;
}

/// With a shape where it is seen in another one than it was made in.
ordered_json operand_json(const ProgramRun& run, const ProgramRun::Operand& operand) {
  ordered_json json{{"value", operand.value}};
  const Tensor& elements = run.values[operand.value].elements;
  if (!elements.defined() || !(elements.shape() == operand.shape)) json["shape"] = sizes_of(operand.shape);
  return json;
}

ordered_json operands_json(const ProgramRun& run, const std::vector<ProgramRun::Operand>& operands) {
  ordered_json json = ordered_json::array();
  for (const ProgramRun::Operand& operand : operands) json.push_back(operand_json(run, operand));
  return json;
}

ordered_json step_json(const ProgramRun& run, const ProgramRun::Step& step, std::string_view phase) {
  ordered_json json{{"operation", step.operation},
                    {"attributes", step.attributes},
                    {"module", step.module},
                    {"rule", step.rule},
                    {"phase", phase},
                    {"inputs", operands_json(run, step.inputs)},
                    {"outputs", operands_json(run, step.outputs)},
                    {"seconds", step.seconds},
                    {"flops", step.flops}};
  if (step.of) json["of"] = *step.of;
  return json;
}

ordered_json change_json(const ProgramRun::Change& change) {
  ordered_json json{{"name", change.name}};
  if (change.before) json["before"] = *change.before;
  if (change.after) json["after"] = *change.after;
  return json;
}

/// Those of the operations that the run has.
ordered_json formulas_json(const ProgramRun& run) {
  ordered_json json = ordered_json::object();
  for (const ProgramRun::Step& step : run.steps) {
    const StepFormula* formula = formula_of(step.operation);
    if (formula == nullptr) continue;
    json[step.operation] = {
        {"inputs", formula->inputs}, {"outputs", formula->outputs}, {"text", formula->text}};
  }
  return json;
}

}  // namespace

std::string run_json(const ProgramRun& run, std::int64_t most_elements) {
  ordered_json json{{"values", ordered_json::array()},
                    {"steps", ordered_json::array()},
                    {"inputs", run.inputs},
                    {"state", ordered_json::array()},
                    {"results", operands_json(run, run.results)},
                    {"formulas", formulas_json(run)}};
  for (const ProgramRun::Value& value : run.values)
    json["values"].push_back(value_json(value, most_elements));
  const std::vector<std::string_view> phases = phases_of(run);
  for (std::size_t s = 0; s < run.steps.size(); ++s)
    json["steps"].push_back(step_json(run, run.steps[s], phases[s]));
  for (const ProgramRun::Change& change : run.state) json["state"].push_back(change_json(change));
  return json.dump(-1, ' ', false, ordered_json::error_handler_t::replace);
}

}  // namespace xtgrad::v1::detail
