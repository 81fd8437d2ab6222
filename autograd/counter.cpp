#include "xtgrad/autograd/counter.h"

#include "xtgrad/autograd/core/apply.h"
#include "xtgrad/autograd/core/loaded_checks.h"

namespace xtgrad::inline v1 {
namespace {

class AdvanceCounter final : public detail::ConstantPrimitive<AdvanceCounter> {
 public:
  [[nodiscard]] std::string_view name() const override { return "advance_counter"; }
  void infer(detail::InputSpecs in, detail::OutputSpecs out) const override { *out[0] = *in[0]; }
  void eval(detail::Inputs in, detail::Outputs out) const override {
    // Of a file's largest count comes the least one.
    *out[0]->mutable_data<std::uint64_t>() = *in[0]->data<std::uint64_t>() + 1;
  }
  void check_loaded(detail::InputSpecs in, detail::InputSpecs out) const override {
    require_call(in, out, 1);
    detail::require_spec(name(), "the count", *in[0], {Shape{}, Dtype::int64, {}});
  }
  [[nodiscard]] detail::InputSet may_overwrite(int) const override { return 1; }
};

}  // namespace

std::int64_t Counter::operator++() {
  if (detail::thread_state.is_watched()) {
    state_ = detail::apply_constant(AdvanceCounter{}, state());
  }
  return ++value_;
}

Tensor Counter::state() const {
  if (!state_.defined() || *detail::array_of(state_).data<std::int64_t>() != value_) {
    detail::Array array = detail::Array::uninitialized({}, Dtype::int64);
    *array.mutable_data<std::int64_t>() = value_;
    state_ = detail::make_constant(std::move(array));
  }
  return state_;
}

}  // namespace xtgrad::v1
