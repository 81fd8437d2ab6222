#include "xtgrad/datasets/source_batches.h"

#include <fmt/format.h>

#include <cstddef>
#include <exception>
#include <new>
#include <utility>
#include <vector>

#include "xtgrad/autograd/errors.h"
#include "xtgrad/datasets/combine.h"

namespace xtgrad::inline v1::datasets::detail {

namespace {

/// Calls `make`; what it throws leaves with the sample's index.
template <class Make>
Sample with_index(std::string_view function, std::int64_t index, const Make& make) {
  const auto where = [&] { return fmt::format("{}: sample {}", function, index); };
  try {
    return make();
  } catch (Error& error) {
    // A module that ran on the way may have named a place of its own.
    if (error.has_context()) std::throw_with_nested(Error(fmt::format("{}: {}", where(), error.what())));
    error.add_context(where());
    throw;
  } catch (const std::bad_alloc&) {
    throw;
  } catch (const std::exception& error) {
    std::throw_with_nested(Error(fmt::format("{}: {}", where(), error.what())));
  } catch (...) {
    std::throw_with_nested(Error(fmt::format("{}: something was thrown that is no exception", where())));
  }
}

void check_transformed(const Sample& tensors, std::size_t before) {
  if (tensors.size() != before) {
    throw ValueError(fmt::format("whole_sample_transform must keep the number of tensors, {}: got {}", before,
                                 tensors.size()));
  }
  for (std::size_t t = 0; t < tensors.size(); ++t) {
    if (tensors[t].defined()) continue;
    throw ValueError(fmt::format("whole_sample_transform: tensor {} is an empty handle", t));
  }
}

void check_tensors(const Sample& tensors) {
  if (tensors.empty()) throw ValueError("a sample must have at least one tensor: got none");
  for (std::size_t t = 0; t < tensors.size(); ++t) {
    if (!tensors[t].defined()) throw ValueError(fmt::format("tensor {} is an empty handle", t));
    if (tensors[t].requires_grad()) {
      // Batches are copies without a graph: the gradient would be lost in silence.
      throw ValueError(fmt::format("tensor {} must not require gradients: detach it", t));
    }
  }
}

Sample got(const SampleSource& source, std::int64_t index) {
  Sample tensors = source.get(index);
  check_tensors(tensors);
  return tensors;
}

std::int64_t checked_size(const SampleSource* source) {
  if (source == nullptr) throw ValueError("Loader: the source is null");
  const std::int64_t size = source->size();
  if (size < 0) throw ValueError(fmt::format("Loader: a source's size must not be negative: got {}", size));
  return size;
}

void check_collated(const Sample& tensors) {
  if (tensors.empty()) throw ValueError("Loader: collate must give at least one tensor: got none");
  for (std::size_t t = 0; t < tensors.size(); ++t) {
    if (!tensors[t].defined())
      throw ValueError(fmt::format("Loader: collate: tensor {} is an empty handle", t));
  }
  if (tensors[0].rank() == 0) {
    throw ShapeError("Loader: collate must give inputs with a first dimension, [b, ...]: got []");
  }
}

}  // namespace

Sample checked_sample(std::string_view function, const SampleSource& source, std::int64_t index) {
  return with_index(function, index, [&] { return got(source, index); });
}

SourceBatches::SourceBatches(std::shared_ptr<const SampleSource> source, LoaderOptions options)
    : BatchSource(std::move(options), checked_size(source.get())),
      source_(std::move(source)),
      pixels_(source_->info().pixels) {}

SourceBatches::SourceBatches(Dataset data, LoaderOptions options)
    : SourceBatches(as_source(data), std::move(options)) {
  data_ = std::move(data);
}

const Dataset& SourceBatches::data() const {
  if (data_) return *data_;
  throw ValueError("Loader: data: the loader was made of a source, not of a Dataset");
}

Sample SourceBatches::sample(const RowChoice& rows, std::int64_t i, std::uint64_t seed) const {
  return with_index("Loader", rows[i], [&] {
    Sample tensors = got(*source_, rows[i]);
    if (pixels_ && tensors[0].dtype() != uint8) {
      throw DtypeError(
          fmt::format("pixels need a first tensor of uint8: got {}", to_string(tensors[0].dtype())));
    }
    std::optional<Pixels> pixels = pixels_;
    if (options().whole_sample_transform) {
      if (pixels) tensors[0] = transform_sample("Loader", tensors[0], std::exchange(pixels, {}), {}, 0, 0);
      // Other draws than those of the transform of the first tensor, which has random_of's own.
      Random random = random_of(seed, rows.stream(i)).split();
      const std::size_t before = tensors.size();
      options().whole_sample_transform(tensors, random);
      check_transformed(tensors, before);
    }
    if (pixels || options().sample_transform) {
      tensors[0] =
          transform_sample("Loader", tensors[0], pixels, options().sample_transform, seed, rows.stream(i));
    }
    return tensors;
  });
}

Batch SourceBatches::made(const RowChoice& rows, std::uint64_t seed) const {
  std::vector<Sample> samples;
  std::vector<std::int64_t> indices;
  samples.reserve(static_cast<std::size_t>(rows.count));
  indices.reserve(static_cast<std::size_t>(rows.count));
  for (std::int64_t i = 0; i < rows.count; ++i) {
    samples.push_back(sample(rows, i, seed));
    indices.push_back(rows[i]);
  }
  Sample tensors = source_->collate(samples, {*source_, indices});
  check_collated(tensors);
  Batch batch{.inputs = std::move(tensors[0])};
  if (tensors.size() > 1) batch.labels = std::move(tensors[1]);
  for (std::size_t t = 2; t < tensors.size(); ++t) batch.others.push_back(std::move(tensors[t]));
  return batch;
}

}  // namespace xtgrad::v1::datasets::detail
