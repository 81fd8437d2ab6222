#pragma once

#include <cstdint>
#include <initializer_list>
#include <iosfwd>
#include <span>
#include <string>
#include <type_traits>
#include <utility>

#include "xtgrad/autograd/core/node_counts.h"
#include "xtgrad/autograd/dtype.h"
#include "xtgrad/autograd/export.h"
#include "xtgrad/autograd/shape.h"

namespace xtgrad { inline namespace XTGRAD_PUBLIC v1 {

template <class T>
class Elements;

namespace detail {
template <class T>
concept EntryIndex = std::is_integral_v<T> && !std::is_same_v<T, bool>;
}  // namespace detail

/// A multi-dimensional array and, where derivatives are recorded, its place in the graph.
///
/// A Tensor is a handle: copies share the same immutable elements, so there is no aliasing to think about and
/// an operation always returns a new tensor. Elements are contiguous and row-major. A handle may be copied,
/// read and dropped on any thread, as a shared_ptr may. A default-constructed Tensor is empty: `defined()` is
/// false, and every other use throws.
///
///   Tensor x = tensor({{1, 2}, {3, 4}}, {.requires_grad = true});
///   Tensor y = sum(square(x));
///   y.backward();
///   // x.grad() is {{2, 4}, {6, 8}}
class Tensor {
 public:
  Tensor() = default;
  Tensor(const Tensor& other) : node_(other.node_) {
    if (node_ != nullptr) node_->values.increment();
  }
  Tensor(Tensor&& other) noexcept : node_(std::exchange(other.node_, nullptr)) {}
  Tensor& operator=(const Tensor& other) {
    Tensor(other).swap(*this);
    return *this;
  }
  Tensor& operator=(Tensor&& other) noexcept {
    Tensor(std::move(other)).swap(*this);
    return *this;
  }
  ~Tensor() {
    if (node_ != nullptr && node_->values.decrement() == 0) detail::release_value(*node_);
  }

  void swap(Tensor& other) noexcept { std::swap(node_, other.node_); }

  /// False for a default-constructed handle.
  [[nodiscard]] bool defined() const { return node_ != nullptr; }
  [[nodiscard]] const Shape& shape() const&;
  [[nodiscard]] Shape shape() const&& { return shape(); }  // of a temporary, which ends before its reader
  /// Size of one dimension; negative counts from the end.
  [[nodiscard]] std::int64_t size(std::int64_t dim) const;
  [[nodiscard]] std::size_t rank() const;
  [[nodiscard]] std::int64_t numel() const;
  [[nodiscard]] Dtype dtype() const;

  /// The one element of a tensor with a single element, as a double; throws ShapeError otherwise.
  [[nodiscard]] double item() const;
  /// As `item`, exact, for the integer dtypes; throws DtypeError for others.
  [[nodiscard]] std::int64_t item_int64() const;
  /// One element, as a double; negative indices count from the end.
  [[nodiscard]] double at(std::initializer_list<std::int64_t> index) const;
  /// As `at`, exact, for the integer dtypes; throws DtypeError for others.
  [[nodiscard]] std::int64_t at_int64(std::initializer_list<std::int64_t> index) const;
  /// x[i], an entry along axis 0, without that axis; a negative index counts from the end. `select` takes
  /// other axes. A template, so that no fraction becomes an index; const, so that `x[i] = y` does not
  /// compile: elements never change, and `select_scatter` makes a tensor that differs in an entry.
  template <detail::EntryIndex Integer>
  [[nodiscard]] const Tensor  // NOLINT(readability-const-return-type): so that none is assigned to
  operator[](Integer index) const {
    return entry(static_cast<std::int64_t>(index));
  }
  /// x[index], the entries along axis 0 that an int64 or int32 tensor of any shape names; x[mask], those
  /// where a bool tensor is true, which has the sizes of x's first axes: its result's shape depends on the
  /// mask's elements, so a function that computes the mask cannot be captured.
  [[nodiscard]] const Tensor  // NOLINT(readability-const-return-type): as above
  operator[](const Tensor& index) const;

  /// The elements in row-major order; T is float, double, std::int64_t, std::int32_t, std::uint8_t or bool
  /// and must be the tensor's dtype. A template, because the element type is the question; instantiated for
  /// these in the library.
  ///
  /// The span is good as long as this handle, or a copy of it, is kept, and shows the same elements all the
  /// while: `backward` adds to a gradient, and an optimizer's step writes over a weight, in their old memory
  /// only where nobody else holds it.
  template <class T>
  [[nodiscard]] std::span<const T> data() const&;
  /// The same of a temporary, such as `w.grad()` or `model(x)`, whose elements this keeps (elements.h).
  template <class T>
  [[nodiscard]] Elements<T> data() const&&;

  /// The tensor converted to `dtype`; differentiable between floating dtypes. Costs no copy if it has that
  /// dtype already. To an integer dtype fractions are cut off; throws DtypeError that names the value
  /// for the first that lies out of range or is NaN. To bool, all but 0 is true.
  [[nodiscard]] Tensor to(Dtype dtype) const;
  /// The same elements with another identity and no history.
  [[nodiscard]] Tensor detach() const;

  /// True for a leaf that wants a gradient and for everything computed from one while recording.
  [[nodiscard]] bool requires_grad() const;
  /// Makes this leaf want a gradient, or no longer; throws GraphError for a computed tensor and DtypeError
  /// for a dtype without derivatives.
  Tensor& set_requires_grad(bool requires_grad = true) &;
  Tensor set_requires_grad(bool requires_grad = true) && {  // of a temporary: the handle itself
    set_requires_grad(requires_grad);
    return std::move(*this);
  }
  /// True unless the tensor was computed by a recorded operation.
  [[nodiscard]] bool is_leaf() const;

  /// The gradient that `backward` accumulated; an empty handle where there is none (which is not a zero).
  [[nodiscard]] Tensor grad() const;
  /// Replaces the gradient; an empty handle clears it. Throws where shape or dtype are not the tensor's.
  void set_grad(Tensor gradient) const;
  void clear_grad() const;
  /// Asks `backward` to keep the gradient of this computed tensor, as it does for leaves.
  const Tensor& retain_grad() const&;
  Tensor retain_grad() const&& { return retain_grad(); }

  struct BackwardOptions;
  /// Adds d(this)/d(leaf) to the gradient of every leaf that this tensor was computed from and that wants
  /// one. The tensor must have a single element. Frees the graph unless told otherwise.
  void backward() const;
  void backward(const BackwardOptions& options) const;

  /// A name for pictures and messages.
  const Tensor& set_name(std::string name) const&;
  Tensor set_name(std::string name) const&&;
  [[nodiscard]] std::string name() const;

  /// Identity of the graph node behind the handle, for comparing handles.
  [[nodiscard]] detail::NodeCounts* node() const { return node_; }

  /// Takes over one count of `values`; for the library alone.
  static Tensor adopt(detail::NodeCounts* node) {
    Tensor tensor;
    tensor.node_ = node;
    return tensor;
  }
  /// Gives the handle's count away; for the library alone.
  detail::NodeCounts* release() && { return std::exchange(node_, nullptr); }

 private:
  [[nodiscard]] Tensor entry(std::int64_t index) const;

  detail::NodeCounts* node_ = nullptr;
};

struct Tensor::BackwardOptions {
  /// Cotangent of this tensor, of its shape; ones for a single element when left empty.
  Tensor gradient = {};
  /// Keeps the graph for another backward.
  bool keep_graph = false;
  /// Records the backward itself, so that gradients can be differentiated; keeps the graph, too. A leaf's
  /// gradient then refers to the graph that refers to the leaf: clear it when done, or prefer `grad`, which
  /// makes no cycle.
  bool create_graph = false;
};

/// Elements a person can read, nested brackets, the middle of long dimensions elided, then dtype and shape.
[[nodiscard]] std::string to_string(const Tensor& tensor);
std::ostream& operator<<(std::ostream& out, const Tensor& tensor);

}}  // namespace xtgrad::v1

#include "xtgrad/autograd/elements.h"
