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

/// Throws unless the tensors number `t` of the samples at places 0 and k can lie on top of each other.
void check_alike(std::size_t t, std::span<const Sample> samples, std::size_t k, const SampleNames& names) {
  const Tensor& first = samples[0][t];
  const Tensor& other = samples[k][t];
  if (first.dtype() != other.dtype()) {
    throw DtypeError(fmt::format("collate: dtypes of tensor {} differ: {} has {}, {} has {}", t, names[0],
                                 to_string(first.dtype()), names[k], to_string(other.dtype())));
  }
  if (first.shape() != other.shape()) {
    throw ShapeError(fmt::format("collate: shapes of tensor {} differ: {} has {}, {} has {}", t, names[0],
                                 to_string(first.shape()), names[k], to_string(other.shape())));
  }
}

/// The tensors number `t` on top of each other.
Tensor stacked(std::size_t t, std::span<const Sample> samples, const SampleNames& names) {
  const Tensor& first = samples[0][t];
  for (std::size_t k = 1; k < samples.size(); ++k) check_alike(t, samples, k, names);
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

std::string SampleNames::operator[](std::size_t k) const { return source_.name_of(indices_[k]); }

SampleSource::~SampleSource() = default;

Sample SampleSource::collate(std::span<const Sample> samples, const SampleNames& names) const {
  if (samples.empty() || samples.size() != names.size()) {
    throw ValueError(
        fmt::format("collate: needs samples and as many names: got {} and {}", samples.size(), names.size()));
  }
  const std::size_t tensors = samples[0].size();
  for (std::size_t k = 1; k < samples.size(); ++k) {
    if (samples[k].size() == tensors) continue;
    throw ValueError(fmt::format("collate: numbers of tensors differ: {} has {}, {} has {}", names[0],
                                 tensors, names[k], samples[k].size()));
  }
  Sample batch;
  batch.reserve(tensors);
  for (std::size_t t = 0; t < tensors; ++t) batch.push_back(stacked(t, samples, names));
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
  Sample all = source.collate(samples, {source, indices});
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
