#include "xtgrad/autograd/multinomial.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <span>
#include <string_view>
#include <vector>

#include "xtgrad/autograd/core/apply.h"
#include "xtgrad/autograd/core/loaded_checks.h"
#include "xtgrad/autograd/core/philox.h"
#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/kernels/levels/draw.h"

namespace xtgrad::inline v1 {

namespace {

using detail::DrawStream;

/// Seed and position of the draw, an operand, and the weights, another.
class Multinomial final : public detail::ConstantPrimitive<Multinomial> {
 public:
  explicit Multinomial(std::int64_t count = 0, bool replacement = false)
      : count_(count), replacement_(replacement) {}

  [[nodiscard]] std::string_view name() const override { return "multinomial"; }
  void describe(Attributes& a) override {
    a("count", count_);
    a("replacement", replacement_, false);
  }
  void infer(detail::InputSpecs in, detail::OutputSpecs out) const override {
    out[0]->dtype = Dtype::int64;
    out[0]->shape = in[1]->shape;
    out[0]->shape[out[0]->shape.rank() - 1] = count_;
  }
  void eval(detail::Inputs in, detail::Outputs out) const override {
    detail::visit_floating(in[1]->dtype, [&](auto zero) {
      using T = decltype(zero);
      const auto categories = static_cast<std::size_t>(in[1]->shape.back());
      const std::span<const T> weights(in[1]->data<T>(), static_cast<std::size_t>(in[1]->numel()));
      const std::size_t rows = categories == 0 ? 0 : weights.size() / categories;
      for (std::size_t row = 0; row < rows; ++row)
        check_weights(row, weights.subspan(row * categories, categories));
      auto* to = out[0]->mutable_data<std::int64_t>();
      const DrawStream stream = stream_of(in[0]->data<std::uint64_t>());
      for (std::size_t row = 0; row < rows; ++row) {
        const auto of_row = weights.subspan(row * categories, categories);
        const std::span<std::int64_t> drawn(to + row * static_cast<std::size_t>(count_),
                                            static_cast<std::size_t>(count_));
        replacement_ ? draw_again(stream, row, of_row, drawn) : draw_once(stream, row, of_row, drawn);
      }
    });
  }
  void check_loaded(detail::InputSpecs in, detail::InputSpecs out) const override {
    require_call(in, out, 2);
    detail::require_spec(name(), "the stream", *in[0], {Shape{2}, Dtype::int64, {}});
    require_floating(name(), in.subspan(1));
    const Shape& weights = in[1]->shape;
    detail::require_attribute(weights.rank() == 1 || weights.rank() == 2, name(), "weights",
                              "of 1 or 2 dimensions", weights.rank());
    detail::require_attribute(count_ >= 0, name(), "count", "at least 0", count_);
  }

 private:
  static DrawStream stream_of(const std::uint64_t* words) { return {words[0], words[1]}; }

  template <class T>
  void check_weights(std::size_t row, std::span<const T> weights) const {
    std::int64_t positive = 0;
    double sum = 0;
    for (std::size_t k = 0; k < weights.size(); ++k) {
      if (!(weights[k] >= 0) || std::isinf(weights[k])) {
        throw ValueError(
            fmt::format("multinomial: weights must be finite and not negative, got {} at [{}] of row {}",
                        weights[k], k, row));
      }
      positive += weights[k] > 0 ? 1 : 0;
      sum += static_cast<double>(weights[k]);
    }
    if (count_ == 0) return;
    if (positive == 0) throw ValueError(fmt::format("multinomial: all weights of row {} are 0", row));
    if (std::isinf(sum))
      throw ValueError(fmt::format("multinomial: the weights of row {} add up to infinity", row));
    if (!replacement_ && positive < count_) {
      throw ValueError(
          fmt::format("multinomial: {} draws without replacement, but {} weights of row {} are above 0",
                      count_, positive, row));
    }
  }

  /// The numbers of a row's draws, or of its categories, begin at a block of their own.
  static double unit_at(const DrawStream& stream, std::size_t block) {
    return detail::unit_interval(detail::random_bits(stream.seed, stream.position, block).low);
  }

  /// The category whose share of [0, sum) a uniform number meets.
  template <class T>
  static void draw_again(const DrawStream& stream, std::size_t row, std::span<const T> weights,
                         std::span<std::int64_t> drawn) {
    std::vector<double> sums;
    sums.reserve(weights.size());
    double sum = 0;
    for (const T weight : weights) sums.push_back(sum += static_cast<double>(weight));
    // The product may round up to the sum itself, which is past the end of the last share that is not empty.
    const double largest = std::nextafter(sum, 0.0);
    for (std::size_t i = 0; i < drawn.size(); ++i) {
      const double place = std::min(unit_at(stream, row * drawn.size() + i) * sum, largest);
      drawn[i] = std::upper_bound(sums.begin(), sums.end(), place) - sums.begin();
    }
  }

  /// A race of exponential times, each with a weight for its rate: the order of arrival is that of draws from
  /// those that are left (Efraimidis and Spirakis, 2006).
  template <class T>
  static void draw_once(const DrawStream& stream, std::size_t row, std::span<const T> weights,
                        std::span<std::int64_t> drawn) {
    struct Arrival {
      double time;
      std::int64_t category;
    };
    std::vector<Arrival> arrivals;
    for (std::size_t k = 0; k < weights.size(); ++k) {
      if (!(weights[k] > 0)) continue;
      const double time = -std::log1p(-unit_at(stream, row * weights.size() + k));
      arrivals.push_back({time / static_cast<double>(weights[k]), static_cast<std::int64_t>(k)});
    }
    const auto is_before = [](const Arrival& a, const Arrival& b) {
      return a.time < b.time || (a.time == b.time && a.category < b.category);
    };
    std::partial_sort(arrivals.begin(), arrivals.begin() + static_cast<std::ptrdiff_t>(drawn.size()),
                      arrivals.end(), is_before);
    for (std::size_t i = 0; i < drawn.size(); ++i) drawn[i] = arrivals[i].category;
  }

  std::int64_t count_;
  bool replacement_;
};

}  // namespace

Tensor multinomial(const Tensor& weights, std::int64_t count, const MultinomialOptions& options,
                   Random& random) {
  if (!is_floating(weights.dtype())) {
    throw DtypeError(
        fmt::format("multinomial: weights must be float32 or float64, got {}", to_string(weights.dtype())));
  }
  if (weights.rank() != 1 && weights.rank() != 2) {
    throw ShapeError(
        fmt::format("multinomial: weights must be [k] or [n, k], they are {}", to_string(weights.shape())));
  }
  if (count < 0) throw ValueError(fmt::format("multinomial: the count must not be negative, got {}", count));
  if (count > 0 && weights.shape().back() == 0)
    throw ValueError(fmt::format("multinomial: no categories: weights are {}", to_string(weights.shape())));
  Tensor drawn = detail::apply_constant(Multinomial(count, options.replacement), random.state(), weights);
  random.advance();  // now that the weights have been taken
  return drawn;
}

}  // namespace xtgrad::v1
