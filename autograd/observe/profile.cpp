#include "xtgrad/autograd/observe/profile.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <string_view>

#include "xtgrad/autograd/observe/profile_watch.h"

namespace xtgrad::inline v1 {
namespace {

using detail::ModuleLedger;

template <class Row, class Call>
void add_call(Row& row, const Call& call) {
  ++row.calls;
  row.seconds += call.seconds;
  row.bytes += call.bytes;
  row.flops += call.flops;
}

double millions(std::int64_t count) { return static_cast<double>(count) / 1e6; }

/// Names of operations and modules from outside could hold anything.
std::string json_string(std::string_view text) {
  return nlohmann::json(text).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

std::string event(const char* category, std::string_view name, double begin, double seconds,
                  const std::string& arguments) {
  return fmt::format(
      R"({{"name":{},"ph":"X","cat":"{}","pid":1,"tid":1,"ts":{:.3f},"dur":{:.3f},"args":{{{}}}}})",
      json_string(name), category, 1e6 * begin, 1e6 * seconds, arguments);
}

std::string operations_table(const std::vector<ProfileRow>& rows) {
  double total = 0;
  for (const ProfileRow& row : rows) total += row.seconds;
  std::string text = fmt::format("{:<28} {:>8} {:>12} {:>7} {:>12} {:>12}\n", "operation", "calls", "ms",
                                 "share", "MB made", "Mflop");
  for (const ProfileRow& row : rows) {
    text += fmt::format("{:<28} {:>8} {:>12.3f} {:>6.1f}% {:>12.3f} {:>12.3f}\n", row.name, row.calls,
                        1e3 * row.seconds, total > 0 ? 100 * row.seconds / total : 0.0, millions(row.bytes),
                        millions(row.flops));
  }
  return text;
}

std::string modules_table(const std::vector<ProfileModule>& modules) {
  const auto headings = [](const char* operations) {
    return fmt::format("{:>12} {:>9} {:>9} {:>9} {:>9}", operations, "ms", "MB made", "Mflop", "peak MB");
  };
  const auto columns = [](const ProfileCost& cost) {
    return fmt::format("{:>12} {:>9.3f} {:>9.3f} {:>9.3f} {:>9.3f}", cost.calls, 1e3 * cost.seconds,
                       millions(cost.bytes), millions(cost.flops), millions(cost.peak_bytes));
  };
  std::string text = fmt::format("{:<28} {:>6} {} {} {:>9}\n", "module", "calls", headings("forward ops"),
                                 headings("back ops"), "MB held");
  for (const ProfileModule& module : modules) {
    text += fmt::format("{:<28} {:>6} {} {} {:>9.3f}\n", module.name, module.calls, columns(module.forward),
                        columns(module.backward), millions(module.held_bytes));
  }
  return text;
}

}  // namespace

Profile::Profile() : watch_(std::make_unique<Watch>()) {}
Profile::~Profile() = default;

std::vector<ProfileRow> Profile::rows() const {
  std::vector<ProfileRow> rows;
  for (const std::string& name : watch_->names) rows.push_back({.name = name});
  for (const Watch::Call& call : watch_->calls) add_call(rows[call.name], call);
  std::stable_sort(rows.begin(), rows.end(),
                   [](const ProfileRow& a, const ProfileRow& b) { return a.seconds > b.seconds; });
  return rows;
}

std::vector<ProfileModule> Profile::modules() const {
  const ModuleLedger& ledger = watch_->ledger();
  std::vector<ProfileModule> modules;
  for (ModuleLedger::Id id = 0; id < ledger.modules().size(); ++id) {
    const Watch::Memory memory = watch_->memory_of(id);
    modules.push_back({.name = ledger.modules()[id].name,
                       .type = ledger.modules()[id].type,
                       .calls = memory.forwards,
                       .forward = {.peak_bytes = memory.forward_peak},
                       .backward = {.peak_bytes = memory.backward_peak},
                       .held_bytes = memory.held});
  }
  for (const Watch::Call& call : watch_->calls) {
    std::vector<ModuleLedger::Id> chain = ledger.chain(call.context);
    if (chain.empty()) chain.push_back(0);
    for (const ModuleLedger::Id id : chain) {
      add_call(call.is_backward ? modules[id].backward : modules[id].forward, call);
    }
  }
  // What ran outside of all goes last, if there is any.
  modules.front().name = "(outside)";
  std::rotate(modules.begin(), modules.begin() + 1, modules.end());
  if (modules.back().forward.calls + modules.back().backward.calls == 0) modules.pop_back();
  return modules;
}

std::string Profile::table() const {
  std::string text = operations_table(rows());
  const std::vector<ProfileModule> parts = modules();
  if (std::any_of(parts.begin(), parts.end(), [](const ProfileModule& m) { return m.calls > 0; })) {
    text += "\n" + modules_table(parts);
  }
  return text;
}

std::string Profile::chrome_trace() const {
  const ModuleLedger& ledger = watch_->ledger();
  std::string text = "{\"traceEvents\":[";
  const char* separator = "";
  const auto add = [&](const std::string& event) {
    text += separator + event;
    separator = ",\n";
  };
  for (const Watch::Call& call : watch_->calls) {
    add(event("operation", watch_->names[call.name], call.begin, call.seconds,
              fmt::format(R"("module":{},"flops":{},"bytes":{})",
                          json_string(ledger.module_of(call.context).name), call.flops, call.bytes)));
  }
  for (const Watch::Slice& slice : watch_->slices) {
    const ModuleLedger::Module& module = ledger.module_of(slice.context);
    if (slice.rule.empty()) {
      add(event(slice.is_replay ? "replay" : "forward", module.name, slice.begin, slice.seconds,
                fmt::format(R"("type":{})", json_string(module.type))));
    } else {
      add(event("rule", fmt::format("rule of {}", slice.rule), slice.begin, slice.seconds,
                fmt::format(R"("module":{})", json_string(module.name))));
    }
  }
  return text + "]}\n";
}

}  // namespace xtgrad::v1
