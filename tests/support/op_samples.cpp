#include "tests/support/op_samples.h"

#include <map>

namespace xtgrad::inline v1::testing {
namespace {

std::map<OpId, std::vector<OpSamples::Describe>>& registry() {
  static std::map<OpId, std::vector<OpSamples::Describe>> all;  // a local: other files register before main
  return all;
}

struct ShapeList {
  std::vector<Shape> shapes;  // of each input
  bool derivatives;
};

/// One operand: 0-d, empty, single, ordinary, odd and longer than a tile.
std::vector<ShapeList> shapes_of_one() {
  return {{{{3}}, true},  {{{}}, true},         {{{2, 3}}, true},  {{{0}}, true},        {{{2, 0, 3}}, true},
          {{{1}}, false}, {{{2, 3, 4}}, false}, {{{1037}}, false}, {{{33, 1037}}, false}};
}

/// Pairs: equal, and stretched on either side, on both, from 0-d, and to nothing.
std::vector<ShapeList> shapes_of_two() {
  return {{{{2, 3}, {2, 3}}, true},   {{{3}, {2, 1}}, true},     {{{}, {3}}, true},
          {{{2, 3}, {}}, true},       {{{}, {}}, true},          {{{0}, {1}}, true},
          {{{1, 1}, {2, 0}}, true},   {{{2, 3}, {3}}, false},    {{{2, 1, 4}, {3, 1}}, false},
          {{{1}, {2, 3, 4}}, false},  {{{1037}, {1037}}, false}, {{{1037}, {}}, false},
          {{{1037}, {61, 1}}, false}, {{{61, 17}, {17}}, false}, {{{1}, {34221}}, false}};
}

std::vector<ShapeList> shapes_of_three() {
  return {{{{2, 3}, {2, 3}, {2, 3}}, true},
          {{{3}, {2, 1}, {}}, true},
          {{{2, 1}, {3}, {2, 3}}, true},
          {{{}, {3}, {2, 1}}, true},
          {{{}, {}, {}}, true},
          {{{0}, {1}, {}}, true},
          {{{1037}, {1037}, {}}, false},
          {{{17}, {61, 1}, {61, 17}}, false},
          {{{}, {34221}, {1}}, false}};
}

std::vector<ShapeList> shapes_of(std::size_t operands) {
  return operands == 1 ? shapes_of_one() : operands == 2 ? shapes_of_two() : shapes_of_three();
}

SampleReference broadcasting(const ScalarReference& element) {
  return [element](std::span<const Values> in) {
    std::vector<Real> operands(in.size());
    return fill(broadcast_shape(in), [&](const Index& index) {
      for (std::size_t k = 0; k < in.size(); ++k) operands[k] = in[k].at(broadcast_index(index, in[k].shape));
      return element(operands);
    });
  };
}

}  // namespace

void Op::elementwise(const Elementwise& operation) {
  elementwise_operations.push_back(operation);
  for (const ShapeList& list : shapes_of(operation.inputs.size())) {
    Sample sample{.attributes = operation.attributes,
                  .inputs = operation.inputs,
                  .apply = operation.apply,
                  .reference = broadcasting(operation.reference),
                  .linear_in = operation.linear_in,
                  .linear_exactly = operation.linear_exactly,
                  .integers = operation.integers,
                  .result = operation.result,
                  .derivatives = list.derivatives,
                  .nasty = false};  // elementwise operations get every combination instead
    for (std::size_t k = 0; k < sample.inputs.size(); ++k) sample.inputs[k].shape = list.shapes[k];
    samples.push_back(std::move(sample));
  }
}

Kind kind_of(OpId id) {
  constexpr Kind kinds[] = {
#define XTGRAD_PRIMITIVE(name, family) Kind::primitive,
#define XTGRAD_COMPOSITE(name, family) Kind::composite,
#define XTGRAD_CONSTANT(name, family) Kind::constant,
#include "xtgrad/autograd/ops.def"
#undef XTGRAD_PRIMITIVE
#undef XTGRAD_COMPOSITE
#undef XTGRAD_CONSTANT
  };
  return kinds[static_cast<std::size_t>(id)];
}

OpSamples::OpSamples(OpId id, Describe describe) { registry()[id].push_back(describe); }

Op describe(OpId id) {
  Op op(id);
  const auto found = registry().find(id);
  if (found != registry().end()) {
    for (const OpSamples::Describe describe : found->second) describe(op);
    op.registrations = found->second.size();
  }
  return op;
}

}  // namespace xtgrad::testing
