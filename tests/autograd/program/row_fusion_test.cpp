#include "xtgrad/autograd/program/row_fusion.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "tests/autograd/program/recorded.h"
#include "tests/support/thread_count.h"
#include "tests/support/values.h"
#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/grad.h"
#include "xtgrad/autograd/ops.h"
#include "xtgrad/autograd/program/fused_rows.h"
#include "xtgrad/autograd/program/joined.h"
#include "xtgrad/autograd/program/passes.h"
#include "xtgrad/autograd/random.h"
#include "xtgrad/autograd/random_tensors.h"

namespace xtgrad { namespace {

using detail::ProgramSteps;
using testing::names_of;
using testing::run_steps;
using testing::same_bits;
using testing::steps_of;

using Tensors = std::vector<Tensor>;

/// The bits of the steps one by one, and of the function itself; returns how many steps on rows there are.
template <class F>
std::size_t check_bits(const Tensors& inputs, const F& f) {
  const ProgramSteps recorded = detail::simplified(steps_of(inputs, f));
  const Tensors expected = f(inputs);
  std::size_t fused = 0;
  for (const ProgramSteps& steps : {detail::with_row_steps_fused(recorded), detail::joined(recorded)}) {
    const auto names = names_of(steps);
    fused = static_cast<std::size_t>(std::ranges::count(names, "fused_rows"));
    const Tensors found = run_steps(steps, inputs);
    REQUIRE(found.size() == expected.size());
    for (std::size_t k = 0; k < found.size(); ++k) CHECK(same_bits(found[k], expected[k].detach()));
  }
  return fused;
}

Tensor normalized(const Tensor& x, const Tensor& weight, const Tensor& bias, std::int64_t axis) {
  const Tensor centered = x - mean(x, {.axes = {axis}, .keepdim = true});
  const Tensor variance = mean(square(centered), {.axes = {axis}, .keepdim = true});
  return centered / sqrt(variance + 1e-5) * weight + bias;
}

Tensor softened(const Tensor& x, std::int64_t axis) {
  const Tensor e = exp(x - amax(x, {.axes = {axis}, .keepdim = true}).detach());
  return e / sum(e, {.axes = {axis}, .keepdim = true});
}

TEST_CASE("a composed layer normalisation is one step forward, and reads its matrix once") {
  Random random(1);
  const ProgramSteps steps = detail::with_row_steps_fused(detail::simplified(
      steps_of({randn({64, 256}, random), ones({256}), zeros({256})},
               [](const Tensors& in) { return Tensors{normalized(in[0], in[1], in[2], 1)}; })));
  CHECK(steps.text() ==
        "input in0:float32[64, 256]\n"
        "input in1:float32[256]\n"
        "input in2:float32[256]\n"
        "%3:float32[64, 256] = fused_rows(in0, in1, in2)\n"
        "  t0 = mean[axes=[1], keepdim](in0)\n"
        "  t1 = sub(in0, t0)\n"
        "  t2 = square(t1)\n"
        "  t0 = mean[axes=[1], keepdim](t2)\n"
        "  t0 = add_number[1e-05](t0)\n"
        "  t0 = sqrt(t0)\n"
        "  t1 = div(t1, t0)\n"
        "  t1 = mul(t1, in1)\n"
        "  %3 = add(t1, in2)\n"
        "return %3\n");
}

TEST_CASE(
    "steps on rows have the bits of the steps: normalisation and its gradients, every width and dtype") {
  for (const int threads : {1, 2}) {
    const testing::ThreadCount scope(threads);
    for (const Dtype dtype : {Dtype::float32, Dtype::float64}) {
      for (const Shape& shape : {Shape{600, 16}, Shape{513, 64}, Shape{37, 1024}, Shape{9, 4096},
                                 Shape{2, 4096}, Shape{5, 31, 128}, Shape{128, 128}, Shape{3, 2, 5, 512}}) {
        CAPTURE(shape);
        CAPTURE(dtype);
        Random random(7);
        const auto axis = static_cast<std::int64_t>(shape.rank()) - 1;
        const Shape row{shape[shape.rank() - 1]};
        const Tensors inputs{randn(shape, random, {.dtype = dtype, .requires_grad = true}),
                             randn(row, random, {.dtype = dtype, .requires_grad = true}),
                             randn(row, random, {.dtype = dtype, .requires_grad = true}),
                             randn(shape, random, {.dtype = dtype})};
        const std::size_t norm = check_bits(inputs, [&](const Tensors& in) {
          const Tensor y = normalized(in[0], in[1], in[2], axis);
          Tensors all = grad({y}, {in[0], in[1], in[2]}, {.cotangents = {in[3]}});
          all.push_back(y);
          return all;
        });
        const std::size_t soft = check_bits(inputs, [&](const Tensors& in) {
          const Tensor y = softened(in[0] * in[1], axis);
          Tensors all = grad({y}, {in[0], in[1]}, {.cotangents = {in[3]}});
          all.push_back(y);
          all.push_back(log(y));
          return all;
        });
        const std::size_t row_bytes = static_cast<std::size_t>(row[0]) * item_size(dtype);
        const bool fits = row_bytes <= (std::size_t{1} << 14);
        CHECK((norm > 0) == fits);
        CHECK((soft > 0) == fits);
      }
    }
  }
}

TEST_CASE("columns without a dimension of size 1, and matrices that are square") {
  Random random(3);
  for (const Shape& shape : {Shape{128, 128}, Shape{64, 256}}) {
    const Tensors inputs{randn(shape, random), randn({shape[0]}, random)};
    CHECK(check_bits(inputs, [&](const Tensors& in) {
            const Tensor lengths = sqrt(sum(square(in[0]), {.axes = {1}}));  // [rows]
            const Tensor column = reshape(lengths * in[1] + 1.0, {shape[0], 1});
            return Tensors{in[0] / column, lengths, exp(column)};
          }) > 0);
  }
  // A vector as long as a row and a column is read as what it stands for.
  CHECK(check_bits({randn({128, 128}, random)}, [](const Tensors& in) {
          const Tensor sums = sum(in[0], {.axes = {1}});  // [128], along the rows
          return Tensors{in[0] * sums, in[0] - reshape(sums, {128, 1})};
        }) > 0);
}

TEST_CASE("what other steps read of a repeated column is there") {
  Random random(4);
  static_cast<void>(check_bits({randn({64, 256}, random)}, [](const Tensors& in) {
    const Tensor column = mean(in[0], {.axes = {1}, .keepdim = true});
    const Tensor repeated = broadcast_to(column, {64, 256});
    return Tensors{matmul(transpose(repeated), in[0]), in[0] - repeated, repeated};
  }));
  static_cast<void>(check_bits({randn({64, 256}, random), randn({64, 1}, random)}, [](const Tensors& in) {
    const Tensor y = in[0] * in[1] + sum(in[0], {.axes = {1}, .keepdim = true});
    return Tensors{sum(y, {.axes = {0}}), y, sum(y, {.axes = {1}})};
  }));
}

TEST_CASE("rows that are no whole pieces, few elements and other axes are left as they are") {
  Random random(5);
  const auto f = [](const Tensors& in) {
    return Tensors{in[0] - mean(in[0], {.axes = {1}, .keepdim = true})};
  };
  for (const Shape& shape : {Shape{1000, 10}, Shape{4, 64}, Shape{1, 4096}, Shape{0, 64}})
    CHECK(check_bits({randn(shape, random)}, f) == 0);
  CHECK(check_bits({randn({64, 256}, random)}, [](const Tensors& in) {
          return Tensors{in[0] - mean(in[0], {.axes = {0}, .keepdim = true})};
        }) == 0);
}

TEST_CASE("infinities and NaNs stay in their rows") {
  Random random(6);
  Tensor x = randn({64, 256}, random);
  for (const double special : {testing::infinity, testing::not_a_number, -testing::infinity})
    x = where(uniform({64, 256}, {}, random) < 0.001, full({}, special), x);
  CHECK(check_bits({x.detach()}, [](const Tensors& in) {
          return Tensors{softened(in[0], 1), normalized(in[0], ones({256}), zeros({256}), 1)};
        }) > 0);
}

}}  // namespace xtgrad
