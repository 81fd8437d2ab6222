// Samples of sums of products over named or paired axes, and of products of vectors.
#include <algorithm>
#include <cmath>
#include <map>
#include <string>
#include <utility>

#include "tests/support/op_samples.h"
#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/functions/contraction.h"

namespace xtgrad::inline v1::testing { namespace {

/// The sum over all letters of the products of the operands' elements, by an equation without dots. A loop
/// over every combination of what the letters count.
SampleReference einstein_sum(const std::string& equation) {
  return [equation](std::span<const Values> in) {
    const std::size_t arrow = equation.find("->");
    const std::string output = equation.substr(arrow + 2);
    std::vector<std::string> terms(1);
    for (const char c : equation.substr(0, arrow)) {
      if (c == ',') {
        terms.emplace_back();
      } else {
        terms.back() += c;
      }
    }
    std::map<char, std::int64_t> sizes;
    for (std::size_t i = 0; i < terms.size(); ++i) {
      for (std::size_t d = 0; d < terms[i].size(); ++d) sizes[terms[i][d]] = in[i].size(d);
    }
    Shape shape;
    for (const char c : output) shape.push_back(sizes.at(c));
    std::string summed;
    Shape inner;
    for (const auto& [letter, size] : sizes) {
      if (output.find(letter) != std::string::npos) continue;
      summed += letter;
      inner.push_back(size);
    }
    return fill(shape, [&](const Index& index) {
      Real sum = 0;
      for_each_index(inner, [&](const Index& place) {
        Real product = 1;
        for (std::size_t i = 0; i < terms.size(); ++i) {
          Index at;
          for (const char c : terms[i]) {
            const std::size_t d = output.find(c);
            at.push_back(d != std::string::npos ? index[d] : place[summed.find(c)]);
          }
          product *= in[i].at(at);
        }
        sum += product;
      });
      return sum;
    });
  };
}

// Sums of up to a dozen products.
constexpr Accuracy of_sums = {.ulps = 8, .by_magnitudes = true, .signed_zeros = false};

const OpSamples einsum_samples(OpId::einsum, [](Op& op) {
  op.accuracy = of_sums;
  op.accuracy.gradient_ulps = 4;
  const auto of = [&op](const std::string& equation, const std::vector<Shape>& shapes,
                        std::string reference = "") {
    if (reference.empty()) reference = equation;
    std::vector<Input> inputs;
    std::vector<std::size_t> all;
    for (const Shape& shape : shapes) {
      all.push_back(inputs.size());
      inputs.push_back({.shape = shape});
    }
    op.sample({.attributes = equation,
               .inputs = inputs,
               .apply = [=](std::span<const Tensor> in) { return einsum(equation, in); },
               .reference = einstein_sum(reference),
               .linear_in = all,
               .nasty = false});
  };
  of("ij,jk->ik", {{2, 3}, {3, 4}});
  of("ij,kj->ik", {{2, 3}, {4, 3}});
  of("ji,jk->ki", {{3, 2}, {3, 4}});
  of("bij,bjk->bik", {{2, 2, 3}, {2, 3, 2}});
  of("bij,jk->bik", {{2, 2, 3}, {3, 2}});
  of("i,j->ij", {{2}, {3}});
  of("i,i->", {{3}, {3}});
  of("i,i->i", {{3}, {3}});
  of("ij->ji", {{2, 3}});
  of("ij->", {{2, 3}});
  of("ij->j", {{2, 3}});
  of("ii->i", {{3, 3}});
  of("ii->", {{3, 3}});
  of("iji,j->i", {{2, 3, 2}, {3}});
  of("ij,jk,kl->il", {{2, 3}, {3, 2}, {2, 2}});
  of("i,ij,j->", {{2}, {2, 3}, {3}});
  of("abc,cd,b->ad", {{2, 2, 2}, {2, 3}, {2}});
  of("ij,kl->ijkl", {{2, 2}, {2, 1}});
  of("ij,jk", {{2, 3}, {3, 2}}, "ij,jk->ik");
  of("ba", {{2, 3}}, "ba->ab");
  of(" i j , j -> i ", {{2, 3}, {3}}, "ij,j->i");
  of("...ij,...jk->...ik", {{2, 2, 3}, {2, 3, 2}}, "bij,bjk->bik");
  of("...i,i", {{2, 3}, {3}}, "bi,i->b");
  of("...ij,...jk->...ik", {{2, 3}, {2, 3, 2}}, "ij,bjk->bik");
  of("i...->...", {{2, 3}}, "ij->j");
  of("ij,jk->ik", {{2, 0}, {0, 2}});
  of("ij,jk->ik", {{0, 2}, {2, 2}});
  of("ii->i", {{0, 0}});
  const auto call = [](const char* equation, const std::vector<Shape>& shapes) {
    return [=] {
      std::vector<Tensor> operands;
      for (const Shape& shape : shapes) operands.push_back(ones(shape));
      return einsum(equation, operands);
    };
  };
  op.throws<ValueError>("\"ij,jk->ik\" is of 2 operands, got 1", call("ij,jk->ik", {{2, 3}}));
  op.throws<ShapeError>("\"ij->i\" has 2 axes for operand 0, which is [2]", call("ij->i", {{2}}));
  op.throws<ShapeError>("\"...ij->i\" has 2 axes or more for operand 0, which is [2]",
                        call("...ij->i", {{2}}));
  op.throws<ShapeError>("\"ij,jk->ik\": axis j has size 3, in operand 1 it has size 4",
                        call("ij,jk->ik", {{2, 3}, {4, 2}}));
  op.throws<ShapeError>("an axis of \"...\" has size 2, in operand 1 it has size 3",
                        call("...,...", {{2}, {3}}));
  op.throws<ValueError>("the output has a letter that no operand has: \"i->j\"", call("i->j", {{2}}));
  op.throws<ValueError>("the output has a letter twice: \"i->ii\"", call("i->ii", {{2}}));
  op.throws<ValueError>("a term has letters, spaces, and one \"...\": \"i1->i\"", call("i1->i", {{2}}));
});

const OpSamples dot_samples(OpId::dot, [](Op& op) {
  op.parts = {OpId::matmul};
  op.accuracy = of_sums;
  for (const std::int64_t n : {0, 1, 5}) {
    op.sample({.attributes = std::to_string(n),
               .inputs = {{.shape = {n}}, {.shape = {n}}},
               .apply = [](const Tensor& a, const Tensor& b) { return dot(a, b); },
               .reference = einstein_sum("i,i->"),
               .linear_in = {0, 1}});
  }
  op.throws<ShapeError>("sizes differ: a is [2], b is [3]", [] { return dot(ones({2}), ones({3})); });
  op.throws<ShapeError>("needs vectors [n]: a is [2, 2], b is [2]", [] {
    return dot(ones({2, 2}), ones({2}));
  });
});

const OpSamples outer_samples(OpId::outer, [](Op& op) {
  op.parts = {OpId::mul};
  op.accepts = Accepts::numbers;
  op.accuracy = {.ulps = correctly_rounded};
  const auto of = [&op](std::int64_t m, std::int64_t n) {
    op.sample({.attributes = std::to_string(m) + " " + std::to_string(n),
               .inputs = {{.shape = {m}}, {.shape = {n}}},
               .apply = [](const Tensor& a, const Tensor& b) { return outer(a, b); },
               .reference = einstein_sum("i,j->ij"),
               .linear_in = {0, 1},
               .nasty = false});
  };
  of(2, 3);
  of(1, 1);
  of(0, 2);
  op.throws<ShapeError>("needs vectors [n]: a is [], b is [2]", [] { return outer(ones({}), ones({2})); });
});

const OpSamples tensordot_samples(OpId::tensordot, [](Op& op) {
  op.parts = {OpId::matmul};
  op.accuracy = of_sums;
  const auto of = [&op](const Shape& a, const Shape& b, const TensordotOptions& options,
                        const char* reference) {
    op.sample({.attributes = reference,
               .inputs = {{.shape = a}, {.shape = b}},
               .apply = [=](const Tensor& x, const Tensor& y) { return tensordot(x, y, options); },
               .reference = einstein_sum(reference),
               .linear_in = {0, 1},
               .nasty = false});
  };
  of({2, 3}, {3, 2}, {.axes_a = 1, .axes_b = 0}, "ij,jk->ik");
  of({2, 3}, {3, 2}, {.axes_a = {0, 1}, .axes_b = {1, 0}}, "ij,ji->");
  of({2, 3, 2}, {2, 2}, {.axes_a = {0, -1}, .axes_b = {0, 1}}, "ijk,ik->j");
  of({2}, {3}, {}, "i,j->ij");
  of({2, 0}, {0, 2}, {.axes_a = 1, .axes_b = 0}, "ij,jk->ik");
  op.sample({.attributes = "the last two with the first two",
             .inputs = {{.shape = {2, 3, 2}}, {.shape = {3, 2, 2}}},
             .apply = [](const Tensor& x, const Tensor& y) { return tensordot(x, y, 2); },
             .reference = einstein_sum("abc,bcd->ad"),
             .linear_in = {0, 1},
             .nasty = false});
  op.throws<ShapeError>(
      "paired axes must be of one size: a is [2, 3], axes_a is [1], b is [2, 3], axes_b is [1, 0]", [] {
        return tensordot(ones({2, 3}), ones({2, 3}), {.axes_a = 1, .axes_b = {1, 0}});
      });
  op.throws<ShapeError>("axes_a names an axis twice: [0, -2]", [] {
    return tensordot(ones({2, 2}), ones({2, 2}), {.axes_a = {0, -2}, .axes_b = {0, 1}});
  });
  op.throws<ShapeError>("axis 2 is out of range",
                        [] { return tensordot(ones({2}), ones({2}), {.axes_a = 2, .axes_b = 0}); });
  op.throws<ValueError>("the count of axes must be from 0 to 1: got 2", [] {
    return tensordot(ones({2}), ones({2, 2}), 2);
  });
});

const OpSamples kron_samples(OpId::kron, [](Op& op) {
  op.parts = {OpId::mul};
  op.accepts = Accepts::numbers;
  op.accuracy = {.ulps = correctly_rounded};
  const auto of = [&op](const Shape& a, const Shape& b) {
    op.sample({.attributes = to_string(a) + to_string(b),
               .inputs = {{.shape = a}, {.shape = b}},
               .apply = [](const Tensor& x, const Tensor& y) { return kron(x, y); },
               .reference =
                   [](std::span<const Values> in) {
                     const std::size_t rank = std::max(in[0].shape.rank(), in[1].shape.rank());
                     const auto size = [&](const Values& x, std::size_t d) {
                       const std::size_t missing = rank - x.shape.rank();
                       return d < missing ? 1 : x.size(d - missing);
                     };
                     Shape shape;
                     for (std::size_t d = 0; d < rank; ++d) shape.push_back(size(in[0], d) * size(in[1], d));
                     return fill(shape, [&](const Index& index) {
                       Index of_a;
                       Index of_b;
                       for (std::size_t d = 0; d < rank; ++d) {
                         const std::int64_t inner = size(in[1], d);
                         if (d >= rank - in[0].shape.rank()) of_a.push_back(index[d] / inner);
                         if (d >= rank - in[1].shape.rank()) of_b.push_back(index[d] % inner);
                       }
                       return in[0].at(of_a) * in[1].at(of_b);
                     });
                   },
               .linear_in = {0, 1},
               .nasty = false});
  };
  of({2, 2}, {3, 2});
  of({2}, {3});
  of({2}, {3, 2});
  of({2, 1, 2}, {2});
  of({}, {2});
  of({0, 2}, {2, 2});
  op.throws<ShapeError>("needs at most 4 dimensions: a is [1, 1, 1, 1, 1], b is [1]", [] {
    return kron(ones({1, 1, 1, 1, 1}), ones({1}));
  });
});

const OpSamples cross_samples(OpId::cross, [](Op& op) {
  op.parts = {OpId::mul};
  op.accepts = Accepts::numbers;
  op.accuracy = {.ulps = 2, .floor = 8};  // two products of up to 4, which cancel
  const auto of = [&op](const Shape& a, const Shape& b, std::int64_t axis, std::size_t dim) {
    op.sample({.attributes = to_string(a) + to_string(b) + " axis=" + std::to_string(axis),
               .inputs = {{.shape = a}, {.shape = b}},
               .apply = [=](const Tensor& x, const Tensor& y) { return cross(x, y, axis); },
               .reference =
                   [=](std::span<const Values> in) {
                     return fill(broadcast_shape(in), [&](const Index& index) {
                       const auto element = [&](const Values& x, std::int64_t turn) {
                         Index at = index;
                         at[dim] = (index[dim] + turn) % 3;
                         return x.at(broadcast_index(at, x.shape));
                       };
                       return element(in[0], 1) * element(in[1], 2) - element(in[0], 2) * element(in[1], 1);
                     });
                   },
               .linear_in = {0, 1},
               .nasty = false});
  };
  of({3}, {3}, -1, 0);
  of({2, 3}, {2, 3}, -1, 1);
  of({3, 2}, {3, 2}, 0, 0);
  of({2, 3}, {3}, -1, 1);
  of({2, 1, 3}, {2, 3}, 2, 2);
  of({0, 3}, {3}, -1, 1);
  op.throws<ShapeError>("needs 3 elements along axis -1: a is [2], b is [2]",
                        [] { return cross(ones({2}), ones({2})); });
});

const OpSamples vander_samples(OpId::vander, [](Op& op) {
  op.parts = {OpId::pow};
  op.accuracy = {.ulps = 2};
  const auto of = [&op](const Shape& shape, const VanderOptions& options, std::int64_t columns) {
    op.sample({.attributes = to_string(shape) + (options.decreasing ? " decreasing" : ""),
               .inputs = {{.shape = shape, .domain = {.avoid = {0}}}},
               .apply = [=](const Tensor& x) { return vander(x, options); },
               .reference =
                   [=](std::span<const Values> in) {
                     Shape result = in[0].shape;
                     result.push_back(columns);
                     return fill(result, [&](const Index& index) {
                       const Index at(index.begin(), index.end() - 1);
                       const std::int64_t power =
                           options.decreasing ? columns - 1 - index.back() : index.back();
                       return std::pow(in[0].at(at), static_cast<Real>(power));
                     });
                   },
               .nasty = false});
  };
  of({3}, {}, 3);
  of({3}, {.decreasing = true}, 3);
  of({2, 2}, {.powers = 4}, 4);
  of({2}, {.powers = 0}, 0);
  of({2}, {.powers = 0, .decreasing = true}, 0);
  of({0}, {}, 0);
  op.throws<ShapeError>("needs at least 1 dimension [..., n]: x is []", [] { return vander(ones({})); });
  op.throws<ValueError>("powers must be at least 0: got -1",
                        [] { return vander(ones({2}), {.powers = -1}); });
});

}}  // namespace xtgrad::testing
