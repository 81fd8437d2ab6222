#pragma once

#include <limits>
#include <optional>
#include <span>
#include <vector>

#include "xtgrad/autograd/export.h"
#include "xtgrad/autograd/scalar.h"
#include "xtgrad/autograd/size2d.h"
#include "xtgrad/autograd/tensor.h"

namespace xtgrad { inline namespace XTGRAD_PUBLIC v1 {

// Operations on tensors. All are differentiable to any order unless their line says otherwise, take empty and
// 0-d tensors where NumPy does, and throw ShapeError or DtypeError that name the operation and the operands'
// shapes or dtypes. Operands of two-tensor operations broadcast by NumPy's rules and must share a dtype; a
// C++ number takes the tensor's, which must hold it (scalar.h). Sums, differences and products of int64 wrap
// around, as NumPy's do.
//
//   Tensor x = tensor({1, 2, 3}, {.requires_grad = true});
//   Tensor y = sum(tanh(x * 0.5) + square(x));  // 0-d

// Elementwise functions.
[[nodiscard]] Tensor neg(const Tensor& x);      ///< -x
[[nodiscard]] Tensor exp(const Tensor& x);      ///< e^x
[[nodiscard]] Tensor expm1(const Tensor& x);    ///< e^x - 1, to the last digits near 0
[[nodiscard]] Tensor log(const Tensor& x);      ///< natural logarithm; -inf at 0, NaN below
[[nodiscard]] Tensor log1p(const Tensor& x);    ///< log(1 + x), to the last digits near 0; -inf at -1
[[nodiscard]] Tensor sqrt(const Tensor& x);     ///< square root; its derivative at 0 is inf
[[nodiscard]] Tensor square(const Tensor& x);   ///< x * x
[[nodiscard]] Tensor abs(const Tensor& x);      ///< |x|; derivative 0 at 0
[[nodiscard]] Tensor sign(const Tensor& x);     ///< -1, 0 or 1; no gradient
[[nodiscard]] Tensor tanh(const Tensor& x);     ///< hyperbolic tangent
[[nodiscard]] Tensor sigmoid(const Tensor& x);  ///< 1 / (1 + e^-x)
[[nodiscard]] Tensor relu(const Tensor& x);     ///< max(x, 0); derivative 0 at 0, and 1 at NaN, which wins
[[nodiscard]] Tensor erf(const Tensor& x);      ///< error function, 2/sqrt(pi) times the integral of e^-t^2
[[nodiscard]] Tensor sin(const Tensor& x);      ///< sine of radians
[[nodiscard]] Tensor cos(const Tensor& x);      ///< cosine of radians

/// log(sigmoid(x)) = min(x, 0) - log(1 + e^-|x|), to the last digits for every x.
[[nodiscard]] Tensor log_sigmoid(const Tensor& x);

struct SoftplusOptions {
  double beta = 1;  ///< steepness, positive
  /// x itself is returned where beta * x exceeds this, which no x does by default.
  double threshold = std::numeric_limits<double>::infinity();
};
/// log(1 + e^(beta x)) / beta, a smooth relu, to the last digits for every x.
[[nodiscard]] Tensor softplus(const Tensor& x, const SoftplusOptions& options = {});

/// x where x >= 0, else slope * x. The derivative at 0 is the slope, and NaN at NaN.
[[nodiscard]] Tensor leaky_relu(const Tensor& x, double slope = 0.01);
/// x where x > 0, else alpha * (e^x - 1). The derivative at 0 is min(1, alpha).
[[nodiscard]] Tensor elu(const Tensor& x, double alpha = 1);
/// Phi(x), the standard normal distribution function: (1 + erf(x / sqrt(2))) / 2 without its cancellation.
[[nodiscard]] Tensor normal_cdf(const Tensor& x);
/// x * Phi(x), with Phi the standard normal distribution function (Hendrycks and Gimpel, 2016).
[[nodiscard]] Tensor gelu(const Tensor& x);
/// Gelu's approximation by tanh: x/2 * (1 + tanh(sqrt(2/pi) * (x + 0.044715 x^3))).
[[nodiscard]] Tensor gelu_tanh(const Tensor& x);
/// x * sigmoid(x), also called swish.
[[nodiscard]] Tensor silu(const Tensor& x);

struct ClampOptions {
  Scalar min = -std::numeric_limits<double>::infinity();  ///< none where it is -infinity
  Scalar max = std::numeric_limits<double>::infinity();   ///< none where it is infinity
};
/// min(max(x, min), max); derivative 1 inside and at NaN, 0 at the end points and outside. Throws ValueError
/// if min > max.
[[nodiscard]] Tensor clamp(const Tensor& x, const ClampOptions& options);

// Two operands.
[[nodiscard]] Tensor add(const Tensor& a, const Tensor& b);  ///< a + b
[[nodiscard]] Tensor sub(const Tensor& a, const Tensor& b);  ///< a - b
[[nodiscard]] Tensor mul(const Tensor& a, const Tensor& b);  ///< a * b, element by element
[[nodiscard]] Tensor div(const Tensor& a, const Tensor& b);  ///< a / b; for floating dtypes
/// a^b. At a = 0 the derivative in b is 0, or -inf for b < 0; at b = 0 that in a is 0; others are limits.
[[nodiscard]] Tensor pow(const Tensor& a, const Tensor& b);
/// The larger of both; half the gradient each at a tie; NaN wins.
[[nodiscard]] Tensor maximum(const Tensor& a, const Tensor& b);
/// The smaller of both; half the gradient each at a tie; NaN wins.
[[nodiscard]] Tensor minimum(const Tensor& a, const Tensor& b);

[[nodiscard]] Tensor add(const Tensor& x, Scalar number);  ///< x + number
[[nodiscard]] Tensor mul(const Tensor& x, Scalar number);  ///< x * number
[[nodiscard]] Tensor div(const Tensor& x, Scalar number);  ///< x / number; for floating dtypes
[[nodiscard]] Tensor sub(const Tensor& x, Scalar number);  ///< x - number
[[nodiscard]] Tensor sub(Scalar number, const Tensor& x);  ///< number - x
[[nodiscard]] Tensor div(Scalar number, const Tensor& x);  ///< number / x; for floating dtypes
/// x^number; for number = 0 the gradient is 0 everywhere.
[[nodiscard]] Tensor pow(const Tensor& x, Scalar number);
[[nodiscard]] Tensor maximum(const Tensor& x, Scalar number);  ///< clamp from below: gradient 0 at a tie
[[nodiscard]] Tensor minimum(const Tensor& x, Scalar number);  ///< clamp from above: gradient 0 at a tie
// The same with the number first.
[[nodiscard]] Tensor add(Scalar number, const Tensor& x);
[[nodiscard]] Tensor mul(Scalar number, const Tensor& x);
/// number^x; of 0^x the gradient is 0, or -infinity for x < 0.
[[nodiscard]] Tensor pow(Scalar number, const Tensor& x);
[[nodiscard]] Tensor maximum(Scalar number, const Tensor& x);
[[nodiscard]] Tensor minimum(Scalar number, const Tensor& x);

inline Tensor operator-(const Tensor& x) { return neg(x); }
inline Tensor operator+(const Tensor& a, const Tensor& b) { return add(a, b); }
inline Tensor operator-(const Tensor& a, const Tensor& b) { return sub(a, b); }
inline Tensor operator*(const Tensor& a, const Tensor& b) { return mul(a, b); }
inline Tensor operator/(const Tensor& a, const Tensor& b) { return div(a, b); }
inline Tensor operator+(const Tensor& x, Scalar number) { return add(x, number); }
inline Tensor operator+(Scalar number, const Tensor& x) { return add(x, number); }
inline Tensor operator-(const Tensor& x, Scalar number) { return sub(x, number); }
inline Tensor operator-(Scalar number, const Tensor& x) { return sub(number, x); }
inline Tensor operator*(const Tensor& x, Scalar number) { return mul(x, number); }
inline Tensor operator*(Scalar number, const Tensor& x) { return mul(x, number); }
inline Tensor operator/(const Tensor& x, Scalar number) { return div(x, number); }
inline Tensor operator/(Scalar number, const Tensor& x) { return div(number, x); }

// Comparisons give bool tensors and have no gradient. NaN is unequal to everything. A bool or integer tensor
// is compared with any number, exactly: `labels > 0.5`.
[[nodiscard]] Tensor equal(const Tensor& a, const Tensor& b);          ///< a == b
[[nodiscard]] Tensor not_equal(const Tensor& a, const Tensor& b);      ///< a != b
[[nodiscard]] Tensor less(const Tensor& a, const Tensor& b);           ///< a < b
[[nodiscard]] Tensor less_equal(const Tensor& a, const Tensor& b);     ///< a <= b
[[nodiscard]] Tensor greater(const Tensor& a, const Tensor& b);        ///< a > b
[[nodiscard]] Tensor greater_equal(const Tensor& a, const Tensor& b);  ///< a >= b
[[nodiscard]] Tensor equal(const Tensor& x, Scalar number);            ///< x == number
[[nodiscard]] Tensor not_equal(const Tensor& x, Scalar number);        ///< x != number
[[nodiscard]] Tensor less(const Tensor& x, Scalar number);             ///< x < number
[[nodiscard]] Tensor less_equal(const Tensor& x, Scalar number);       ///< x <= number
[[nodiscard]] Tensor greater(const Tensor& x, Scalar number);          ///< x > number
[[nodiscard]] Tensor greater_equal(const Tensor& x, Scalar number);    ///< x >= number

// A tensor is no truth value: == asks for every element.
inline Tensor operator==(const Tensor& a, const Tensor& b) { return equal(a, b); }
inline Tensor operator!=(const Tensor& a, const Tensor& b) { return not_equal(a, b); }
inline Tensor operator<(const Tensor& a, const Tensor& b) { return less(a, b); }
inline Tensor operator<=(const Tensor& a, const Tensor& b) { return less_equal(a, b); }
inline Tensor operator>(const Tensor& a, const Tensor& b) { return greater(a, b); }
inline Tensor operator>=(const Tensor& a, const Tensor& b) { return greater_equal(a, b); }
inline Tensor operator==(const Tensor& x, Scalar number) { return equal(x, number); }
inline Tensor operator!=(const Tensor& x, Scalar number) { return not_equal(x, number); }
inline Tensor operator<(const Tensor& x, Scalar number) { return less(x, number); }
inline Tensor operator<=(const Tensor& x, Scalar number) { return less_equal(x, number); }
inline Tensor operator>(const Tensor& x, Scalar number) { return greater(x, number); }
inline Tensor operator>=(const Tensor& x, Scalar number) { return greater_equal(x, number); }
inline Tensor operator==(Scalar number, const Tensor& x) { return equal(x, number); }
inline Tensor operator!=(Scalar number, const Tensor& x) { return not_equal(x, number); }
inline Tensor operator<(Scalar number, const Tensor& x) { return greater(x, number); }
inline Tensor operator<=(Scalar number, const Tensor& x) { return greater_equal(x, number); }
inline Tensor operator>(Scalar number, const Tensor& x) { return less(x, number); }
inline Tensor operator>=(Scalar number, const Tensor& x) { return less_equal(x, number); }

/// a where the bool `mask` is true, else b; all three broadcast. The branch not taken gets a cotangent of
/// exactly 0, which that branch's own rule can still turn into NaN (0 * inf): see `where_safe`.
[[nodiscard]] Tensor where(const Tensor& mask, const Tensor& a, const Tensor& b);
[[nodiscard]] Tensor where(const Tensor& mask, const Tensor& a, Scalar b);
[[nodiscard]] Tensor where(const Tensor& mask, Scalar a, const Tensor& b);
/// Of the default dtype, as `full` makes: where(x > 0, 1, 0) is float32 unless a DefaultDtype says otherwise.
[[nodiscard]] Tensor where(const Tensor& mask, Scalar a, Scalar b);

// Reductions. `axes` empty means all; negative axes count from the end.
struct ReduceOptions {
  Dims axes = {};
  bool keepdim = false;  ///< keep reduced dimensions with size 1
};
/// The sum over `axes`; 0 for no elements.
[[nodiscard]] Tensor sum(const Tensor& x, const ReduceOptions& options = {});
/// The mean over `axes`; NaN for no elements, as in NumPy.
[[nodiscard]] Tensor mean(const Tensor& x, const ReduceOptions& options = {});
/// Largest element; the gradient is split evenly among ties; NaN wins. Throws ShapeError for no elements.
[[nodiscard]] Tensor amax(const Tensor& x, const ReduceOptions& options = {});
/// log(sum(e^x)), finite wherever the result is; -inf, with gradient 0, if all are -inf; inf where one is.
[[nodiscard]] Tensor logsumexp(const Tensor& x, const ReduceOptions& options = {});
/// Index of the first largest element along an axis, int64; NaN wins; no gradient.
[[nodiscard]] Tensor argmax(const Tensor& x, std::int64_t axis, bool keepdim = false);
/// e^x / sum(e^x) along an axis. A row of only -inf gives NaN, and so does one with inf.
[[nodiscard]] Tensor softmax(const Tensor& x, std::int64_t axis);
/// log(softmax(x)), without overflow or cancellation. NaN at an inf, -inf beside it; NaN of only -inf.
[[nodiscard]] Tensor log_softmax(const Tensor& x, std::int64_t axis);
/// -log(softmax(logits)) along an axis, of the class that `index` names: int64 or int32, and like the result
/// of the logits' shape without that axis. Throws ValueError for an index that is no class.
[[nodiscard]] Tensor softmax_cross_entropy(const Tensor& logits, const Tensor& index, std::int64_t axis = -1);

// Shape. Elements stay in row-major order. No operation returns its argument: where nothing is to be done the
// result has the same elements, which cost nothing, and is a tensor of its own, whose name and derivatives
// are not the argument's.
/// The same elements in a tensor of its own, with the same derivatives; `detach` is without.
[[nodiscard]] Tensor alias(const Tensor& x);
/// The same elements in another shape, of which one size may be -1: the rest decides it.
[[nodiscard]] Tensor reshape(const Tensor& x, const Dims& sizes);
/// Dimension i of the result is dimension `order[i]` of x.
[[nodiscard]] Tensor permute(const Tensor& x, const Dims& order);
/// Swaps two dimensions.
[[nodiscard]] Tensor transpose(const Tensor& x, std::int64_t dim0 = -2, std::int64_t dim1 = -1);
/// Joins the dimensions from `start` on into one; flatten(x, 1) keeps the batch.
[[nodiscard]] Tensor flatten(const Tensor& x, std::int64_t start = 0);
/// x repeated along the dimensions that it has not, or that are 1, by NumPy's rules.
[[nodiscard]] Tensor broadcast_to(const Tensor& x, const Shape& shape);
/// The adjoint of broadcast_to: sums the dimensions that broadcasting would have stretched.
[[nodiscard]] Tensor sum_to(const Tensor& x, const Shape& shape);

struct SliceOptions {
  std::int64_t axis = 0;
  std::int64_t start = 0;                           ///< negative counts from the end
  std::optional<std::int64_t> stop = std::nullopt;  ///< exclusive; the end if absent
  std::int64_t step = 1;                            ///< positive
};
/// x[start:stop:step] along an axis, with Python's clipping of out-of-range ends.
[[nodiscard]] Tensor slice(const Tensor& x, const SliceOptions& options);

/// `x` with `source`, of the slice's shape, added at the places that slice would have read; the adjoint of
/// slice.
[[nodiscard]] Tensor slice_add(const Tensor& x, const SliceOptions& options, const Tensor& source);

struct PadOptions {
  std::int64_t axis = 0;
  std::int64_t low = 0;       ///< zeros before
  std::int64_t high = 0;      ///< zeros after
  std::int64_t interior = 0;  ///< zeros between neighbours
};
/// Zeros put in along an axis; the adjoint of slice.
[[nodiscard]] Tensor pad(const Tensor& x, const PadOptions& options);

/// Joins tensors along an existing axis.
[[nodiscard]] Tensor concat(std::span<const Tensor> tensors, std::int64_t axis = 0);
[[nodiscard]] Tensor concat(std::initializer_list<Tensor> tensors, std::int64_t axis = 0);
/// Joins tensors of one shape along a new axis.
[[nodiscard]] Tensor stack(std::span<const Tensor> tensors, std::int64_t axis = 0);
[[nodiscard]] Tensor stack(std::initializer_list<Tensor> tensors, std::int64_t axis = 0);

/// x cut along an axis into pieces of `size`, the last of which may be smaller. Backward costs what the
/// pieces that are used cost, and one copy of x.
[[nodiscard]] std::vector<Tensor> split(const Tensor& x, std::int64_t size, std::int64_t axis = 0);
/// The same into pieces of the given sizes, which must add up to the axis.
[[nodiscard]] std::vector<Tensor> split(const Tensor& x, std::span<const std::int64_t> sizes,
                                        std::int64_t axis = 0);
[[nodiscard]] std::vector<Tensor> split(const Tensor& x, std::initializer_list<std::int64_t> sizes,
                                        std::int64_t axis = 0);
/// x cut along an axis into at most `count` pieces of one size, ceil(size / count); the last may be smaller.
[[nodiscard]] std::vector<Tensor> chunk(const Tensor& x, std::int64_t count, std::int64_t axis = 0);
/// x cut along an axis into its slices, without that axis: for a [2, 3] and axis 0 two of [3].
[[nodiscard]] std::vector<Tensor> unbind(const Tensor& x, std::int64_t axis = 0);

/// Elements chosen along an axis, and where they were, int64. The gradient of a value goes to its place.
struct ValuesAndIndices {
  Tensor values;
  Tensor indices;
};
/// The largest element along an axis, the first of those that tie, and its index; NaN wins. Throws ShapeError
/// for no elements. amax splits the gradient among ties instead, and takes several axes.
[[nodiscard]] ValuesAndIndices(max)(const Tensor& x, std::int64_t axis, bool keepdim = false);
/// The smallest element along an axis, the first of those that tie, and its index; NaN wins here, too.
[[nodiscard]] ValuesAndIndices(min)(const Tensor& x, std::int64_t axis, bool keepdim = false);

struct SortOptions {
  std::int64_t axis = -1;
  bool descending = false;
};
/// The elements along an axis in order; equal ones keep theirs. NaN counts as larger than every number.
[[nodiscard]] ValuesAndIndices sort(const Tensor& x, const SortOptions& options = {});

struct TopkOptions {
  std::int64_t axis = -1;
  bool largest = true;  ///< else the k smallest, smallest first
};
/// The k largest elements along an axis, largest first, as `sort` would put them. Throws ValueError unless
/// 0 <= k <= size of the axis.
[[nodiscard]] ValuesAndIndices topk(const Tensor& x, std::int64_t k, const TopkOptions& options = {});

/// out[i, j, ...] = x[index[i, j, ...] at `axis`, else the same place]: `index` is int64 or int32, of x's
/// rank, and no larger than x in the other dimensions. Throws ValueError for an index out of range.
[[nodiscard]] Tensor gather(const Tensor& x, std::int64_t axis, const Tensor& index);
/// `x` with `source` added at the places that gather would have read; the adjoint of gather.
[[nodiscard]] Tensor scatter_add(const Tensor& x, std::int64_t axis, const Tensor& index,
                                 const Tensor& source);
/// The entries of x along an axis that `index` [n], int64 or int32, names, in its order: rows of a table, for
/// one. Throws ValueError for an index out of range.
[[nodiscard]] Tensor index_select(const Tensor& x, std::int64_t axis, const Tensor& index);
/// `x` with the entries of `source` added to those that index_select would have read; its adjoint.
[[nodiscard]] Tensor index_add(const Tensor& x, std::int64_t axis, const Tensor& index, const Tensor& source);

struct MatmulOptions {
  bool transpose_a = false;  ///< use a with its last two dimensions swapped
  bool transpose_b = false;
};
/// Matrix product of the last two dimensions, batched over the others, which broadcast: [..., m, k] times
/// [..., k, n] is [..., m, n]. Operands have at least two dimensions. Transposes cost no copy.
[[nodiscard]] Tensor matmul(const Tensor& a, const Tensor& b, const MatmulOptions& options = {});

// Images: [n, channels, height, width]. In one direction a window of `kernel` elements, `dilation` apart, on
// a side of `size` elements with `padding` more at both ends has
//   floor((size + 2 padding - dilation (kernel - 1) - 1) / stride) + 1
// places. Padding is zeros that take part like other numbers, however far from the image: an infinite weight
// that meets them gives NaN. A pixel's gradient is a sum over the windows that it is in, and of nothing else.
// Throws ShapeError where a window does not fit even once, and, but for convolution, for an image without
// rows or columns; ValueError for options out of range.

struct Conv2dOptions {
  Size2d stride = 1;
  Size2d padding = 0;  ///< zeros at both ends of a side
  Size2d dilation = 1;
  std::int64_t groups = 1;  ///< output channels of group i see the input channels of group i alone
};
/// Cross-correlation of x [n, in, h, w] with weight [out, in / groups, kh, kw]: [n, out, h', w'].
[[nodiscard]] Tensor conv2d(const Tensor& x, const Tensor& weight, const Conv2dOptions& options = {});
/// As above, with bias [out] added to each output channel.
[[nodiscard]] Tensor conv2d(const Tensor& x, const Tensor& weight, const Tensor& bias,
                            const Conv2dOptions& options = {});

struct ConvTranspose2dOptions {
  Size2d stride = 1;
  Size2d padding = 0;
  Size2d output_padding = 0;  ///< extra rows and columns at the end; less than the stride
  Size2d dilation = 1;
  std::int64_t groups = 1;
};
/// The adjoint of conv2d in x: for x [n, out, h', w'] and conv2d's weight [out, in / groups, kh, kw] gives
/// [n, in, h, w] with h = (h' - 1) stride - 2 padding + dilation (kh - 1) + output_padding + 1. Sides of 0
/// are an empty result; throws ShapeError where one would be negative, and for an x without rows or columns.
[[nodiscard]] Tensor conv_transpose2d(const Tensor& x, const Tensor& weight,
                                      const ConvTranspose2dOptions& options = {});
/// The adjoint of conv2d in weight: for conv2d's x [n, in, h, w] and a cotangent g [n, out, h', w'] of its
/// output gives [out, in / groups, kh, kw], where `kernel` is kh x kw.
[[nodiscard]] Tensor conv2d_weight_grad(const Tensor& x, const Tensor& g, const Size2d& kernel,
                                        const Conv2dOptions& options = {});

struct Unfold2dOptions {
  Size2d kernel = 0;  ///< required
  Size2d stride = 1;
  Size2d padding = 0;
  Size2d dilation = 1;
};
/// Every window as a column: [n, c, h, w] to [n, c * kh * kw, places], places counted row by row.
[[nodiscard]] Tensor unfold2d(const Tensor& x, const Unfold2dOptions& options);
/// The adjoint of unfold2d: adds up columns [n, c * kh * kw, places] in an image [n, c, height, width].
[[nodiscard]] Tensor fold2d(const Tensor& unfolded, const Size2d& output, const Unfold2dOptions& options);

struct MaxPool2dOptions {
  Size2d kernel = 0;                            ///< required
  std::optional<Size2d> stride = std::nullopt;  ///< the kernel's size if absent
  Size2d padding = 0;                           ///< at most half the kernel; never the largest element
  Size2d dilation = 1;
  bool ceil_mode = false;  ///< a last window may hang over the edge, if it starts inside
};
/// Largest element of each window; the gradient goes to the first one in scan order; NaN wins. A window on
/// padding alone, which dilation makes possible, gives -inf without a gradient.
[[nodiscard]] Tensor max_pool2d(const Tensor& x, const MaxPool2dOptions& options);
/// Where max_pool2d finds the largest elements: their positions in their plane, counted row by row, in the
/// shape of its result. -1 for a window on padding alone. int32 where a plane has at most 2^31 - 1 elements,
/// else int64.
[[nodiscard]] Tensor max_pool2d_places(const Tensor& x, const MaxPool2dOptions& options);
/// The elements of u [n, c, h, w] at the places [n, c, h', w'] in their plane, as max_pool2d_places gives
/// them; 0 for -1. With the places of x it is max_pool2d's derivative at x, applied to u. Linear in u. Throws
/// ValueError for a place that is not in the plane.
[[nodiscard]] Tensor max_pool2d_take(const Tensor& u, const Tensor& places);
/// The adjoint of max_pool2d_take in u: adds up g, of the places' shape, at the places in an image [n, c,
/// height, width].
[[nodiscard]] Tensor max_pool2d_put(const Tensor& g, const Tensor& places, const Size2d& image);

struct AvgPool2dOptions {
  Size2d kernel = 0;                            ///< required
  std::optional<Size2d> stride = std::nullopt;  ///< the kernel's size if absent
  Size2d padding = 0;                           ///< at most half the kernel
  bool ceil_mode = false;
  bool count_include_pad = true;  ///< divide by the window's size, padding included
  std::optional<std::int64_t> divisor_override = std::nullopt;  ///< divide by this instead
};
/// Mean of each window.
[[nodiscard]] Tensor avg_pool2d(const Tensor& x, const AvgPool2dOptions& options);
/// The adjoint of avg_pool2d: spreads each mean's g evenly over its window, in an image [n, c, height,
/// width].
[[nodiscard]] Tensor avg_pool2d_spread(const Tensor& g, const Size2d& image, const AvgPool2dOptions& options);

struct BatchNormOptions {
  double eps = 1e-5;  ///< added to the variance
};
/// Normalises each channel of x [n, c, ...] by the mean and the biased variance over all else, then scales by
/// weight [c] and shifts by bias [c]. Gradients flow through mean and variance. Throws ShapeError for a
/// single value a channel, whose variance says nothing; of no values, such as an empty batch's, the result
/// has none either. (Ioffe and Szegedy, 2015)
[[nodiscard]] Tensor batch_norm(const Tensor& x, const Tensor& weight, const Tensor& bias,
                                const BatchNormOptions& options = {});
/// (x - mean) * scale + shift, channel by channel: x is [n, c, ...], the others are [c]. Batch normalisation
/// by known statistics, with scale = weight / sqrt(variance + eps); a mean far from zero costs no digits.
/// Throws ShapeError where the shapes do not fit.
[[nodiscard]] Tensor normalize_by(const Tensor& x, const Tensor& mean, const Tensor& scale,
                                  const Tensor& shift);

struct NormalizeOptions {
  double eps = 1e-5;  ///< added to the variance
};
/// Normalises x over its last dimensions, which are those of weight and bias, by mean and biased variance,
/// then scales and shifts element by element. Gradients flow through mean and variance. Throws ShapeError
/// where the shapes do not fit. (Ba, Kiros and Hinton, 2016)
[[nodiscard]] Tensor layer_norm(const Tensor& x, const Tensor& weight, const Tensor& bias,
                                const NormalizeOptions& options = {});

}}  // namespace xtgrad::v1
