// Samples of comparing.
#include <cmath>
#include <string>

#include "tests/support/op_samples.h"
#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/ops.h"

namespace xtgrad::inline v1::testing { namespace {

const Input small_integers{.domain = {.low = -2, .high = 2, .whole = true}};

Dtype to_bool(Dtype) { return boolean; }

template <class F, class R>
void compare_samples(Op& op, F compare, R reference) {
  op.accepts = Accepts::everything;
  op.elementwise({.apply = [compare](const Tensor& a, const Tensor& b) { return compare(a, b); },
                  .reference = [reference](Real a, Real b) -> Real { return reference(a, b); },
                  .inputs = {small_integers, small_integers},
                  .result = to_bool});
}

/// Every dtype takes every number, 0.5 and 2 for bool among them.
template <class F, class R>
void compare_number_samples(Op& op, F compare, R reference) {
  op.accepts = Accepts::everything;
  const auto with = [&](const std::string& attributes, Scalar number) {
    op.elementwise({.attributes = attributes,
                    .apply = [=](const Tensor& a) { return compare(a, number); },
                    .reference = [=](Real a) -> Real { return reference(a, Real{number.to_double()}); },
                    .inputs = {small_integers},
                    .result = to_bool});
  };
  with("2", 2);
  with("-1.0", -1.0);
  with("0.5", 0.5);
  with("-1.5", -1.5);
  op.throws<DtypeError>("float32 cannot hold 1e+300; convert the tensor with to(float64)",
                        [compare] { return compare(ones({2}), 1e300); });
}

const OpSamples equal_samples(OpId::equal, [](Op& op) {
  compare_samples(
      op, [](auto&&... v) { return equal(v...); }, [](Real a, Real b) { return a == b; });
});
const OpSamples equal_number_samples(OpId::equal_number, [](Op& op) {
  compare_number_samples(
      op, [](auto&&... v) { return equal(v...); }, [](Real a, Real b) { return a == b; });
});
const OpSamples not_equal_samples(OpId::not_equal, [](Op& op) {
  compare_samples(
      op, [](auto&&... v) { return not_equal(v...); }, [](Real a, Real b) { return a != b; });
});
const OpSamples not_equal_number_samples(OpId::not_equal_number, [](Op& op) {
  compare_number_samples(
      op, [](auto&&... v) { return not_equal(v...); }, [](Real a, Real b) { return a != b; });
});
const OpSamples less_samples(OpId::less, [](Op& op) {
  compare_samples(
      op, [](auto&&... v) { return less(v...); }, [](Real a, Real b) { return a < b; });
});
const OpSamples less_number_samples(OpId::less_number, [](Op& op) {
  compare_number_samples(
      op, [](auto&&... v) { return less(v...); }, [](Real a, Real b) { return a < b; });
});
const OpSamples less_equal_samples(OpId::less_equal, [](Op& op) {
  compare_samples(
      op, [](auto&&... v) { return less_equal(v...); }, [](Real a, Real b) { return a <= b; });
});
const OpSamples less_equal_number_samples(OpId::less_equal_number, [](Op& op) {
  compare_number_samples(
      op, [](auto&&... v) { return less_equal(v...); }, [](Real a, Real b) { return a <= b; });
});
const OpSamples greater_samples(OpId::greater, [](Op& op) {
  compare_samples(
      op, [](auto&&... v) { return greater(v...); }, [](Real a, Real b) { return a > b; });
});
const OpSamples greater_number_samples(OpId::greater_number, [](Op& op) {
  compare_number_samples(
      op, [](auto&&... v) { return greater(v...); }, [](Real a, Real b) { return a > b; });
});
const OpSamples greater_equal_samples(OpId::greater_equal, [](Op& op) {
  compare_samples(
      op, [](auto&&... v) { return greater_equal(v...); }, [](Real a, Real b) { return a >= b; });
});
const OpSamples greater_equal_number_samples(OpId::greater_equal_number, [](Op& op) {
  compare_number_samples(
      op, [](auto&&... v) { return greater_equal(v...); }, [](Real a, Real b) { return a >= b; });
});

const OpSamples isnan_samples(OpId::isnan, [](Op& op) {
  op.accepts = Accepts::everything;
  op.elementwise({.apply = [](const Tensor& x) { return isnan(x); },
                  .reference = [](Real x) -> Real { return std::isnan(x); },
                  .inputs = {small_integers},
                  .result = to_bool});
});

const OpSamples isinf_samples(OpId::isinf, [](Op& op) {
  op.accepts = Accepts::everything;
  op.elementwise({.apply = [](const Tensor& x) { return isinf(x); },
                  .reference = [](Real x) -> Real { return std::isinf(x); },
                  .inputs = {small_integers},
                  .result = to_bool});
});

const OpSamples isfinite_samples(OpId::isfinite, [](Op& op) {
  op.accepts = Accepts::everything;
  op.elementwise({.apply = [](const Tensor& x) { return isfinite(x); },
                  .reference = [](Real x) -> Real { return std::isfinite(x); },
                  .inputs = {small_integers},
                  .result = to_bool});
});

}}  // namespace xtgrad::v1::testing
