#pragma once

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <span>
#include <vector>

#include "xtgrad/autograd/export.h"
#include "xtgrad/autograd/random.h"
#include "xtgrad/autograd/tensor.h"

namespace xtgrad { inline namespace XTGRAD_PUBLIC v1 {

struct TensorOptions {
  std::optional<Dtype> dtype = std::nullopt;  ///< the thread's default dtype if absent
  bool requires_grad = false;
};

/// Nested braces of numbers: `{{1, 2}, {3, 4}}`.
class NestedNumbers {
 public:
  NestedNumbers(double number);        // NOLINT(google-explicit-constructor): braces need it
  NestedNumbers(int number);           // NOLINT(google-explicit-constructor)
  NestedNumbers(std::int64_t number);  // NOLINT(google-explicit-constructor)
  NestedNumbers(bool number);          // NOLINT(google-explicit-constructor)
  NestedNumbers(std::initializer_list<NestedNumbers> list);

  [[nodiscard]] bool is_number() const { return !list_; }
  [[nodiscard]] double number() const { return number_; }
  [[nodiscard]] const std::vector<NestedNumbers>& list() const { return children_; }

 private:
  double number_ = 0;
  bool list_ = false;
  std::vector<NestedNumbers> children_;
};

/// A tensor of the numbers written: `tensor({{1, 2}, {3, 4}})` is [2, 2], `tensor(3)` is 0-d. Throws
/// ShapeError for ragged braces, DtypeError for a number that the dtype cannot hold.
[[nodiscard]] Tensor tensor(const NestedNumbers& numbers, const TensorOptions& options = {});
[[nodiscard]] Tensor tensor(std::initializer_list<NestedNumbers> numbers, const TensorOptions& options = {});

// Copies of C++ values, in row-major order; the shape is the vector's length if none is given. The dtype is
// the element type's unless the options say another. Throw ShapeError if sizes disagree, DtypeError for a
// value that the dtype cannot hold.
[[nodiscard]] Tensor from_span(std::span<const float> values, const Shape& shape,
                               const TensorOptions& options = {});
[[nodiscard]] Tensor from_span(std::span<const double> values, const Shape& shape,
                               const TensorOptions& options = {});
[[nodiscard]] Tensor from_span(std::span<const std::int64_t> values, const Shape& shape,
                               const TensorOptions& options = {});
[[nodiscard]] Tensor from_span(std::span<const std::int32_t> values, const Shape& shape,
                               const TensorOptions& options = {});
[[nodiscard]] Tensor from_span(std::span<const std::uint8_t> values, const Shape& shape,
                               const TensorOptions& options = {});
[[nodiscard]] Tensor from_span(std::span<const bool> values, const Shape& shape,
                               const TensorOptions& options = {});
[[nodiscard]] Tensor from_vector(const std::vector<float>& values, const TensorOptions& options = {});
[[nodiscard]] Tensor from_vector(const std::vector<double>& values, const TensorOptions& options = {});
[[nodiscard]] Tensor from_vector(const std::vector<std::int64_t>& values, const TensorOptions& options = {});
[[nodiscard]] Tensor from_vector(const std::vector<std::int32_t>& values, const TensorOptions& options = {});
[[nodiscard]] Tensor from_vector(const std::vector<std::uint8_t>& values, const TensorOptions& options = {});

[[nodiscard]] Tensor zeros(const Shape& shape, const TensorOptions& options = {});
[[nodiscard]] Tensor ones(const Shape& shape, const TensorOptions& options = {});
[[nodiscard]] Tensor full(const Shape& shape, double value, const TensorOptions& options = {});
[[nodiscard]] Tensor zeros_like(const Tensor& x);
[[nodiscard]] Tensor ones_like(const Tensor& x);

struct ArangeOptions {
  double start = 0;
  double step = 1;
};
/// start, start + step, ... up to but without `stop`; int64 unless the options say another dtype.
[[nodiscard]] Tensor arange(double stop, const ArangeOptions& range = {}, const TensorOptions& options = {});
/// `count` numbers evenly spaced from `first` to `last`, both included.
[[nodiscard]] Tensor linspace(double first, double last, std::int64_t count,
                              const TensorOptions& options = {});
/// Identity matrix [n, m], m = n if absent.
[[nodiscard]] Tensor eye(std::int64_t n, std::optional<std::int64_t> m = std::nullopt,
                         const TensorOptions& options = {});

// Random tensors. The bits of element i depend only on the generator's seed and position and on i: not on the
// dtype (float32 is float64 rounded), the thread or the number of threads.
/// Independent standard normal numbers.
[[nodiscard]] Tensor randn(const Shape& shape, Random& random = default_random(),
                           const TensorOptions& options = {});

struct UniformOptions {
  double low = 0;
  double high = 1;
};
/// Independent uniform numbers in [low, high).
[[nodiscard]] Tensor uniform(const Shape& shape, const UniformOptions& range = {},
                             Random& random = default_random(), const TensorOptions& options = {});
/// Independent Bernoulli draws, bool: true with probability p.
[[nodiscard]] Tensor bernoulli(const Shape& shape, double p, Random& random = default_random());
/// A random order of 0..n-1, int64.
[[nodiscard]] Tensor randperm(std::int64_t n, Random& random = default_random());

/// One-hot rows: int64 or int32 labels [...] to [..., classes]. Throws ValueError for a label out of range.
[[nodiscard]] Tensor one_hot(const Tensor& labels, std::int64_t classes, const TensorOptions& options = {});

}}  // namespace xtgrad::v1
