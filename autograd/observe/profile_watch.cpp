#include "xtgrad/autograd/observe/profile_watch.h"

#include <algorithm>
#include <new>

#include "xtgrad/autograd/memory/pool.h"

namespace xtgrad::inline v1 {
namespace {

double seconds_between(std::chrono::steady_clock::time_point begin,
                       std::chrono::steady_clock::time_point end) {
  return std::chrono::duration<double>(end - begin).count();
}

std::int64_t live_bytes() { return detail::pool_stats().live_bytes; }

std::int64_t flops_of(const detail::Primitive& primitive, detail::Inputs in, detail::Outputs out) {
  const std::vector<const detail::Spec*> inputs(in.begin(), in.end());
  const std::vector<const detail::Spec*> outputs(out.begin(), out.end());
  return primitive.flops(inputs, outputs);
}

}  // namespace

Profile::Watch::Watch() : began_(Clock::now()), live_(live_bytes()), scope_(*this) {
  while (open_.size() < ledger_.frames().size()) open();
}

double Profile::Watch::now() const { return seconds_between(began_, Clock::now()); }

/// The most that was in use since the last look was, in the innermost frame. In between, the watermark knows
/// of this thread, kernels' work space included; of others, just what they have at a look.
void Profile::Watch::look_at_memory() {
  const std::int64_t highest = live_ + watermark_.take_rise();
  live_ = live_bytes();
  if (!open_.empty()) open_.back().peak = std::max({open_.back().peak, highest, live_});
}

void Profile::Watch::before_eval(const detail::Primitive&, detail::Inputs, detail::Outputs) {
  look_at_memory();
  call_began_ = Clock::now();
}

void Profile::Watch::after_eval(const detail::Primitive& primitive, detail::Inputs in, detail::Outputs out) {
  const double seconds = seconds_between(call_began_, Clock::now());
  std::int64_t bytes = 0;
  for (const detail::Array* array : out) {
    if (array != nullptr) bytes += static_cast<std::int64_t>(detail::bytes_of(array->shape, array->dtype));
  }
  ledger_.mark();
  calls.push_back({.name = name_of(primitive),
                   .context = ledger_.current().context,
                   .is_backward = ledger_.current().is_backward,
                   .begin = seconds_between(began_, call_began_),
                   .seconds = seconds,
                   .bytes = bytes,
                   .flops = flops_of(primitive, in, out)});
}

std::size_t Profile::Watch::name_of(const detail::Primitive& primitive) {
  const char* const function = detail::thread_state.refused_by;
  const std::string within = function == nullptr ? std::string() : std::string(function) + "/";
  const auto [place, is_new] = index_.try_emplace(within + std::string(primitive.name()), names.size());
  if (is_new) names.push_back(place->first);
  return place->second;
}

void Profile::Watch::before_rule(const detail::Node& node, const Tensor&) {
  ledger_.enter(node);
  open();
}

void Profile::Watch::enter_module(const detail::ModuleScope& module) noexcept {
  ledger_.enter(module);
  try {
    while (open_.size() < ledger_.frames().size()) open();
  } catch (const std::bad_alloc&) {
    ledger_.leave(&module);
  }
}

void Profile::Watch::open() {
  look_at_memory();
  open_.push_back({.begin = now(), .live_before = live_, .peak = live_});
}

void Profile::Watch::leave(const void* who) noexcept {
  const auto& frames = ledger_.frames();
  const auto is_its = [who](const ModuleLedger::Frame& frame) { return frame.who == who; };
  if (std::none_of(frames.begin(), frames.end(), is_its)) return;
  try {
    while (!open_.empty() && frames[open_.size() - 1].who != who) close();
    if (!open_.empty()) close();
  } catch (const std::bad_alloc&) {
    // A slice less.
  }
  ledger_.leave(who);
  open_.resize(std::min(open_.size(), frames.size()));
}

/// Writes down the innermost frame.
void Profile::Watch::close() {
  look_at_memory();
  const ModuleLedger::Frame& frame = ledger_.frames()[open_.size() - 1];
  const Open ended = open_.back();
  open_.pop_back();
  // What went on in it went on in what is around it.
  if (!open_.empty()) open_.back().peak = std::max(open_.back().peak, ended.peak);
  memory_.resize(ledger_.modules().size());
  const std::vector<ModuleLedger::Id> chain = ledger_.chain(frame.context);
  for (const ModuleLedger::Id module : chain) {
    std::int64_t& most = frame.is_backward ? memory_[module].backward_peak : memory_[module].forward_peak;
    most = std::max(most, ended.peak);
  }
  if (frame.rule.empty() && !frame.is_replay && !chain.empty()) {
    Memory& own = memory_[chain.front()];
    ++own.forwards;
    own.held = std::max(own.held, live_ - ended.live_before);
  }
  slices.push_back(
      {std::string(frame.rule), frame.is_replay, frame.context, ended.begin, now() - ended.begin});
}

}  // namespace xtgrad::v1
