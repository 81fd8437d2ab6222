#include "xtgrad/autograd/creation.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <string_view>

#include "xtgrad/autograd/core/apply.h"
#include "xtgrad/autograd/core/loaded_checks.h"
#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/new_tensor.h"
#include "xtgrad/autograd/ops/batching.h"
#include "xtgrad/autograd/ops/cast.h"

namespace xtgrad::inline v1 {

namespace {

using detail::Array;
using detail::checked_cast;
using detail::holds;

Dtype dtype_or_default(const TensorOptions& options) { return options.dtype.value_or(default_dtype()); }

/// start + i step. fma by name: whether a compiler contracts a product and a sum must not change the bits.
double evenly_spaced(double start, double step, std::int64_t i) {
  return std::fma(static_cast<double>(i), step, start);
}

void require_finite(std::string_view function, std::string_view name, Scalar value) {
  if (std::isfinite(value.to_double())) return;
  throw ValueError(fmt::format("{}: {} must be finite: got {}", function, name, to_string(value)));
}

/// |a - b|, which no int64 may hold.
std::uint64_t distance(std::int64_t a, std::int64_t b) {
  const auto difference = static_cast<std::uint64_t>(a) - static_cast<std::uint64_t>(b);
  return a < b ? -difference : difference;
}

/// What primitives that make a tensor from numbers alone share; Self's `function` is what the user called.
template <class Self>
class Creation : public detail::ConstantPrimitive<Self> {
 public:
  explicit Creation(const Shape& shape = {}, Dtype dtype = Dtype::float32) : shape_(shape), dtype_(dtype) {}

  [[nodiscard]] std::string_view name() const override { return Self::function; }
  void describe(Attributes& a) override {
    a("shape", shape_);
    a("dtype", dtype_);
  }
  void infer(detail::InputSpecs, detail::OutputSpecs out) const override { *out[0] = {shape_, dtype_}; }
  void check_loaded(detail::InputSpecs in, detail::InputSpecs out) const override {
    this->require_call(in, out, 0);
  }

 protected:
  ~Creation() = default;

  void require_rank(std::size_t rank) const {
    detail::require_attribute(shape_.rank() == rank, this->name(), "shape",
                              fmt::format("of {} dimensions", rank), shape_.rank());
  }

  Shape shape_;
  Dtype dtype_;
};

/// Wide enough for every sum and product of two int64.
__extension__ using Wide = __int128;

/// Throws DtypeError for a number that no int64 is.
[[noreturn]] void throw_cannot_hold(std::string_view function, Dtype dtype, const std::string& number) {
  throw DtypeError(fmt::format("{}: {} cannot hold {}", function, to_string(dtype), number));
}

/// Element i is Self's `integer(i)`, exactly, if `in_integers()`, else its `value(i)`, a double; the dtype
/// must hold it. Where the numbers it starts from are integers, an integer dtype takes no detour by doubles,
/// which round: `refuse()` then throws for an element that is no int64.
template <class Self>
class Generated : public Creation<Self> {
 public:
  using Creation<Self>::Creation;

  void eval(detail::Inputs, detail::Outputs out) const override {
    detail::visit(this->dtype_, [&](auto zero) {
      using T = decltype(zero);
      T* to = out[0]->template mutable_data<T>();
      const std::int64_t n = out[0]->numel();
      const auto fill = [&](auto element) {
        for (std::int64_t i = 0; i < n; ++i) to[i] = checked_cast<T>(Self::function, element(i));
      };
      const auto& self = static_cast<const Self&>(*this);
      if (self.in_integers()) {
        fill([&](std::int64_t i) { return Scalar(self.integer(i)); });
      } else {
        if (!is_floating(this->dtype_)) self.refuse();
        fill([&](std::int64_t i) { return self.value(i); });
      }
    });
  }

 protected:
  ~Generated() = default;
};

/// What users call to get equal elements.
struct OfZeros {
  static constexpr std::string_view function = "zeros";
};
struct OfOnes {
  static constexpr std::string_view function = "ones";
};
struct OfValue {
  static constexpr std::string_view function = "full";
};
struct LikeZeros {
  static constexpr std::string_view function = "zeros_like";
};
struct LikeOnes {
  static constexpr std::string_view function = "ones_like";
};

struct LikeValue {
  static constexpr std::string_view function = "full_like";
};

template <class Called>
class Full final : public Creation<Full<Called>> {
  using Base = Creation<Full<Called>>;

 public:
  static constexpr std::string_view function = Called::function;
  explicit Full(const Shape& shape = {}, Dtype dtype = Dtype::float32, Scalar value = 0)
      : Base(shape, dtype), value_(value) {}

  void describe(Attributes& a) override {
    Base::describe(a);
    a("value", value_);
  }
  void eval(detail::Inputs, detail::Outputs out) const override {
    detail::visit(this->dtype_, [&](auto zero) {
      using T = decltype(zero);
      const T value = checked_cast<T>(function, value_);
      constexpr std::array<std::byte, sizeof(T)> zero_bits{};
      // Of a large buffer memset does not read what it overwrites: half the time of a loop.
      if (std::bit_cast<std::array<std::byte, sizeof(T)>>(value) == zero_bits) {
        std::memset(out[0]->buffer.data(), 0, out[0]->buffer.bytes());
      } else {
        std::fill_n(out[0]->template mutable_data<T>(), out[0]->numel(), value);
      }
    });
  }

 private:
  Scalar value_;
};

class Arange final : public Generated<Arange> {
 public:
  static constexpr std::string_view function = "arange";
  explicit Arange(std::int64_t count = 0, Dtype dtype = Dtype::int64, const ArangeOptions& range = {})
      : Generated({count}, dtype), start_(range.start), step_(range.step) {}

  void check_loaded(detail::InputSpecs in, detail::InputSpecs out) const override {
    Generated::check_loaded(in, out);
    require_rank(1);
    require_finite(function, "start", start_);
    require_finite(function, "step", step_);
    detail::require_attribute(step_ != 0, function, "step", "another number than 0", step_);
  }
  void describe(Attributes& a) override {
    Creation::describe(a);
    a("start", start_);
    a("step", step_);
  }
  [[nodiscard]] bool in_integers() const {
    if (is_floating(dtype_) && !(start_.is_integer() && step_.is_integer())) return false;
    if (!holds<std::int64_t>(start_) || !holds<std::int64_t>(step_)) return false;
    return shape_[0] == 0 || static_cast<std::uint64_t>(shape_[0] - 1) <= steps_left();
  }
  [[nodiscard]] std::int64_t integer(std::int64_t i) const {
    return static_cast<std::int64_t>(static_cast<std::uint64_t>(start_.to_int64()) +
                                     static_cast<std::uint64_t>(i) *
                                         static_cast<std::uint64_t>(step_.to_int64()));
  }
  [[nodiscard]] double value(std::int64_t i) const {
    return evenly_spaced(start_.to_double(), step_.to_double(), i);
  }
  void refuse() const {
    if (!holds<std::int64_t>(start_) || !holds<std::int64_t>(step_)) return;
    const auto first_beyond = static_cast<Wide>(steps_left()) + 1;
    throw_cannot_hold(function, dtype_,
                      fmt::format("{}", start_.to_int64() + first_beyond * step_.to_int64()));
  }

 private:
  /// How many steps lead from the start to no number beyond int64; up to 2^64 - 1.
  [[nodiscard]] std::uint64_t steps_left() const {
    const bool up = step_.to_int64() > 0;
    const std::int64_t end =
        up ? std::numeric_limits<std::int64_t>::max() : std::numeric_limits<std::int64_t>::min();
    return distance(start_.to_int64(), end) / distance(0, step_.to_int64());
  }

  Scalar start_;
  Scalar step_;
};

class Linspace final : public Generated<Linspace> {
 public:
  static constexpr std::string_view function = "linspace";
  explicit Linspace(Scalar first = 0, Scalar last = 0, std::int64_t count = 0, Dtype dtype = Dtype::float32)
      : Generated({count}, dtype), first_(first), last_(last) {}

  void check_loaded(detail::InputSpecs in, detail::InputSpecs out) const override {
    Generated::check_loaded(in, out);
    require_rank(1);
    require_finite(function, "first", first_);
    require_finite(function, "last", last_);
  }
  void describe(Attributes& a) override {
    Creation::describe(a);
    a("first", first_);
    a("last", last_);
  }
  // Counted from the nearer end, so that both ends are exact and a range about 0 is symmetric.
  [[nodiscard]] double value(std::int64_t i) const {
    const std::int64_t count = shape_[0];
    const double first = first_.to_double();
    const double last = last_.to_double();
    const double step = count > 1 ? (last - first) / static_cast<double>(count - 1) : 0;
    return i < (count + 1) / 2 ? evenly_spaced(first, step, i) : evenly_spaced(last, -step, count - 1 - i);
  }
  [[nodiscard]] bool in_integers() const {
    if (is_floating(dtype_) && !(first_.is_integer() && last_.is_integer())) return false;
    return has_integer_ends() && range() % steps() == 0;
  }
  [[nodiscard]] std::int64_t integer(std::int64_t i) const {
    const std::uint64_t step = range() / steps();
    const auto first = static_cast<std::uint64_t>(first_.to_int64());
    const auto way = static_cast<std::uint64_t>(i) * step;
    return static_cast<std::int64_t>(first_.to_int64() <= last_.to_int64() ? first + way : first - way);
  }
  /// The first number after `first_` has a fraction if any has.
  void refuse() const {
    if (!has_integer_ends()) return;
    const Wide way = static_cast<Wide>(last_.to_int64()) - first_.to_int64();
    const Wide whole = first_.to_int64() + way / static_cast<Wide>(steps());
    const double rest = static_cast<double>(way % static_cast<Wide>(steps())) / static_cast<double>(steps());
    const bool has_digits = whole > -(Wide{1} << 50) && whole < Wide{1} << 50;
    throw_cannot_hold(function, dtype_,
                      has_digits ? fmt::format("{}", static_cast<double>(whole) + rest)
                                 : fmt::format("{} {} {}", whole, rest < 0 ? '-' : '+', std::abs(rest)));
  }

 private:
  [[nodiscard]] bool has_integer_ends() const {
    return holds<std::int64_t>(first_) && holds<std::int64_t>(last_);
  }
  /// From end to end.
  [[nodiscard]] std::uint64_t range() const { return distance(first_.to_int64(), last_.to_int64()); }
  [[nodiscard]] std::uint64_t steps() const {
    return static_cast<std::uint64_t>(std::max<std::int64_t>(shape_[0] - 1, 1));
  }

  Scalar first_;
  Scalar last_;
};

class Eye final : public Creation<Eye> {
 public:
  static constexpr std::string_view function = "eye";
  explicit Eye(std::int64_t rows = 0, std::int64_t columns = 0, Dtype dtype = Dtype::float32)
      : Creation({rows, columns}, dtype) {}

  void check_loaded(detail::InputSpecs in, detail::InputSpecs out) const override {
    Creation::check_loaded(in, out);
    require_rank(2);
  }

  void eval(detail::Inputs, detail::Outputs out) const override {
    detail::visit(dtype_, [&](auto zero) {
      using T = decltype(zero);
      T* to = out[0]->mutable_data<T>();
      std::fill_n(to, out[0]->numel(), T{0});
      for (std::int64_t i = 0; i < std::min(shape_[0], shape_[1]); ++i) to[i * shape_[1] + i] = T{1};
    });
  }
};

/// Of the labels, one input: its rows are found at run time.
class OneHot final : public detail::ConstantPrimitive<OneHot> {
 public:
  explicit OneHot(std::int64_t classes = 0, Dtype dtype = Dtype::float32)
      : classes_(classes), dtype_(dtype) {}

  [[nodiscard]] std::string_view name() const override { return "one_hot"; }
  void describe(Attributes& a) override {
    a("classes", classes_);
    a("dtype", dtype_);
  }
  void infer(detail::InputSpecs in, detail::OutputSpecs out) const override {
    *out[0] = {in[0]->shape, dtype_};
    out[0]->shape.push_back(classes_);
  }
  void eval(detail::Inputs in, detail::Outputs out) const override {
    const auto* label = in[0]->data<std::int64_t>();
    const std::int64_t n = in[0]->numel();
    for (std::int64_t i = 0; i < n; ++i) {
      if (label[i] >= 0 && label[i] < classes_) continue;
      throw ValueError(
          fmt::format("one_hot: label out of range: labels[{}] is {}, classes is {}", i, label[i], classes_));
    }
    detail::visit(dtype_, [&](auto zero) {
      using T = decltype(zero);
      T* row = out[0]->mutable_data<T>();  // [classes]
      std::fill_n(row, out[0]->numel(), T{0});
      for (std::int64_t i = 0; i < n; ++i, row += classes_) row[label[i]] = T{1};
    });
  }
  [[nodiscard]] bool batch(detail::BatchContext& context) const override {
    return detail::batch_by_leading(*this, context);
  }
  void check_loaded(detail::InputSpecs in, detail::InputSpecs out) const override {
    require_call(in, out, 1);
    detail::require_dtype(name(), "labels", *in[0], Dtype::int64);
    detail::require_attribute(classes_ >= 0, name(), "classes", "at least 0", classes_);
  }

 private:
  std::int64_t classes_;
  Dtype dtype_;
};

/// Runs a primitive without inputs and makes its result a leaf.
template <class P>
Tensor create(const P& primitive, bool requires_grad) {
  return detail::new_leaf(detail::compute_one(primitive), requires_grad);
}

template <class Called>
Tensor constant(const Shape& shape, Scalar value, Dtype dtype, bool requires_grad) {
  detail::check_new(Called::function, shape, dtype, requires_grad);
  return create(Full<Called>(shape, dtype, value), requires_grad);
}

[[noreturn]] void throw_too_many(Scalar stop, const ArangeOptions& range) {
  throw ShapeError(fmt::format("arange: too many numbers from {} to {} in steps of {}",
                               to_string(range.start), to_string(stop), to_string(range.step)));
}

/// Numbers in start, start + step, ... before `stop`.
std::int64_t arange_count(Scalar stop, const ArangeOptions& range) {
  const double step = range.step.to_double();
  // For integers, a stop of 2.5 is as good as 3; it may lie beyond int64, where the numbers do not.
  const Scalar end = stop.is_integer() ? stop
                     : step > 0        ? std::ceil(stop.to_double())
                                       : std::floor(stop.to_double());
  constexpr double widest = 0x1p100;
  if (holds<std::int64_t>(range.start) && holds<std::int64_t>(range.step) &&
      std::abs(end.to_double()) < widest) {
    const Wide last = end.is_integer() ? end.to_int64() : static_cast<Wide>(end.to_double());
    const Wide way = step > 0 ? last - range.start.to_int64() : range.start.to_int64() - last;
    if (way <= 0) return 0;
    const Wide count = (way - 1) / static_cast<Wide>(distance(0, range.step.to_int64())) + 1;
    if (count > std::numeric_limits<std::int64_t>::max()) throw_too_many(stop, range);
    return static_cast<std::int64_t>(count);
  }
  const double start = range.start.to_double();
  const double steps = std::ceil((stop.to_double() - start) / step);
  if (!(steps < 0x1p63)) throw_too_many(stop, range);
  auto count = static_cast<std::int64_t>(std::max(steps, 0.0));
  // The quotient may round up past an integer, as for (1.3 - 1) / 0.1: the last number would be `stop`
  // itself.
  if (count > 0) {
    const double last = evenly_spaced(start, step, count - 1);
    if (step > 0 ? last >= stop.to_double() : last <= stop.to_double()) --count;
  }
  return count;
}

}  // namespace

Tensor zeros(const Shape& shape, const TensorOptions& options) {
  return constant<OfZeros>(shape, 0, dtype_or_default(options), options.requires_grad);
}

Tensor ones(const Shape& shape, const TensorOptions& options) {
  return constant<OfOnes>(shape, 1, dtype_or_default(options), options.requires_grad);
}

Tensor full(const Shape& shape, Scalar value, const TensorOptions& options) {
  return constant<OfValue>(shape, value, dtype_or_default(options), options.requires_grad);
}

Tensor zeros_like(const Tensor& x) { return constant<LikeZeros>(x.shape(), 0, x.dtype(), false); }

Tensor ones_like(const Tensor& x) { return constant<LikeOnes>(x.shape(), 1, x.dtype(), false); }

Tensor full_like(const Tensor& x, Scalar value) {
  return constant<LikeValue>(x.shape(), value, x.dtype(), false);
}

Tensor arange(Scalar stop, const ArangeOptions& range, const TensorOptions& options) {
  require_finite("arange", "stop", stop);
  require_finite("arange", "start", range.start);
  require_finite("arange", "step", range.step);
  if (range.step == 0) throw ValueError("arange: step must not be 0");
  const std::int64_t count = arange_count(stop, range);
  const Dtype dtype = options.dtype.value_or(Dtype::int64);
  if (!options.dtype && !(holds<std::int64_t>(range.start) && holds<std::int64_t>(range.step))) {
    throw DtypeError(fmt::format("arange: int64 cannot hold start {} with step {}: give a floating dtype",
                                 to_string(range.start), to_string(range.step)));
  }
  detail::check_new("arange", {count}, dtype, options.requires_grad);
  return create(Arange(count, dtype, range), options.requires_grad);
}

Tensor linspace(Scalar first, Scalar last, std::int64_t count, const TensorOptions& options) {
  require_finite("linspace", "first", first);
  require_finite("linspace", "last", last);
  require_finite("linspace", "last - first", last.to_double() - first.to_double());
  if (count < 0) throw ValueError(fmt::format("linspace: count must not be negative: got {}", count));
  const Dtype dtype = dtype_or_default(options);
  detail::check_new("linspace", {count}, dtype, options.requires_grad);
  return create(Linspace(first, last, count, dtype), options.requires_grad);
}

Tensor eye(std::int64_t n, std::optional<std::int64_t> m, const TensorOptions& options) {
  const std::int64_t columns = m.value_or(n);
  if (n < 0 || columns < 0) {
    throw ShapeError(fmt::format("eye: sizes must not be negative: got {} and {}", n, columns));
  }
  const Dtype dtype = dtype_or_default(options);
  detail::check_new("eye", {n, columns}, dtype, options.requires_grad);
  return create(Eye(n, columns, dtype), options.requires_grad);
}

Tensor one_hot(const Tensor& labels, std::int64_t classes, const TensorOptions& options) {
  if (!detail::IndexTypes::contains(labels.dtype())) {
    throw DtypeError(fmt::format("one_hot: labels must be int64 or int32: got {}; convert with to(int64)",
                                 to_string(labels.dtype())));
  }
  if (classes < 0) throw ValueError(fmt::format("one_hot: classes must not be negative: got {}", classes));
  Shape shape = labels.shape();
  if (shape.rank() == Shape::max_rank) {
    throw ShapeError(
        fmt::format("one_hot: labels leave no dimension for the classes: labels are {}, at most {} "
                    "dimensions",
                    to_string(shape), Shape::max_rank));
  }
  shape.push_back(classes);
  const Dtype dtype = dtype_or_default(options);
  detail::check_new("one_hot", shape, dtype, options.requires_grad);
  Tensor result = detail::apply_constant(OneHot(classes, dtype), detail::cast(labels, Dtype::int64));
  if (options.requires_grad) result.set_requires_grad();
  return result;
}

}  // namespace xtgrad::v1
