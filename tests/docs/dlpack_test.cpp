// DLPack's part of docs/memory.md.
#include <doctest/doctest.h>

#ifdef XTGRAD_HAS_DLPACK
#include <dlpack/dlpack.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "xtgrad/autograd/memory.h"
#include "xtgrad/xtgrad.h"

using namespace xtgrad;

namespace {

// clang-format off
bool is_row_major(const DLTensor& t, const Shape& shape) {
  std::int64_t expected = 1;
  for (std::size_t d = shape.rank(); t.strides != nullptr && shape.numel() > 0 && d-- > 0; expected *= shape[d])
    if (shape[d] != 1 && t.strides[d] != expected) return false;
  return true;
}

template <class T>
Tensor copy_of(const DLTensor& t, const Shape& shape) {
  const auto* begin = reinterpret_cast<const T*>(static_cast<const char*>(t.data) + t.byte_offset);
  return from_span(std::span<const T>(begin, static_cast<std::size_t>(shape.numel())), shape);
}

Tensor from_dlpack(DLManagedTensor* managed) {  // row-major, in main memory
  const std::unique_ptr<DLManagedTensor, void (*)(DLManagedTensor*)> owner(
      managed, [](DLManagedTensor* m) { if (m->deleter != nullptr) m->deleter(m); });
  const DLTensor& t = managed->dl_tensor;
  const Shape shape(std::span<const std::int64_t>(t.shape, static_cast<std::size_t>(t.ndim)));
  if (t.device.device_type != kDLCPU) throw ValueError("from_dlpack: expected main memory");
  if (!is_row_major(t, shape)) throw ShapeError("from_dlpack: expected a row-major array");
  const auto is = [&t](int code, int bits) { return t.dtype.code == code && t.dtype.bits == bits && t.dtype.lanes == 1; };
  if (is(kDLFloat, 32)) return copy_of<float>(t, shape);
  if (is(kDLFloat, 64)) return copy_of<double>(t, shape);
  if (is(kDLInt, 64)) return copy_of<std::int64_t>(t, shape);
  throw DtypeError("from_dlpack: expected float32, float64 or int64");
}
// clang-format on

// clang-format off
struct Exported {
  Tensor x;  // keeps the elements
  std::vector<std::int64_t> sizes;
  DLManagedTensor managed{};
};

template <class T>
DLManagedTensor* export_as(const Tensor& x, DLDataType dtype) {
  auto owner = std::make_unique<Exported>(Exported{x.detach(), {x.shape().begin(), x.shape().end()}});
  DLTensor& t = owner->managed.dl_tensor;
  t.data = const_cast<T*>(owner->x.data<T>().data());  // DLPack cannot say that nobody may write here
  t.device = {kDLCPU, 0};
  t.ndim = static_cast<int>(owner->sizes.size());
  t.dtype = dtype;
  t.shape = owner->sizes.data();  // without strides: row-major
  owner->managed.manager_ctx = owner.get();
  owner->managed.deleter = [](DLManagedTensor* m) { delete static_cast<Exported*>(m->manager_ctx); };
  return &owner.release()->managed;
}

DLManagedTensor* to_dlpack(const Tensor& x) {  // the same elements, to be read, until the deleter is called
  if (x.dtype() == Dtype::float32) return export_as<float>(x, {kDLFloat, 32, 1});
  if (x.dtype() == Dtype::float64) return export_as<double>(x, {kDLFloat, 64, 1});
  if (x.dtype() == Dtype::int64) return export_as<std::int64_t>(x, {kDLInt, 64, 1});
  throw DtypeError("to_dlpack: expected float32, float64 or int64");
}
// clang-format on

/// An array of somebody else, who counts how often it is given back.
template <class T>
struct Foreign {
  explicit Foreign(DLDataType dtype, std::vector<std::int64_t> sizes_of = {2, 3})
      : sizes(std::move(sizes_of)) {
    DLTensor& t = managed.dl_tensor;
    t.data = values.data();
    t.device = {kDLCPU, 0};
    t.ndim = static_cast<int>(sizes.size());
    t.dtype = dtype;
    t.shape = sizes.data();
    managed.manager_ctx = &deleted;
    managed.deleter = [](DLManagedTensor* m) { ++*static_cast<int*>(m->manager_ctx); };
  }

  std::vector<T> values{1, 2, 3, 4, 5, 6};
  std::vector<std::int64_t> sizes;
  std::vector<std::int64_t> strides;
  int deleted = 0;
  DLManagedTensor managed{};
};

constexpr DLDataType f32{kDLFloat, 32, 1}, f64{kDLFloat, 64, 1}, i64{kDLInt, 64, 1};

template <class T>
void check_comes_in(DLDataType code, Dtype dtype) {
  Foreign<T> without(code);
  const Tensor x = from_dlpack(&without.managed);
  CHECK(without.deleted == 1);
  CHECK(x.dtype() == dtype);
  CHECK(x.shape() == Shape{2, 3});
  CHECK(x.at({1, 0}) == 4);
  CHECK(x.at({1, 2}) == 6);
  without.values.assign(6, 0);  // it has been copied
  CHECK(x.at({1, 2}) == 6);

  Foreign<T> with(code);
  with.strides = {3, 1};
  with.managed.dl_tensor.strides = with.strides.data();
  CHECK(from_dlpack(&with.managed).at({1, 0}) == 4);
  CHECK(with.deleted == 1);

  Foreign<T> later(code, {3});
  later.managed.dl_tensor.byte_offset = 2 * sizeof(T);
  CHECK(from_dlpack(&later.managed).at({0}) == 3);
  CHECK(later.deleted == 1);
}

template <class Refusal, class T>
void check_refused(Foreign<T>& foreign) {
  CHECK_THROWS_AS(static_cast<void>(from_dlpack(&foreign.managed)), Refusal);
  CHECK(foreign.deleted == 1);
}

template <class T>
void check_goes_out(Dtype dtype, DLDataType code) {
  std::optional<Tensor> x = tensor({{1, 2, 3}, {4, 5, 6}}, {.dtype = dtype});
  const void* const elements = x->data<T>().data();
  DLManagedTensor* const managed = to_dlpack(*x);
  x.reset();  // the elements stay
  const DLTensor& t = managed->dl_tensor;
  CHECK(t.data == elements);
  CHECK(t.ndim == 2);
  CHECK(t.shape[0] == 2);
  CHECK(t.shape[1] == 3);
  CHECK(t.strides == nullptr);
  CHECK(t.byte_offset == 0);
  CHECK(t.dtype.code == code.code);
  CHECK(t.dtype.bits == code.bits);
  CHECK(t.dtype.lanes == 1);
  const std::span<const T> values(static_cast<const T*>(t.data), 6);
  CHECK(std::vector<T>(values.begin(), values.end()) == std::vector<T>{1, 2, 3, 4, 5, 6});
  managed->deleter(managed);
}

}  // namespace

TEST_CASE("docs/memory.md: an array of DLPack comes in") {
  check_comes_in<float>(f32, Dtype::float32);
  check_comes_in<double>(f64, Dtype::float64);
  check_comes_in<std::int64_t>(i64, Dtype::int64);

  SUBCASE("one number") {
    Foreign<float> one(f32, {});
    one.managed.dl_tensor.shape = nullptr;
    CHECK(from_dlpack(&one.managed).item() == 1);
    CHECK(one.deleted == 1);
  }
  SUBCASE("an axis of one, or none, has any stride") {
    Foreign<float> one(f32, {6, 1});
    one.strides = {1, 77};
    one.managed.dl_tensor.strides = one.strides.data();
    CHECK(from_dlpack(&one.managed).at({5, 0}) == 6);
    Foreign<float> none(f32, {2, 0});
    none.strides = {5, 5};
    none.managed.dl_tensor.strides = none.strides.data();
    none.managed.dl_tensor.data = nullptr;
    CHECK(from_dlpack(&none.managed).shape() == Shape{2, 0});
    CHECK(none.deleted == 1);
  }
  SUBCASE("without a deleter") {
    Foreign<float> kept(f32);
    kept.managed.deleter = nullptr;
    CHECK(from_dlpack(&kept.managed).at({1, 2}) == 6);
  }
}

TEST_CASE("docs/memory.md: what does not fit is given back to DLPack once") {
  Foreign<float> columns(f32);
  columns.strides = {1, 2};
  columns.managed.dl_tensor.strides = columns.strides.data();
  check_refused<ShapeError>(columns);
  Foreign<float> elsewhere(f32);
  elsewhere.managed.dl_tensor.device = {kDLCUDA, 0};
  check_refused<ValueError>(elsewhere);
  Foreign<float> half({kDLFloat, 16, 1});
  check_refused<DtypeError>(half);
  Foreign<float> lanes({kDLFloat, 32, 4});
  check_refused<DtypeError>(lanes);
  Foreign<float> unsigned_long({kDLUInt, 64, 1});
  check_refused<DtypeError>(unsigned_long);
}

TEST_CASE("docs/memory.md: a tensor goes out to DLPack") {
  const std::int64_t before = memory_in_use();
  check_goes_out<float>(Dtype::float32, f32);
  check_goes_out<double>(Dtype::float64, f64);
  check_goes_out<std::int64_t>(Dtype::int64, i64);
  CHECK(memory_in_use() == before);  // the deleters let go of the elements

  SUBCASE("there and back") {
    const Tensor x = randn({3, 4, 5});
    const Tensor y = from_dlpack(to_dlpack(x));
    CHECK(y.shape() == x.shape());
    CHECK(std::ranges::equal(y.data<float>(), x.data<float>()));
    CHECK(from_dlpack(to_dlpack(tensor(3))).item() == 3);
  }
  SUBCASE("of a parameter, which then moves on") {
    nn::Linear layer({.in_features = 3, .out_features = 1, .bias = false});
    DLManagedTensor* const managed = to_dlpack(layer.weight);
    const double was = Tensor(layer.weight).at({0, 2});
    layer(ones({1, 3})).backward();
    optim::SGD(layer.parameters(), {.lr = 1}).step();
    CHECK(Tensor(layer.weight).at({0, 2}) != was);
    CHECK(static_cast<const float*>(managed->dl_tensor.data)[2] == was);
    managed->deleter(managed);
  }
  SUBCASE("other dtypes are refused") {
    CHECK_THROWS_AS(static_cast<void>(to_dlpack(zeros({2}, {.dtype = Dtype::uint8}))), DtypeError);
  }
}

#else
#include "tests/support/skip.h"

TEST_CASE("docs/memory.md: DLPack") { xtgrad::testing::skip("DLPack is not installed (libdlpack-dev)"); }
#endif
