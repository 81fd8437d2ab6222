#include "xtgrad/autograd/batch_loop.h"

#include <fmt/format.h>

#include <utility>
#include <vector>

#include "xtgrad/autograd/core/parts.h"
#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/ops.h"

namespace xtgrad::inline v1::detail {
namespace {

std::int64_t batch_size(const Primitive& primitive, std::span<const BatchInput> inputs) {
  const BatchInput* first = nullptr;
  for (const BatchInput& input : inputs) {
    if (!input.is_batched) continue;
    if (input.tensor.rank() == 0) {
      throw ShapeError(fmt::format("{}: batch: a 0-d input has no axis of examples", primitive.name()));
    }
    if (first == nullptr) first = &input;
    if (input.tensor.size(0) == first->tensor.size(0)) continue;
    throw ShapeError(fmt::format("{}: batch: inputs differ in the number of examples: {} and {}",
                                 primitive.name(), to_string(first->tensor.shape()),
                                 to_string(input.tensor.shape())));
  }
  if (first == nullptr) throw ValueError(fmt::format("{}: batch: no input is batched", primitive.name()));
  return first->tensor.size(0);
}

Shape example_shape(const Shape& batch) {
  Shape shape;
  for (std::size_t d = 1; d < batch.rank(); ++d) shape.push_back(batch[d]);
  return shape;
}

std::vector<Tensor> of_no_examples(const Primitive& primitive, std::span<const BatchInput> inputs,
                                   bool with_auxiliaries) {
  std::vector<Spec> specs;
  std::vector<const Spec*> in;
  for (const BatchInput& input : inputs) {
    const Shape& shape = input.tensor.shape();
    specs.push_back(
        {.shape = input.is_batched ? example_shape(shape) : shape, .dtype = input.tensor.dtype()});
  }
  for (const Spec& spec : specs) in.push_back(&spec);
  const Counts counts = primitive.counts(in);
  std::vector<Spec> results(counts.outputs + counts.auxiliaries);
  std::vector<Spec*> out;
  for (Spec& result : results) out.push_back(&result);
  primitive.infer(in, out);
  std::vector<Tensor> batches;
  const std::size_t wanted = with_auxiliaries ? results.size() : counts.outputs;
  for (std::size_t k = 0; k < wanted; ++k) {
    Shape shape{0};
    for (const std::int64_t size : results[k].shape) shape.push_back(size);
    batches.push_back(zeros(shape, {.dtype = results[k].dtype}));
  }
  return batches;
}

std::vector<Tensor> one_by_one(const Primitive& primitive, std::span<const BatchInput> inputs,
                               std::int64_t size, bool with_auxiliaries) {
  std::vector<std::vector<Tensor>> results;  // by output
  for (std::int64_t i = 0; i < size; ++i) {
    std::vector<Tensor> example;
    std::vector<const Tensor*> pointers;
    for (const BatchInput& input : inputs) example.push_back(example_of(input, i));
    for (const Tensor& tensor : example) pointers.push_back(&tensor);
    std::vector<Tensor> outputs =
        with_auxiliaries ? apply_with_auxiliaries(primitive, pointers) : apply_all(primitive, pointers);
    results.resize(outputs.size());
    for (std::size_t k = 0; k < outputs.size(); ++k) results[k].push_back(std::move(outputs[k]));
  }
  std::vector<Tensor> batches;
  for (const std::vector<Tensor>& each : results) batches.push_back(stack(each));
  return batches;
}

}  // namespace

Tensor example_of(const BatchInput& input, std::int64_t i) {
  if (!input.is_batched) return input.tensor;
  return reshape(slice(input.tensor, {.axis = 0, .start = i, .stop = i + 1}),
                 example_shape(input.tensor.shape()));
}

std::vector<Tensor> apply_with_auxiliaries(const Primitive& primitive,
                                           std::span<const Tensor* const> inputs) {
  if (thread_state.is_watched()) tell_operands(inputs);
  Computed computed;
  if (primitive.has_vjp()) computed.wishes = wishes_of(inputs);
  std::vector<const Array*> arrays;
  for (const Tensor* input : inputs) arrays.push_back(&array_of(*input));
  const std::vector<const Spec*> specs(arrays.begin(), arrays.end());
  const Counts counts = primitive.counts(specs);
  computed.outputs = counts.outputs;
  computed.arrays.resize(counts.outputs + counts.auxiliaries);
  std::vector<Array*> out;
  for (Array& array : computed.arrays) out.push_back(&array);
  compute_any(primitive, arrays, out);
  std::vector<Tensor> auxiliaries;
  for (std::size_t k = counts.outputs; k < computed.arrays.size(); ++k)
    auxiliaries.push_back(make_constant(Array(computed.arrays[k])));
  std::vector<Tensor> results = record_all(primitive, std::move(computed), inputs);
  for (Tensor& auxiliary : auxiliaries) results.push_back(std::move(auxiliary));
  return results;
}

std::vector<Tensor> apply_batched(const Primitive& primitive, std::span<const BatchInput> inputs) {
  const std::int64_t size = batch_size(primitive, inputs);
  if (size == 0) return of_no_examples(primitive, inputs, false);
  BatchContext context(size, inputs);
  if (primitive.batch(context)) return context.take_results();
  return one_by_one(primitive, inputs, size, false);
}

std::vector<Tensor> apply_batched_with_auxiliaries(const Primitive& primitive,
                                                   std::span<const BatchInput> inputs) {
  const std::int64_t size = batch_size(primitive, inputs);
  return size == 0 ? of_no_examples(primitive, inputs, true) : one_by_one(primitive, inputs, size, true);
}

}  // namespace xtgrad::v1::detail
