#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "xtgrad/autograd/export.h"
#include "xtgrad/autograd/tensor.h"
#include "xtgrad/nn/adoption.h"

namespace xtgrad { inline namespace XTGRAD_PUBLIC v1 {

/// A base in the namespace of Tensor, so that argument-dependent lookup finds the operators on tensors for
/// classes elsewhere that convert to one: `weight * 0.5` for an `nn::Parameter`.
class ConvertsToTensor {};

namespace nn {

class WithParameters;

/// What a parameter is, whoever holds it: a value that can be replaced, and the gradient that losses add to.
/// Its identity survives moves of the model, so an optimizer holds these. Reading from several threads is
/// safe; one thread at a time may change it, and none may read it meanwhile.
class ParameterCell {
 public:
  /// A parameter with the elements of `value`, without its history. Throws DtypeError unless it is floating.
  explicit ParameterCell(const Tensor& value);
  ~ParameterCell();
  ParameterCell(const ParameterCell&) = delete;
  ParameterCell& operator=(const ParameterCell&) = delete;

  /// The current leaf; a handle that stays what it is when the parameter gets a new value.
  [[nodiscard]] Tensor tensor() const { return substitutes_.empty() ? leaf_ : substitutes_.back().value; }
  /// Replaces the elements. The gradient stays until `zero_grad`, and a loss recorded before still adds to
  /// it. Throws ShapeError or DtypeError where `value` differs in shape or dtype.
  void set_value(const Tensor& value);
  /// Converts to float32 or float64, and clears the gradient; nothing if the parameter has that dtype
  /// already.
  void to(Dtype dtype);

  [[nodiscard]] Shape shape() const { return leaf_.shape(); }
  [[nodiscard]] Dtype dtype() const { return leaf_.dtype(); }
  [[nodiscard]] std::int64_t numel() const { return leaf_.numel(); }

  /// The gradient so far; an empty handle where there is none.
  [[nodiscard]] Tensor grad() const {
    adopt();
    return leaf_.grad();
  }
  /// Replaces the gradient, for instance by a clipped one; an empty handle clears it.
  void set_grad(const Tensor& gradient) {
    adopt();
    leaf_.set_grad(gradient);
  }
  void zero_grad() {
    adopt();
    leaf_.clear_grad();
  }

  [[nodiscard]] bool requires_grad() const { return leaf_.requires_grad(); }
  /// Freezes the parameter (false) or makes it learn again; the value and the gradient so far stay.
  void set_requires_grad(bool requires_grad) { leaf_.set_requires_grad(requires_grad); }

  /// Its path in the outermost model that has listed it, such as "head.weight"; empty before.
  [[nodiscard]] std::string name() const { return name_; }
  void set_name(std::string name);

  // For the library alone, to find forgotten members: which models list this parameter, whether anybody looks
  // after it, and where its gradient accumulates.
  [[nodiscard]] const detail::ListedBy& listed_by() const { return listed_by_; }
  void set_listed_by(std::uint64_t model);
  void adopt() const;
  [[nodiscard]] const Tensor& leaf() const { return leaf_; }
  /// A leaf for a next value, with all that this parameter is; throws as `set_value`.
  [[nodiscard]] Tensor leaf_of(const Tensor& value) const;
  /// Takes a leaf over as it is, without failing if its gradient accumulates where the one's before does.
  void set_leaf(const Tensor& leaf);
  [[nodiscard]] const xtgrad::detail::GradientStore& gradient_store() const;

 private:
  friend class WithParameters;

  Tensor leaf_;
  struct Substitute {
    const WithParameters* scope;
    Tensor value;
  };
  std::vector<Substitute> substitutes_;  // of each WithParameters that lives; the last one is in force
  std::string name_;
  detail::ListedBy listed_by_;
  mutable detail::Adoption adoption_;  // the last, since others may look at the rest through it
};

/// How optimizers hold parameters. Two refs are equal if they are the same parameter.
using ParameterRef = std::shared_ptr<ParameterCell>;

/// A model's parameter. Copying a model makes parameters of their own over the same elements, without the
/// gradients; one alone is copied by `clone`; moving keeps the cell, and with it every optimizer that holds
/// it; `share` makes a second handle on the same cell, for tied weights. Converts to Tensor wherever one is
/// expected. Several are held in a std::vector: g++ does not copy a model whose member is an array of them.
///
///   nn::Parameter weight(randn({10, 4}));
///   Tensor loss = sum(square(matmul(x, weight, {.transpose_b = true})));
///   loss.backward();
///   weight.set_value(weight.tensor() - 0.1 * weight.grad());
class Parameter : public ConvertsToTensor {
 public:
  /// No parameter, such as the bias of a layer that has none; `defined()` is false and other uses throw.
  Parameter() = default;
  explicit Parameter(const Tensor& value) : cell_(std::make_shared<ParameterCell>(value)) {}
  /// Explicit, so that models copy, member by member, and `auto w = layer.weight;` does not compile: see
  /// `clone`.
  explicit Parameter(const Parameter& other);
  explicit Parameter(Parameter& other) : Parameter(static_cast<const Parameter&>(other)) {}
  /// What a copy that was not asked for comes to; never compiles.
  template <class P>
  requires std::is_same_v<std::remove_const_t<P>, Parameter> Parameter(
      P& /*other*/) {  // NOLINT(google-explicit-constructor)
    static_assert(
        sizeof(P) == 0,
        "this would copy an nn::Parameter, and training changes the model's, not the copy: write "
        "`auto& w = layer.weight;`, `for (auto& p : ...)` or w.share() for the same parameter, "
        "nn::clone(w) for one of its own, w.tensor() for its value; g++ also copies members that are "
        "arrays of parameters so: hold them in a std::vector");
  }
  Parameter(Parameter&& other) noexcept = default;
  /// Takes over the other's value and whether it is frozen. Keeps its own cell if shape and dtype agree, so
  /// an optimizer that holds this parameter goes on; else gets a new one.
  Parameter& operator=(const Parameter& other);
  Parameter& operator=(Parameter&& other) noexcept = default;
  /// As `set_value`.
  Parameter& operator=(const Tensor& value) {
    set_value(value);
    return *this;
  }
  ~Parameter() = default;

  /// A second handle on the same parameter: one value, one gradient.
  [[nodiscard]] Parameter share() const;
  [[nodiscard]] bool defined() const { return cell_ != nullptr; }
  [[nodiscard]] const ParameterRef& cell() const& { return cell_; }
  [[nodiscard]] ParameterRef cell() const&& { return cell_; }

  /// The value, as a leaf of the graph. Inside a model's forward this throws GraphError if the model's
  /// `members` does not list the parameter, for then no optimizer would train it.
  [[nodiscard]] Tensor tensor() const;
  operator Tensor() const { return tensor(); }  // NOLINT(google-explicit-constructor): used like a tensor

  // As in ParameterCell; each throws ValueError where no parameter is.
  void set_value(const Tensor& value) { checked().set_value(value); }
  void to(Dtype dtype) { checked().to(dtype); }
  [[nodiscard]] Shape shape() const { return checked().shape(); }
  [[nodiscard]] Dtype dtype() const { return checked().dtype(); }
  [[nodiscard]] std::int64_t numel() const { return checked().numel(); }
  [[nodiscard]] Tensor grad() const { return checked().grad(); }
  void set_grad(const Tensor& gradient) { checked().set_grad(gradient); }
  void zero_grad() { checked().zero_grad(); }
  [[nodiscard]] bool requires_grad() const { return checked().requires_grad(); }
  void set_requires_grad(bool requires_grad) { checked().set_requires_grad(requires_grad); }
  [[nodiscard]] std::string name() const { return checked().name(); }

 private:
  explicit Parameter(ParameterRef cell) : cell_(std::move(cell)) {}
  [[nodiscard]] ParameterCell& checked() const;

  ParameterRef cell_;
};

/// A parameter of its own over the same elements, frozen if `parameter` is, without its gradient.
[[nodiscard]] inline Parameter clone(const Parameter& parameter) { return Parameter(parameter); }

/// Puts tensors, with their history, in the place of parameters while in scope: the way to differentiate
/// through an optimizer step. Scopes nest, and may end in any order. Throws ValueError where the counts
/// differ, ShapeError or DtypeError where a tensor does not fit its parameter.
///
///   std::vector<Tensor> stepped = ...;  // computed from model.parameters() and a learning rate
///   nn::WithParameters scope(model.parameters(), stepped);
///   Tensor after = loss(model(x));      // its gradient reaches the learning rate
class WithParameters {
 public:
  [[nodiscard("a scope ends with its statement unless it has a name")]] WithParameters(
      std::vector<ParameterRef> parameters, std::span<const Tensor> values);
  ~WithParameters();
  WithParameters(const WithParameters&) = delete;
  WithParameters& operator=(const WithParameters&) = delete;

 private:
  void leave() noexcept;

  std::vector<ParameterRef> parameters_;
};

}  // namespace nn
}}  // namespace xtgrad::v1
