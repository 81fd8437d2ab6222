#include "tests/autograd/ops/derivative_orders.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "xtgrad/autograd/grad.h"

namespace xtgrad::inline v1::testing {
namespace {

Real largest_of(const Values& values) {
  Real largest = 0;
  for (const Real value : values.data) largest = std::max(largest, std::abs(value));
  return largest;
}

/// A sum of products, and of their sizes.
struct Product {
  Real sum = 0;
  Real size = 0;
};

Product product(std::span<const Values> a, std::span<const Tensor> b) {
  Product result;
  for (std::size_t i = 0; i < a.size(); ++i) {
    const Values other = to_values(b[i]);
    for (std::size_t e = 0; e < other.data.size(); ++e) {
      result.sum += a[i].data[e] * other.data[e];
      result.size += std::abs(a[i].data[e] * other.data[e]);
    }
  }
  return result;
}

}  // namespace

Derivative::Derivative(const Sample& sample, std::span<const Values> values, Dtype dtype) {
  const std::vector<Tensor> all = make_inputs(sample, values, dtype, false);
  std::vector<bool> is_given;
  for (std::size_t i = 0; i < all.size(); ++i) {
    is_given.push_back(sample.inputs[i].differentiable);
    if (sample.inputs[i].differentiable) inputs_.push_back(values[i]);
    if (sample.inputs[i].differentiable) dtypes_.push_back(dtype);
  }
  f_ = [apply = sample.apply, all, is_given](std::span<const Tensor> given) {
    std::vector<Tensor> in = all;
    std::size_t next = 0;
    for (std::size_t i = 0; i < in.size(); ++i) {
      if (is_given[i]) in[i] = given[next++];
    }
    return std::vector<Tensor>{apply(in)};
  };
  const NoGrad off;
  for (const Tensor& y : f_(tensors(inputs_, dtypes_))) {
    output_shapes_.push_back(y.shape());
    output_dtypes_.push_back(y.dtype());
  }
}

std::vector<Tensor> Derivative::tensors(std::span<const Values> values, std::span<const Dtype> dtypes) {
  std::vector<Tensor> result;
  for (std::size_t i = 0; i < values.size(); ++i) result.push_back(to_tensor(values[i], dtypes[i]));
  return result;
}

Derivative Derivative::next(std::span<const Values> cotangents) const {
  Derivative higher;
  higher.f_ = [f = f_, n = inputs_.size()](std::span<const Tensor> in) {
    return vjp(f, in.first(n))(in.subspan(n));
  };
  higher.inputs_ = inputs_;
  higher.inputs_.insert(higher.inputs_.end(), cotangents.begin(), cotangents.end());
  higher.dtypes_ = dtypes_;
  higher.dtypes_.insert(higher.dtypes_.end(), output_dtypes_.begin(), output_dtypes_.end());
  higher.output_shapes_ = shapes_of(inputs_);
  higher.output_dtypes_ = dtypes_;
  return higher;
}

std::vector<Tensor> Derivative::reverse(std::span<const Values> w) const {
  return vjp(f_, tensors(inputs_, dtypes_))(tensors(w, output_dtypes_));
}

std::vector<Tensor> Derivative::forward(std::span<const Values> v) const {
  return jvp(f_, tensors(inputs_, dtypes_), tensors(v, dtypes_)).tangents;
}

Derivative Derivative::at(std::vector<Values> inputs) const {
  Derivative moved = *this;
  moved.inputs_ = std::move(inputs);
  return moved;
}

std::vector<Values> draw_probes(std::span<const Shape> shapes, Random& random) {
  std::vector<Values> probes;
  for (const Shape& shape : shapes) {
    probes.push_back(fill(shape, [&](const Index&) {
      const double size = 0.5 + 0.5 * random.next_uniform();
      return random.next_below(2) == 0 ? -size : size;
    }));
    probes.back() = rounded(std::move(probes.back()), float32);
  }
  return probes;
}

std::vector<Shape> shapes_of(std::span<const Values> values) {
  std::vector<Shape> shapes;
  for (const Values& one : values) shapes.push_back(one.shape);
  return shapes;
}

std::string compare_forward_to_reverse(const Derivative& derivative, Random& random) {
  const std::vector<Values> w = draw_probes(derivative.output_shapes(), random);
  const std::vector<Values> v = draw_probes(shapes_of(derivative.inputs()), random);
  const Product backward = product(v, derivative.reverse(w));
  const Product forward = product(w, derivative.forward(v));
  // As exact as what the reverse derivative itself was compared with.
  constexpr Real tolerance = 1e-7;
  const Real scale = std::max(backward.size, forward.size);
  if (std::abs(backward.sum - forward.sum) <= tolerance * scale) return {};
  return fmt::format("forward over reverse: <w, J v> is {}, <J^T w, v> is {}", digits(forward.sum, float64),
                     digits(backward.sum, float64));
}

std::string compare_float32_to_float64(const Derivative& in_float, const Derivative& in_double, bool forward,
                                       Float32Scale& limit, Random& random) {
  const std::vector<Values> along =
      draw_probes(forward ? shapes_of(in_double.inputs()) : in_double.output_shapes(), random);
  const auto derivatives = [&](const Derivative& f, std::span<const Values> way) {
    return forward ? f.forward(way) : f.reverse(way);
  };
  constexpr Real ulp = std::numeric_limits<float>::epsilon();
  const auto moved = [&](std::vector<Values> values) {
    for (Values& one : values) {
      for (Real& value : one.data) value *= random.next_below(2) == 0 ? 1 - ulp : 1 + ulp;
    }
    return values;
  };
  const std::vector<Tensor> want = derivatives(in_double, along);
  const std::vector<Tensor> got = derivatives(in_float, along);
  std::vector<Real> scale;
  for (const Tensor& one : want) scale.push_back(std::max(largest_of(to_values(one)), limit.floor));
  // What one ulp in every input makes of them counts where that is more, as in the shipped check.
  for (int probe = 0; probe < 3; ++probe) {
    const std::vector<Tensor> beside = derivatives(in_double.at(moved(in_double.inputs())), moved(along));
    for (std::size_t i = 0; i < want.size(); ++i) {
      Values change = to_values(beside[i]);
      const Values before = to_values(want[i]);
      for (std::size_t e = 0; e < change.data.size(); ++e) change.data[e] -= before.data[e];
      scale[i] = std::max(scale[i], largest_of(change) / ulp);
    }
  }
  for (std::size_t i = 0; i < want.size(); ++i) {
    if (got[i].shape() != want[i].shape()) return "float32: another shape";
    const Values g = to_values(got[i]);
    const Values t = to_values(want[i]);
    for (std::size_t e = 0; e < g.data.size(); ++e) {
      const Real error = std::abs(g.data[e] - t.data[e]);
      if (error <= limit.ulps * ulp * scale[i]) continue;
      return fmt::format("{} in float32, number {}: got {}, in float64 it is {}, {:.1f} ulps of {}",
                         forward ? "forward" : "reverse", i, digits(g.data[e], float32),
                         digits(t.data[e], float64), static_cast<double>(error / (ulp * scale[i])),
                         digits(scale[i], float64));
    }
  }
  for (const Tensor& one : want) limit.largest = std::max(limit.largest, largest_of(to_values(one)));
  return {};
}

}  // namespace xtgrad::v1::testing
