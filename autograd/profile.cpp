#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <string_view>
#include <unordered_map>

#include "xtgrad/autograd/core/compute.h"
#include "xtgrad/autograd/observe.h"

namespace xtgrad::inline v1 {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_between(Clock::time_point begin, Clock::time_point end) {
  return std::chrono::duration<double>(end - begin).count();
}

}  // namespace

class Profile::Watch final : public detail::Watcher {
 public:
  struct Call {
    std::size_t name;
    double begin;  // seconds since the profile began
    double seconds;
    std::int64_t bytes;
  };

  Watch() : began_(Clock::now()), scope_(*this) {}

  void before_eval(const detail::Primitive&, detail::Inputs, detail::Outputs) override {
    call_began_ = Clock::now();
  }
  void after_eval(const detail::Primitive& primitive, detail::Inputs, detail::Outputs out) override {
    const double seconds = seconds_between(call_began_, Clock::now());
    std::int64_t bytes = 0;
    for (const detail::Array* array : out) {
      if (array != nullptr) bytes += static_cast<std::int64_t>(detail::bytes_of(array->shape, array->dtype));
    }
    const auto [place, is_new] = index_.try_emplace(std::string(primitive.name()), names.size());
    if (is_new) names.push_back(place->first);
    calls.push_back({place->second, seconds_between(began_, call_began_), seconds, bytes});
  }

  std::vector<std::string> names;
  std::vector<Call> calls;

 private:
  Clock::time_point began_;
  Clock::time_point call_began_;
  std::unordered_map<std::string, std::size_t> index_;
  detail::WatchScope scope_;
};

Profile::Profile() : watch_(std::make_unique<Watch>()) {}
Profile::~Profile() = default;

std::vector<ProfileRow> Profile::rows() const {
  std::vector<ProfileRow> rows;
  for (const std::string& name : watch_->names) rows.push_back({.name = name});
  for (const Watch::Call& call : watch_->calls) {
    ProfileRow& row = rows[call.name];
    ++row.calls;
    row.seconds += call.seconds;
    row.bytes += call.bytes;
  }
  std::stable_sort(rows.begin(), rows.end(),
                   [](const ProfileRow& a, const ProfileRow& b) { return a.seconds > b.seconds; });
  return rows;
}

std::string Profile::table() const {
  const std::vector<ProfileRow> all = rows();
  double total = 0;
  for (const ProfileRow& row : all) total += row.seconds;
  std::string text =
      fmt::format("{:<28} {:>8} {:>12} {:>7} {:>12}\n", "operation", "calls", "ms", "share", "MB made");
  for (const ProfileRow& row : all) {
    text +=
        fmt::format("{:<28} {:>8} {:>12.3f} {:>6.1f}% {:>12.3f}\n", row.name, row.calls, 1e3 * row.seconds,
                    total > 0 ? 100 * row.seconds / total : 0.0, static_cast<double>(row.bytes) / 1e6);
  }
  return text;
}

std::string Profile::chrome_trace() const {
  std::string text = "{\"traceEvents\":[";
  bool first = true;
  for (const Watch::Call& call : watch_->calls) {
    // Names of operations from outside could hold anything.
    std::string name;
    for (const char letter : watch_->names[call.name]) {
      if (letter == '"' || letter == '\\') name += '\\';
      name += static_cast<unsigned char>(letter) < 0x20 ? ' ' : letter;
    }
    text += fmt::format(
        R"({}{{"name":"{}","ph":"X","pid":1,"tid":1,"ts":{:.3f},"dur":{:.3f},"args":{{"bytes":{}}}}})",
        first ? "" : ",\n", name, 1e6 * call.begin, 1e6 * call.seconds, call.bytes);
    first = false;
  }
  return text + "]}\n";
}

}  // namespace xtgrad::v1
