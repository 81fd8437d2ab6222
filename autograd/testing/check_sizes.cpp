// An elementwise operation gives an element the same bits wherever it is: in a vector of any length, in its
// last, incomplete register, in a tensor of any rank, stretched by broadcasting.
#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "xtgrad/autograd/testing/subject.h"

namespace xtgrad::inline v1::detail::checks {
namespace {

/// Around every width that a register, a block of 64 bytes or an unrolled loop may have, and past a tile.
const Shape shapes[] = {{},   {0},   {1},   {2},    {3},       {4},    {5},       {7},  {8},
                        {9},  {15},  {16},  {17},   {31},      {32},   {33},      {63}, {64},
                        {65}, {127}, {129}, {1037}, {2, 0, 3}, {5, 7}, {3, 1, 11}};

class Places {
 public:
  Places(Subject& subject, Dtype dtype) : subject_(subject), dtype_(dtype) {
    const std::vector<Values> point = subject.point(dtype);
    const Shape shape = broadcast_shape(point);
    for_each_index(shape, [&](const Index& index) {
      std::vector<Real> tuple;
      for (const Values& input : point) tuple.push_back(input.at(broadcast_index(index, input.shape)));
      tuples_.push_back(std::move(tuple));
    });
    // An odd number of them: each then comes to stand in every lane.
    if (tuples_.size() % 2 == 0 && !tuples_.empty()) tuples_.pop_back();
    for (std::size_t t = 0; t < tuples_.size(); ++t) {
      alone_.push_back(run(inputs_of({1}, t), t));
    }
  }

  void check() {
    if (tuples_.empty()) return;
    for (const Shape& shape : shapes) compare_shape(shape);
    if (!subject_.op.broadcasts || tuples_[0].size() < 2) return;
    for (std::size_t i = 0; i < tuples_[0].size(); ++i) {
      compare_stretched(i, {}, {2, 19});
      compare_stretched(i, {1}, {33});
      compare_stretched(i, {7, 1}, {7, 5});
      compare_stretched(i, {5}, {3, 5});
    }
  }

 private:
  struct Results {
    std::vector<Values> outputs;
    std::vector<std::optional<Values>> gradients;  // of each floating input
  };

  /// Inputs of one shape, whose elements are the tuples in turn, from number `first` on.
  [[nodiscard]] std::vector<Values> inputs_of(const Shape& shape, std::size_t first = 0) const {
    std::vector<Values> inputs(tuples_[0].size(), Values{shape, {}});
    for (std::size_t e = 0; e < static_cast<std::size_t>(shape.numel()); ++e) {
      for (std::size_t k = 0; k < inputs.size(); ++k)
        inputs[k].data.push_back(tuples_[(first + e) % tuples_.size()][k]);
    }
    return inputs;
  }

  /// Outputs, and gradients for a cotangent that is the same wherever a tuple is.
  [[nodiscard]] Results run(std::span<const Values> values, std::size_t first = 0) const {
    const std::vector<Tensor> inputs = subject_.tensors(values, dtype_, true);
    Results results;
    std::vector<Values> cotangents;
    const std::vector<Tensor> outputs = subject_.apply(inputs);
    for (const Tensor& y : outputs) {
      results.outputs.push_back(to_values(y));
      Values g{y.shape(), {}};
      for (std::size_t e = 0; e < static_cast<std::size_t>(y.numel()); ++e)
        g.data.push_back(0.5 + 0.375 * static_cast<Real>((first + e) % tuples_.size() % 5));
      cotangents.push_back(std::move(g));
    }
    if (recorded_of(outputs).empty()) return results;
    for (const Tensor& gradient :
         subject_.gradients(inputs, subject_.differentiable_of(inputs), cotangents, false)) {
      results.gradients.push_back(gradient.defined() ? std::optional(to_values(gradient)) : std::nullopt);
    }
    return results;
  }

  void compare_shape(const Shape& shape) {
    const Results got = run(inputs_of(shape));
    for (std::size_t k = 0; k < got.outputs.size(); ++k) {
      if (got.outputs[k].shape != shape) {
        subject_.fail(of_output(k, got.outputs.size(),
                                fmt::format("{}: inputs of shape {}, the result has {}", to_string(dtype_),
                                            to_string(shape), to_string(got.outputs[k].shape))));
        continue;
      }
      compare_places(
          got.outputs[k], [&](std::size_t t) { return alone_[t].outputs[k].data.at(0); },
          of_output(k, got.outputs.size(), "value"));
    }
    for (std::size_t i = 0; i < got.gradients.size(); ++i) {
      const auto alone = [&](std::size_t t) -> const std::optional<Values>& {
        return alone_[t].gradients.at(i);
      };
      if (got.gradients[i].has_value() != alone(0).has_value()) {
        subject_.fail(fmt::format("gradient {}, {}: exists for one of the shapes {} and [1] alone", i,
                                  to_string(dtype_), to_string(shape)));
      } else if (got.gradients[i].has_value()) {
        compare_places(
            *got.gradients[i], [&](std::size_t t) { return alone(t)->data.at(0); },
            fmt::format("gradient {}", i));
      }
    }
  }
  template <class F>
  void compare_places(const Values& got, const F& alone, const std::string& what) {
    for (std::size_t e = 0; e < got.data.size(); ++e)
      compare_element(got, e, alone(e % tuples_.size()), what, "alone");
  }
  void compare_element(const Values& got, std::size_t e, Real want, const std::string& what,
                       std::string_view than) {
    if (ulps_between(got.data[e], want, dtype_) == 0) return;
    subject_.fail(fmt::format("{}, {}: element {} of {} is {}, {} it is {}", what, to_string(dtype_), e,
                              to_string(got.shape), digits(got.data[e], dtype_), than, digits(want, dtype_)));
  }

  /// Input `i` of a smaller shape, against the same stretched by hand.
  void compare_stretched(std::size_t i, const Shape& small, const Shape& shape) {
    std::vector<Values> stretched = inputs_of(shape);
    std::vector<Values> inputs = stretched;
    inputs[i] = inputs_of(small)[i];
    stretched[i] = fill(shape, [&](const Index& at) { return inputs[i].at(broadcast_index(at, small)); });
    const std::vector<Tensor> got = subject_.apply(subject_.tensors(inputs, dtype_, false));
    const std::vector<Tensor> want = subject_.apply(subject_.tensors(stretched, dtype_, false));
    for (std::size_t k = 0; k < got.size(); ++k) {
      const std::string what =
          of_output(k, got.size(), fmt::format("input {} of shape {}", i, to_string(small)));
      if (got[k].shape() != shape) {
        subject_.fail(fmt::format("{}: the result has shape {}, wanted {}", what, to_string(got[k].shape()),
                                  to_string(shape)));
        continue;
      }
      const Values values = to_values(got[k]);
      const Values whole = to_values(want[k]);
      for (std::size_t e = 0; e < values.data.size(); ++e)
        compare_element(values, e, whole.data[e], what, "stretched by hand");
    }
  }

  Subject& subject_;
  Dtype dtype_;
  std::vector<std::vector<Real>> tuples_;  // an element of each input
  std::vector<Results> alone_;             // of each tuple in tensors of shape [1]
};

}  // namespace

void check_sizes(Subject& subject) {
  if (!subject.is_elementwise()) return;
  for (const Dtype dtype : subject.floating_dtypes()) Places(subject, dtype).check();
}

}  // namespace xtgrad::v1::detail::checks
