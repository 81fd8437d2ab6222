// A primitive with a SIMD kernel of its own, and attributes that have a destructor.
#include <xtgrad/autograd/ops.h>
#include <xtgrad/autograd/primitive.h>

#include <cstring>
#include <string>

#include "operations.h"

using namespace xtgrad;

namespace {

/// A vector of 32 bytes, as g++ and clang know it: two instructions where the processor has no wider ones.
template <class T>
struct Simd {
  typedef T Vector __attribute__((vector_size(32)));
  static constexpr std::int64_t width = 32 / sizeof(T);
};

/// Horner's rule. Arrays are padded to whole 64 bytes, so there is no tail to think of.
template <class T>
void evaluate(const Array& x, const std::vector<double>& coefficients, Array& y) {
  using Vector = typename Simd<T>::Vector;
  const T* in = x.data<T>();
  T* out = y.mutable_data<T>();
  for (std::int64_t i = 0; i < x.numel(); i += Simd<T>::width) {
    Vector v;
    std::memcpy(&v, in + i, sizeof v);
    Vector sum = {};  // and no product with it: at an infinite x that would be NaN
    std::size_t k = coefficients.size();
    if (k > 0) sum += static_cast<T>(coefficients[--k]);
    while (k-- > 0) sum = sum * v + static_cast<T>(coefficients[k]);
    std::memcpy(out + i, &sum, sizeof sum);
  }
}

class Polynomial final : public DifferentiablePrimitive<Polynomial> {
 public:
  explicit Polynomial(std::vector<double> coefficients = {}) : coefficients_(std::move(coefficients)) {}

  std::string_view name() const override { return "polynomial"; }
  void describe(Attributes& a) override { a("coefficients", coefficients_); }

  void infer(InputSpecs in, OutputSpecs out) const override {
    require_floating(name(), in);
    *out[0] = *in[0];
  }
  void eval(Inputs in, Outputs out) const override {
    if (in[0]->dtype == float32) {
      evaluate<float>(*in[0], coefficients_, *out[0]);
    } else {
      evaluate<double>(*in[0], coefficients_, *out[0]);
    }
  }

  void check_loaded(InputSpecs in, InputSpecs out) const override { require_call(in, out, 1); }

  Reads reads(Wanted) const override { return input_bit(0); }
  void vjp(VjpContext& context) const override {
    std::vector<double> slopes;  // the derivative is a polynomial, too
    for (std::size_t k = 1; k < coefficients_.size(); ++k)
      slopes.push_back(static_cast<double>(k) * coefficients_[k]);
    context.set(0, context.g() * polynomial(context.input(0), std::move(slopes)));
  }

 private:
  std::vector<double> coefficients_;
};

}  // namespace

Tensor polynomial(const Tensor& x, std::vector<double> coefficients) {
  return run(Polynomial(std::move(coefficients)), {x});
}
