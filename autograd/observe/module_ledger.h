#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "xtgrad/autograd/core/module_scope.h"
#include "xtgrad/autograd/core/node.h"
#include "xtgrad/autograd/errors.h"

namespace xtgrad::inline v1::detail {

/// What a watcher remembers of its thread's modules: which one runs, and which one ran when a node was made,
/// so that a rule is known to be that module's.
///
/// It costs nothing for each node. Ids of the nodes that a thread makes grow, so it is enough to note the id
/// at which the running module changes. A node that another thread made is mistaken for one with its id.
class ModuleLedger {
 public:
  using Id = std::uint32_t;  // 0 is no module, or no context

  struct Module {
    std::string name;   // from the outermost one's type: "Classifier.hidden"
    std::string type;   // "Linear"
    std::string label;  // as errors name it: "hidden (Linear)"
    std::string path;   // "hidden"; empty for the model itself, and for one that it does not list
  };
  /// A module, and the context that it was called in.
  struct Context {
    Id outer = 0;
    Id module = 0;
  };
  /// A forward or a rule that runs.
  struct Frame {
    const void* who = nullptr;
    Id context = 0;
    bool is_backward = false;  // it is a rule, or runs in one
    std::string_view rule;     // of which operation; empty for a forward
    bool is_replay = false;    // a forward whose steps are computed again
  };

  /// Forwards that run already are entered.
  ModuleLedger();

  // Of a scope that could not be entered, for want of memory, nothing is known.
  void enter(const ModuleScope& scope) noexcept;
  void enter(const Node& node);
  /// Leaves what was entered by this address.
  void leave(const void* who) noexcept;
  /// Nodes that are made from now on are the running module's.
  void mark();

  /// Of what runs, the outermost first.
  [[nodiscard]] const std::vector<Frame>& frames() const { return frames_; }
  /// The innermost; one of no module if nothing runs.
  [[nodiscard]] const Frame& current() const { return frames_.empty() ? outside_ : frames_.back(); }
  /// The operation whose rule runs; empty for none.
  [[nodiscard]] std::string_view rule() const;
  /// In which the node was made.
  [[nodiscard]] Id context_of(const Node& node) const;
  /// By id; number 0 is there, too.
  [[nodiscard]] const std::vector<Module>& modules() const { return modules_; }
  /// The modules of a context, the innermost first, each once.
  [[nodiscard]] std::vector<Id> chain(Id context) const;
  [[nodiscard]] const Module& module_of(Id context) const { return modules_[contexts_[context].module]; }
  /// Puts the module whose rule or forward runs in front of an error's message, once.
  void locate(Error& error) const;

 private:
  struct Made {
    std::uint64_t after;  // nodes of larger ids
    Id context;
  };

  Id module_id(const ModuleScope& scope);
  Id context_id(Id outer, Id module);
  const std::string& model_name(std::uint64_t model, const std::string& type);

  Frame outside_;
  std::vector<Frame> frames_;
  std::vector<Made> made_;
  std::vector<Module> modules_{Module()};
  std::vector<Context> contexts_{Context()};
  std::map<std::pair<std::uint64_t, std::uint64_t>, Id> module_ids_;
  std::map<std::pair<Id, Id>, Id> context_ids_;
  std::map<std::uint64_t, std::string> model_names_;
  std::map<std::string, int> models_of_type_;
};

}  // namespace xtgrad::v1::detail
