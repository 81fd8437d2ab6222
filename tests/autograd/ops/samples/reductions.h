// What the samples of reductions over axes share.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "tests/support/op_samples.h"
#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/functions/reduction.h"

namespace xtgrad::inline v1::testing {

using Fold = std::function<Real(const std::vector<Real>&)>;

/// One case of a reduction: `axes` as the caller writes them, `dims` as they are meant.
struct ReductionCase {
  Shape shape;
  Axes axes;
  std::vector<std::size_t> dims;
  bool keepdim = false;
  bool derivatives = true;
};

/// Collects the elements of each group and folds them.
inline SampleReference reduced(const std::vector<std::size_t>& dims, bool keepdim, const Fold& fold) {
  return [=](std::span<const Values> in) {
    const auto is_reduced = [&](std::size_t d) {
      return std::find(dims.begin(), dims.end(), d) != dims.end();
    };
    std::vector<std::int64_t> sizes;
    for (std::size_t d = 0; d < in[0].shape.rank(); ++d) {
      if (!is_reduced(d)) sizes.push_back(in[0].shape[d]);
      if (is_reduced(d) && keepdim) sizes.push_back(1);
    }
    Values out{Shape(std::span<const std::int64_t>(sizes)), {}};
    std::vector<std::vector<Real>> groups(static_cast<std::size_t>(out.shape.numel()));
    for_each_index(in[0].shape, [&](const Index& index) {
      std::size_t group = 0;
      for (std::size_t d = 0; d < index.size(); ++d) {
        if (!is_reduced(d))
          group = group * static_cast<std::size_t>(in[0].shape[d]) + static_cast<std::size_t>(index[d]);
      }
      groups[group].push_back(in[0].at(index));
    });
    for (const std::vector<Real>& group : groups) out.data.push_back(fold(group));
    return out;
  };
}

inline std::string describe(const ReductionCase& c) {
  std::string text = to_string(c.shape) + (c.axes.all() ? " all axes" : " axes " + to_string(c.axes.named()));
  return text + (c.keepdim ? ", keepdim" : "");
}

using Reduce = std::function<Tensor(const Tensor&, const ReduceOptions&)>;

inline void reduction_samples(Op& op, const Reduce& reduce, const Fold& fold, const Sample& model,
                              const std::vector<ReductionCase>& cases) {
  for (const ReductionCase& c : cases) {
    Sample sample = model;
    const ReduceOptions options{.axes = c.axes, .keepdim = c.keepdim};
    sample.attributes = model.attributes + describe(c);
    sample.inputs = {{.shape = c.shape, .domain = model.inputs[0].domain}};
    sample.apply = [reduce, options](const Tensor& x) { return reduce(x, options); };
    sample.reference = reduced(c.dims, c.keepdim, fold);
    sample.derivatives = c.derivatives;
    op.sample(std::move(sample));
  }
  op.throws<ShapeError>("axis 2 is out of range: 2 dimensions have the axes -2 to 1", [reduce] {
    return reduce(ones({2, 3}), {.axes = {2}});
  });
  op.throws<ShapeError>("axis 1 is listed twice: axes are [1, -1], x is [2, 3]", [reduce] {
    return reduce(ones({2, 3}), {.axes = {1, -1}});
  });
}

inline std::vector<ReductionCase> cases_with_elements() {
  return {{{4}, {}, {0}},
          {{}, {}, {}},
          {{2, 3}, {}, {0, 1}},
          {{2, 3}, Dims{}, {}},
          {{2, 3}, Dims{}, {}, true},
          {{2, 3}, {0}, {0}},
          {{2, 3}, {-1}, {1}},
          {{2, 3, 4}, {1}, {1}, true},
          {{2, 3, 2}, {0, -1}, {0, 2}},
          {{2, 3, 2}, {2, 0}, {0, 2}, true},
          {{1}, {0}, {0}},
          {{0, 3}, {1}, {1}},
          {{1037}, {}, {0}, false, false},
          {{33, 1037}, {}, {0, 1}, false, false},
          {{17, 61}, {1}, {1}, false, false},
          {{61, 17}, {0}, {0}, true, false}};
}

inline std::vector<ReductionCase> cases_with_and_without_elements() {
  std::vector<ReductionCase> cases = cases_with_elements();
  cases.insert(cases.end(),
               {{{0}, {}, {0}}, {{0}, Dims{}, {}}, {{2, 0}, {1}, {1}}, {{0, 3}, {0}, {0}, true}});
  return cases;
}

}  // namespace xtgrad::v1::testing
