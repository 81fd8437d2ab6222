#include "xtgrad/autograd/kernels/fourier.h"

#include "xtgrad/autograd/core/dtype_visit.h"

namespace xtgrad::inline v1::detail {

void fourier_rows(const FourierJob& job, const Array& in, Array& out) {
  if (job.rows == 0) return;
  visit_floating(in.dtype, [&](auto zero) {
    using T = decltype(zero);
    constexpr bool is_float = sizeof(T) == sizeof(float);
    const auto plan = fourier_plan<T>(job.points(), fourier_lanes(is_float));
    if constexpr (is_float) {
      fourier_float(*plan, job, in.data<T>(), out.mutable_data<T>());
    } else {
      fourier_double(*plan, job, in.data<T>(), out.mutable_data<T>());
    }
  });
}

}  // namespace xtgrad::v1::detail
