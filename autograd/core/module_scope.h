#pragma once

#include <cstdint>
#include <string>

#include "xtgrad/autograd/export.h"

namespace xtgrad { inline namespace XTGRAD_PUBLIC v1 { namespace detail {

/// A module's forward that is running, as the engine knows it: modules are built on the engine, which learns
/// from this alone where in a model it is. Those of a thread form a list, the innermost first.
class ModuleScope {
 public:
  /// Two forwards with equal identities are of one module of one model; neither number is ever given twice.
  struct Identity {
    std::uint64_t model = 0;
    std::uint64_t module = 0;
    friend bool operator==(const Identity&, const Identity&) = default;
  };
  struct Place {
    std::string model;  ///< type of the outermost module running
    std::string type;
    std::string path = {};   ///< in the model; empty for the model itself
    bool is_listed = false;  ///< among the model's members
  };

  ModuleScope(const ModuleScope&) = delete;
  ModuleScope& operator=(const ModuleScope&) = delete;

  [[nodiscard]] virtual Identity identity() const = 0;
  /// Found by a walk over the model's members.
  [[nodiscard]] virtual Place place() const = 0;
  /// True for one that does not run, but whose steps are computed again for the backward.
  [[nodiscard]] virtual bool is_replayed() const { return false; }
  [[nodiscard]] const ModuleScope* outer() const { return outer_; }

 protected:
  explicit ModuleScope(const ModuleScope* outer) : outer_(outer) {}
  ~ModuleScope() = default;

 private:
  const ModuleScope* outer_;
};

}}}  // namespace xtgrad::v1::detail
