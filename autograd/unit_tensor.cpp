#include "xtgrad/autograd/unit_tensor.h"

#include <algorithm>

#include "xtgrad/autograd/core/apply.h"
#include "xtgrad/autograd/core/dtype_visit.h"
#include "xtgrad/autograd/core/loaded_checks.h"

namespace xtgrad::inline v1::detail {
namespace {

class Unit final : public ConstantPrimitive<Unit> {
 public:
  explicit Unit(const Shape& shape = {}, std::int64_t index = 0, Dtype dtype = Dtype::float32)
      : shape_(shape), index_(index), dtype_(dtype) {}

  [[nodiscard]] std::string_view name() const override { return "unit"; }
  void describe(Attributes& a) override {
    a("shape", shape_);
    a("dtype", dtype_);
    a("index", index_);
  }
  void infer(InputSpecs, OutputSpecs out) const override { *out[0] = {shape_, dtype_}; }
  void eval(Inputs, Outputs out) const override {
    visit(dtype_, [&](auto zero) {
      using T = decltype(zero);
      T* to = out[0]->mutable_data<T>();
      std::fill_n(to, out[0]->numel(), T{0});
      to[index_] = T{1};
    });
  }
  void check_loaded(InputSpecs in, InputSpecs out) const override {
    require_call(in, out, 0);
    require_attribute(index_ >= 0 && index_ < shape_.numel(), name(), "index", "that of an element", index_);
  }

 private:
  Shape shape_;
  std::int64_t index_;
  Dtype dtype_;
};

}  // namespace

Tensor unit_tensor(const Shape& shape, std::int64_t index, Dtype dtype) {
  return apply_constant(Unit(shape, index, dtype));
}

}  // namespace xtgrad::v1::detail
