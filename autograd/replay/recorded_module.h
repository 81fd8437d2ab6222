#pragma once

#include <memory>
#include <vector>

#include "xtgrad/autograd/core/module_scope.h"
#include "xtgrad/autograd/errors.h"

namespace xtgrad::inline v1::detail {

/// A module whose forward ran as steps were recorded, and in which they are computed again: who watches is
/// told so, and books them where they belong.
class RecordedModule final : public ModuleScope {
 public:
  RecordedModule(const ModuleScope& running, std::shared_ptr<const RecordedModule> outer);

  [[nodiscard]] Identity identity() const override { return identity_; }
  [[nodiscard]] Place place() const override { return place_; }
  [[nodiscard]] bool is_replayed() const override { return true; }
  [[nodiscard]] const std::shared_ptr<const RecordedModule>& around() const { return around_; }

 private:
  Identity identity_;
  Place place_;
  std::shared_ptr<const RecordedModule> around_;
};

/// The modules that run while a tape records, each kept once, where somebody watches who could ask.
class RecordedModules {
 public:
  /// `outermost` is what ran already: it is not the tape's.
  explicit RecordedModules(const ModuleScope* outermost) : outermost_(outermost) {}

  /// The innermost one that runs now; null for none.
  [[nodiscard]] std::shared_ptr<const RecordedModule> current();

 private:
  std::shared_ptr<const RecordedModule> recorded(const ModuleScope* running);

  const ModuleScope* outermost_;
  std::vector<std::shared_ptr<const RecordedModule>> all_;
};

/// Where a replay is: tells this thread's watchers of modules that it enters and leaves.
class ReplayPlace {
 public:
  ReplayPlace() = default;
  ~ReplayPlace() { go_to(nullptr); }
  ReplayPlace(const ReplayPlace&) = delete;
  ReplayPlace& operator=(const ReplayPlace&) = delete;

  /// `module` outlives the place; null for none.
  void go_to(const RecordedModule* module) noexcept;
  /// Names the module where the replay is in an error of a step.
  void locate(Error& error) const;

 private:
  const RecordedModule* at_ = nullptr;
};

}  // namespace xtgrad::v1::detail
