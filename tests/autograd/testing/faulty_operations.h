#pragma once

#include <functional>
#include <string>
#include <utility>

#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/ops.h"
#include "xtgrad/autograd/primitive.h"
#include "xtgrad/autograd/testing.h"

// Operations that are right but for one fault.

namespace xtgrad::inline v1::testing::faulty {

using testing::Check;
using testing::Operation;
using testing::Real;

/// An element that is about to be stored.
struct Element {
  double x;
  double y;
  std::int64_t i;
  std::int64_t n;
  Dtype dtype;
};

/// What may be wrong; nothing where a function is absent.
struct Faults {
  std::function<void(InputSpecs, OutputSpecs)> infer = {};
  std::function<double(const Element&)> value = {};
  /// Gets the cotangent, the input, and the right gradient.
  std::function<Tensor(const Tensor& g, const Tensor& x, const Tensor& right)> gradient = {};
  TileKernel tile = nullptr;
  bool overwrites = false;  // claims that its output may take over its input, which it reads twice
};

/// x^3.
class Cube final : public DifferentiablePrimitive<Cube> {
 public:
  explicit Cube(Faults faults) : faults_(std::move(faults)) {}

  [[nodiscard]] std::string_view name() const override { return "cube"; }
  void infer(InputSpecs in, OutputSpecs out) const override {
    if (faults_.infer) return faults_.infer(in, out);
    require_floating(name(), in);
    *out[0] = *in[0];
  }
  void eval(Inputs in, Outputs out) const override {
    if (in[0]->dtype == float32) {
      fill<float>(*in[0], *out[0]);
    } else {
      fill<double>(*in[0], *out[0]);
    }
  }
  [[nodiscard]] InputSet may_overwrite(int) const override { return faults_.overwrites ? 1 : 0; }
  [[nodiscard]] TileKernel bind(InputSpecs in) const override {
    return in[0]->dtype == float64 ? faults_.tile : nullptr;
  }
  [[nodiscard]] Reads reads(Wanted) const override { return input_bit(0); }
  void vjp(VjpContext& context) const override {
    const Tensor x = context.input(0);
    const Tensor right = context.g() * square(x) * 3;
    context.set(0, faults_.gradient ? faults_.gradient(context.g(), x, right) : right);
  }

 private:
  template <class T>
  void fill(const Array& in, Array& out) const {
    const T* x = in.data<T>();
    T* y = out.mutable_data<T>();
    if (faults_.overwrites) {
      for (std::int64_t i = 0; i < in.numel(); ++i) y[i] = x[i] * x[i];
      for (std::int64_t i = 0; i < in.numel(); ++i) y[i] = y[i] * x[i];
      return;
    }
    for (std::int64_t i = 0; i < in.numel(); ++i) {
      const T right = x[i] * x[i] * x[i];
      y[i] = faults_.value ? static_cast<T>(faults_.value({x[i], right, i, in.numel(), in.dtype})) : right;
    }
  }

  Faults faults_;
};

/// a b, of tensors of one shape. The faulty gradient is that in a.
class Product final : public DifferentiablePrimitive<Product> {
 public:
  using Gradient = std::function<Tensor(const VjpContext&, const Tensor& right)>;
  explicit Product(Gradient gradient) : gradient_(std::move(gradient)) {}

  [[nodiscard]] std::string_view name() const override { return "product"; }
  void infer(InputSpecs in, OutputSpecs out) const override {
    require_floating(name(), in);
    if (!(in[0]->shape == in[1]->shape)) {
      throw ShapeError("product: needs one shape, got " + to_string(in[0]->shape) + " and " +
                       to_string(in[1]->shape));
    }
    *out[0] = *in[0];
  }
  void eval(Inputs in, Outputs out) const override {
    if (in[0]->dtype == float32) {
      fill<float>(*in[0], *in[1], *out[0]);
    } else {
      fill<double>(*in[0], *in[1], *out[0]);
    }
  }
  [[nodiscard]] Reads reads(Wanted) const override { return input_bit(0) | input_bit(1); }
  void vjp(VjpContext& context) const override {
    if (context.wanted(0)) {
      const Tensor right = context.g() * Tensor(context.input(1));
      context.set(0, gradient_ ? gradient_(context, right) : right);
    }
    if (context.wanted(1)) context.set(1, context.g() * Tensor(context.input(0)));
  }

 private:
  template <class T>
  static void fill(const Array& a, const Array& b, Array& y) {
    for (std::int64_t i = 0; i < a.numel(); ++i) y.mutable_data<T>()[i] = a.data<T>()[i] * b.data<T>()[i];
  }

  Gradient gradient_;
};

/// x^3, checked at three points, and a b, which is linear in both.
Operation cube(const Faults& faults = {});
Operation product(const Product::Gradient& gradient = {});

/// The check reports a failure with `text`, and no other check reports any.
void finds(const Operation& operation, Check check, const std::string& text);

}  // namespace xtgrad::v1::testing::faulty
