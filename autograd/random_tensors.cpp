#include "xtgrad/autograd/random_tensors.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <string_view>
#include <utility>

#include "xtgrad/autograd/core/apply.h"
#include "xtgrad/autograd/core/loaded_checks.h"
#include "xtgrad/autograd/core/philox.h"
#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/kernels/levels/draw.h"
#include "xtgrad/autograd/kernels/parallel.h"
#include "xtgrad/autograd/new_tensor.h"

namespace xtgrad::inline v1 {

namespace {

using detail::Array;
using detail::DrawStream;

Dtype floating_dtype(std::string_view function, const TensorOptions& options) {
  const Dtype dtype = options.dtype.value_or(default_dtype());
  if (!is_floating(dtype)) {
    throw DtypeError(fmt::format("{}: dtype must be float32 or float64: got {}", function, to_string(dtype)));
  }
  return dtype;
}

/// Seed and position of a draw, an operand: int64 [2].
DrawStream stream_of(const Array& state) {
  const auto* words = state.data<std::uint64_t>();
  return {words[0], words[1]};
}

/// Calls f(first, part) for consecutive parts of the result, which begin with element number `first`.
template <class T, class F>
void for_each_part(Array& out, F f) {
  constexpr std::int64_t tile_size = 1 << 15;
  const std::int64_t n = out.numel();
  T* const to = out.mutable_data<T>();
  detail::for_each_tile((n + tile_size - 1) / tile_size, [&](std::int64_t tile) {
    const std::int64_t first = tile * tile_size;
    const auto size = static_cast<std::size_t>(std::min(tile_size, n - first));
    f(static_cast<std::uint64_t>(first), std::span<T>(to + first, size));
  });
}

/// The largest T that a draw from [low, high) may return, given that the least one is `low` rounded to T.
template <class T>
T largest_draw(double low, double high) {
  T largest = static_cast<T>(high);
  if (static_cast<double>(largest) >= high) {
    largest = std::nextafter(largest, -std::numeric_limits<T>::infinity());
  }
  return std::max(largest, static_cast<T>(low));
}

void check_range(const UniformOptions& range, Dtype dtype) {
  const auto [low, high] = range;
  if (!std::isfinite(low) || !std::isfinite(high) || !std::isfinite(high - low)) {
    throw ValueError(
        fmt::format("uniform: low, high and high - low must be finite: low is {}, high is {}", low, high));
  }
  if (low > high) {
    throw ValueError(fmt::format("uniform: low must not exceed high: low is {}, high is {}", low, high));
  }
  detail::visit_floating(dtype, [&, low = low, high = high](auto zero) {
    using T = decltype(zero);
    detail::checked_cast<T>("uniform", low);
    detail::checked_cast<T>("uniform", high);
  });
}

/// What draws share: the result's shape and dtype, which is Self's `usual` one, or also floating if that is.
template <class Self>
class Draw : public detail::ConstantPrimitive<Self> {
 public:
  explicit Draw(const Shape& shape = {}, Dtype dtype = Self::usual) : shape_(shape), dtype_(dtype) {}

  void describe(Attributes& a) override {
    a("shape", shape_);
    a("dtype", dtype_);
  }
  void infer(detail::InputSpecs, detail::OutputSpecs out) const override { *out[0] = {shape_, dtype_}; }
  void check_loaded(detail::InputSpecs in, detail::InputSpecs out) const override {
    this->require_call(in, out, 1);
    detail::require_spec(this->name(), "the stream", *in[0], {Shape{2}, Dtype::int64, {}});
    if (is_floating(Self::usual)) {
      floating_dtype(this->name(), {.dtype = dtype_});
    } else {
      detail::require_dtype(this->name(), "the result", {{}, dtype_, {}}, Self::usual);
    }
  }

 protected:
  ~Draw() = default;

  Shape shape_;
  Dtype dtype_;
};

class Randn final : public Draw<Randn> {
 public:
  static constexpr Dtype usual = Dtype::float32;
  using Draw::Draw;

  [[nodiscard]] std::string_view name() const override { return "randn"; }
  void eval(detail::Inputs in, detail::Outputs out) const override {
    detail::visit_floating(dtype_, [&](auto zero) {
      for_each_part<decltype(zero)>(*out[0], [&](std::uint64_t first, auto part) {
        if constexpr (sizeof(zero) == sizeof(float)) {
          detail::draw_normal_float32(stream_of(*in[0]), first, part);
        } else {
          detail::draw_normal_float64(stream_of(*in[0]), first, part);
        }
      });
    });
  }
};

class Uniform final : public Draw<Uniform> {
 public:
  static constexpr Dtype usual = Dtype::float32;
  explicit Uniform(const Shape& shape = {}, Dtype dtype = usual, const UniformOptions& range = {})
      : Draw(shape, dtype), range_(range) {}

  [[nodiscard]] std::string_view name() const override { return "uniform"; }
  void describe(Attributes& a) override {
    Draw::describe(a);
    a("low", range_.low);
    a("high", range_.high);
  }
  void eval(detail::Inputs in, detail::Outputs out) const override {
    detail::visit_floating(dtype_, [&](auto zero) {
      using T = decltype(zero);
      // What is rounded is one fma: whether a compiler contracts a product and a sum must not change the
      // bits. Rounding may reach `high`, which the interval leaves out.
      const detail::DrawRange range{.low = range_.low, .width = range_.high - range_.low};
      const T largest = largest_draw<T>(range_.low, range_.high);
      for_each_part<T>(*out[0], [&](std::uint64_t first, std::span<T> part) {
        if constexpr (sizeof(T) == sizeof(float)) {
          detail::draw_uniform_float32(stream_of(*in[0]), first, range, largest, part);
        } else {
          detail::draw_uniform_float64(stream_of(*in[0]), first, range, largest, part);
        }
      });
    });
  }
  void check_loaded(detail::InputSpecs in, detail::InputSpecs out) const override {
    Draw::check_loaded(in, out);
    check_range(range_, dtype_);
  }

 private:
  UniformOptions range_;
};

class Bernoulli final : public Draw<Bernoulli> {
 public:
  static constexpr Dtype usual = Dtype::boolean;
  explicit Bernoulli(const Shape& shape = {}, double p = 0) : Draw(shape, usual), p_(p) {}

  [[nodiscard]] std::string_view name() const override { return "bernoulli"; }
  void describe(Attributes& a) override {
    Draw::describe(a);
    a("p", p_);
  }
  void eval(detail::Inputs in, detail::Outputs out) const override {
    for_each_part<bool>(*out[0], [&](std::uint64_t first, std::span<bool> part) {
      detail::draw_bernoulli(stream_of(*in[0]), first, p_, part);
    });
  }
  void check_loaded(detail::InputSpecs in, detail::InputSpecs out) const override {
    Draw::check_loaded(in, out);
    detail::require_attribute(p_ >= 0 && p_ <= 1, name(), "p", "in [0, 1]", p_);
  }

 private:
  double p_;
};

class Randperm final : public Draw<Randperm> {
 public:
  static constexpr Dtype usual = Dtype::int64;
  explicit Randperm(std::int64_t n = 0) : Draw({n}, usual) {}

  [[nodiscard]] std::string_view name() const override { return "randperm"; }
  // Fisher and Yates, from the inside out: 0..i is in random order after step i. Redraws use blocks past n.
  void eval(detail::Inputs in, detail::Outputs out) const override {
    const DrawStream stream = stream_of(*in[0]);
    const std::int64_t n = shape_[0];
    auto* to = out[0]->mutable_data<std::int64_t>();
    for (std::int64_t i = 0; i < n; ++i) {
      const auto step = static_cast<std::uint64_t>(i);
      const auto j = static_cast<std::int64_t>(
          detail::random_below(step + 1, stream.seed, stream.position, step, static_cast<std::uint64_t>(n)));
      to[i] = i;
      std::swap(to[i], to[j]);
    }
  }
  void check_loaded(detail::InputSpecs in, detail::InputSpecs out) const override {
    Draw::check_loaded(in, out);
    detail::require_attribute(shape_.rank() == 1, name(), "shape", "of 1 dimension", shape_.rank());
  }
};

class Randint final : public Draw<Randint> {
 public:
  static constexpr Dtype usual = Dtype::int64;
  explicit Randint(const Shape& shape = {}, std::int64_t low = 0, std::int64_t high = 1)
      : Draw(shape, usual), low_(low), high_(high) {}

  [[nodiscard]] std::string_view name() const override { return "randint"; }
  void describe(Attributes& a) override {
    Draw::describe(a);
    a("low", low_);
    a("high", high_);
  }
  // Redraws use blocks past the last element. In uint64, which holds the width of every range.
  void eval(detail::Inputs in, detail::Outputs out) const override {
    const DrawStream stream = stream_of(*in[0]);
    const auto n = static_cast<std::uint64_t>(out[0]->numel());
    const auto low = static_cast<std::uint64_t>(low_), width = static_cast<std::uint64_t>(high_) - low;
    for_each_part<std::int64_t>(*out[0], [&](std::uint64_t first, std::span<std::int64_t> part) {
      for (std::size_t i = 0; i < part.size(); ++i) {
        const std::uint64_t drawn = detail::random_below(width, stream.seed, stream.position, first + i, n);
        part[i] = static_cast<std::int64_t>(low + drawn);
      }
    });
  }
  void check_loaded(detail::InputSpecs in, detail::InputSpecs out) const override {
    Draw::check_loaded(in, out);
    detail::require_attribute(low_ < high_ || out[0]->shape.numel() == 0, name(), "low", "below high", low_);
  }

 private:
  std::int64_t low_, high_;
};

/// Runs a draw at the generator's next position.
template <class P>
Tensor draw_from(Random& random, const P& primitive, bool requires_grad) {
  const Tensor state = random.state();
  random.advance();
  return detail::new_leaf(detail::compute_one(primitive, detail::array_of(state)), requires_grad);
}

}  // namespace

Tensor randn(const Shape& shape, Random& random, const TensorOptions& options) {
  const Dtype dtype = floating_dtype("randn", options);
  detail::check_new("randn", shape, dtype, options.requires_grad);
  return draw_from(random, Randn(shape, dtype), options.requires_grad);
}

Tensor randn(const Shape& shape, const TensorOptions& options, Random& random) {
  return randn(shape, random, options);
}

Tensor uniform(const Shape& shape, const UniformOptions& range, Random& random,
               const TensorOptions& options) {
  const Dtype dtype = floating_dtype("uniform", options);
  check_range(range, dtype);
  detail::check_new("uniform", shape, dtype, options.requires_grad);
  return draw_from(random, Uniform(shape, dtype, range), options.requires_grad);
}

Tensor rand(const Shape& shape, Random& random, const TensorOptions& options) {
  floating_dtype("rand", options);
  return uniform(shape, {}, random, options);
}

Tensor rand(const Shape& shape, const TensorOptions& options, Random& random) {
  return rand(shape, random, options);
}

Tensor bernoulli(const Shape& shape, double p, Random& random) {
  if (!(p >= 0 && p <= 1)) throw ValueError(fmt::format("bernoulli: p must be in [0, 1]: got {}", p));
  detail::check_new("bernoulli", shape, boolean, false);
  return draw_from(random, Bernoulli(shape, p), false);
}

Tensor randperm(std::int64_t n, Random& random) {
  if (n < 0) throw ValueError(fmt::format("randperm: n must not be negative: got {}", n));
  detail::check_new("randperm", {n}, int64, false);
  return draw_from(random, Randperm(n), false);
}

Tensor randint(std::int64_t low, std::int64_t high, const Shape& shape, Random& random) {
  if (low >= high)
    throw ValueError(fmt::format("randint: low must be below high: low is {}, high is {}", low, high));
  detail::check_new("randint", shape, int64, false);
  return draw_from(random, Randint(shape, low, high), false);
}

Tensor randn_like(const Tensor& x, Random& random) {
  floating_dtype("randn_like", {.dtype = x.dtype()});
  return randn(x.shape(), random, {.dtype = x.dtype()});
}

Tensor rand_like(const Tensor& x, Random& random) {
  floating_dtype("rand_like", {.dtype = x.dtype()});
  return uniform(x.shape(), {}, random, {.dtype = x.dtype()});
}

}  // namespace xtgrad::v1
