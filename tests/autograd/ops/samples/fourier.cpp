// Samples of discrete Fourier transforms. The reference is the sum of the definition, in long double.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <complex>
#include <numbers>

#include "tests/support/op_samples.h"
#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/functions/fourier.h"
#include "xtgrad/autograd/ops.h"

namespace xtgrad::inline v1::testing { namespace {

using Pair = std::complex<Real>;

/// e^(2 pi i k / n).
Pair wave(std::int64_t k, std::int64_t n) {
  const Real angle = 2 * std::numbers::pi_v<Real> * static_cast<Real>(k % n) / static_cast<Real>(n);
  return {std::cos(angle), std::sin(angle)};
}

Real factor(std::int64_t n, FourierNorm norm, bool is_inverse) {
  const Real points = static_cast<Real>(n);
  if (norm == FourierNorm::ortho) return 1 / std::sqrt(points);
  return (norm == FourierNorm::forward) != is_inverse ? 1 / points : 1;
}

/// Element j of pairs along an axis, 0 beyond the end.
Pair element(const Values& z, Index at, std::size_t axis, std::int64_t j) {
  if (j >= z.shape[axis]) return 0;
  at[axis] = j;
  at.back() = 0;
  const Real re = z.at(at);
  at.back() = 1;
  return {re, z.at(at)};
}

/// The transform of n points, with sign -1 or, for the inverse, 1 in the exponent.
Values transform(const Values& z, std::size_t axis, std::int64_t n, int sign, FourierNorm norm) {
  Shape shape = z.shape;
  shape[axis] = n;
  return fill(shape, [&](const Index& at) {
    Pair sum = 0;
    for (std::int64_t j = 0; j < n; ++j) {
      const Pair w = wave(j * at[axis], n);
      sum += element(z, at, axis, j) * (sign < 0 ? std::conj(w) : w);
    }
    return (at.back() == 0 ? sum.real() : sum.imag()) * factor(n, norm, sign > 0);
  });
}

Values with_zeros(const Values& x) {
  Shape shape = x.shape;
  shape.push_back(2);
  return fill(shape, [&](Index at) {
    const bool is_real = at.back() == 0;
    at.pop_back();
    return is_real ? x.at(at) : 0;
  });
}

Shape without_last(const Shape& shape) { return Shape(std::span(shape.begin(), shape.rank() - 1)); }

/// Entries of an axis up to `count`.
Values first_of(const Values& x, std::size_t axis, std::int64_t count) {
  Shape shape = x.shape;
  shape[axis] = count;
  return fill(shape, [&](const Index& at) { return x.at(at); });
}

Values of_real(const Values& x, std::size_t axis, std::int64_t n, FourierNorm norm) {
  return first_of(transform(with_zeros(x), axis, n, -1, norm), axis, n / 2 + 1);
}

/// Of all n bins, of which the second half is made of the first, the real part.
Values to_real(const Values& z, std::size_t axis, std::int64_t n, FourierNorm norm) {
  Shape all = z.shape, result = without_last(z.shape);
  all[axis] = n;
  const Values whole = fill(all, [&](const Index& at) {
    const std::int64_t k = at[axis], twin = std::min(k, n - k);
    const Pair bin = element(z, at, axis, twin);
    if (at.back() == 0) return bin.real();
    return k == 0 || 2 * k == n ? 0 : k == twin ? bin.imag() : -bin.imag();
  });
  const Values points = transform(whole, axis, n, 1, norm);
  result[axis] = n;
  return fill(result, [&](Index at) {
    at.push_back(0);
    return points.at(at);
  });
}

// With elements up to 1, a transform of 16 points has a norm of up to 16 sqrt(2). Each of its passes, four of
// radix 2 at most, adds at most 7 u of that (Higham, 2002, section 24.1), u half an ulp: 28 u times 22.6,
// which no element's error exceeds, is 20 ulps of a value from 16 on. Sums of 7 terms round as often.
constexpr Accuracy of_transforms{.ulps = 20, .floor = 16, .signed_zeros = false};

constexpr Domain up_to_one{.low = -1, .high = 1};

struct Case {
  Shape shape;
  FourierOptions options = {};
  bool derivatives = true;
};

const char* name_of(FourierNorm norm) {
  return norm == FourierNorm::ortho ? "ortho" : norm == FourierNorm::forward ? "forward" : "backward";
}

std::string describe(const Case& c) {
  return fmt::format("{}, axis {}, n {}, {}", to_string(c.shape), c.options.axis, c.options.n.value_or(-1),
                     name_of(c.options.norm));
}

/// Every way through the kernels is in tests/autograd/ops/fourier_test.cpp.
void add(Op& op, const Case& c, const Apply& apply,
         const std::function<Values(const Values&, std::size_t, std::int64_t)>& reference, bool pairs) {
  const auto rank = static_cast<std::int64_t>(c.shape.rank()) - (pairs ? 1 : 0);
  const auto axis = static_cast<std::size_t>(c.options.axis < 0 ? c.options.axis + rank : c.options.axis);
  op.sample({.attributes = describe(c),
             .inputs = {{.shape = c.shape, .domain = up_to_one}},
             .apply = apply,
             .reference =
                 [=](std::span<const Values> in) {
                   return reference(in[0], axis, c.options.n.value_or(in[0].shape[axis]));
                 },
             .linear_in = {0},
             .linear_exactly = false,
             .derivatives = c.derivatives,
             .nasty = false});  // of an infinity all bins are infinities, or differences of them
}

std::vector<Case> pair_cases() {
  using enum FourierNorm;
  return {{{2, 4, 2}},
          {{3, 2, 2}, {.axis = 0}},
          {{2, 5, 2, 2}, {.axis = 1, .norm = ortho}},
          {{1, 2}},
          {{6, 2}, {.n = 4, .norm = forward}},
          {{2, 3, 2}, {.n = 8}},
          {{0, 4, 2}},
          {{18, 16, 2}, {}, false},
          {{14, 19, 2}, {.axis = 0}, false}};
}

template <class F>
void add_pairs(Op& op, F transformed, int sign) {
  op.accuracy = of_transforms;
  for (const Case& c : pair_cases()) {
    add(
        op, c, [=](const Tensor& z) { return transformed(z, c.options); },
        [=](const Values& z, std::size_t axis, std::int64_t n) {
          return transform(z, axis, n, sign, c.options.norm);
        },
        true);
  }
  op.template throws<ShapeError>("needs pairs (real, imaginary) along a last axis of size 2: z is [2, 3]",
                                 [=] {
                                   return transformed(ones({2, 3}), {});
                                 });
  op.template throws<ShapeError>("z is []", [=] { return transformed(ones({}), {}); });
  op.template throws<ShapeError>("axis", [=] { return transformed(ones({2}), {}); });
  op.template throws<ShapeError>("axis", [=] { return transformed(ones({4, 2}), {.axis = 1}); });
  op.template throws<ShapeError>("needs from 1 to 2^31 - 1 points along axis 0, got 0: z is [0, 2]", [=] {
    return transformed(ones({0, 2}), {});
  });
  op.template throws<ValueError>("n must be from 1 to 2^31 - 1, got 0", [=] {
    return transformed(ones({4, 2}), {.n = 0});
  });
}

const OpSamples fft_samples(OpId::fft, [](Op& op) {
  add_pairs(op, fft, -1);
  op.exact({"of an impulse",
            {Values{{4, 2}, {1, 0, 0, 0, 0, 0, 0, 0}}},
            [](const Tensor& z) { return fft(z); },
            Values{{4, 2}, {1, 0, 1, 0, 1, 0, 1, 0}},
            {Values{{4, 2}, {4, 4, 0, 0, 0, 0, 0, 0}}}});
  op.exact({"of a constant",
            {Values{{6, 2}, {1, 2, 1, 2, 1, 2, 1, 2, 1, 2, 1, 2}}},
            [](const Tensor& z) { return fft(z); },
            Values{{6, 2}, {6, 12, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}}});
  op.exact({"of an impulse behind",
            {Values{{4, 2}, {0, 0, 1, 0, 0, 0, 0, 0}}},
            [](const Tensor& z) { return fft(z); },
            Values{{4, 2}, {1, 0, 0, -1, -1, 0, 0, 1}}});
});

const OpSamples ifft_samples(OpId::ifft, [](Op& op) {
  add_pairs(op, ifft, 1);
  op.exact({"of an impulse behind",
            {Values{{4, 2}, {0, 0, 4, 0, 0, 0, 0, 0}}},
            [](const Tensor& z) { return ifft(z); },
            Values{{4, 2}, {1, 0, 0, 1, -1, 0, 0, -1}}});
});

const OpSamples rfft_samples(OpId::rfft, [](Op& op) {
  using enum FourierNorm;
  op.accuracy = of_transforms;
  for (const Case& c : std::vector<Case>{{{2, 4}},
                                         {{3, 2}, {.axis = 0}},
                                         {{2, 5, 2}, {.axis = 1, .norm = ortho}},
                                         {{1}},
                                         {{2}},
                                         {{6}, {.n = 4, .norm = forward}},
                                         {{2, 3}, {.n = 8}},
                                         {{0, 4}},
                                         {{18, 16}, {}, false},
                                         {{15, 19}, {.axis = 0}, false}}) {
    add(
        op, c, [=](const Tensor& x) { return rfft(x, c.options); },
        [=](const Values& x, std::size_t axis, std::int64_t n) {
          return of_real(x, axis, n, c.options.norm);
        },
        false);
  }
  op.exact({"of both waves of two points",
            {Values{{4}, {3, 1, 3, 1}}},
            [](const Tensor& x) { return rfft(x); },
            Values{{3, 2}, {8, 0, 0, 0, 4, 0}},
            {Values{{4}, {3, -1, 1, 1}}}});
  op.throws<ShapeError>("axis", [] { return rfft(ones({})); });
  op.throws<ShapeError>("needs from 1 to 2^31 - 1 points along axis 1, got 0: x is [2, 0]", [] {
    return rfft(ones({2, 0}));
  });
  op.throws<ValueError>("n must be from 1 to 2^31 - 1, got -3", [] { return rfft(ones({2}), {.n = -3}); });
  op.throws<ShapeError>("needs at most 7 dimensions, since pairs take one", [] {
    return rfft(ones({1, 1, 1, 1, 1, 1, 1, 1}));
  });
});

const OpSamples irfft_samples(OpId::irfft, [](Op& op) {
  using enum FourierNorm;
  op.accuracy = of_transforms;
  for (const Case& c : std::vector<Case>{{{2, 3, 2}, {.n = 4}},
                                         {{2, 3, 2}, {.n = 5, .norm = ortho}},
                                         {{2, 2, 2}, {.n = 2, .axis = 0}},
                                         {{1, 2}, {.n = 1}},
                                         {{4, 2}, {.n = 4, .norm = forward}},
                                         {{2, 2}, {.n = 8}},
                                         {{0, 3, 2}, {.n = 4}},
                                         {{18, 9, 2}, {.n = 16}, false},
                                         {{8, 19, 2}, {.n = 15, .axis = 0}, false}}) {
    add(
        op, c, [=](const Tensor& z) { return irfft(z, c.options); },
        [=](const Values& z, std::size_t axis, std::int64_t n) {
          return to_real(z, axis, n, c.options.norm);
        },
        true);
  }
  // Imaginary parts of the first and the last bin are not looked at.
  op.exact({"of three bins",
            {Values{{3, 2}, {8, 5, 0, 0, 4, 7}}},
            [](const Tensor& z) { return irfft(z); },
            Values{{4}, {3, 1, 3, 1}},
            {Values{{3, 2}, {1, 0, 0, 0, 0, 0}}}});
  op.throws<ShapeError>("needs from 1 to 2^31 - 1 points along axis 0, got 0: z is [1, 2]", [] {
    return irfft(ones({1, 2}));
  });
  op.throws<ShapeError>("needs pairs", [] { return irfft(ones({3})); });
  op.throws<ValueError>("n must be from 1 to 2^31 - 1, got 0", [] { return irfft(ones({3, 2}), {.n = 0}); });
});

/// Along two axes of a stack of images, [2, 3, 4] or pairs of that, or of other sizes.
template <class F>
void add_images(Op& op, F call, const std::function<Values(const Values&, std::size_t, std::size_t)>& along,
                const Shape& shape, const Shape& empty) {
  op.accuracy = of_transforms;
  const auto sample = [&](const Shape& of, const Axes& axes, std::size_t first, std::size_t second) {
    op.sample({.attributes = fmt::format("{}, axes {} and {}", to_string(of), first, second),
               .inputs = {{.shape = of, .domain = up_to_one}},
               .apply = [=](const Tensor& x) { return call(x, axes); },
               .reference = [=](std::span<const Values> in) { return along(in[0], first, second); },
               .linear_in = {0},
               .linear_exactly = false,
               .nasty = false});
  };
  sample(shape, {-2, -1}, 1, 2);
  sample(shape, {2, 0}, 2, 0);
  sample(empty, {1, 2}, 1, 2);
  op.template throws<ShapeError>("axis 1 is named twice", [=] { return call(ones(shape), Axes{1, -2}); });
  op.template throws<ShapeError>("axis", [=] { return call(ones(shape), Axes{0, 5}); });
}

Values twice(const Values& z, std::size_t first, std::size_t second, int sign) {
  const auto norm = FourierNorm::backward;
  const Values once = transform(z, second, z.shape[second], sign, norm);
  return transform(once, first, once.shape[first], sign, norm);
}

const auto forward_twice = [](const Values& z, std::size_t a, std::size_t b) { return twice(z, a, b, -1); };
const auto back_twice = [](const Values& z, std::size_t a, std::size_t b) { return twice(z, a, b, 1); };
const auto of_real_twice = [](const Values& x, std::size_t a, std::size_t b) {
  const Values once = of_real(x, b, x.shape[b], FourierNorm::backward);
  return transform(once, a, once.shape[a], -1, FourierNorm::backward);
};
const auto to_real_twice = [](const Values& z, std::size_t a, std::size_t b) {
  const Values once = transform(z, a, z.shape[a], 1, FourierNorm::backward);
  return to_real(once, b, 2 * (z.shape[b] - 1), FourierNorm::backward);
};

const Shape pairs_of_images{2, 3, 4, 2}, no_pairs{0, 2, 3, 2}, images{2, 3, 4}, no_images{0, 2, 3};

const OpSamples fftn_samples(OpId::fftn, [](Op& op) {
  add_images(
      op, [](const Tensor& z, const Axes& axes) { return fftn(z, {.axes = axes}); }, forward_twice,
      pairs_of_images, no_pairs);
  op.sample({.attributes = "sizes, and one that stays",
             .inputs = {{.shape = {2, 3, 2, 2}, .domain = up_to_one}},
             .apply =
                 [](const Tensor& z) {
                   return fftn(z, {.sizes = {4, -1}, .norm = FourierNorm::ortho});
                 },
             .reference =
                 [](std::span<const Values> in) {
                   const Values once = transform(in[0], 2, 2, -1, FourierNorm::ortho);
                   return transform(once, 1, 4, -1, FourierNorm::ortho);
                 },
             .linear_in = {0},
             .linear_exactly = false,
             .nasty = false});
  op.throws<ValueError>("needs a size for each axis, or none: got 1 sizes and 2 axes", [] {
    return fftn(ones({2, 3, 2}), {.sizes = {4}, .axes = {0, 1}});
  });
  op.throws<ShapeError>("needs from 1 to as many axes as there are, got 3 of 2", [] {
    return fftn(ones({2, 3, 2}), {.sizes = {1, 2, 3}});
  });
  op.throws<ShapeError>("needs pairs", [] { return fftn(ones({2, 3})); });
});
const OpSamples ifftn_samples(OpId::ifftn, [](Op& op) {
  add_images(
      op, [](const Tensor& z, const Axes& axes) { return ifftn(z, {.axes = axes}); }, back_twice,
      pairs_of_images, no_pairs);
});
const OpSamples rfftn_samples(OpId::rfftn, [](Op& op) {
  add_images(
      op, [](const Tensor& x, const Axes& axes) { return rfftn(x, {.axes = axes}); }, of_real_twice, images,
      no_images);
});
const OpSamples irfftn_samples(OpId::irfftn, [](Op& op) {
  add_images(
      op, [](const Tensor& z, const Axes& axes) { return irfftn(z, {.axes = axes}); }, to_real_twice,
      pairs_of_images, no_pairs);
});

const OpSamples fft2_samples(OpId::fft2, [](Op& op) {
  add_images(
      op, [](const Tensor& z, const Axes& axes) { return fft2(z, {.axes = axes}); }, forward_twice,
      pairs_of_images, no_pairs);
});
const OpSamples ifft2_samples(OpId::ifft2, [](Op& op) {
  add_images(
      op, [](const Tensor& z, const Axes& axes) { return ifft2(z, {.axes = axes}); }, back_twice,
      pairs_of_images, no_pairs);
});
const OpSamples rfft2_samples(OpId::rfft2, [](Op& op) {
  add_images(
      op, [](const Tensor& x, const Axes& axes) { return rfft2(x, {.axes = axes}); }, of_real_twice, images,
      no_images);
});
const OpSamples irfft2_samples(OpId::irfft2, [](Op& op) {
  add_images(
      op, [](const Tensor& z, const Axes& axes) { return irfft2(z, {.axes = axes}); }, to_real_twice,
      pairs_of_images, no_pairs);
});

/// Element i of an axis of n is what was at i - shift.
Values rolled(const Values& x, const std::vector<std::int64_t>& shifts) {
  return fill(x.shape, [&](Index at) {
    for (std::size_t d = 0; d < at.size(); ++d) at[d] = (at[d] + x.shape[d] - shifts[d]) % x.shape[d];
    return x.at(at);
  });
}

template <class F>
void add_shift(Op& op, F shift, bool up) {
  op.accepts = Accepts::everything;
  op.parts = {OpId::roll, OpId::alias};
  const auto half = [up](std::int64_t n) { return n < 2 && !up ? 0 : (n + (up ? 1 : 0)) / 2 % n; };
  op.sample({.attributes = "all axes",
             .inputs = {{.shape = {4, 3}}},
             .apply = [=](const Tensor& x) { return shift(x, {}); },
             .reference =
                 [=](std::span<const Values> in) {
                   return rolled(in[0], {half(4), half(3)});
                 },
             .linear_in = {0}});
  op.sample({.attributes = "one axis",
             .inputs = {{.shape = {2, 5, 2}}},
             .apply = [=](const Tensor& x) { return shift(x, {-2}); },
             .reference =
                 [=](std::span<const Values> in) {
                   return rolled(in[0], {0, half(5), 0});
                 },
             .linear_in = {0}});
  op.template throws<ShapeError>("axis", [=] { return shift(ones({3}), Axes{1}); });
}

const OpSamples fftshift_samples(OpId::fftshift, [](Op& op) { add_shift(op, fftshift, false); });
const OpSamples ifftshift_samples(OpId::ifftshift, [](Op& op) { add_shift(op, ifftshift, true); });

const OpSamples complex_mul_samples(OpId::complex_mul, [](Op& op) {
  // Two products and their sum, each rounded, of up to 2.
  op.accuracy = {.ulps = 2, .floor = 1, .signed_zeros = false, .gradient_floor = 1};
  op.parts = {OpId::select, OpId::stack, OpId::mul};
  const auto sample = [&](const Shape& a, const Shape& b) {
    op.sample({.attributes = fmt::format("{} and {}", to_string(a), to_string(b)),
               .inputs = {{.shape = a, .domain = up_to_one}, {.shape = b, .domain = up_to_one}},
               .apply = [](const Tensor& x, const Tensor& y) { return complex_mul(x, y); },
               .reference =
                   [](std::span<const Values> in) {
                     const Shape &left = in[0].shape, &right = in[1].shape;
                     return fill(broadcast_shapes("complex_mul", left, right), [&](const Index& at) {
                       const auto pair = [&](const Values& z) {
                         Index to = broadcast_index(at, z.shape);
                         to.back() = 0;
                         const Real re = z.at(to);
                         to.back() = 1;
                         return Pair(re, z.at(to));
                       };
                       const Pair product = pair(in[0]) * pair(in[1]);
                       return at.back() == 0 ? product.real() : product.imag();
                     });
                   },
               .linear_in = {0, 1},
               .linear_exactly = false,
               .nasty = false});
  };
  sample({3, 2}, {3, 2});
  sample({2, 1, 2}, {3, 2});
  sample({3, 2, 2}, {2, 2});
  sample({3, 1, 2}, {3, 1, 2});
  sample({2}, {2});
  sample({0, 2}, {2});
  op.throws<ShapeError>("needs pairs (real, imaginary) along a last axis of size 2: a is [3]",
                        [] { return complex_mul(ones({3}), ones({2})); });
  op.throws<ShapeError>("b is [2, 1]", [] { return complex_mul(ones({2}), ones({2, 1})); });
});

const OpSamples complex_conj_samples(OpId::complex_conj, [](Op& op) {
  op.parts = {OpId::select, OpId::stack, OpId::neg};
  op.sample({.attributes = "pairs",
             .inputs = {{.shape = {2, 3, 2}}},
             .apply = [](const Tensor& z) { return complex_conj(z); },
             .reference =
                 [](std::span<const Values> in) {
                   return fill(in[0].shape, [&](const Index& at) {
                     return at.back() == 0 ? in[0].at(at) : -in[0].at(at);
                   });
                 },
             .linear_in = {0}});
  op.throws<ShapeError>("needs pairs", [] { return complex_conj(ones({3})); });
});

/// A number of each pair.
template <class F>
void add_of_pairs(Op& op, Tensor (*call)(const Tensor&), F f) {
  op.sample({.attributes = "pairs",
             .inputs = {{.shape = {3, 2, 2}, .domain = {.avoid = {0}}}},
             .apply = [=](const Tensor& z) { return call(z); },
             .reference =
                 [=](std::span<const Values> in) {
                   const Shape shape = without_last(in[0].shape);
                   return fill(shape, [&](Index at) {
                     at.push_back(0);
                     const Real re = in[0].at(at);
                     at.back() = 1;
                     return f(re, in[0].at(at));
                   });
                 },
             .nasty = false});  // hypot and atan2 have been through that
  op.template throws<ShapeError>("needs pairs", [=] { return call(ones({3})); });
}

const OpSamples complex_abs_samples(OpId::complex_abs, [](Op& op) {
  op.accuracy = {.ulps = 2, .gradient_ulps = 2};  // hypot's
  op.parts = {OpId::select, OpId::hypot};
  add_of_pairs(op, complex_abs, [](Real re, Real im) { return std::hypot(re, im); });
  op.exact({"of 0",
            {Values{{2}, {0, 0}}},
            [](const Tensor& z) { return complex_abs(z); },
            Values{{}, {0}},
            {Values{{2}, {0, 0}}}});
});

const OpSamples complex_angle_samples(OpId::complex_angle, [](Op& op) {
  op.accuracy = {.ulps = 4, .gradient_ulps = 4};  // atan2's
  op.parts = {OpId::select, OpId::atan2};
  add_of_pairs(op, complex_angle, [](Real re, Real im) { return std::atan2(im, re); });
  op.exact({"on an axis",
            {Values{{2}, {0, 2}}},
            [](const Tensor& z) { return complex_angle(z); },
            Values{{}, {std::numbers::pi_v<Real> / 2}},
            {Values{{2}, {-0.5, 0}}}});
});

/// Frame t of a signal in the middle of its mirror images, or of it alone.
Real point_of(const Values& x, Index at, std::int64_t point) {
  const std::int64_t last = x.shape.back() - 1;
  at.back() = point < 0 ? -point : point > last ? 2 * last - point : point;
  return x.at(at);
}

Values frames_of(const Values& x, const Values& window, std::int64_t hop, bool center, FourierNorm norm) {
  const std::int64_t n = window.shape[0], edge = center ? n / 2 : 0;
  Shape shape = without_last(x.shape);
  const std::int64_t frames = (x.shape.back() + 2 * edge - n) / hop + 1;
  shape.push_back(n / 2 + 1);
  shape.push_back(frames);
  shape.push_back(2);
  return fill(shape, [&](const Index& at) {
    const Index signal(at.begin(), at.end() - 2);
    const std::int64_t k = at[at.size() - 3], t = at[at.size() - 2];
    Pair sum = 0;
    for (std::int64_t j = 0; j < n; ++j)
      sum += point_of(x, signal, t * hop + j - edge) * window.at({j}) * std::conj(wave(j * k, n));
    return (at.back() == 0 ? sum.real() : sum.imag()) * factor(n, norm, false);
  });
}

// A window that is an empty handle stands for ones. So it comes in one tensor with what it is used on,
// behind.

Tensor part_of(const Tensor& both, const Shape& shape, std::int64_t n, bool window) {
  const std::int64_t count = shape.numel();
  return window ? slice(both, {.start = count, .stop = count + n})
                : reshape(slice(both, {.stop = count}), shape);
}

Values part_of(const Values& both, const Shape& shape, std::int64_t n, bool window) {
  std::int64_t at = window ? shape.numel() : 0;
  return fill(window ? Shape{n} : shape, [&](const Index&) { return both.at({at++}); });
}

/// The transforms are of pairs up to 1, and the window is not near 0, where it is not wanted to be.
Input with_window(const Shape& shape, std::int64_t n) {
  return {.shape = {shape.numel() + n}, .domain = {.low = 0.5, .high = 1}};
}

const OpSamples stft_samples(OpId::stft, [](Op& op) {
  op.accuracy = of_transforms;
  op.parts = {OpId::slice, OpId::reshape, OpId::unfold, OpId::pad, OpId::rfft, OpId::mul};
  const auto sample = [&](const Shape& x, std::int64_t n, std::int64_t hop, bool center, bool normalized) {
    op.sample({.attributes = fmt::format("{}, n {}, hop {}, {} {}", to_string(x), n, hop, center, normalized),
               .inputs = {with_window(x, n)},
               .apply =
                   [=](const Tensor& both) {
                     return stft(part_of(both, x, n, false), {.n = n,
                                                              .hop = hop,
                                                              .window = part_of(both, x, n, true),
                                                              .center = center,
                                                              .normalized = normalized});
                   },
               .reference =
                   [=](std::span<const Values> in) {
                     return frames_of(part_of(in[0], x, n, false), part_of(in[0], x, n, true), hop, center,
                                      normalized ? FourierNorm::ortho : FourierNorm::backward);
                   },
               .nasty = false});
  };
  sample({7}, 4, 2, true, false);
  sample({2, 6}, 4, 1, false, true);
  sample({2, 5}, 3, 3, true, false);
  op.throws<ShapeError>("needs a signal of at least a frame, or of more than half of one if that is centered",
                        [] { return stft(ones({4}), {.n = 8}); });
  op.throws<ShapeError>("x is [7], n is 8", [] { return stft(ones({7}), {.n = 8, .center = false}); });
  op.throws<ValueError>("n and hop must be from 1 to 2^31 - 1, got 0 and 1",
                        [] { return stft(ones({7}), {}); });
  op.throws<ValueError>("got 4 and 0", [] { return stft(ones({7}), {.n = 4, .hop = 0}); });
  op.throws<ShapeError>("the window must have the points of a frame: window is [3], n is 4",
                        [] { return stft(ones({7}), {.n = 4, .window = ones({3})}); });
});

Values signal_of(const Values& z, const Values& window, std::int64_t hop, bool center, std::int64_t length) {
  const std::int64_t n = window.shape[0], edge = center ? n / 2 : 0;
  const std::size_t frames_axis = z.shape.rank() - 2;
  Shape shape(std::span(z.shape.begin(), z.shape.rank() - 3));
  shape.push_back(length);
  const Values parts = to_real(z, z.shape.rank() - 3, n, FourierNorm::backward);  // [..., n, frames]
  return fill(shape, [&](Index at) {
    const std::int64_t point = at.back() + edge;
    Real sum = 0, weight = 0;
    at.push_back(0);
    for (std::int64_t t = 0; t < z.shape[frames_axis]; ++t) {
      const std::int64_t j = point - t * hop;
      if (j < 0 || j >= n) continue;
      at[at.size() - 2] = j;
      at.back() = t;
      sum += parts.at(at) * window.at({j});
      weight += window.at({j}) * window.at({j});
    }
    return sum / weight;
  });
}

const OpSamples istft_samples(OpId::istft, [](Op& op) {
  // Of inverse transforms up to 1, divided by sums of squares of a window from 1/2 on.
  op.accuracy = {.ulps = 20, .floor = 4, .signed_zeros = false, .gradient_ulps = 20, .gradient_floor = 1};
  op.parts = {OpId::slice, OpId::reshape, OpId::irfft, OpId::mul, OpId::div};
  const auto sample = [&](const Shape& z, std::int64_t n, std::int64_t hop, bool center,
                          std::int64_t length) {
    op.sample({.attributes = fmt::format("{}, n {}, hop {}, {}", to_string(z), n, hop, center),
               .inputs = {with_window(z, n)},
               .apply =
                   [=](const Tensor& both) {
                     return istft(part_of(both, z, n, false), {.n = n,
                                                               .hop = hop,
                                                               .window = part_of(both, z, n, true),
                                                               .center = center,
                                                               .length = length});
                   },
               .reference =
                   [=](std::span<const Values> in) {
                     return signal_of(part_of(in[0], z, n, false), part_of(in[0], z, n, true), hop, center,
                                      length);
                   },
               .nasty = false});
  };
  sample({3, 3, 2}, 4, 2, true, 4);
  sample({2, 2, 3, 2}, 3, 1, false, 5);
  op.throws<ShapeError>("needs frames [..., n / 2 + 1, frames, 2]: z is [3, 2, 2], n is 8", [] {
    return istft(ones({3, 2, 2}), {.n = 8});
  });
  op.throws<ShapeError>("needs frames", [] { return istft(ones({3, 2}), {.n = 4}); });
  op.throws<ValueError>("the length must be from 1 to what the frames reach, 3: got 9", [] {
    return istft(ones({3, 2, 2}), {.n = 4, .length = 9});
  });
});

}}  // namespace xtgrad::testing
