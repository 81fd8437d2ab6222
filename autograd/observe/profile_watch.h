#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

#include "xtgrad/autograd/core/compute.h"
#include "xtgrad/autograd/memory/pool_watermark.h"
#include "xtgrad/autograd/observe/module_ledger.h"
#include "xtgrad/autograd/observe/profile.h"

namespace xtgrad::inline v1 {

/// What a profile writes down while it watches; tables and traces are made of it on request.
class Profile::Watch final : public detail::Watcher {
 public:
  using Clock = std::chrono::steady_clock;
  using ModuleLedger = detail::ModuleLedger;

  /// One operation.
  struct Call {
    std::size_t name;
    ModuleLedger::Id context;
    bool is_backward;
    double begin;  // seconds since the profile began
    double seconds;
    std::int64_t bytes;
    std::int64_t flops;
  };
  /// One forward or rule that has ended.
  struct Slice {
    std::string rule;  // empty for a forward
    bool is_replay;    // of a forward
    ModuleLedger::Id context;
    double begin;
    double seconds;
  };
  /// Of a module, so far.
  struct Memory {
    std::int64_t forwards = 0;
    std::int64_t held = 0;
    std::int64_t forward_peak = 0;
    std::int64_t backward_peak = 0;
  };

  Watch();

  void before_eval(const detail::Primitive& primitive, detail::Inputs in, detail::Outputs out) override;
  void after_eval(const detail::Primitive& primitive, detail::Inputs in, detail::Outputs out) override;
  void before_rule(const detail::Node& node, const Tensor& cotangent) override;
  void leave_rule(const detail::Node& node) noexcept override { leave(&node); }
  void enter_module(const detail::ModuleScope& module) noexcept override;
  void leave_module(const detail::ModuleScope& module) noexcept override { leave(&module); }
  void locate(Error& error) const override { ledger_.locate(error); }

  [[nodiscard]] const ModuleLedger& ledger() const { return ledger_; }
  [[nodiscard]] Memory memory_of(ModuleLedger::Id module) const {
    return module < memory_.size() ? memory_[module] : Memory();
  }

  std::vector<std::string> names;  // of operations
  std::vector<Call> calls;
  std::vector<Slice> slices;

 private:
  /// Beside each frame of the ledger.
  struct Open {
    double begin;
    std::int64_t live_before;
    std::int64_t peak;
  };

  [[nodiscard]] double now() const;
  void look_at_memory();
  void open();
  void close();
  void leave(const void* who) noexcept;
  std::size_t name_of(const detail::Primitive& primitive);

  Clock::time_point began_;
  Clock::time_point call_began_;
  ModuleLedger ledger_;
  std::vector<Open> open_;
  std::vector<Memory> memory_;  // by module
  std::unordered_map<std::string, std::size_t> index_;
  detail::PoolWatermark watermark_;
  std::int64_t live_ = 0;  // bytes in use at the last look
  detail::WatchScope scope_;
};

}  // namespace xtgrad::v1
