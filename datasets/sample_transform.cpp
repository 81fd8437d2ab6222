#include "xtgrad/datasets/sample_transform.h"

#include <fmt/format.h>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <string_view>
#include <utility>

#include "xtgrad/autograd/core/array.h"
#include "xtgrad/autograd/errors.h"
#include "xtgrad/datasets/transform_rows.h"

namespace xtgrad::inline v1::datasets {

namespace {

template <class T>
void require_dtype(std::string_view function, Dtype dtype) {
  if (dtype != xtgrad::detail::dtype_of<T>) {
    throw DtypeError(fmt::format("{}: dtypes differ: T is {}, the sample is {}", function,
                                 to_string(xtgrad::detail::dtype_of<T>), to_string(dtype)));
  }
}

}  // namespace

template <class T>
std::span<const T> SampleView::data() const {
  require_dtype<T>("SampleView", dtype_);
  return {static_cast<const T*>(data_), static_cast<std::size_t>(shape_.numel())};
}

template <class T>
std::span<T> SampleTarget::data() const {
  require_dtype<T>("SampleTarget", dtype_);
  return {static_cast<T*>(data_), static_cast<std::size_t>(shape_.numel())};
}

#define XTGRAD_DTYPE(name, text, Storage, Arithmetic, kind)            \
  template std::span<const Storage> SampleView::data<Storage>() const; \
  template std::span<Storage> SampleTarget::data<Storage>() const;
#include "xtgrad/autograd/dtypes.def"
#undef XTGRAD_DTYPE

SampleTransform::SampleTransform(Function function, ShapeFunction output_shape)
    : function_(std::move(function)), output_shape_(std::move(output_shape)) {
  if (!function_) throw ValueError("SampleTransform: function must not be empty");
}

Shape SampleTransform::output_shape(const Shape& sample) const {
  return output_shape_ ? output_shape_(sample) : sample;
}

void SampleTransform::operator()(const SampleView& from, const SampleTarget& to, Random& random) const {
  if (from.dtype() != to.dtype()) {
    throw DtypeError(fmt::format("SampleTransform: dtypes differ: from is {}, to is {}",
                                 to_string(from.dtype()), to_string(to.dtype())));
  }
  const Shape expected = output_shape(from.shape());
  if (to.shape() != expected) {
    throw ShapeError(fmt::format("SampleTransform: to must be of the output's shape {}: got {}",
                                 to_string(expected), to_string(to.shape())));
  }
  if (function_) {
    function_(from, to, random);
    return;
  }
  xtgrad::detail::visit(from.dtype(), [&]<class T>(T) {
    const std::span<const T> elements = from.data<T>();
    std::memcpy(to.data<T>().data(), elements.data(), elements.size_bytes());
  });
}

Tensor transform_samples(const Tensor& inputs, const SampleTransform& transform, Random& random) {
  if (inputs.rank() == 0) throw ShapeError("transform_samples: needs samples [n, ...]: inputs are []");
  const detail::RowChoice all{.count = inputs.shape()[0]};
  return detail::transform_rows("transform_samples", inputs, std::nullopt, all, transform,
                                random.split().seed());
}

}  // namespace xtgrad::v1::datasets
