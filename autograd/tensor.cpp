#include "xtgrad/autograd/tensor.h"

#include <fmt/format.h>

#include <ostream>
#include <span>
#include <utility>

#include "xtgrad/autograd/core/ieee_arithmetic.h"
#include "xtgrad/autograd/core/leaf_state.h"
#include "xtgrad/autograd/core/parts.h"
#include "xtgrad/autograd/core/primitive.h"
#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/functions/mask.h"
#include "xtgrad/autograd/grad.h"
#include "xtgrad/autograd/ops.h"
#include "xtgrad/autograd/ops/cast.h"
#include "xtgrad/autograd/ops/shape.h"
#include "xtgrad/autograd/print.h"

namespace xtgrad::inline v1 {

using detail::Array;
using detail::array_of;
using detail::LeafState;
using detail::Node;
using detail::node_of;

const Shape& Tensor::shape() const& { return array_of(*this).shape; }

std::int64_t Tensor::size(std::int64_t dim) const { return shape()[normalize_axis("size", dim, rank())]; }

std::size_t Tensor::rank() const { return shape().rank(); }

std::int64_t Tensor::numel() const { return shape().numel(); }

Dtype Tensor::dtype() const { return array_of(*this).dtype; }

template <class T>
std::span<const T> Tensor::data() const& {
  constexpr Dtype asked = detail::dtype_of<T>;
  const Array& array = array_of(*this);
  if (array.dtype != asked) {
    throw DtypeError(
        fmt::format("data: asked for {}, the tensor is {}", to_string(asked), to_string(array.dtype)));
  }
  detail::tell_reading(array, "data");
  return {array.data<T>(), static_cast<std::size_t>(array.numel())};
}

#define XTGRAD_DTYPE(name, text, Storage, Arithmetic, kind) \
  template std::span<const Storage> Tensor::data<Storage>() const&;
#include "xtgrad/autograd/dtypes.def"
#undef XTGRAD_DTYPE

namespace {

void check_single(std::string_view function, const Tensor& x) {
  if (x.numel() != 1) {
    throw ShapeError(
        fmt::format("{}: needs a tensor of one element, this one is {}", function, to_string(x.shape())));
  }
}

/// Offset of an element in row-major order.
std::int64_t offset_of(std::string_view function, const Shape& shape,
                       std::initializer_list<std::int64_t> index) {
  if (index.size() != shape.rank()) {
    throw ShapeError(
        fmt::format("{}: got {} indices for the shape {}", function, index.size(), to_string(shape)));
  }
  std::int64_t offset = 0;
  std::size_t dim = 0;
  for (const std::int64_t i : index) {
    const std::int64_t size = shape[dim];
    if (i < -size || i >= size) {
      throw ShapeError(fmt::format("{}: index {} is out of range for dimension {} of {}", function, i, dim,
                                   to_string(shape)));
    }
    offset = offset * size + (i < 0 ? i + size : i);
    ++dim;
  }
  return offset;
}

double element(std::string_view function, const Array& array, std::int64_t offset) {
  detail::tell_reading(array, function);
  return detail::visit(array.dtype, [&](auto zero) {
    using T = decltype(zero);
    return static_cast<double>(static_cast<detail::Arithmetic<T>>(array.data<T>()[offset]));
  });
}

std::int64_t integer_element(std::string_view function, const Array& array, std::int64_t offset) {
  if (!is_integer(array.dtype)) {
    throw DtypeError(fmt::format("{}: needs an integer dtype, got {}", function, to_string(array.dtype)));
  }
  detail::tell_reading(array, function);
  return detail::visit_listed<detail::IntegerTypes>(array.dtype, [&](auto zero) {
    return static_cast<std::int64_t>(array.data<decltype(zero)>()[offset]);
  });
}

}  // namespace

double Tensor::item() const {
  check_single("item", *this);
  const detail::IeeeArithmetic as_it_was_computed;
  return element("item", array_of(*this), 0);
}

std::int64_t Tensor::item_int64() const {
  check_single("item_int64", *this);
  return integer_element("item_int64", array_of(*this), 0);
}

double Tensor::at(std::initializer_list<std::int64_t> index) const {
  const Array& array = array_of(*this);
  const detail::IeeeArithmetic as_it_was_computed;
  return element("at", array, offset_of("at", array.shape, index));
}

std::int64_t Tensor::at_int64(std::initializer_list<std::int64_t> index) const {
  const Array& array = array_of(*this);
  return integer_element("at_int64", array, offset_of("at_int64", array.shape, index));
}

Tensor Tensor::entry(std::int64_t index) const {
  if (rank() == 0) throw ShapeError("operator[]: a 0-d tensor has no entries; item() is its number");
  if (const std::int64_t entries = shape()[0]; index < -entries || index >= entries) {
    throw ShapeError(fmt::format("operator[]: index {} is out of range: axis 0 of {} has size {}", index,
                                 to_string(shape()), entries));
  }
  return select(*this, 0, index);
}

// NOLINTNEXTLINE(readability-const-return-type): so that nothing is assigned to it
const Tensor Tensor::operator[](const Tensor& index) const {
  const Shape &shape = this->shape(), &of_index = index.shape();
  const bool is_mask = index.dtype() == Dtype::boolean;
  if (!is_mask && index.dtype() != Dtype::int64 && index.dtype() != Dtype::int32) {
    throw DtypeError(
        fmt::format("operator[]: the index must be int64, int32 or bool, got {}", to_string(index.dtype())));
  }
  const std::size_t indexed = is_mask ? of_index.rank() : 1;  // of x's axes
  bool fits = indexed <= shape.rank();
  for (std::size_t d = 0; is_mask && fits && d < indexed; ++d) fits = of_index[d] == shape[d];
  if (!fits) {
    throw ShapeError(
        fmt::format("operator[]: {}: x is {}, the {} is {}",
                    is_mask ? "a mask must have the sizes of x's first axes" : "a 0-d tensor has no entries",
                    to_string(shape), is_mask ? "mask" : "index", to_string(of_index)));
  }
  Shape entries{is_mask ? of_index.numel() : shape[0]};
  Shape result = is_mask ? Shape() : of_index;
  for (std::size_t d = indexed; d < shape.rank(); ++d) {
    entries.push_back(shape[d]);
    result.push_back(shape[d]);
  }
  const auto flat = [](const Tensor& x) { return detail::reshaped(x, {x.numel()}); };
  if (!is_mask) return detail::reshaped(index_select(*this, 0, flat(index)), result);
  detail::tell_reading(array_of(index), "operator[]");
  return index_select(detail::reshaped(*this, entries), 0, flat(nonzero(flat(index))));
}

Tensor Tensor::to(Dtype dtype) const {
  return dtype == this->dtype() ? alias(*this) : detail::cast(*this, dtype);
}

Tensor Tensor::detach() const { return detail::make_constant(array_of(*this)); }

bool Tensor::requires_grad() const { return node_of(*this).requires_grad(); }

bool Tensor::is_leaf() const { return !node_of(*this).recorded(); }

Tensor& Tensor::set_requires_grad(bool requires_grad) & {
  Node& node = node_of(*this);
  if (node.recorded()) {
    throw GraphError(
        fmt::format("set_requires_grad: this tensor was computed by {}; only leaves can be asked, use "
                    "detach() to get one",
                    operation_of(node)));
  }
  if (requires_grad && !is_floating(node.array.dtype)) {
    throw DtypeError(fmt::format("set_requires_grad: {} has no derivatives; use float32 or float64",
                                 to_string(node.array.dtype)));
  }
  if (requires_grad) {
    LeafState& state = detail::leaf_state_of(node);
    state.keeps_gradient = true;
    state.gradient->set_frozen(false);
    node.set(Node::requires_grad_flag);
    if ((detail::thread_state.mode & detail::refusing_mode) != 0) node.set(Node::inner_flag);
    if (detail::thread_state.is_watched()) detail::tell_wish(*this);
  } else {
    if (LeafState* state = node.leaf_state()) state->gradient->set_frozen(true);
    node.flags.fetch_and(static_cast<std::uint16_t>(~Node::requires_grad_flag));
  }
  return *this;
}

Tensor Tensor::grad() const {
  const LeafState* state = node_of(*this).leaf_state();
  return state == nullptr ? Tensor() : state->gradient->get();
}

void Tensor::set_grad(Tensor gradient) const {
  const Array& array = array_of(*this);
  if (gradient.defined() && gradient.dtype() != array.dtype) {
    throw DtypeError(fmt::format("set_grad: the gradient is {}, the tensor is {}",
                                 to_string(gradient.dtype()), to_string(array.dtype)));
  }
  if (gradient.defined() && gradient.shape() != array.shape) {
    throw ShapeError(fmt::format("set_grad: the gradient is {}, the tensor is {}",
                                 to_string(gradient.shape()), to_string(array.shape)));
  }
  detail::leaf_state_of(node_of(*this)).gradient->set(std::move(gradient));
}

void Tensor::clear_grad() const {
  if (LeafState* state = node_of(*this).leaf_state()) state->gradient->set(Tensor());
}

const Tensor& Tensor::retain_grad() const& {
  Node& node = node_of(*this);
  if (!node.requires_grad()) {
    throw GraphError("retain_grad: this tensor does not require a gradient, so none will come");
  }
  detail::leaf_state_of(node).keeps_gradient = true;
  return *this;
}

void Tensor::backward(const BackwardOptions& options) const {
  GradOptions grad_options{.keep_graph = options.keep_graph, .create_graph = options.create_graph};
  if (options.gradient.defined()) grad_options.cotangents.push_back(options.gradient);
  xtgrad::backward(std::span(this, 1), grad_options);
}

void Tensor::backward() const { backward(BackwardOptions{}); }

Tensor Tensor::set_name(std::string name) const&& { return set_name(std::move(name)); }

const Tensor& Tensor::set_name(std::string name) const& {
  detail::leaf_state_of(node_of(*this)).gradient->set_name(std::move(name));
  return *this;
}

std::string Tensor::name() const {
  const LeafState* state = node_of(*this).leaf_state();
  return state == nullptr ? std::string() : state->gradient->name();
}

std::string to_string(const Tensor& tensor) {
  if (!tensor.defined()) return "undefined tensor";
  detail::tell_reading(array_of(tensor), "to_string");
  std::string text = fmt::format("{}\n{} {}", detail::print_elements(array_of(tensor)),
                                 to_string(tensor.dtype()), to_string(tensor.shape()));
  if (const std::string name = tensor.name(); !name.empty()) text += fmt::format(", name {}", name);
  if (tensor.requires_grad()) text += ", requires_grad";
  return text;
}

std::ostream& operator<<(std::ostream& out, const Tensor& tensor) { return out << to_string(tensor); }

}  // namespace xtgrad::v1
