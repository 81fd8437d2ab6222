#include "tests/fuzz/operation_table.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/dtype.h"
#include "xtgrad/autograd/functions/attention.h"
#include "xtgrad/autograd/functions/normalization.h"
#include "xtgrad/autograd/ops.h"
#include "xtgrad/autograd/scalar.h"
#include "xtgrad/autograd/where_safe.h"

namespace fuzz {

using namespace xtgrad;

namespace {

constexpr std::array<Dtype, 6> dtypes{float32, float64, int64, int32, uint8, boolean};

Scalar scalar(Choices& c) {
  if (c.flag()) return c.number();
  return c.integer();
}

Dims dims(Choices& c) {
  std::vector<std::int64_t> all(c.below(5));
  for (std::int64_t& dim : all) dim = c.integer();
  return Dims(all);
}

/// Of any sizes, also such as no memory has.
Shape any_shape(Choices& c) {
  Shape shape;
  for (std::size_t rank = c.below(5); rank > 0; --rank) shape.push_back(c.integer());
  return shape;
}

Size2d size2d(Choices& c) {
  if (c.flag()) return c.integer();
  const std::int64_t height = c.integer();
  return {height, c.integer()};
}

/// What is mostly meant: a window that fits.
Size2d small2d(Choices& c) {
  constexpr std::array<std::int64_t, 4> sizes{1, 2, 3, 0};
  if (c.byte() < 200) return c.among(sizes);
  return size2d(c);
}

ReduceOptions reduction(Choices& c) {
  if (c.flag()) return {.axes = {}, .keepdim = c.flag()};
  return {.axes = dims(c), .keepdim = c.flag()};
}

SliceOptions slice_options(Choices& c) {
  SliceOptions options{.axis = c.integer(), .start = c.integer()};
  if (c.flag()) options.stop = c.integer();
  if (c.flag()) options.step = c.integer();
  return options;
}

/// Indices that are mostly in range.
Tensor index(Choices& c, const Tensors& t) {
  if (c.byte() < 64) return one_of(c, t);
  const Tensor values = full(small_shape(c), static_cast<std::int64_t>(c.below(3)), {.dtype = int64});
  return c.flag() ? values : values.to(int32);
}

/// Four sides.
Tensor image(Choices& c, const Tensors& t) {
  if (c.byte() < 64) return one_of(c, t);
  Shape shape;
  for (int i = 0; i < 4; ++i) shape.push_back(static_cast<std::int64_t>(c.below(6)));
  return full(shape, c.number(), {.dtype = c.flag() ? float32 : float64, .requires_grad = c.flag()});
}

Conv2dOptions conv_options(Choices& c) {
  Conv2dOptions options{.stride = small2d(c), .padding = small2d(c), .dilation = small2d(c)};
  if (c.flag()) options.groups = c.integer();
  return options;
}

Unfold2dOptions unfold_options(Choices& c) {
  return {.kernel = small2d(c), .stride = small2d(c), .padding = small2d(c), .dilation = small2d(c)};
}

MaxPool2dOptions max_pool_options(Choices& c) {
  MaxPool2dOptions options{.kernel = small2d(c)};
  if (c.flag()) options.stride = small2d(c);
  if (c.flag()) options.padding = small2d(c);
  if (c.flag()) options.dilation = small2d(c);
  options.ceil_mode = c.flag();
  return options;
}

AvgPool2dOptions avg_pool_options(Choices& c) {
  AvgPool2dOptions options{.kernel = small2d(c)};
  if (c.flag()) options.stride = small2d(c);
  if (c.flag()) options.padding = small2d(c);
  options.ceil_mode = c.flag();
  options.count_include_pad = c.flag();
  if (c.flag()) options.divisor_override = c.integer();
  return options;
}

Tensors both(ValuesAndIndices&& result) { return {std::move(result.values), std::move(result.indices)}; }

// An operation of one tensor, of two, and of a tensor and a number at either side.
template <Tensor (*f)(const Tensor&)>
Tensors of_one(Choices& c, const Tensors& t) {
  return {f(one_of(c, t))};
}
template <Tensor (*f)(const Tensor&, const Tensor&)>
Tensors of_two(Choices& c, const Tensors& t) {
  const Tensor& a = one_of(c, t);
  return {f(a, one_of(c, t))};
}
template <Tensor (*f)(const Tensor&, Scalar)>
Tensors of_number(Choices& c, const Tensors& t) {
  const Tensor& x = one_of(c, t);
  return {f(x, scalar(c))};
}
template <Tensor (*f)(Scalar, const Tensor&)>
Tensors number_of(Choices& c, const Tensors& t) {
  const Tensor& x = one_of(c, t);
  return {f(scalar(c), x)};
}
template <Tensor (*f)(const Tensor&, const ReduceOptions&)>
Tensors of_axes(Choices& c, const Tensors& t) {
  const Tensor& x = one_of(c, t);
  return {f(x, reduction(c))};
}

// Braces, so that what they choose is chosen in the order in which it stands.
#define XTGRAD_FUZZ_CALL(...) [](Choices& c, const Tensors& t) -> Tensors { __VA_ARGS__ }

constexpr Operation elementwise[] = {
    of_one<neg>,
    of_one<xtgrad::exp>,
    of_one<xtgrad::log>,
    of_one<xtgrad::sqrt>,
    of_one<square>,
    of_one<xtgrad::abs>,
    of_one<sign>,
    of_one<xtgrad::tanh>,
    of_one<sigmoid>,
    of_one<relu>,
    of_one<xtgrad::erf>,
    of_one<xtgrad::sin>,
    of_one<xtgrad::cos>,
    of_one<normal_cdf>,
    of_one<gelu>,
    of_one<gelu_tanh>,
    of_one<silu>,
    of_two<add>,
    of_two<sub>,
    of_two<mul>,
    of_two<xtgrad::div>,
    of_two<xtgrad::pow>,
    of_two<maximum>,
    of_two<minimum>,
    of_two<equal>,
    of_two<not_equal>,
    of_two<less>,
    of_two<less_equal>,
    of_two<greater>,
    of_two<greater_equal>,
    of_number<add>,
    of_number<sub>,
    of_number<mul>,
    of_number<xtgrad::div>,
    of_number<xtgrad::pow>,
    of_number<maximum>,
    of_number<minimum>,
    of_number<equal>,
    of_number<not_equal>,
    of_number<less>,
    of_number<less_equal>,
    of_number<greater>,
    of_number<greater_equal>,
    number_of<add>,
    number_of<sub>,
    number_of<mul>,
    number_of<xtgrad::div>,
    number_of<xtgrad::pow>,
    number_of<maximum>,
    number_of<minimum>,
    XTGRAD_FUZZ_CALL(const Tensor& x = one_of(c, t); const double beta = c.number();
                     return {softplus(x, {.beta = beta, .threshold = c.number()})};),
    XTGRAD_FUZZ_CALL(const Tensor& x = one_of(c, t); return {leaky_relu(x, c.number())};),
    XTGRAD_FUZZ_CALL(const Tensor& x = one_of(c, t); return {elu(x, c.number())};),
    XTGRAD_FUZZ_CALL(const Tensor& x = one_of(c, t); ClampOptions options;
                     if (c.flag()) options.min = scalar(c); if (c.flag()) options.max = scalar(c);
                     return {clamp(x, options)};),
    XTGRAD_FUZZ_CALL(const Tensor& x = one_of(c, t); return {x.to(c.among(dtypes))};),
    XTGRAD_FUZZ_CALL(const Tensor& mask = one_of(c, t); const Tensor& a = one_of(c, t);
                     return {where(mask, a, one_of(c, t))};),
    XTGRAD_FUZZ_CALL(const Tensor& mask = one_of(c, t); const Tensor& a = one_of(c, t);
                     return {where(mask, a, scalar(c))};),
    XTGRAD_FUZZ_CALL(const Tensor& mask = one_of(c, t); const Scalar a = scalar(c);
                     return {where(mask, a, scalar(c))};),
};

constexpr Operation of_shapes[] = {
    of_axes<sum>,
    of_axes<mean>,
    of_axes<amax>,
    of_axes<logsumexp>,
    XTGRAD_FUZZ_CALL(const Tensor& x = one_of(c, t); const std::int64_t axis = c.integer();
                     return {argmax(x, axis, c.flag())};),
    XTGRAD_FUZZ_CALL(const Tensor& x = one_of(c, t); return {softmax(x, c.integer())};),
    XTGRAD_FUZZ_CALL(const Tensor& x = one_of(c, t); return {log_softmax(x, c.integer())};),
    XTGRAD_FUZZ_CALL(const Tensor& x = one_of(c, t); const Tensor at = index(c, t);
                     return {softmax_cross_entropy(x, at, c.integer())};),
    XTGRAD_FUZZ_CALL(const Tensor& x = one_of(c, t); return {reshape(x, dims(c))};),
    XTGRAD_FUZZ_CALL(const Tensor& x = one_of(c, t); return {permute(x, dims(c))};),
    XTGRAD_FUZZ_CALL(const Tensor& x = one_of(c, t); const std::int64_t dim = c.integer();
                     return {transpose(x, dim, c.integer())};),
    XTGRAD_FUZZ_CALL(const Tensor& x = one_of(c, t); return {flatten(x, c.integer())};),
    XTGRAD_FUZZ_CALL(const Tensor& x = one_of(c, t); return {broadcast_to(x, any_shape(c))};),
    XTGRAD_FUZZ_CALL(const Tensor& x = one_of(c, t); return {sum_to(x, any_shape(c))};),
    XTGRAD_FUZZ_CALL(const Tensor& x = one_of(c, t); return {slice(x, slice_options(c))};),
    XTGRAD_FUZZ_CALL(const Tensor& x = one_of(c, t); const SliceOptions options = slice_options(c);
                     return {slice_add(x, options, one_of(c, t))};),
    XTGRAD_FUZZ_CALL(const Tensor& x = one_of(c, t); PadOptions options{.axis = c.integer()};
                     options.low = c.integer(); options.high = c.integer();
                     if (c.flag()) options.interior = c.integer(); return {pad(x, options)};),
    XTGRAD_FUZZ_CALL(Tensors all; for (std::size_t n = c.below(4); n > 0; --n) all.push_back(one_of(c, t));
                     return {concat(all, c.integer())};),
    XTGRAD_FUZZ_CALL(Tensors all; for (std::size_t n = c.below(4); n > 0; --n) all.push_back(one_of(c, t));
                     return {stack(all, c.integer())};),
    XTGRAD_FUZZ_CALL(const Tensor& x = one_of(c, t); const std::int64_t size = c.integer();
                     return split(x, size, c.integer());),
    XTGRAD_FUZZ_CALL(const Tensor& x = one_of(c, t); std::vector<std::int64_t> sizes(c.below(5));
                     for (std::int64_t & size
                          : sizes) size = c.integer();
                     return split(x, sizes, c.integer());),
    XTGRAD_FUZZ_CALL(const Tensor& x = one_of(c, t); const std::int64_t count = c.integer();
                     return chunk(x, count, c.integer());),
    XTGRAD_FUZZ_CALL(const Tensor& x = one_of(c, t); return unbind(x, c.integer());),
    XTGRAD_FUZZ_CALL(const Tensor& x = one_of(c, t); const std::int64_t axis = c.integer();
                     return both((xtgrad::max)(x, axis, c.flag()));),
    XTGRAD_FUZZ_CALL(const Tensor& x = one_of(c, t); const std::int64_t axis = c.integer();
                     return both((xtgrad::min)(x, axis, c.flag()));),
    XTGRAD_FUZZ_CALL(const Tensor& x = one_of(c, t); const std::int64_t axis = c.integer();
                     return both(sort(x, {.axis = axis, .descending = c.flag()}));),
    XTGRAD_FUZZ_CALL(const Tensor& x = one_of(c, t); const std::int64_t k = c.integer();
                     const std::int64_t axis = c.integer();
                     return both(topk(x, k, {.axis = axis, .largest = c.flag()}));),
    XTGRAD_FUZZ_CALL(const Tensor& x = one_of(c, t); const std::int64_t axis = c.integer();
                     return {gather(x, axis, index(c, t))};),
    XTGRAD_FUZZ_CALL(const Tensor& x = one_of(c, t); const std::int64_t axis = c.integer();
                     const Tensor at = index(c, t); return {scatter_add(x, axis, at, one_of(c, t))};),
    XTGRAD_FUZZ_CALL(const Tensor& x = one_of(c, t); const std::int64_t axis = c.integer();
                     return {index_select(x, axis, index(c, t))};),
    XTGRAD_FUZZ_CALL(const Tensor& x = one_of(c, t); const std::int64_t axis = c.integer();
                     const Tensor at = index(c, t); return {index_add(x, axis, at, one_of(c, t))};),
    XTGRAD_FUZZ_CALL(const Tensor& a = one_of(c, t); const Tensor& b = one_of(c, t);
                     const bool transposed = c.flag();
                     return {matmul(a, b, {.transpose_a = transposed, .transpose_b = c.flag()})};),
};

constexpr Operation of_images[] = {
    XTGRAD_FUZZ_CALL(const Tensor x = image(c, t); const Tensor weight = image(c, t);
                     return {conv2d(x, weight, conv_options(c))};),
    XTGRAD_FUZZ_CALL(const Tensor x = image(c, t); const Tensor weight = image(c, t);
                     const Tensor& bias = one_of(c, t); return {conv2d(x, weight, bias, conv_options(c))};),
    XTGRAD_FUZZ_CALL(const Tensor x = image(c, t); const Tensor weight = image(c, t);
                     const Conv2dOptions like = conv_options(c);
                     return {conv_transpose2d(x, weight,
                                              {.stride = like.stride,
                                               .padding = like.padding,
                                               .output_padding = small2d(c),
                                               .dilation = like.dilation,
                                               .groups = like.groups})};),
    XTGRAD_FUZZ_CALL(const Tensor x = image(c, t); const Tensor g = image(c, t);
                     const Size2d kernel = small2d(c);
                     return {conv2d_weight_grad(x, g, kernel, conv_options(c))};),
    XTGRAD_FUZZ_CALL(const Tensor x = image(c, t); return {unfold2d(x, unfold_options(c))};),
    XTGRAD_FUZZ_CALL(const Tensor& x = one_of(c, t); const Size2d output = small2d(c);
                     return {fold2d(x, output, unfold_options(c))};),
    XTGRAD_FUZZ_CALL(const Tensor x = image(c, t); return {max_pool2d(x, max_pool_options(c))};),
    XTGRAD_FUZZ_CALL(const Tensor x = image(c, t); return {max_pool2d_places(x, max_pool_options(c))};),
    XTGRAD_FUZZ_CALL(const Tensor x = image(c, t); return {max_pool2d_take(x, one_of(c, t))};),
    XTGRAD_FUZZ_CALL(const Tensor x = image(c, t); const Tensor& places = one_of(c, t);
                     return {max_pool2d_put(x, places, small2d(c))};),
    XTGRAD_FUZZ_CALL(const Tensor x = image(c, t); return {avg_pool2d(x, avg_pool_options(c))};),
    XTGRAD_FUZZ_CALL(const Tensor g = image(c, t); const Size2d sides = small2d(c);
                     return {avg_pool2d_spread(g, sides, avg_pool_options(c))};),
    XTGRAD_FUZZ_CALL(const Tensor x = image(c, t); const Tensor& weight = one_of(c, t);
                     const Tensor& bias = one_of(c, t);
                     return {batch_norm(x, weight, bias, {.eps = c.number()})};),
    XTGRAD_FUZZ_CALL(const Tensor& x = one_of(c, t); const Tensor& weight = one_of(c, t);
                     const Tensor& bias = one_of(c, t);
                     return {layer_norm(x, weight, bias, {.eps = c.number()})};),
    XTGRAD_FUZZ_CALL(const Tensor& x = one_of(c, t); const Tensor& weight = one_of(c, t);
                     return {c.flag() ? rms_norm(x, weight, {.eps = c.number()}) : rms_norm(x)};),
    XTGRAD_FUZZ_CALL(const Tensor x = image(c, t); const std::int64_t groups = c.integer();
                     const Tensor& weight = one_of(c, t); const Tensor& bias = one_of(c, t);
                     return {group_norm(x, groups, weight, bias, {.eps = c.number()})};),
    XTGRAD_FUZZ_CALL(const Tensor x = image(c, t); return {instance_norm(x, {.eps = c.number()})};),
    XTGRAD_FUZZ_CALL(
        const Tensor& q = one_of(c, t); const Tensor& k = one_of(c, t); const Tensor& v = one_of(c, t);
        AttentionOptions options{.is_causal = c.flag(), .enable_gqa = c.flag()};
        if (c.flag()) options.mask = one_of(c, t); return {scaled_dot_product_attention(q, k, v, options)};),
    XTGRAD_FUZZ_CALL(const Tensor x = image(c, t); const Tensor& mean_of = one_of(c, t);
                     const Tensor& scale = one_of(c, t);
                     return {normalize_by(x, mean_of, scale, one_of(c, t))};),
};

constexpr Operation creating[] = {
    XTGRAD_FUZZ_CALL((void)t; return {fresh(c)};),
    XTGRAD_FUZZ_CALL((void)t; const Scalar value = scalar(c); const Shape shape = any_shape(c);
                     return {full(shape, value, {.dtype = c.among(dtypes)})};),
    XTGRAD_FUZZ_CALL((void)t; const Scalar stop = scalar(c); const Scalar start = scalar(c);
                     const Scalar step = scalar(c);
                     return {arange(stop, {.start = start, .step = step}, {.dtype = c.among(dtypes)})};),
    XTGRAD_FUZZ_CALL((void)t; const Scalar first = scalar(c); const Scalar last = scalar(c);
                     const std::int64_t count = c.integer();
                     return {linspace(first, last, count, {.dtype = c.among(dtypes)})};),
    XTGRAD_FUZZ_CALL((void)t; const std::int64_t n = c.integer(); std::optional<std::int64_t> m;
                     if (c.flag()) m = c.integer(); return {eye(n, m, {.dtype = c.among(dtypes)})};),
    XTGRAD_FUZZ_CALL(const Tensor labels = index(c, t); const std::int64_t classes = c.integer();
                     return {one_hot(labels, classes, {.dtype = c.among(dtypes)})};),
    XTGRAD_FUZZ_CALL(const Tensor& x = one_of(c, t); return {c.flag() ? zeros_like(x) : ones_like(x)};),
};

#undef XTGRAD_FUZZ_CALL

std::vector<Operation> all_operations() {
  std::vector<Operation> all;
  for (const std::span<const Operation> part :
       {std::span<const Operation>(elementwise), std::span<const Operation>(of_shapes),
        std::span<const Operation>(of_images), std::span<const Operation>(creating)}) {
    all.insert(all.end(), part.begin(), part.end());
  }
  return all;
}

}  // namespace

std::span<const Operation> operations() {
  static const std::vector<Operation> all = all_operations();
  return all;
}

Tensor fresh(Choices& c) {
  const Dtype dtype = c.among(dtypes);
  const Shape shape = small_shape(c);
  const bool floating = dtype == float32 || dtype == float64;
  std::vector<double> values(static_cast<std::size_t>(shape.numel()));
  // Not all alike, and few bytes: each element is a step beyond the one before, from a first to a second
  // choice on.
  const double first = floating ? c.number() : static_cast<double>(c.below(2));
  const double second = floating ? c.number() : static_cast<double>(c.below(2));
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = i % 3 == 0 ? first : second;
  return from_span(std::span<const double>(values), shape,
                   {.dtype = dtype, .requires_grad = floating && c.byte() < 192});
}

const Tensor& one_of(Choices& c, const Tensors& tensors) { return tensors[c.below(tensors.size())]; }

}  // namespace fuzz
