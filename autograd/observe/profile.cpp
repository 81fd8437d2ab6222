#include "xtgrad/autograd/observe/profile.h"

#include <fmt/format.h>

#include <algorithm>
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
std::string quoted(std::string_view text) {
  std::string quoted = "\"";
  for (const char letter : text) {
    if (letter == '"' || letter == '\\') quoted += '\\';
    quoted += static_cast<unsigned char>(letter) < 0x20 ? ' ' : letter;
  }
  return quoted + "\"";
}

std::string event(const char* category, std::string_view name, double begin, double seconds,
                  const std::string& arguments) {
  return fmt::format(
      R"({{"name":{},"ph":"X","cat":"{}","pid":1,"tid":1,"ts":{:.3f},"dur":{:.3f},"args":{{{}}}}})",
      quoted(name), category, 1e6 * begin, 1e6 * seconds, arguments);
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
  const std::vector<ProfileRow> all = rows();
  double total = 0;
  for (const ProfileRow& row : all) total += row.seconds;
  std::string text = fmt::format("{:<28} {:>8} {:>12} {:>7} {:>12} {:>12}\n", "operation", "calls", "ms",
                                 "share", "MB made", "Mflop");
  for (const ProfileRow& row : all) {
    text += fmt::format("{:<28} {:>8} {:>12.3f} {:>6.1f}% {:>12.3f} {:>12.3f}\n", row.name, row.calls,
                        1e3 * row.seconds, total > 0 ? 100 * row.seconds / total : 0.0, millions(row.bytes),
                        millions(row.flops));
  }
  const std::vector<ProfileModule> parts = modules();
  if (std::none_of(parts.begin(), parts.end(), [](const ProfileModule& m) { return m.calls > 0; })) {
    return text;
  }
  text += fmt::format("\n{:<28} {:>6} {:>10} {:>10} {:>9} {:>10} {:>10} {:>9} {:>9}\n", "module", "calls",
                      "forward ms", "Mflop", "peak MB", "back ms", "Mflop", "peak MB", "MB held");
  for (const ProfileModule& part : parts) {
    const auto columns = [](const ProfileCost& cost) {
      return fmt::format("{:>10.3f} {:>10.3f} {:>9.3f}", 1e3 * cost.seconds, millions(cost.flops),
                         millions(cost.peak_bytes));
    };
    text += fmt::format("{:<28} {:>6} {} {} {:>9.3f}\n", part.name, part.calls, columns(part.forward),
                        columns(part.backward), millions(part.held_bytes));
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
              fmt::format(R"("module":{},"flops":{},"bytes":{})", quoted(ledger.module_of(call.context).name),
                          call.flops, call.bytes)));
  }
  for (const Watch::Slice& slice : watch_->slices) {
    const ModuleLedger::Module& module = ledger.module_of(slice.context);
    if (slice.rule.empty()) {
      add(event("forward", module.name, slice.begin, slice.seconds,
                fmt::format(R"("type":{})", quoted(module.type))));
    } else {
      add(event("rule", fmt::format("rule of {}", slice.rule), slice.begin, slice.seconds,
                fmt::format(R"("module":{})", quoted(module.name))));
    }
  }
  return text + "]}\n";
}

}  // namespace xtgrad::v1
