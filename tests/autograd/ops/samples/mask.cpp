// Samples of what a bool tensor chooses.
#include <string>

#include "tests/support/op_samples.h"
#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/functions/mask.h"
#include "xtgrad/autograd/ops.h"

namespace xtgrad::inline v1::testing { namespace {

const OpSamples masked_fill_samples(OpId::masked_fill, [](Op& op) {
  op.accepts = Accepts::everything;
  const auto of = [&op](const Shape& x, const Shape& mask) {
    op.sample({.attributes = "x " + to_string(x) + ", mask " + to_string(mask),
               .inputs = {{.shape = x}, mask_input(mask)},
               .apply = [](const Tensor& a, const Tensor& m) { return masked_fill(a, m, 1); },
               .reference =
                   [=](std::span<const Values> in) {
                     return fill(x, [&](const Index& index) {
                       return in[1].at(broadcast_index(index, mask)) != 0 ? 1 : in[0].at(index);
                     });
                   }});
  };
  of({5}, {5});
  of({2, 3}, {3});
  of({2, 3}, {2, 1});
  of({2, 2}, {});
  of({}, {});
  of({0, 3}, {3});
  op.exact({.what = "what is filled has no share, be it NaN",
            .inputs = {row({not_a_number, 2}), row({1, 0})},
            .apply = [](const Tensor& x, const Tensor& mask) { return masked_fill(x, mask, 9); },
            .value = row({9, 2}),
            .gradients = {row({0, 1})},
            .roles = {Role::floating, Role::mask}});
  const Tensor mask = zeros({2, 3}, {.dtype = boolean});
  op.throws<ShapeError>("the mask does not stretch to x's shape: x is [3], the mask is [2, 3]",
                        [=] { return masked_fill(ones({3}), mask, 0); });
  op.throws<DtypeError>("the mask must be bool, got float32; compare it first",
                        [] { return masked_fill(ones({3}), ones({3}), 0); });
  op.throws<DtypeError>("int64 cannot hold 0.5", [=] {
    return masked_fill(ones({2, 3}, {.dtype = int64}), mask, 0.5);
  });
});

const OpSamples masked_select_samples(OpId::masked_select, [](Op& op) {
  op.accepts = Accepts::everything;
  op.parts = {OpId::index_select};
  const auto of = [&op](const Shape& x, const Shape& mask, const Shape& both) {
    op.sample({.attributes = "x " + to_string(x) + ", mask " + to_string(mask),
               .inputs = {{.shape = x}, mask_input(mask)},
               .apply = [](const Tensor& a, const Tensor& m) { return masked_select(a, m); },
               .reference =
                   [=](std::span<const Values> in) {
                     Values out;
                     for_each_index(both, [&](const Index& index) {
                       if (in[1].at(broadcast_index(index, mask)) != 0)
                         out.data.push_back(in[0].at(broadcast_index(index, x)));
                     });
                     out.shape = {static_cast<std::int64_t>(out.data.size())};
                     return out;
                   },
               .linear_in = {0},
               .decided = Decided::shape});
  };
  of({5}, {5}, {5});
  of({2, 3}, {2, 3}, {2, 3});
  of({2, 3}, {3}, {2, 3});
  of({3}, {2, 3}, {2, 3});
  of({2, 1}, {1, 4}, {2, 4});
  of({}, {}, {});
  of({0, 3}, {3}, {0, 3});
  op.throws<DtypeError>("the mask must be bool, got float32; compare it first",
                        [] { return masked_select(ones({3}), ones({3})); });
  op.throws<ShapeError>("shapes do not broadcast: a is [2], b is [3]",
                        [] { return masked_select(ones({2}), ones({3}, {.dtype = boolean})); });
});

const OpSamples masked_scatter_samples(OpId::masked_scatter, [](Op& op) {
  op.accepts = Accepts::everything;
  const auto of = [&op](const Shape& x, const Shape& mask, const Shape& source) {
    op.sample(
        {.attributes = "x " + to_string(x) + ", mask " + to_string(mask) + ", source " + to_string(source),
         .inputs = {{.shape = x}, mask_input(mask), {.shape = source}},
         .apply = [](const Tensor& a, const Tensor& m, const Tensor& s) { return masked_scatter(a, m, s); },
         .reference =
             [=](std::span<const Values> in) {
               std::size_t next = 0;
               return fill(x, [&](const Index& index) {
                 return in[1].at(broadcast_index(index, mask)) != 0 ? in[2].data[next++] : in[0].at(index);
               });
             },
         .linear_in = {0, 2}});
  };
  of({5}, {5}, {5});
  of({2, 3}, {2, 3}, {7});
  of({2, 3}, {3}, {3, 2});
  of({}, {}, {1});
  of({0, 3}, {3}, {0});
  op.exact({.what = "no element of none",
            .inputs = {row({1, 2}), row({0, 0}), {{0}, {}}},
            .apply = [](const Tensor& x, const Tensor& mask,
                        const Tensor& source) { return masked_scatter(x, mask, source); },
            .value = row({1, 2}),
            .gradients = {row({1, 1}), {{0}, {}}},
            .roles = {Role::floating, Role::mask, Role::floating}});
  const Tensor all = ones({3}, {.dtype = boolean});
  op.throws<ValueError>(
      "source must have an element for each that the mask chooses: it has 2, the mask chooses 3",
      [=] { return masked_scatter(ones({3}), all, ones({2})); });
  op.throws<ValueError>("it has 0, the mask chooses 3",
                        [=] { return masked_scatter(ones({3}), all, ones({0})); });
  op.throws<DtypeError>("the mask must be bool, got float32; compare it first",
                        [] { return masked_scatter(ones({3}), ones({3}), ones({3})); });
  op.throws<ShapeError>("the mask does not stretch to x's shape: x is [1], the mask is [3]",
                        [=] { return masked_scatter(ones({1}), all, ones({3})); });
});

const OpSamples nonzero_samples(OpId::nonzero, [](Op& op) {
  op.accepts = Accepts::everything;
  const auto of = [&op](const Shape& shape) {
    op.sample({.attributes = to_string(shape),
               // Every other element or so is 0.
               .inputs = {{.shape = shape, .domain = {.low = -1, .high = 1, .whole = true}}},
               .apply = [](const Tensor& x) { return nonzero(x); },
               .reference =
                   [](std::span<const Values> in) {
                     Values out;
                     std::int64_t count = 0;
                     for_each_index(in[0].shape, [&](const Index& index) {
                       if (in[0].at(index) == 0) return;
                       ++count;
                       out.data.insert(out.data.end(), index.begin(), index.end());
                     });
                     out.shape = {count, static_cast<std::int64_t>(in[0].shape.rank())};
                     return out;
                   },
               .result = [](Dtype) { return int64; },
               .decided = Decided::shape});
  };
  of({7});
  of({3, 4});
  of({2, 3, 2});
  of({});
  of({0, 3});
  of({3, 0});
  of({40000});
});

}}  // namespace xtgrad::testing
