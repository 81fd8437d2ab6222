// The places in which models, optimizers and random streams keep what they remember, one by one.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "xtgrad/autograd/core/array.h"
#include "xtgrad/nn/members.h"

namespace xtgrad::inline v1::nn::detail {

/// A place for one value of the state. What it refers to must outlive it, and stay where it is.
class StatePlace {
 public:
  explicit StatePlace(std::string name) : name_(std::move(name)) {}
  virtual ~StatePlace() = default;
  StatePlace(const StatePlace&) = delete;
  StatePlace& operator=(const StatePlace&) = delete;

  [[nodiscard]] const std::string& name() const { return name_; }
  /// What is there; an empty handle for nothing.
  [[nodiscard]] virtual Tensor read() const = 0;
  /// The same without a handle, until the place changes; null for nothing.
  [[nodiscard]] virtual const xtgrad::detail::Array* peek() = 0;
  /// Whether nobody else can see the elements, so that they may be written over.
  [[nodiscard]] virtual bool is_own() const { return false; }
  /// Does what of `write` may fail. `next` is what will be written, empty for nothing; `is_sole` says that
  /// nobody but this place will have its elements.
  virtual void prepare(const Tensor& /*next*/, bool /*is_sole*/) {}
  /// Writes what was prepared. A next value that is this place's alone may be changed to what was there
  /// before, for its memory to be used again.
  virtual void write(Tensor& next, bool is_sole) noexcept = 0;

  /// What tells places apart: where it is.
  [[nodiscard]] virtual const void* where() const = 0;
  /// Keeps the elements in memory that no other place shares.
  virtual void separate() = 0;
  /// Keeps in mind what is there, to be put back by `restore`.
  virtual void keep() = 0;
  virtual void restore() noexcept = 0;
  /// Throws GraphError, in the name of `function`, where the place is not what it was when it was listed, for
  /// instance a parameter that has been frozen since.
  virtual void check(std::string_view /*function*/) const {}
  [[nodiscard]] virtual bool has_check() const { return false; }

 private:
  std::string name_;
};

/// What capture is given to list places of.
struct StateRoot {
  Stateful* object = nullptr;
  Random* stream = nullptr;
  Counter* counter = nullptr;
  ParameterRef parameter = nullptr;
  Tensor leaf = {};
};

/// The places of all these, each once: of a parameter and of a leaf the value and the gradient. Names that
/// are taken get
/// "#" and a number.
std::vector<std::unique_ptr<StatePlace>> state_places(const std::vector<StateRoot>& roots);

/// The first of `before` that is not where it was when the same roots are listed again; null if all are.
const StatePlace* first_moved(const std::vector<std::unique_ptr<StatePlace>>& before,
                              const std::vector<StateRoot>& roots);

}  // namespace xtgrad::v1::nn::detail
