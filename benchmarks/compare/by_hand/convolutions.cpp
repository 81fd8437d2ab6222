// Convolutions with both gradients, each by the fastest of several ways, which are tried before.

#include <cblas.h>

#include <chrono>

#include "benchmarks/compare/by_hand/convolution.h"
#include "benchmarks/compare/by_hand/families.h"
#include "benchmarks/compare/by_hand/loops.h"
#include "benchmarks/compare/common/inputs.h"

namespace bench {
namespace {

/// x [n, in, size, size] and weight [out, in / groups, kernel, kernel]; where `turned`, of the transposed
/// convolution from the result's side: x [n, out, result, result] to [n, in, size, size].
class ConvWorkload final : public Workload {
 public:
  ConvWorkload(const ConvSizes& sizes, bool turned)
      : turned_(turned),
        x_(numbers(1, sizes.n * (turned ? sizes.result_image() : sizes.image()))),
        weight_(numbers(2, sizes.weights())),
        g_(numbers(9, sizes.n * (turned ? sizes.image() : sizes.result_image()))),
        y_(g_.size()),
        dx_(x_.size()),
        dweight_(weight_.size()) {
    double best = 0;
    for (auto make : {conv_by_columns, conv_by_planes, conv_by_channel, conv_by_whole}) {
      std::unique_ptr<Convolution> way = make(sizes);
      if (way == nullptr) continue;
      std::swap(way, way_);
      step();  // touches the memory
      const auto start = std::chrono::steady_clock::now();
      for (int i = 0; i < 3; ++i) step();
      const double time = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
      if (way != nullptr && time > best) {
        std::swap(way, way_);
      } else {
        best = time;
      }
    }
  }
  [[nodiscard]] bool has_way() const { return way_ != nullptr; }

  void step() override {
    if (turned_) {
      way_->input_gradient(x_.data(), weight_.data(), y_.data());
      way_->forward(g_.data(), weight_.data(), dx_.data());
      way_->weight_gradient(g_.data(), x_.data(), dweight_.data());
    } else {
      way_->forward(x_.data(), weight_.data(), y_.data());
      way_->input_gradient(g_.data(), weight_.data(), dx_.data());
      way_->weight_gradient(x_.data(), g_.data(), dweight_.data());
    }
  }
  std::vector<Values> outputs() override { return {y_, dx_, dweight_}; }

 private:
  bool turned_;
  Values x_, weight_, g_, y_, dx_, dweight_;
  std::unique_ptr<Convolution> way_;
};

std::unique_ptr<Workload> convolution(const Name& name, float /*rate*/) {
  const std::vector<std::int64_t> s = name.numbers();
  auto workload = std::make_unique<ConvWorkload>(
      ConvSizes{s.at(0), s.at(1), s.at(2), s.at(3), s.at(4), s.at(5), s.at(6), s.at(7)}, false);
  if (!workload->has_way()) return nullptr;
  return workload;
}

/// conv_transpose/n-in-size-out-kernel-stride-padding
std::unique_ptr<Workload> transposed(const Name& name, float /*rate*/) {
  const std::vector<std::int64_t> s = name.numbers();
  const std::int64_t result = (s.at(2) - 1) * s.at(5) - 2 * s.at(6) + s.at(4);
  return std::make_unique<ConvWorkload>(
      ConvSizes{s.at(0), s.at(3), result, s.at(1), s.at(4), s.at(5), s.at(6), 1}, true);
}

/// What the machine can do: a product of [512, 512], or a sum of two arrays of 32 MiB.
class Reference final : public Workload {
 public:
  explicit Reference(bool product)
      : product_(product),
        a_(numbers(1, product ? side * side : std::int64_t{8} << 20U)),
        b_(a_),
        c_(a_.size()) {}
  void step() override {
    if (product_) {
      cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, side, side, side, 1, a_.data(), side, b_.data(),
                  side, 0, c_.data(), side);
    } else {
      map(
          static_cast<std::int64_t>(c_.size()), c_.data(), [](Lane x, Lane y) { return x + y; }, a_.data(),
          b_.data());
    }
  }
  std::vector<Values> outputs() override { return {c_}; }

 private:
  static constexpr int side = 512;
  bool product_;
  Values a_, b_, c_;
};

}  // namespace

void add_convolutions(Families& families) {
  families["conv"] = convolution;
  families["conv_transpose"] = transposed;
  families["reference"] = [](const Name& name, float) {
    return std::make_unique<Reference>(name.arguments == "sgemm");
  };
}

}  // namespace bench
