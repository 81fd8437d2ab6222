// Matrix products by the same BLAS, and an optimizer's step alone.

#include <cblas.h>

#include "benchmarks/compare/by_hand/families.h"
#include "benchmarks/compare/by_hand/loops.h"
#include "benchmarks/compare/common/inputs.h"

namespace bench {
namespace {

/// `batch` products of square matrices, and the gradients of both operands.
class Products final : public Workload {
 public:
  Products(std::int64_t batch, std::int64_t n)
      : batch_(batch),
        n_(static_cast<int>(n)),
        a_(numbers(1, batch * n * n)),
        b_(numbers(2, batch * n * n)),
        g_(numbers(9, batch * n * n)),
        y_(a_.size()),
        da_(a_.size()),
        db_(a_.size()) {}

  void step() override {
    for (std::int64_t i = 0; i < batch_; ++i) multiply(i, CblasNoTrans, a_, CblasNoTrans, b_, y_);
    for (std::int64_t i = 0; i < batch_; ++i) multiply(i, CblasNoTrans, g_, CblasTrans, b_, da_);
    for (std::int64_t i = 0; i < batch_; ++i) multiply(i, CblasTrans, a_, CblasNoTrans, g_, db_);
  }
  std::vector<Values> outputs() override { return {y_, da_, db_}; }

 private:
  void multiply(std::int64_t i, CBLAS_TRANSPOSE how_a, const Values& a, CBLAS_TRANSPOSE how_b,
                const Values& b, Values& c) const {
    const std::int64_t at = i * n_ * n_;
    cblas_sgemm(CblasRowMajor, how_a, how_b, n_, n_, n_, 1, a.data() + at, n_, b.data() + at, n_, 0,
                c.data() + at, n_);
  }

  std::int64_t batch_;
  int n_;
  Values a_, b_, g_, y_, da_, db_;
};

class AdamAlone final : public Workload {
 public:
  AdamAlone(std::int64_t count, float rate) : parameter_(numbers(10, count)), rate_(rate) {
    parameter_.gradient = numbers(2, count);
  }
  void step() override { adam(parameter_, ++steps_, rate_); }
  std::vector<Values> outputs() override { return {parameter_.value}; }

 private:
  Learnt parameter_;
  float rate_;
  int steps_ = 0;
};

}  // namespace

void add_products(Families& families) {
  families["matmul"] = [](const Name& name, float) {
    return std::make_unique<Products>(1, name.numbers().at(0));
  };
  families["batched_matmul"] = [](const Name& name, float) {
    return std::make_unique<Products>(name.numbers().at(0), name.numbers().at(1));
  };
  families["adam"] = [](const Name& name, float rate) {
    return std::make_unique<AdamAlone>(name.numbers().at(0) * 1'000'000, rate);
  };
}

}  // namespace bench
