#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "xtgrad/autograd/counter.h"
#include "xtgrad/autograd/dtype.h"
#include "xtgrad/autograd/export.h"
#include "xtgrad/autograd/random.h"
#include "xtgrad/autograd/tensor.h"
#include "xtgrad/nn/parameter.h"
#include "xtgrad/nn/state_dict.h"

namespace xtgrad { inline namespace XTGRAD_PUBLIC v1 { namespace nn {

class Members;

struct LoadOptions {
  /// Throw for names that are missing or unexpected; without it they are skipped and returned. A random
  /// stream may be missing in any case: other libraries' files have none.
  bool strict = true;
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

  /// All state by path, such as "head.weight": parameters, buffers, random streams and counters, in the order
  /// of `members`. Shares the (immutable) elements. Empty buffers are left out; tied parameters are there
  /// under each of their names.
  [[nodiscard]] StateDict state_dict() const;
  /// Takes over the state. One ValueError lists all names that are missing, unexpected, or of another shape
  /// or dtype, and nothing is changed if it is thrown. A buffer that is empty here takes whatever the dict
  /// has. A random stream that the dict lacks, as one from another library does, stays as it is and is no
  /// error.
  LoadReport load_state_dict(const StateDict& state, const LoadOptions& options = {});

 protected:
  Stateful() = default;
  Stateful(const Stateful&) = default;
  Stateful(Stateful&&) = default;
  Stateful& operator=(const Stateful&) = default;
  Stateful& operator=(Stateful&&) = default;
};

/// The visitor that `members` receives. Everything a model can do beyond its forward is a visitor: derive,
/// and override the kinds of interest. Names may hold dots ("layers.0"), must not be empty, and differ within
/// one object; ValueError says where they do not.
class Members {
 public:
  Members();
  virtual ~Members();
  /// A copy goes on visits of its own.
  Members(const Members&) : Members() {}
  Members& operator=(const Members&) { return *this; }

  /// A learnable value; skipped where it is not defined, as the bias of a layer without one.
  void operator()(std::string_view name, Parameter& parameter);
  /// A buffer: state that is not learnt, such as running statistics. May be empty. Throws GraphError for a
  /// leaf that wants a gradient: it was meant to be a Parameter.
  void operator()(std::string_view name, Tensor& buffer);
  /// A part with members of its own, whose names get `name` and a dot in front.
  void operator()(std::string_view name, Stateful& child);
  /// The random stream of a stateful layer.
  void operator()(std::string_view name, Random& stream);
  /// A count that belongs to the state. A plain integer is one, too, that nobody sees change who records what
  /// is computed.
  void operator()(std::string_view name, Counter& counter);
  void operator()(std::string_view name, std::int64_t& counter);
  /// Makes `parameter` the same parameter as `original` if it is not already; call it before listing either.
  /// A model that ties its weights here is tied again when it is copied; one that ties by `share()` alone is
  /// not, since a copy makes each Parameter its own. Throws ValueError if it comes too late, or if there is
  /// no original.
  void tie(Parameter& parameter, const Parameter& original);

  /// Visits `root` itself (with an empty path) and all its members.
  void visit(Stateful& root);

 protected:
  // What the visitor does with each kind; nothing unless overridden. `path` is relative to the root.
  virtual void on_object(const std::string& path, Stateful& object);  ///< before its members; the root, too
  virtual void on_parameter(const std::string& path, Parameter& parameter);
  virtual void on_buffer(const std::string& path, Tensor& buffer);
  virtual void on_stream(const std::string& path, Random& stream);
  virtual void on_counter(const std::string& path, Counter& counter);
  /// Through `on_counter`, unless overridden: the object then is a copy.
  virtual void on_integer(const std::string& path, std::int64_t& counter);

 private:
  [[nodiscard]] std::size_t enter(std::string_view name);  // the length of the path before
  void descend(Stateful& object);

  struct Visited;  // what has been listed so far

  std::string path_;
  std::unique_ptr<Visited> visited_;
};

}}}  // namespace xtgrad::v1::nn
