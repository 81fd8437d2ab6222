#include "xtgrad/autograd/kernels/fourier.h"

#include "xtgrad/autograd/dtype.h"

namespace xtgrad::inline v1::detail {

void fourier_rows(const FourierJob& job, const Array& in, Array& out) {
  if (job.rows == 0) return;
  const bool is_float = in.dtype == Dtype::float32;
  const std::int64_t lanes = fourier_lanes(is_float);
  if (is_float) {
    const auto plan = fourier_plan<float>(job.points(), lanes);
    fourier_float(*plan, job, in.data<float>(), out.mutable_data<float>());
  } else {
    const auto plan = fourier_plan<double>(job.points(), lanes);
    fourier_double(*plan, job, in.data<double>(), out.mutable_data<double>());
  }
}

}  // namespace xtgrad::v1::detail
