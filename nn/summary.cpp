#include "xtgrad/nn/summary.h"

#include <fmt/format.h>

#include <algorithm>
#include <span>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "xtgrad/autograd/dtype.h"
#include "xtgrad/autograd/grad.h"
#include "xtgrad/nn/on_forward.h"
#include "xtgrad/nn/state_snapshot.h"

namespace xtgrad::inline v1::nn::detail {
namespace {

struct Row {
  std::string path;
  std::string type;
  std::string output;
  std::string parameters;
};

struct Calls {
  std::string last_output;
  int count = 0;
};

using CallsByModule = std::unordered_map<const ModuleBase*, Calls>;

/// Builds the rows in the order of `members`, and adds the parameters up.
class BuildRows : public Members {
 public:
  explicit BuildRows(const CallsByModule& calls) : calls_(calls) {}

  std::vector<Row> rows;
  std::int64_t total = 0;
  std::int64_t learning = 0;
  std::size_t bytes = 0;

  /// The counts of parameters are known once all is visited.
  void finish() {
    for (std::size_t i = 0; i < rows.size(); ++i) rows[i].parameters = fmt::to_string(own_[i]);
  }

 private:
  void on_object(const std::string& path, Stateful& object) override {
    const auto* module = dynamic_cast<const ModuleBase*>(&object);
    if (module == nullptr) return;
    row_of_.emplace(path, rows.size());
    rows.push_back({path.empty() ? "(model)" : path, module->type_name(), output_of(*module), ""});
    own_.push_back(0);
  }

  void on_parameter(const std::string& path, Parameter& parameter) override {
    if (!seen_.insert(parameter.cell().get()).second) return;
    own_[owner_of(path)] += parameter.numel();
    total += parameter.numel();
    if (parameter.requires_grad()) learning += parameter.numel();
    bytes += static_cast<std::size_t>(parameter.numel()) * item_size(parameter.dtype());
  }

  [[nodiscard]] std::string output_of(const ModuleBase& module) const {
    const auto found = calls_.find(&module);
    if (found == calls_.end()) return "-";
    const Calls& calls = found->second;
    return calls.count == 1 ? calls.last_output : fmt::format("{} x{}", calls.last_output, calls.count);
  }

  /// The row of the module that lists the parameter: names may hold dots, so the longest prefix that is a
  /// module.
  [[nodiscard]] std::size_t owner_of(std::string path) const {
    while (true) {
      const std::size_t dot = path.rfind('.');
      path.resize(dot == std::string::npos ? 0 : dot);
      const auto found = row_of_.find(path);
      if (found != row_of_.end()) return found->second;
    }
  }

  const CallsByModule& calls_;
  std::unordered_map<std::string, std::size_t> row_of_;
  std::vector<std::int64_t> own_;
  std::unordered_set<const ParameterCell*> seen_;
};

/// "[2, 3]", or "([2, 3], [2, 4])" where there are several; a long list is cut short.
std::string shapes_of(std::span<const Tensor> outputs) {
  constexpr std::size_t most = 4;
  if (outputs.empty()) return "()";
  if (outputs.size() == 1) return to_string(outputs[0].shape());
  std::string text = "(";
  for (std::size_t i = 0; i < std::min(outputs.size(), most); ++i) {
    text += (i == 0 ? "" : ", ") + to_string(outputs[i].shape());
  }
  if (outputs.size() > most) text += fmt::format(", {} more", outputs.size() - most);
  return text + ")";
}

std::string table(const std::vector<Row>& rows) {
  std::size_t path = 0;
  std::size_t type = 0;
  std::size_t output = 0;
  std::size_t parameters = 0;
  for (const Row& row : rows) {
    path = std::max(path, row.path.size());
    type = std::max(type, row.type.size());
    output = std::max(output, row.output.size());
    parameters = std::max(parameters, row.parameters.size());
  }
  std::string text;
  for (const Row& row : rows) {
    text += fmt::format("{:<{}}  {:<{}}  {:<{}}  {:>{}}\n", row.path, path, row.type, type, row.output,
                        output, row.parameters, parameters);
  }
  return text;
}

}  // namespace

std::string summary_of(ModuleBase& model, const Callable<void()>& run) {
  CallsByModule calls;
  {
    const StateSnapshot put_back(model);
    const NoGrad no_grad;
    const OnForward look([&](const ForwardCall& call) {
      Calls& entry = calls[&call.module];
      entry.last_output = shapes_of(call.outputs);
      ++entry.count;
    });
    run();
  }
  BuildRows build(calls);
  build.visit(model);
  build.finish();
  std::vector<Row> rows = std::move(build.rows);
  rows.insert(rows.begin(), {"module", "type", "output", "parameters"});
  return fmt::format("{}total: {} parameters, {} learning, {} bytes\n", table(rows), build.total,
                     build.learning, build.bytes);
}

}  // namespace xtgrad::v1::nn::detail
