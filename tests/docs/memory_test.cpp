// The code of docs/memory.md. Eigen and DLPack are looked at where they are installed.

#include <doctest/doctest.h>

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#if __has_include(<eigen3/Eigen/Core>)
#include <eigen3/Eigen/Core>
#define XTGRAD_TEST_EIGEN
#endif
#if __has_include(<dlpack/dlpack.h>)
#include <dlpack/dlpack.h>
#define XTGRAD_TEST_DLPACK
#endif

#include "xtgrad/autograd/memory.h"
#include "xtgrad/xtgrad.h"

using namespace xtgrad;

namespace {

#ifdef XTGRAD_TEST_EIGEN
// clang-format off
using RowMajor = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

Tensor from_eigen(const RowMajor& m) {  // of a column-major matrix, Eigen makes the row-major one
  return from_span(std::span<const float>(m.data(), static_cast<std::size_t>(m.size())), {m.rows(), m.cols()});
}

Eigen::Map<const RowMajor> as_eigen(const Tensor& x) {  // a view, as long as x lives
  return {x.data<float>().data(), x.size(0), x.size(1)};
}
// clang-format on
#endif

#ifdef XTGRAD_TEST_DLPACK
// clang-format off
Tensor from_dlpack(DLManagedTensor* managed) {  // float32, row-major, in main memory
  const std::unique_ptr<DLManagedTensor, void (*)(DLManagedTensor*)> owner(
      managed, [](DLManagedTensor* m) { if (m->deleter != nullptr) m->deleter(m); });
  const DLTensor& t = managed->dl_tensor;
  if (t.dtype.code != kDLFloat || t.dtype.bits != 32 || t.strides != nullptr || t.device.device_type != kDLCPU)
    throw DtypeError("from_dlpack: expected float32, row-major, in main memory");
  const Shape shape(std::span<const std::int64_t>(t.shape, static_cast<std::size_t>(t.ndim)));
  const auto* begin = reinterpret_cast<const float*>(static_cast<const char*>(t.data) + t.byte_offset);
  return from_span(std::span<const float>(begin, static_cast<std::size_t>(shape.numel())), shape);
}
// clang-format on
#endif

}  // namespace

TEST_CASE("docs/memory.md: numbers") {
  reset_peak_memory();
  const std::int64_t before = memory_in_use();
  {
    const Tensor x = zeros({1000, 1000});
    CHECK(memory_in_use() - before >= 4'000'000);
  }
  CHECK(peak_memory() - before >= 4'000'000);  // the most since reset_peak_memory
  CHECK(memory_in_use() == before);
  CHECK(memory_reserved() >= memory_in_use());  // in use, and idle
}

TEST_CASE("docs/memory.md: limits") {
  set_memory_cache_limit(100'000'000);  // at most so many bytes lie idle
  release_cached_memory();              // none do
  set_memory_cache_limit(-1);
}

TEST_CASE("docs/memory.md: running out") {
  std::string said;
  try {
    static_cast<void>(zeros({1'000'000, 1'000'000, 100}));
  } catch (const OutOfMemory& error) {
    said = error.what();  // "zeros: out of memory: 400000000000064 bytes asked for, ... bytes in use"
    CHECK(error.bytes_asked() >= 400'000'000'000'000);
  }
  CHECK(said.starts_with("zeros: out of memory: "));
}

TEST_CASE("docs/memory.md: spans") {
  const std::vector<float> pixels(6, 0.5F);
  const Tensor x = from_span(std::span<const float>(pixels), {2, 3});
  CHECK(x.shape() == Shape{2, 3});
  CHECK(x.at({1, 2}) == 0.5);
}

#ifdef XTGRAD_TEST_EIGEN
TEST_CASE("docs/memory.md: Eigen") {
  Eigen::MatrixXf m(2, 3);
  m << 1, 2, 3, 4, 5, 6;
  const Tensor x = from_eigen(m);
  CHECK(x.at({0, 1}) == 2);
  CHECK(as_eigen(x)(1, 0) == 4);
  CHECK(as_eigen(x) == m);
}
#endif

#ifdef XTGRAD_TEST_DLPACK
TEST_CASE("docs/memory.md: DLPack") {
  std::vector<float> values{1, 2, 3, 4, 5, 6};
  std::vector<std::int64_t> sizes{2, 3};
  static int deleted = 0;
  DLManagedTensor managed{};
  managed.dl_tensor.data = values.data();
  managed.dl_tensor.device = {kDLCPU, 0};
  managed.dl_tensor.ndim = 2;
  managed.dl_tensor.dtype = {kDLFloat, 32, 1};
  managed.dl_tensor.shape = sizes.data();
  managed.deleter = [](DLManagedTensor*) { ++deleted; };
  CHECK(from_dlpack(&managed).at({1, 2}) == 6);
  CHECK(deleted == 1);
  managed.dl_tensor.dtype.bits = 64;
  CHECK_THROWS_AS(static_cast<void>(from_dlpack(&managed)), DtypeError);
  CHECK(deleted == 2);
}
#endif
