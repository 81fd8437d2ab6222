// Values against the reference, in every dtype.
#include "xtgrad/autograd/testing/subject.h"

namespace xtgrad::inline v1::detail::checks {
namespace {

/// Whole numbers that a dtype holds, sums and products of which it holds as well.
std::vector<Values> whole_numbers_in(const Subject& subject, Dtype dtype, Random& random) {
  if (dtype == boolean) return subject.whole_numbers(0, 1, random);
  if (dtype == uint8) return subject.whole_numbers(0, 255, random);
  return subject.whole_numbers(-1000, 1000, random);
}

}  // namespace

void check_values(Subject& subject) {
  if (!subject.has_reference()) return;
  for (const Dtype dtype : subject.floating_dtypes()) {
    compare_with_reference(subject, subject.point(dtype), dtype, "value", subject.op.accuracy.ulps);
  }
  Random random = subject.random();
  for (const Dtype dtype : subject.other_dtypes()) {
    compare_with_reference(subject, whole_numbers_in(subject, dtype, random), dtype, "value",
                           subject.op.accuracy.ulps);
  }
}

}  // namespace xtgrad::v1::detail::checks
