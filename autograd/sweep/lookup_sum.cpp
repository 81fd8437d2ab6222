#include "xtgrad/autograd/sweep/lookup_sum.h"

#include <algorithm>
#include <span>
#include <utility>

#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/from_values.h"
#include "xtgrad/autograd/ops/index.h"

namespace xtgrad::inline v1::detail {
namespace {

/// The part of a leaf, one in so many elements, that lookups may have read for the leaf to be left alone.
constexpr std::int64_t part = 8;
/// What a lookup costs beside its elements, in elements.
constexpr std::int64_t cost_of_one = 512;

/// Numbers 0, 1, ... for places, in the order in which they are first met: a hash table with linear probing.
class PlaceNumbers {
 public:
  std::int64_t number_of(std::int64_t place) {
    if ((places_.size() + 1) * 2 > cells_.size()) grow();
    std::int64_t& cell = cell_of(place);
    if (cell < 0) {
      places_.push_back(place);
      cell = static_cast<std::int64_t>(places_.size()) - 1;
    }
    return cell;
  }
  [[nodiscard]] std::span<const std::int64_t> places() const { return places_; }

 private:
  using Vector = std::vector<std::int64_t, PoolAllocator<std::int64_t>>;

  /// That of the place, or the free one that it would get.
  std::int64_t& cell_of(std::int64_t place) {
    constexpr std::uint64_t golden = 0x9E3779B97F4A7C15U;  // 2^64 / 1.618..., whose multiples lie apart
    auto at = static_cast<std::size_t>(static_cast<std::uint64_t>(place) * golden >> shift_);
    while (cells_[at] >= 0 && places_[static_cast<std::size_t>(cells_[at])] != place)
      at = (at + 1) % cells_.size();
    return cells_[at];
  }
  void grow() {
    --shift_;
    cells_.assign(std::size_t{1} << (64 - shift_), std::int64_t{-1});
    for (std::size_t k = 0; k < places_.size(); ++k) cell_of(places_[k]) = static_cast<std::int64_t>(k);
  }

  int shift_ = 59;  // 64 cells once there are any
  Vector cells_;    // numbers, or -1
  Vector places_;   // by number
};

/// The numbers of a lookup's places, in their place.
Tensor numbered(const Tensor& places, PlaceNumbers& numbers) {
  const std::span<const std::int64_t> from = places.data<std::int64_t>();
  std::vector<std::int64_t, PoolAllocator<std::int64_t>> to(from.size());
  // An index of whole rows says each place as often as a row has elements.
  std::int64_t last = -1, number = -1;
  for (std::size_t k = 0; k < to.size(); ++k) {
    if (from[k] != last) number = numbers.number_of(last = from[k]);
    to[k] = number;
  }
  return from_span(std::span<const std::int64_t>(to), places.shape());
}

}  // namespace

bool LookupSum::takes(const Array& leaf, std::size_t axis, const Shape& shape) const {
  if (leaf.numel() / part < cost_ + cost_of_one + shape.numel()) return false;
  // Where a short axis is read often, scatter_add sums in another way; see `placed`.
  if (shape[axis] / 4 >= leaf.shape[axis]) return false;
  if (lookups_.empty()) return true;
  const Lookup& first = lookups_.front();
  Shape alike = first.gradient.shape();
  alike[axis] = shape[axis];
  return first.axis == axis && alike == shape;
}

void LookupSum::add(Lookup&& lookup) {
  const std::int64_t more = cost_of_one + lookup.gradient.numel();
  lookups_.push_back(std::move(lookup));
  cost_ += more;
}

Tensor LookupSum::whole(const Array& leaf) const {
  Tensor sum = zeros(leaf.shape, {.dtype = leaf.dtype});
  for (const Lookup& each : lookups_) add_lookup(sum, each, each.places, &each == &lookups_.front());
  return sum;
}

PlacedGradient LookupSum::placed(const Array& leaf) const {
  const std::size_t axis = lookups_.front().axis;
  PlaceNumbers numbers;
  Vector<Tensor> places;
  std::int64_t most = 0;  // that one of them has read along the axis
  for (const Lookup& each : lookups_) {
    places.push_back(numbered(each.places, numbers));
    most = std::max(most, each.gradient.shape()[axis]);
  }
  const std::span<const std::int64_t> read = numbers.places();
  Shape shape = lookups_.front().gradient.shape();
  // Where an axis is read four times its length, scatter_add keeps long sums for all of it, and not only at
  // the places that get many terms. The leaf's is longer than that, and so must be this one.
  shape[axis] = std::max(static_cast<std::int64_t>(read.size()), most / 4 + 1);
  if (leaf.numel() / part < shape.numel()) return {};
  Tensor sum = zeros(shape, {.dtype = leaf.dtype});
  for (std::size_t k = 0; k < lookups_.size(); ++k) add_lookup(sum, lookups_[k], places[k], k == 0);
  return {.axis = axis,
          .places = from_span(read, {static_cast<std::int64_t>(read.size())}),
          .values = std::move(sum)};
}

}  // namespace xtgrad::v1::detail
