// Arithmetic operations, counted by hand.

#include <doctest/doctest.h>

#include <map>
#include <string>

#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/grad.h"
#include "xtgrad/autograd/observe.h"
#include "xtgrad/autograd/ops.h"

using namespace xtgrad;

namespace {

template <class F>
std::map<std::string, std::int64_t> flops_of(F f) {
  const Profile profile;
  f();
  std::map<std::string, std::int64_t> flops;
  for (const ProfileRow& row : profile.rows()) flops[row.name] = row.flops;
  return flops;
}

Tensor wanted(const Dims& shape) { return ones(Shape(shape), {.requires_grad = true}); }

}  // namespace

TEST_CASE("a product counts 2 m n k, and its rule the same twice") {
  const Tensor a = wanted({3, 5}), b = wanted({5, 7}), t = wanted({7, 5}), batch = wanted({4, 3, 5});
  CHECK(flops_of([&] { static_cast<void>(matmul(a, b)); })["matmul"] == 2 * 3 * 7 * 5);
  CHECK(flops_of([&] { static_cast<void>(matmul(a, t, {.transpose_b = true})); })["matmul"] == 210);
  CHECK(flops_of([&] { static_cast<void>(matmul(batch, b)); })["matmul"] == 4 * 210);
  CHECK(flops_of([&] { static_cast<void>(matmul(wanted({3, 0}), wanted({0, 7}))); })["matmul"] == 0);
  CHECK(flops_of([&] { sum(matmul(a, b)).backward(); })["matmul"] == 3 * 210);
  CHECK(flops_of([&] { sum(matmul(batch, b)).backward(); })["matmul"] == 3 * 840);
  CHECK(flops_of([&] { static_cast<void>(grad({sum(matmul(a, b))}, {b})); })["matmul"] == 2 * 210);
}

TEST_CASE("a convolution counts what its windows meet, with stride, padding, dilation and groups") {
  const Tensor x = wanted({2, 4, 5, 6}), weight = wanted({6, 2, 3, 3}), bias = wanted({6});
  const Conv2dOptions options{.stride = {2, 1}, .padding = {1, 0}, .groups = 2};
  constexpr std::int64_t y = 2 * 6 * 3 * 4;  // elements of the result
  constexpr std::int64_t each = 2 * 2 * 3 * 3;
  CHECK(flops_of([&] { static_cast<void>(conv2d(x, weight, options)); })["conv2d"] == y * each);
  auto all = flops_of([&] { sum(conv2d(x, weight, bias, options)).backward(); });
  CHECK(all["conv2d"] == y * each + y);
  CHECK(all["conv_transpose2d"] == y * each);
  CHECK(all["conv2d_weight_grad"] == y * each);
  CHECK(all["sum"] == y + y);  // the loss', and the bias' gradient

  // Dilated by 2, 3 x 3 covers 5 x 5.
  const Conv2dOptions dilated{.dilation = 2};
  const Tensor full_weight = wanted({3, 4, 3, 3});
  CHECK(flops_of([&] { static_cast<void>(conv2d(x, full_weight, dilated)); })["conv2d"] ==
        2 * 3 * 1 * 2 * (2 * 4 * 9));

  all = flops_of([&] { sum(conv_transpose2d(x, wanted({4, 3, 2, 2}), {.stride = 2})).backward(); });
  constexpr std::int64_t transposed = 2 * (2 * 4 * 5 * 6) * 3 * 2 * 2;
  CHECK(all["conv_transpose2d"] == transposed);
  CHECK(all["conv2d"] == transposed);
  CHECK(all["conv2d_weight_grad"] == transposed);
}

TEST_CASE("elementwise operations count results, reductions what they read, moves nothing") {
  const Tensor x = wanted({4, 6}), row = wanted({6});
  auto all = flops_of([&] { sum(tanh(x * row)).backward(); });
  CHECK(all["mul"] == 24);
  CHECK(all["tanh"] == 24);
  CHECK(all["sum"] == 24);
  CHECK(all["tanh.rule0"] == 24);
  CHECK(all["mul.rule0"] == 24);
  CHECK(all["mul.rule1"] == 24);
  CHECK(all["sum_to"] == 24);
  CHECK(all["broadcast_to"] == 0);
  all = flops_of([&] {
    static_cast<void>(mean(x, {.axes = {1}}));
    static_cast<void>(amax(x));
    static_cast<void>(argmax(x, 0));
    static_cast<void>(less(x, row));
    static_cast<void>(permute(x, {1, 0}));
    static_cast<void>(x.to(float64));
    static_cast<void>(logsumexp(x));
  });
  CHECK(all["mean"] == 24);
  CHECK(all["amax"] == 24);
  CHECK(all["argmax"] == 24);
  CHECK(all["less"] == 24);
  CHECK(all["permute"] == 0);
  CHECK(all["cast"] == 0);
  CHECK(all["logsumexp"] == 4 * 24);
}

TEST_CASE("softmax, batch_norm and pooling count what their documentation says") {
  const Tensor x = wanted({2, 3, 4, 6});
  constexpr std::int64_t n = 2 * 3 * 4 * 6;
  auto all = flops_of([&] { sum(softmax(x, -1)).backward(); });
  CHECK(all["softmax"] == 5 * n);
  CHECK(all["softmax.rule1"] == 4 * n);
  all = flops_of([&] { sum(batch_norm(x, wanted({3}), wanted({3}))).backward(); });
  CHECK(all["batch_norm"] == 7 * n);
  CHECK(all["batch_norm.rule0"] == 9 * n);
  all = flops_of([&] { sum(batch_norm(x.detach(), wanted({3}), wanted({3}))).backward(); });
  CHECK(all["batch_norm.rule0"] == 5 * n);
  constexpr std::int64_t windows = 2 * 3 * 2 * 3 * 4;  // elements of 2 x 2 windows
  all = flops_of([&] { sum(max_pool2d(x, {.kernel = 2})).backward(); });
  CHECK(all["max_pool2d"] == windows);
  CHECK(all["max_pool2d_put"] == windows / 4);  // one addition for each window
  all = flops_of([&] { sum(avg_pool2d(x, {.kernel = 2})).backward(); });
  CHECK(all["avg_pool2d"] == windows);
  CHECK(all["avg_pool2d_spread"] == windows);
}
