#include "xtgrad/datasets/combine.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/grad.h"
#include "xtgrad/autograd/new_tensor.h"
#include "xtgrad/autograd/ops.h"
#include "xtgrad/datasets/rows.h"

namespace xtgrad::inline v1::datasets {

namespace {

using xtgrad::detail::Array;

std::string text_of(const std::vector<std::string>& names) {
  return names.empty() ? "none" : fmt::format("{}", fmt::join(names, ", "));
}

std::string text_of(const std::optional<Pixels>& pixels) {
  if (!pixels) return "none";
  return fmt::format("{} {}", to_string(pixels->dtype), pixels->unit_range ? "0 to 1" : "0 to 255");
}

/// Throws an E unless something is the same in the first data set and in number `k`.
template <class E>
void require_same(std::string_view what, std::size_t k, const std::string& first, const std::string& other) {
  if (first == other) return;
  throw E(fmt::format("concat: {} differ: part 0 has {}, part {} has {}", what, first, k, other));
}

Shape without_first(const Shape& shape) {
  return Shape(std::span<const std::int64_t>(shape.begin() + 1, shape.end()));
}

void check_parts(std::span<const Dataset> parts) {
  const Dataset& first = parts[0];
  for (std::size_t k = 1; k < parts.size(); ++k) {
    const Dataset& other = parts[k];
    require_same<ShapeError>("sample shapes", k, to_string(first.sample_shape()),
                             to_string(other.sample_shape()));
    require_same<DtypeError>("dtypes of inputs", k, std::string(to_string(first.stored_inputs().dtype())),
                             std::string(to_string(other.stored_inputs().dtype())));
    require_same<ValueError>("pixels", k, text_of(first.pixels()), text_of(other.pixels()));
    require_same<ShapeError>("shapes of labels", k, to_string(without_first(first.labels().shape())),
                             to_string(without_first(other.labels().shape())));
    require_same<DtypeError>("dtypes of labels", k, std::string(to_string(first.labels().dtype())),
                             std::string(to_string(other.labels().dtype())));
    require_same<ValueError>("classes", k, fmt::format("{}", first.classes()),
                             fmt::format("{}", other.classes()));
    require_same<ValueError>("class names", k, text_of(first.class_names()), text_of(other.class_names()));
    require_same<ValueError>("feature names", k, text_of(first.feature_names()),
                             text_of(other.feature_names()));
  }
}

/// Rows of tensors that are alike, one copy each.
template <class TensorOf>
Tensor joined(std::span<const Dataset> parts, const TensorOf& tensor_of) {
  Shape shape = tensor_of(parts[0]).shape();
  shape[0] = 0;
  for (const Dataset& part : parts) shape[0] += part.size();
  const Dtype dtype = tensor_of(parts[0]).dtype();
  Array out = xtgrad::detail::new_array("concat", shape, dtype, false);
  auto* to = out.template mutable_data<std::byte>();
  for (const Dataset& part : parts) {
    const Tensor& x = tensor_of(part);
    const std::size_t bytes = xtgrad::detail::bytes_of(x.shape(), dtype);
    if (bytes == 0) continue;
    std::memcpy(to, xtgrad::detail::array_of(x).template data<std::byte>(), bytes);
    to += bytes;
  }
  return xtgrad::detail::make_constant(std::move(out));
}

/// Row i of [n, ...], as [...].
Tensor row_of(const Tensor& x, std::int64_t i) {
  const NoGrad no_grad;
  return reshape(detail::copy_row_range("get", x, i, 1), without_first(x.shape()));
}

class InMemory final : public SampleSource {
 public:
  explicit InMemory(Dataset data) : data_(std::move(data)) {}
  [[nodiscard]] std::int64_t size() const override { return data_.size(); }
  [[nodiscard]] Sample get(std::int64_t index) const override {
    return {row_of(data_.stored_inputs(), index), row_of(data_.labels(), index)};
  }
  [[nodiscard]] SourceInfo info() const override {
    return {.pixels = data_.pixels(), .classes = data_.classes(), .class_names = data_.class_names()};
  }

 private:
  Dataset data_;
};

class Joined final : public SampleSource {
 public:
  explicit Joined(std::span<const std::shared_ptr<const SampleSource>> parts)
      : parts_(parts.begin(), parts.end()) {
    for (const auto& part : parts_) ends_.push_back((ends_.empty() ? 0 : ends_.back()) + part->size());
  }

  [[nodiscard]] std::int64_t size() const override { return ends_.back(); }
  [[nodiscard]] Sample get(std::int64_t index) const override {
    const Place place = place_of(index);
    return parts_[place.part]->get(place.index);
  }
  [[nodiscard]] Sample collate(std::span<const Sample> samples, const SampleNames& names) const override {
    return parts_[0]->collate(samples, names);
  }
  [[nodiscard]] SourceInfo info() const override { return parts_[0]->info(); }
  [[nodiscard]] std::string name_of(std::int64_t index) const override {
    const Place place = place_of(index);
    return fmt::format("{} of part {}", parts_[place.part]->name_of(place.index), place.part);
  }

 private:
  struct Place {
    std::size_t part;
    std::int64_t index;
  };
  [[nodiscard]] Place place_of(std::int64_t index) const {
    const auto end = std::upper_bound(ends_.begin(), ends_.end(), index);
    const auto part = static_cast<std::size_t>(end - ends_.begin());
    return {part, index - (part == 0 ? 0 : ends_[part - 1])};
  }

  std::vector<std::shared_ptr<const SampleSource>> parts_;
  std::vector<std::int64_t> ends_;  // of each part
};

class Chosen final : public SampleSource {
 public:
  Chosen(std::shared_ptr<const SampleSource> source, std::vector<std::int64_t> indices)
      : source_(std::move(source)), indices_(std::move(indices)) {}
  [[nodiscard]] std::int64_t size() const override { return static_cast<std::int64_t>(indices_.size()); }
  [[nodiscard]] Sample get(std::int64_t index) const override { return source_->get(there(index)); }
  [[nodiscard]] Sample collate(std::span<const Sample> samples, const SampleNames& names) const override {
    return source_->collate(samples, names);
  }
  [[nodiscard]] SourceInfo info() const override { return source_->info(); }
  [[nodiscard]] std::string name_of(std::int64_t index) const override {
    return source_->name_of(there(index));
  }

 private:
  [[nodiscard]] std::int64_t there(std::int64_t index) const {
    return indices_[static_cast<std::size_t>(index)];
  }

  std::shared_ptr<const SampleSource> source_;
  std::vector<std::int64_t> indices_;
};

}  // namespace

Dataset concat(std::span<const Dataset> parts) {
  if (parts.empty()) throw ValueError("concat: needs at least one data set: got none");
  check_parts(parts);
  const auto has_samples = [](const Dataset& part) { return part.size() > 0; };
  const auto filled = std::count_if(parts.begin(), parts.end(), has_samples);
  if (filled == 0) return parts[0];
  if (filled == 1) return *std::find_if(parts.begin(), parts.end(), has_samples);
  return Dataset(
      {.inputs = joined(parts, [](const Dataset& x) -> const Tensor& { return x.stored_inputs(); }),
       .labels = joined(parts, [](const Dataset& x) -> const Tensor& { return x.labels(); }),
       .classes = parts[0].classes(),
       .class_names = parts[0].class_names(),
       .feature_names = parts[0].feature_names(),
       .pixels = parts[0].pixels()});
}

Dataset concat(std::initializer_list<Dataset> parts) {
  return concat(std::span<const Dataset>(parts.begin(), parts.size()));
}

std::shared_ptr<const SampleSource> as_source(const Dataset& data) {
  return std::make_shared<const InMemory>(data);
}

std::shared_ptr<const SampleSource> concat(std::span<const std::shared_ptr<const SampleSource>> parts) {
  if (parts.empty()) throw ValueError("concat: needs at least one source: got none");
  for (std::size_t k = 0; k < parts.size(); ++k) {
    if (parts[k] == nullptr) throw ValueError(fmt::format("concat: part {} is null", k));
  }
  const SourceInfo first = parts[0]->info();
  for (std::size_t k = 1; k < parts.size(); ++k) {
    const SourceInfo other = parts[k]->info();
    require_same<ValueError>("pixels", k, text_of(first.pixels), text_of(other.pixels));
    require_same<ValueError>("classes", k, fmt::format("{}", first.classes),
                             fmt::format("{}", other.classes));
    require_same<ValueError>("class names", k, text_of(first.class_names), text_of(other.class_names));
  }
  return std::make_shared<const Joined>(parts);
}

std::shared_ptr<const SampleSource> concat(std::initializer_list<std::shared_ptr<const SampleSource>> parts) {
  return concat(std::span<const std::shared_ptr<const SampleSource>>(parts.begin(), parts.size()));
}

std::shared_ptr<const SampleSource> subset(std::shared_ptr<const SampleSource> source,
                                           std::vector<std::int64_t> indices) {
  if (source == nullptr) throw ValueError("subset: the source is null");
  const std::int64_t size = source->size();
  for (std::size_t i = 0; i < indices.size(); ++i) {
    if (indices[i] < 0 || indices[i] >= size) {
      throw ValueError(
          fmt::format("subset: index out of range: indices[{}] is {}, size is {}", i, indices[i], size));
    }
  }
  return std::make_shared<const Chosen>(std::move(source), std::move(indices));
}

}  // namespace xtgrad::v1::datasets
