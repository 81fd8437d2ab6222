// Convolution whose filter is as large as the image: a dense layer over the batch.

#include <cblas.h>

#include "benchmarks/compare/by_hand/convolution.h"

namespace bench {
namespace {

class ByWhole final : public Convolution {
 public:
  explicit ByWhole(const ConvSizes& sizes)
      : n_(static_cast<int>(sizes.n)),
        in_(static_cast<int>(sizes.image())),
        out_(static_cast<int>(sizes.out)) {}

  void forward(const float* x, const float* weight, float* y) override {
    cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, n_, out_, in_, 1, x, in_, weight, in_, 0, y, out_);
  }
  void input_gradient(const float* g, const float* weight, float* dx) override {
    cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, n_, in_, out_, 1, g, out_, weight, in_, 0, dx,
                in_);
  }
  void weight_gradient(const float* x, const float* g, float* dweight) override {
    cblas_sgemm(CblasRowMajor, CblasTrans, CblasNoTrans, out_, in_, n_, 1, g, out_, x, in_, 0, dweight, in_);
  }

 private:
  int n_, in_, out_;
};

}  // namespace

std::unique_ptr<Convolution> conv_by_whole(const ConvSizes& sizes) {
  if (sizes.kernel != sizes.size || sizes.padding != 0 || sizes.groups != 1) return nullptr;
  return std::make_unique<ByWhole>(sizes);
}

}  // namespace bench
