#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "xtgrad/autograd/callable.h"
#include "xtgrad/autograd/export.h"
#include "xtgrad/nn/members.h"

namespace xtgrad { inline namespace XTGRAD_PUBLIC v1 { namespace nn {

struct NamedParameter {
  std::string name;
  ParameterRef parameter;
};

struct NamedBuffer {
  std::string name;
  Tensor value;
};

class BatchNormUpdate;

/// What all modules are, whatever the arguments and results of their forward: an ordinary value type that
/// says what it computes (`forward`) and what it consists of (`members`). Copying clones it; moving keeps its
/// parameters' identity, so an optimizer made before goes on working. Call it like a function. Derive from
/// `Module` or `ModuleOf` (nn/module.h), which add the forward; take this where any module will do.
class ModuleBase : public Stateful {
 public:
  /// Lists parameters, buffers, children, random streams and counters; none unless overridden.
  void members(Members& m) override;

  /// Every parameter once, in the order of `members`.
  [[nodiscard]] std::vector<ParameterRef> parameters() const;
  /// The same with their paths, such as "head.weight"; the first path of a tied one.
  [[nodiscard]] std::vector<NamedParameter> named_parameters() const;
  /// The buffers that are not empty.
  [[nodiscard]] std::vector<NamedBuffer> named_buffers() const;
  /// Number of learnable numbers, frozen ones included, tied ones once.
  [[nodiscard]] std::int64_t parameter_count() const;

  /// Converts all parameters and floating buffers to float32 or float64, and clears the gradients of those
  /// that change. Throws DtypeError for another dtype.
  void to(Dtype dtype);
  /// Switches the module and all its parts to training behaviour (or not); dropout, for instance, heeds it.
  void train(bool training = true);
  void eval() { train(false); }
  /// True at first.
  [[nodiscard]] bool is_training() const { return training_; }
  /// Clears the gradients of all parameters. Throws GraphError for one that got a gradient beside theirs,
  /// twice in a row, and that nobody looks after: see docs/extending.md.
  void zero_grad();

  /// The class's name without namespaces, such as "Linear".
  [[nodiscard]] std::string type_name() const;

  // For the library alone: this model's number, to know it by.
  [[nodiscard]] std::uint64_t model_id() const;

 protected:
  ModuleBase() = default;
  ModuleBase(const ModuleBase&) = default;
  ModuleBase(ModuleBase&&) = default;
  ModuleBase& operator=(const ModuleBase&) = default;
  ModuleBase& operator=(ModuleBase&&) = default;

  /// How a message names this module: "Linear", or "Linear (head)" while a model runs that lists it as
  /// "head".
  [[nodiscard]] std::string label() const;
  /// The table of `summary`, where `run` calls the module once.
  [[nodiscard]] std::string summary_of(const Callable<void()>& run);

 private:
  friend class BatchNormUpdate;

  detail::ModelId id_;
  bool training_ = true;
};

/// A module whose forward has the type `Signature`; see nn/module.h.
template <class Signature>
class ModuleOf;
using Module = ModuleOf<Tensor(const Tensor&)>;

}}}  // namespace xtgrad::v1::nn
