#include "xtgrad/datasets/source.h"

#include <fmt/format.h>

#include <cstddef>
#include <cstring>
#include <utility>

#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/new_tensor.h"
#include "xtgrad/datasets/source_batches.h"

namespace xtgrad::inline v1::datasets {

namespace {

using xtgrad::detail::Array;
using xtgrad::detail::array_of;

/// Throws unless the tensors number `t` of two samples can lie on top of each other.
void check_alike(const SampleSource& source, std::size_t t, const Tensor& first, std::int64_t first_index,
                 const Tensor& other, std::int64_t other_index) {
  const auto where = [&](std::int64_t index) { return source.name_of(index); };
  if (first.dtype() != other.dtype()) {
    throw DtypeError(fmt::format("collate: dtypes of tensor {} differ: {} has {}, {} has {}", t,
                                 where(first_index), to_string(first.dtype()), where(other_index),
                                 to_string(other.dtype())));
  }
  if (first.shape() != other.shape()) {
    throw ShapeError(fmt::format("collate: shapes of tensor {} differ: {} has {}, {} has {}", t,
                                 where(first_index), to_string(first.shape()), where(other_index),
                                 to_string(other.shape())));
  }
}

/// The tensors number `t` on top of each other.
Tensor stacked(const SampleSource& source, std::size_t t, std::span<const Sample> samples,
               std::span<const std::int64_t> indices) {
  const Tensor& first = samples[0][t];
  for (std::size_t i = 1; i < samples.size(); ++i) {
    check_alike(source, t, first, indices[0], samples[i][t], indices[i]);
  }
  Shape shape;
  shape.push_back(static_cast<std::int64_t>(samples.size()));
  for (const std::int64_t size : first.shape()) shape.push_back(size);
  Array out = xtgrad::detail::new_array("collate", shape, first.dtype(), false);
  const std::size_t bytes = xtgrad::detail::bytes_of(first.shape(), first.dtype());
  auto* to = out.mutable_data<std::byte>();
  for (const Sample& sample : samples) {
    std::memcpy(to, array_of(sample[t]).data<std::byte>(), bytes);
    to += bytes;
  }
  return xtgrad::detail::make_constant(std::move(out));
}

}  // namespace

SampleSource::~SampleSource() = default;

Sample SampleSource::collate(std::span<const Sample> samples, std::span<const std::int64_t> indices) const {
  if (samples.empty() || samples.size() != indices.size()) {
    throw ValueError(fmt::format("collate: needs samples and as many indices: got {} and {}", samples.size(),
                                 indices.size()));
  }
  const std::size_t tensors = samples[0].size();
  for (std::size_t i = 1; i < samples.size(); ++i) {
    if (samples[i].size() == tensors) continue;
    throw ValueError(fmt::format("collate: numbers of tensors differ: {} has {}, {} has {}",
                                 name_of(indices[0]), tensors, name_of(indices[i]), samples[i].size()));
  }
  Sample batch;
  batch.reserve(tensors);
  for (std::size_t t = 0; t < tensors; ++t) batch.push_back(stacked(*this, t, samples, indices));
  return batch;
}

SourceInfo SampleSource::info() const { return {}; }

std::string SampleSource::name_of(std::int64_t index) const { return fmt::format("sample {}", index); }

Dataset in_memory(const SampleSource& source) {
  const std::int64_t n = source.size();
  SourceInfo info = source.info();
  if (n <= 0) throw ValueError(fmt::format("in_memory: needs at least one sample: got {}", n));
  std::vector<Sample> samples;
  std::vector<std::int64_t> indices;
  samples.reserve(static_cast<std::size_t>(n));
  indices.reserve(static_cast<std::size_t>(n));
  for (std::int64_t i = 0; i < n; ++i) {
    samples.push_back(detail::checked_sample("in_memory", source, i));
    indices.push_back(i);
  }
  Sample all = source.collate(samples, indices);
  if (all.size() != 2) {
    throw ValueError(
        fmt::format("in_memory: samples must be of two tensors, input and label: got {}", all.size()));
  }
  return Dataset({.inputs = std::move(all[0]),
                  .labels = std::move(all[1]),
                  .classes = info.classes,
                  .class_names = std::move(info.class_names),
                  .pixels = info.pixels});
}

}  // namespace xtgrad::v1::datasets
