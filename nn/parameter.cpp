#include "xtgrad/nn/parameter.h"

#include <fmt/format.h>

#include <string_view>
#include <utility>

#include "xtgrad/autograd/core/leaf_state.h"
#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/grad.h"
#include "xtgrad/nn/listing.h"

namespace xtgrad::inline v1::nn {
namespace {

std::string quoted(const std::string& name) {
  return name.empty() ? "parameter" : fmt::format("parameter \"{}\"", name);
}

void check_fits(std::string_view function, const ParameterCell& cell, const Tensor& value) {
  if (value.shape() != cell.shape()) {
    throw ShapeError(fmt::format("{}: shapes differ: {} is {}, the value is {}", function,
                                 quoted(cell.name()), to_string(cell.shape()), to_string(value.shape())));
  }
  if (value.dtype() != cell.dtype()) {
    throw DtypeError(
        fmt::format("{}: dtypes differ: {} is {}, the value is {}; convert one of them with to()", function,
                    quoted(cell.name()), to_string(cell.dtype()), to_string(value.dtype())));
  }
}

void check_floating(std::string_view function, Dtype dtype) {
  if (!is_floating(dtype)) {
    throw DtypeError(
        fmt::format("{}: a parameter must be float32 or float64: got {}; state that is not learnt is a "
                    "buffer, a plain Tensor listed by members",
                    function, to_string(dtype)));
  }
}

Tensor first_leaf(const Tensor& value) {
  if (!value.defined()) throw ValueError("Parameter: the value is an empty handle");
  check_floating("Parameter", value.dtype());
  return xtgrad::detail::make_leaf(value, Tensor());
}

}  // namespace

ParameterCell::ParameterCell(const Tensor& value) : leaf_(first_leaf(value)), adoption_(*this, leaf_) {}

ParameterCell::~ParameterCell() = default;

void ParameterCell::set_value(const Tensor& value) { leaf_ = leaf_of(value); }

Tensor ParameterCell::leaf_of(const Tensor& value) const {
  if (!value.defined())
    throw ValueError(fmt::format("set_value: the value of {} is an empty handle", quoted(name())));
  check_fits("set_value", *this, value);
  Tensor leaf = xtgrad::detail::make_leaf(value, leaf_);
  if (!requires_grad()) leaf.set_requires_grad(false);
  return leaf;
}

void ParameterCell::to(Dtype dtype) {
  if (dtype == this->dtype()) return;
  check_floating("to", dtype);
  const bool learns = requires_grad();
  const NoGrad no_grad;
  // A place of its own for the gradient: the old one may still receive gradients of the old dtype.
  Tensor next = xtgrad::detail::make_leaf(leaf_.to(dtype), Tensor());
  xtgrad::detail::share_hooks(leaf_, next);
  if (!name_.empty()) next.set_name(name_);
  if (!learns) next.set_requires_grad(false);
  set_leaf(next);
}

void ParameterCell::set_leaf(const Tensor& leaf) {
  adoption_.watch(leaf);
  leaf_ = leaf;
}

void ParameterCell::set_name(std::string name) {
  leaf_.set_name(name);
  name_ = std::move(name);
}

void ParameterCell::set_listed_by(std::uint64_t model) { listed_by_.insert(model); }

void ParameterCell::adopt() const { adoption_.adopt(); }

const xtgrad::detail::GradientStore& ParameterCell::gradient_store() const {
  return *xtgrad::detail::node_of(leaf_).leaf_state()->gradient;
}

Parameter::Parameter(const Parameter& other) : ConvertsToTensor() {
  if (!other.defined()) return;
  cell_ = std::make_shared<ParameterCell>(other.cell_->tensor());
  cell_->set_requires_grad(other.requires_grad());
}

Parameter& Parameter::operator=(const Parameter& other) {
  if (cell_ == other.cell_) return *this;
  if (defined() && other.defined() && shape() == other.shape() && dtype() == other.dtype()) {
    set_value(other.cell_->tensor());
    set_requires_grad(other.requires_grad());
  } else {
    *this = Parameter(other);
  }
  return *this;
}

Parameter Parameter::share() const {
  static_cast<void>(checked());
  return Parameter(cell_);
}

Tensor Parameter::tensor() const {
  static_cast<void>(checked());
  // The check may tie parameters, and with that replace this one's cell.
  detail::check_listed(*this);
  return cell_->tensor();
}

ParameterCell& Parameter::checked() const {
  if (cell_ == nullptr) {
    throw ValueError(
        "Parameter: there is none here; it was default-constructed or moved from (check defined() first)");
  }
  return *cell_;
}

WithParameters::WithParameters(std::vector<ParameterRef> parameters, std::span<const Tensor> values)
    : parameters_(std::move(parameters)) {
  if (parameters_.size() != values.size()) {
    throw ValueError(
        fmt::format("WithParameters: got {} values for {} parameters", values.size(), parameters_.size()));
  }
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (parameters_[i] == nullptr)
      throw ValueError(fmt::format("WithParameters: parameter {} is an empty ref", i));
    if (!values[i].defined()) throw ValueError(fmt::format("WithParameters: value {} is an empty handle", i));
  }
  for (std::size_t i = 0; i < values.size(); ++i) check_fits("WithParameters", *parameters_[i], values[i]);
  try {
    for (std::size_t i = 0; i < values.size(); ++i) parameters_[i]->substitutes_.push_back({this, values[i]});
  } catch (...) {
    leave();
    throw;
  }
}

WithParameters::~WithParameters() { leave(); }

void WithParameters::leave() noexcept {
  for (const ParameterRef& parameter : parameters_) {
    std::erase_if(parameter->substitutes_, [this](const auto& each) { return each.scope == this; });
  }
}

}  // namespace xtgrad::v1::nn
