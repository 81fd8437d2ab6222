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
#include "xtgrad/nn/stateful.h"

namespace xtgrad { inline namespace XTGRAD_PUBLIC v1 { namespace nn {

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
  /// A number that the rest of the state came about under and that training does not change, such as an
  /// optimizer's decay rate; a state of another number is refused, or its number written to `value` (see
  /// LoadOptions). `holder` keeps what has the number: where a load fails after it was replaced, it is put
  /// back.
  void setting(std::string_view name, double& value, std::shared_ptr<const void>& holder);
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
  virtual void on_setting(const std::string& path, double& value, std::shared_ptr<const void>& holder);
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
