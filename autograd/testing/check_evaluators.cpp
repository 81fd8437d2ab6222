// A rule runs on lanes where nothing is recorded, and on tensors where it is itself differentiated: the
// gradients are the same.
#include <fmt/format.h>

#include "xtgrad/autograd/testing/subject.h"

namespace xtgrad::inline v1::detail::checks {
namespace {

/// A rule does no work for inputs that want nothing, and the others must not notice.
void check_one_at_a_time(Subject& subject, std::span<const Values> values, Dtype dtype,
                         std::span<const Values> cotangents, std::span<const Tensor> together) {
  std::size_t nth = 0;
  for (const std::size_t i : subject.floating_inputs()) {
    std::vector<Tensor> inputs = subject.tensors(values, dtype, false);
    inputs[i].set_requires_grad();
    const std::string what = fmt::format("gradient {} alone against all together", i);
    if (recorded_of(subject.apply(inputs)).empty()) {
      if (together[nth].defined()) subject.fail(what + ": exists for one and not for the other");
    } else {
      const std::vector<Tensor> alone =
          subject.gradients(inputs, std::span(&inputs[i], 1), cotangents, false);
      compare_gradients(subject, alone[0], together[nth], {.what = what});
    }
    ++nth;
  }
}

void check_both(Subject& subject, Dtype dtype, Random& random) {
  const std::vector<Values> values = subject.point(dtype);
  const std::vector<Tensor> inputs = subject.tensors(values, dtype, true);
  const std::vector<Values> cotangents = draw_cotangents(subject.apply(inputs), 0.4, 2, Signs::both, random);
  const std::vector<Tensor> wanted = subject.differentiable_of(inputs);
  const std::vector<Tensor> plain = subject.gradients(inputs, wanted, cotangents, false);
  const std::vector<Tensor> recorded = subject.gradients(inputs, wanted, cotangents, true);
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    if (plain[i].defined() && (plain[i].shape() != wanted[i].shape() || plain[i].dtype() != dtype)) {
      subject.fail(fmt::format("gradient {} is {} {}, the input {} {}", i, to_string(plain[i].dtype()),
                               to_string(plain[i].shape()), to_string(dtype), to_string(wanted[i].shape())));
    }
    compare_gradients(subject, plain[i], recorded[i],
                      {.what = fmt::format("gradient {}, plain against recorded, {}", i, to_string(dtype)),
                       .ulps = subject.op.accuracy.gradient_ulps,
                       .floor = gradient_floor(subject, cotangents)});
  }
  if (dtype == subject.floating_dtypes().back())
    check_one_at_a_time(subject, values, dtype, cotangents, plain);
}

}  // namespace

void check_evaluators(Subject& subject) {
  if (subject.op.order == 0) return;
  Random random = subject.random();
  for (const Dtype dtype : subject.floating_dtypes()) check_both(subject, dtype, random);
}

}  // namespace xtgrad::v1::detail::checks
