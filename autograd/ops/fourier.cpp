#include "xtgrad/autograd/functions/fourier.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <limits>
#include <string_view>
#include <vector>

#include "xtgrad/autograd/core/apply.h"
#include "xtgrad/autograd/core/batch.h"
#include "xtgrad/autograd/core/loaded_checks.h"
#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/from_values.h"
#include "xtgrad/autograd/kernels/fourier.h"
#include "xtgrad/autograd/kernels/reduce.h"
#include "xtgrad/autograd/ops.h"
#include "xtgrad/autograd/ops/checks.h"
#include "xtgrad/autograd/ops/shape.h"

namespace xtgrad::inline v1 {
namespace detail { namespace {

constexpr std::int64_t most_points = std::numeric_limits<std::int32_t>::max();

bool takes_pairs(FourierKind kind) { return kind != FourierKind::of_real; }
bool gives_pairs(FourierKind kind) { return kind != FourierKind::to_real; }

/// What a transform keeps of its options.
struct FourierAttributes {
  std::size_t axis = 0;
  std::int64_t n = 1;
  double scale = 1;
  double middle = 1;  // see FourierJob
};

/// Points, or bins, along the axis of what comes in.
std::int64_t points_in(FourierKind kind, std::int64_t n) {
  return kind == FourierKind::to_real ? n / 2 + 1 : n;
}

Shape transformed_shape(FourierKind kind, const FourierAttributes& how, const Shape& x) {
  Shape shape;
  const std::size_t rank = x.rank() - (takes_pairs(kind) ? 1 : 0);
  for (std::size_t d = 0; d < rank; ++d) shape.push_back(x[d]);
  shape[how.axis] = kind == FourierKind::of_real ? how.n / 2 + 1 : how.n;
  if (gives_pairs(kind)) shape.push_back(2);
  return shape;
}

FourierJob job_of(FourierKind kind, const FourierAttributes& how, const Shape& x) {
  AxisView view(x, how.axis);
  if (takes_pairs(kind)) view.inner /= 2;
  return {kind, how.n, view.outer * view.inner, view.inner, how.scale, how.middle};
}

/// 5 n log2 n a transform of pairs, as is usual, and half of it for real numbers.
std::int64_t fourier_flops(const FourierJob& job) {
  const bool is_real = job.kind == FourierKind::of_real || job.kind == FourierKind::to_real;
  const auto n = static_cast<double>(job.n);
  return job.rows * std::llround((is_real ? 2.5 : 5) * n * std::log2(n));
}

void check_loaded_fourier(std::string_view name, FourierKind kind, const FourierAttributes& how,
                          const Shape& x) {
  require_axis(name, how.axis, x);
  if (takes_pairs(kind)) {
    require_attribute(x.back() == 2, name, "pairs", "along a last axis of size 2", x.back());
    require_attribute(how.axis + 1 < x.rank(), name, "axis", "before that of the pairs",
                      static_cast<std::int64_t>(how.axis));
  } else {
    require_attribute(x.rank() < Shape::max_rank, name, "axis", "of a tensor that can have one more",
                      static_cast<std::int64_t>(how.axis));
  }
  require_attribute(how.n >= 1 && how.n <= most_points, name, "n", "from 1 to 2^31 - 1", how.n);
  const std::int64_t size = x[how.axis];
  require_attribute(size == points_in(kind, how.n), name, "n", "that of the axis", size);
}

Tensor transformed(FourierKind kind, const FourierAttributes& how, const Tensor& x);

/// The adjoint of a transform is another one. Of real numbers, a bin that stands for two has twice the share
/// in what it gives that it gets from it.
Tensor adjoint(FourierKind kind, FourierAttributes how, const Tensor& g) {
  switch (kind) {
    case FourierKind::pairs:
      return transformed(FourierKind::pairs_back, how, g);
    case FourierKind::pairs_back:
      return transformed(FourierKind::pairs, how, g);
    case FourierKind::of_real:
      how.middle /= 2;
      return transformed(FourierKind::to_real, how, g);
    case FourierKind::to_real:
      break;
  }
  how.middle *= 2;
  return transformed(FourierKind::of_real, how, g);
}

template <OpId Id, FourierKind Kind>
class Fourier final : public PrimitiveOf<Fourier<Id, Kind>, Id> {
 public:
  explicit Fourier(const FourierAttributes& how = {}) : how_(how) {}

  void describe(Attributes& a) override {
    a("axis", how_.axis);
    a("n", how_.n);
    a("scale", how_.scale, 1);
    a("middle", how_.middle, 1);
  }
  void infer(InputSpecs in, OutputSpecs out) const override {
    check_floating(Id, *in[0]);
    out[0]->dtype = in[0]->dtype;
    out[0]->shape = transformed_shape(Kind, how_, in[0]->shape);
  }
  void eval(Inputs in, Outputs out) const override {
    fourier_rows(job_of(Kind, how_, in[0]->shape), *in[0], *out[0]);
  }
  [[nodiscard]] std::int64_t flops(InputSpecs in, InputSpecs) const override {
    return fourier_flops(job_of(Kind, how_, in[0]->shape));
  }
  void check_loaded(InputSpecs in, InputSpecs out) const override {
    this->require_call(in, out, 1);
    check_loaded_fourier(this->name(), Kind, how_, in[0]->shape);
  }
  void vjp(VjpContext& context) const override { context.set(0, adjoint(Kind, how_, context.g())); }
  [[nodiscard]] bool batch(BatchContext& context) const override {
    FourierAttributes how = how_;
    ++how.axis;
    context.set(0, transformed(Kind, how, context.input(0).tensor));
    return true;
  }

 private:
  FourierAttributes how_;
};

Tensor transformed(FourierKind kind, const FourierAttributes& how, const Tensor& x) {
  const std::array in{&x};
  switch (kind) {
    case FourierKind::pairs:
      return apply_any(Fourier<OpId::fft, FourierKind::pairs>(how), in);
    case FourierKind::pairs_back:
      return apply_any(Fourier<OpId::ifft, FourierKind::pairs_back>(how), in);
    case FourierKind::of_real:
      return apply_any(Fourier<OpId::rfft, FourierKind::of_real>(how), in);
    case FourierKind::to_real:
      break;
  }
  return apply_any(Fourier<OpId::irfft, FourierKind::to_real>(how), in);
}

void check_pairs(OpId op, const Tensor& z, std::string_view operand = "z") {
  check_floating(op, array_of(z));
  if (z.rank() >= 1 && z.shape().back() == 2) return;
  throw ShapeError(fmt::format("{}: needs pairs (real, imaginary) along a last axis of size 2: {} is {}",
                               to_string(op), operand, to_string(z.shape())));
}

/// The axes that z has without that of the pairs.
std::size_t checked_rank(OpId op, FourierKind kind, const Tensor& x) {
  if (takes_pairs(kind)) {
    check_pairs(op, x);
    return x.rank() - 1;
  }
  check_floating(op, array_of(x));
  if (x.rank() < Shape::max_rank) return x.rank();
  throw ShapeError(fmt::format("{}: needs at most {} dimensions, since pairs take one: x is {}",
                               to_string(op), Shape::max_rank - 1, to_string(x.shape())));
}

/// Cut off, or filled up with zeros.
Tensor with_size(const Tensor& x, std::size_t axis, std::int64_t size) {
  const std::int64_t before = x.shape()[axis];
  const auto signed_axis = static_cast<std::int64_t>(axis);
  if (before > size) return slice(x, {.axis = signed_axis, .stop = size});
  if (before < size) return pad(x, {.axis = signed_axis, .high = size - before});
  return x;
}

double scale_of(FourierKind kind, std::int64_t n, FourierNorm norm) {
  const bool is_inverse = kind == FourierKind::pairs_back || kind == FourierKind::to_real;
  const auto points = static_cast<double>(n);
  if (norm == FourierNorm::ortho) return 1 / std::sqrt(points);
  return (norm == FourierNorm::backward) == is_inverse ? 1 / points : 1;
}

/// Along one axis; as many points as there are if `n` is absent.
Tensor along(OpId op, FourierKind kind, const Tensor& x, std::size_t axis, std::optional<std::int64_t> n,
             FourierNorm norm) {
  const std::int64_t size = x.shape()[axis];
  const std::int64_t points = n.value_or(kind == FourierKind::to_real ? 2 * (size - 1) : size);
  if (points < 1 || points > most_points) {
    if (n) throw ValueError(fmt::format("{}: n must be from 1 to 2^31 - 1, got {}", to_string(op), points));
    throw ShapeError(fmt::format("{}: needs from 1 to 2^31 - 1 points along axis {}, got {}: {} is {}",
                                 to_string(op), axis, points, takes_pairs(kind) ? "z" : "x",
                                 to_string(x.shape())));
  }
  const FourierAttributes how{axis, points, scale_of(kind, points, norm), 1};
  return transformed(kind, how, with_size(x, axis, points_in(kind, points)));
}

Tensor one_axis(OpId op, FourierKind kind, const Tensor& x, const FourierOptions& options) {
  const std::size_t axis = normalize_axis(to_string(op), options.axis, checked_rank(op, kind, x));
  return along(op, kind, x, axis, options.n, options.norm);
}

struct AxisPoints {
  std::size_t axis;
  std::optional<std::int64_t> n;
};

std::vector<AxisPoints> axes_of(OpId op, const FourierNdOptions& options, std::size_t rank) {
  const std::size_t count = !options.axes.all()     ? options.axes.named().size()
                            : options.sizes.empty() ? rank
                                                    : options.sizes.size();
  if (!options.sizes.empty() && options.sizes.size() != count) {
    throw ValueError(fmt::format("{}: needs a size for each axis, or none: got {} sizes and {} axes",
                                 to_string(op), options.sizes.size(), count));
  }
  if (count == 0 || count > rank) {
    throw ShapeError(fmt::format("{}: needs from 1 to as many axes as there are, got {} of {}", to_string(op),
                                 count, rank));
  }
  std::vector<AxisPoints> all;
  for (std::size_t i = 0; i < count; ++i) {
    const std::size_t axis =
        options.axes.all() ? rank - count + i : normalize_axis(to_string(op), options.axes.named()[i], rank);
    const auto is_same = [axis](const AxisPoints& other) { return other.axis == axis; };
    if (std::any_of(all.begin(), all.end(), is_same))
      throw ShapeError(fmt::format("{}: axis {} is named twice", to_string(op), axis));
    all.push_back({axis, std::nullopt});
    if (!options.sizes.empty() && options.sizes[i] != -1) all.back().n = options.sizes[i];
  }
  return all;
}

/// Along several axes. The one of real numbers is the last, and comes where they still are, or again, real.
Tensor several_axes(OpId op, FourierKind kind, Tensor x, const FourierNdOptions& options) {
  const std::vector<AxisPoints> axes = axes_of(op, options, checked_rank(op, kind, x));
  const bool is_real = !takes_pairs(kind) || !gives_pairs(kind);
  const FourierKind inner = kind == FourierKind::of_real   ? FourierKind::pairs
                            : kind == FourierKind::to_real ? FourierKind::pairs_back
                                                           : kind;
  const AxisPoints& last = axes.back();
  if (kind == FourierKind::of_real) x = along(op, kind, x, last.axis, last.n, options.norm);
  for (std::size_t i = axes.size() - (is_real ? 1 : 0); i-- > 0;)
    x = along(op, inner, x, axes[i].axis, axes[i].n, options.norm);
  if (kind == FourierKind::to_real) x = along(op, kind, x, last.axis, last.n, options.norm);
  return x;
}

Tensor of_images(OpId op, FourierKind kind, const Tensor& x, const Fourier2dOptions& options) {
  return several_axes(op, kind, x, {options.sizes, options.axes, options.norm});
}

/// x rolled by half of each of the axes, rounded down or up.
Tensor rolled_by_half(OpId op, const Tensor& x, const Axes& axes, bool up) {
  std::vector<std::int64_t> by, along_axes;
  const std::size_t count = axes.all() ? x.rank() : axes.named().size();
  for (std::size_t i = 0; i < count; ++i) {
    const std::size_t axis = axes.all() ? i : normalize_axis(to_string(op), axes.named()[i], x.rank());
    along_axes.push_back(static_cast<std::int64_t>(axis));
    by.push_back((x.shape()[axis] + (up ? 1 : 0)) / 2);
  }
  return count == 0 ? alias(x) : roll(x, by, along_axes);
}

void check_spacing(std::string_view function, std::int64_t n, double spacing) {
  if (n >= 1 && n <= most_points && spacing != 0 && std::isfinite(spacing)) return;
  throw ValueError(
      fmt::format("{}: needs n from 1 to 2^31 - 1 and a spacing that is finite and not 0, got {} and {}",
                  function, n, spacing));
}

template <class F>
Tensor frequencies(std::int64_t count, F number, std::int64_t n, double spacing,
                   const TensorOptions& options) {
  std::vector<double> values;
  for (std::int64_t k = 0; k < count; ++k)
    values.push_back(static_cast<double>(number(k)) / (static_cast<double>(n) * spacing));
  return from_vector(values, {options.dtype.value_or(default_dtype()), options.requires_grad});
}

Tensor part_of(const Tensor& z, std::int64_t part) { return select(z, -1, part); }

struct Frames {
  std::int64_t n, hop;
};

Frames checked_frames(OpId op, const Tensor& x, std::int64_t n, std::optional<std::int64_t> hop,
                      const Tensor& window) {
  const Frames frames{n, hop.value_or(std::max<std::int64_t>(1, n / 4))};
  if (n < 1 || n > most_points || frames.hop < 1 || frames.hop > most_points) {
    throw ValueError(
        fmt::format("{}: n and hop must be from 1 to 2^31 - 1, got {} and {}", to_string(op), n, frames.hop));
  }
  if (!window.defined()) return frames;
  check_same_dtype(op, array_of(x), array_of(window), {op == OpId::stft ? "x" : "z", "window"});
  if (window.shape() == Shape{n}) return frames;
  throw ShapeError(fmt::format("{}: the window must have the points of a frame: window is {}, n is {}",
                               to_string(op), to_string(window.shape()), n));
}

FourierNorm frame_norm(bool normalized) { return normalized ? FourierNorm::ortho : FourierNorm::backward; }

/// Frames [batch, frames, n], added up where they overlap: [batch, points].
Tensor overlapped(const Tensor& frames, std::int64_t hop) {
  const Shape& shape = frames.shape();
  const std::int64_t points = (shape[1] - 1) * hop + shape[2];
  const Tensor added =
      fold2d(transpose(frames), {1, points}, {.kernel = {1, shape[2]}, .stride = Size2d(1, hop)});
  return reshaped(added, {shape[0], points});
}

}}  // namespace detail

using detail::FourierKind;
using detail::OpId;

Tensor fft(const Tensor& z, const FourierOptions& options) {
  return detail::one_axis(OpId::fft, FourierKind::pairs, z, options);
}
Tensor ifft(const Tensor& z, const FourierOptions& options) {
  return detail::one_axis(OpId::ifft, FourierKind::pairs_back, z, options);
}
Tensor rfft(const Tensor& x, const FourierOptions& options) {
  return detail::one_axis(OpId::rfft, FourierKind::of_real, x, options);
}
Tensor irfft(const Tensor& z, const FourierOptions& options) {
  return detail::one_axis(OpId::irfft, FourierKind::to_real, z, options);
}

Tensor fftn(const Tensor& z, const FourierNdOptions& options) {
  return detail::several_axes(OpId::fftn, FourierKind::pairs, z, options);
}
Tensor ifftn(const Tensor& z, const FourierNdOptions& options) {
  return detail::several_axes(OpId::ifftn, FourierKind::pairs_back, z, options);
}
Tensor rfftn(const Tensor& x, const FourierNdOptions& options) {
  return detail::several_axes(OpId::rfftn, FourierKind::of_real, x, options);
}
Tensor irfftn(const Tensor& z, const FourierNdOptions& options) {
  return detail::several_axes(OpId::irfftn, FourierKind::to_real, z, options);
}

Tensor fft2(const Tensor& z, const Fourier2dOptions& options) {
  return detail::of_images(OpId::fft2, FourierKind::pairs, z, options);
}
Tensor ifft2(const Tensor& z, const Fourier2dOptions& options) {
  return detail::of_images(OpId::ifft2, FourierKind::pairs_back, z, options);
}
Tensor rfft2(const Tensor& x, const Fourier2dOptions& options) {
  return detail::of_images(OpId::rfft2, FourierKind::of_real, x, options);
}
Tensor irfft2(const Tensor& z, const Fourier2dOptions& options) {
  return detail::of_images(OpId::irfft2, FourierKind::to_real, z, options);
}

Tensor fftshift(const Tensor& x, const Axes& axes) {
  return detail::rolled_by_half(OpId::fftshift, x, axes, false);
}
Tensor ifftshift(const Tensor& x, const Axes& axes) {
  return detail::rolled_by_half(OpId::ifftshift, x, axes, true);
}

Tensor fftfreq(std::int64_t n, double spacing, const TensorOptions& options) {
  detail::check_spacing("fftfreq", n, spacing);
  // After those of the first half, n / 2 rounded up, come the negative ones.
  return detail::frequencies(
      n, [n](std::int64_t k) { return k < (n + 1) / 2 ? k : k - n; }, n, spacing, options);
}

Tensor rfftfreq(std::int64_t n, double spacing, const TensorOptions& options) {
  detail::check_spacing("rfftfreq", n, spacing);
  return detail::frequencies(
      n / 2 + 1, [](std::int64_t k) { return k; }, n, spacing, options);
}

Tensor complex_mul(const Tensor& a, const Tensor& b) {
  detail::check_pairs(OpId::complex_mul, a, "a");
  detail::check_pairs(OpId::complex_mul, b, "b");
  detail::check_same_dtype(OpId::complex_mul, detail::array_of(a), detail::array_of(b));
  static_cast<void>(detail::common_shape(OpId::complex_mul, a.shape(), b.shape()));
  const Tensor ar = detail::part_of(a, 0), ai = detail::part_of(a, 1);
  const Tensor br = detail::part_of(b, 0), bi = detail::part_of(b, 1);
  return stack({ar * br - ai * bi, ar * bi + ai * br}, -1);
}

Tensor complex_conj(const Tensor& z) {
  detail::check_pairs(OpId::complex_conj, z);
  return stack({detail::part_of(z, 0), -detail::part_of(z, 1)}, -1);
}

Tensor complex_abs(const Tensor& z) {
  detail::check_pairs(OpId::complex_abs, z);
  return hypot(detail::part_of(z, 0), detail::part_of(z, 1));
}

Tensor complex_angle(const Tensor& z) {
  detail::check_pairs(OpId::complex_angle, z);
  return atan2(detail::part_of(z, 1), detail::part_of(z, 0));
}

Tensor stft(const Tensor& x, const StftOptions& options) {
  constexpr OpId op = OpId::stft;
  detail::check_floating(op, detail::array_of(x));
  const auto [n, hop] = detail::checked_frames(op, x, options.n, options.hop, options.window);
  const std::int64_t edge = options.center ? n / 2 : 0;
  const std::int64_t length = x.rank() == 0 ? 0 : x.shape().back();
  if (length + 2 * edge < n || (edge > 0 && length <= edge) || x.rank() + 2 > Shape::max_rank) {
    throw ShapeError(fmt::format(
        "stft: needs a signal of at least a frame, or of more than half of one if that is centered, and at "
        "most {} dimensions: x is {}, n is {}",
        Shape::max_rank - 2, to_string(x.shape()), n));
  }
  const Tensor signal = edge == 0 ? x : pad_reflect(x, {.axis = -1, .low = edge, .high = edge});
  Tensor frames = unfold(signal, {.size = n, .step = hop});
  if (options.window.defined()) frames = frames * options.window;
  return transpose(rfft(frames, {.norm = detail::frame_norm(options.normalized)}), -3, -2);
}

Tensor istft(const Tensor& z, const IstftOptions& options) {
  constexpr OpId op = OpId::istft;
  detail::check_pairs(op, z);
  const auto [n, hop] = detail::checked_frames(op, z, options.n, options.hop, options.window);
  const Shape& shape = z.shape();
  if (z.rank() < 3 || shape[z.rank() - 3] != n / 2 + 1 || shape[z.rank() - 2] < 1) {
    throw ShapeError(fmt::format("istft: needs frames [..., n / 2 + 1, frames, 2]: z is {}, n is {}",
                                 to_string(shape), n));
  }
  const std::int64_t frames = shape[z.rank() - 2], points = (frames - 1) * hop + n;
  const std::int64_t edge = options.center ? n / 2 : 0;
  const std::int64_t length = options.length.value_or(points - 2 * edge);
  if (length < 1 || length > points - edge) {
    throw ValueError(fmt::format("istft: the length must be from 1 to what the frames reach, {}: got {}",
                                 points - edge, length));
  }
  std::int64_t signals = 1;
  Shape result;
  for (std::size_t d = 0; d + 3 < z.rank(); ++d) {
    signals *= shape[d];
    result.push_back(shape[d]);
  }
  result.push_back(length);
  Tensor parts = irfft(transpose(z, -3, -2), {.n = n, .norm = detail::frame_norm(options.normalized)});
  const Tensor window = options.window.defined() ? options.window : ones({n}, {.dtype = z.dtype()});
  if (options.window.defined()) parts = parts * window;
  const auto overlapped = [&, hop = hop](const Tensor& some) {
    return slice(detail::overlapped(some, hop), {.axis = 1, .start = edge, .stop = edge + length});
  };
  const Tensor weights = overlapped(broadcast_to(square(window), {1, frames, n}));
  return reshape(overlapped(reshape(parts, {signals, frames, n})) / weights, result);
}

}  // namespace xtgrad::v1
