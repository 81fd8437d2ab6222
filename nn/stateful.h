#pragma once

#include <string>
#include <vector>

#include "xtgrad/autograd/export.h"
#include "xtgrad/nn/state_dict.h"

namespace xtgrad { inline namespace XTGRAD_PUBLIC v1 { namespace nn {

class Members;

struct LoadOptions {
  /// Throw for names that are missing or unexpected; without it they are skipped and returned. A random
  /// stream may be missing in any case: other libraries' files have none.
  bool strict = true;
  /// Take the settings that the state was made under, such as Adam's beta1, in place of those that are there.
  /// Without it a state of other settings is refused: what goes on from it would be no training that was
  /// never interrupted. A state without settings, as files of before and of other libraries, is loaded in any
  /// case.
  bool adopt_settings = false;
};

/// What `load_state_dict` did not load.
struct LoadReport {
  std::vector<std::string> missing;     ///< listed by members, not in the dict
  std::vector<std::string> unexpected;  ///< in the dict, not listed by members
};

/// Something whose state is listed by `members`: every Module, and every optimizer.
class Stateful {
 public:
  virtual ~Stateful() = default;

  /// Names everything that belongs to the object's state, once, in a fixed order: `m("weight", weight);`.
  /// Optimizers list their state here, too; parameters that they merely hold are not theirs to list.
  virtual void members(Members& m) = 0;

  /// Throws ValueError where the object's own state, which has just been loaded, is none that it could have
  /// come to; `load_state_dict` asks every object, and puts back what was there before.
  virtual void check_loaded() const {}

  /// All state by path, such as "head.weight": parameters, buffers, random streams and counters, in the order
  /// of `members`. Shares the (immutable) elements. Empty buffers are left out; tied parameters are there
  /// under each of their names.
  [[nodiscard]] StateDict state_dict() const;
  /// Takes over the state, all of it or, whatever is thrown, none. One ValueError lists all names that are
  /// missing, unexpected, of another shape or dtype, or of another setting, and counters below 0 or above
  /// 2^62. A buffer that is empty here takes whatever the dict has. A random stream that the dict lacks, as
  /// one from another library does, stays as it is and is no error.
  LoadReport load_state_dict(const StateDict& state, const LoadOptions& options = {});

 protected:
  Stateful() = default;
  Stateful(const Stateful&) = default;
  Stateful(Stateful&&) = default;
  Stateful& operator=(const Stateful&) = default;
  Stateful& operator=(Stateful&&) = default;
};

}}}  // namespace xtgrad::v1::nn
