#pragma once

#include <cblas.h>

#include <cmath>
#include <vector>

#include "benchmarks/compare/by_hand/loops.h"
#include "benchmarks/compare/common/inputs.h"

namespace bench {

/// A dense layer of `batch` rows: y = x W^T + b, W being [out, in], and its three derivatives.
class Dense {
 public:
  /// The weight's numbers are those of stream `stream`, the bias's of the next.
  Dense(std::int64_t batch, std::int64_t in, std::int64_t out, std::uint64_t stream)
      : weight(numbers(stream, in * out, -bound(in), bound(in))),
        bias(numbers(stream + 1, out, -bound(in), bound(in))),
        y(static_cast<std::size_t>(batch * out)),
        dy(y.size()),
        batch_(static_cast<int>(batch)),
        in_(static_cast<int>(in)),
        out_(static_cast<int>(out)) {}

  /// y = f(x W^T + b).
  template <class F>
  void forward(const float* x, const F& f) {
    if (batch_ == 1) {
      cblas_sgemv(CblasRowMajor, CblasNoTrans, out_, in_, 1, weight.value.data(), in_, x, 1, 0, y.data(), 1);
    } else {
      cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, batch_, out_, in_, 1, x, in_, weight.value.data(),
                  in_, 0, y.data(), out_);
    }
    add_bias(batch_, out_, bias.value.data(), y.data(), f);
  }

  /// The gradients of weight and bias, of dy.
  void parameter_gradients(const float* x) {
    if (batch_ == 1) {
      // An outer product is one multiplication an element, and its cost that of writing it.
      for (int i = 0; i < out_; ++i) {
        const float d = dy[static_cast<std::size_t>(i)];
        float* row = weight.gradient.data() + static_cast<std::ptrdiff_t>(i) * in_;
        for (int j = 0; j < in_; ++j) row[j] = d * x[j];
      }
    } else {
      cblas_sgemm(CblasRowMajor, CblasTrans, CblasNoTrans, out_, in_, batch_, 1, dy.data(), out_, x, in_, 0,
                  weight.gradient.data(), in_);
    }
    sum_rows(batch_, out_, dy.data(), bias.gradient.data());
  }

  /// dx = dy W.
  void input_gradient(float* dx) const {
    if (batch_ == 1) {
      cblas_sgemv(CblasRowMajor, CblasTrans, out_, in_, 1, weight.value.data(), in_, dy.data(), 1, 0, dx, 1);
    } else {
      cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, batch_, in_, out_, 1, dy.data(), out_,
                  weight.value.data(), in_, 0, dx, in_);
    }
  }

  Learnt weight;         // [out, in]
  Learnt bias;           // [out]
  std::vector<float> y;  // [batch, out]
  std::vector<float> dy;

 private:
  static double bound(std::int64_t in) { return 1 / std::sqrt(static_cast<double>(in)); }

  int batch_, in_, out_;
};

}  // namespace bench
