#include "xtgrad/nn/nearest_neighbors.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <string_view>
#include <type_traits>

#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/grad.h"
#include "xtgrad/autograd/kernels/parallel.h"
#include "xtgrad/autograd/ops.h"
#include "xtgrad/nn/neighbor_search.h"

namespace xtgrad::inline v1::nn {
namespace {

// A block of products, 2 MiB of float32, stays in the second-level cache until it has been looked through.
constexpr std::int64_t most_queries_at_once = 256;
constexpr std::int64_t samples_at_once = 2048;

/// Fewer where each of them holds many neighbours: some 100 MB of these at a time.
std::int64_t queries_at_once(std::int64_t k) {
  constexpr std::int64_t most_candidates = std::int64_t{1} << 22;
  return std::clamp<std::int64_t>(most_candidates / (k + 2048), 1, most_queries_at_once);
}

Shape shape_of_rows(const Shape& shape) {
  Shape rest;
  for (std::size_t axis = 1; axis < shape.rank(); ++axis) rest.push_back(shape[axis]);
  return rest;
}

/// Calls f with the rows' elements, whatever their dtype.
template <class F>
auto with_elements(const Tensor& rows, F f) {
  switch (rows.dtype()) {
    case Dtype::float32:
      return f(rows.data<float>());
    case Dtype::float64:
      return f(rows.data<double>());
    case Dtype::uint8:
      return f(rows.data<std::uint8_t>());
    case Dtype::boolean:
    case Dtype::int32:
    case Dtype::int64:
      break;
  }
  throw DtypeError(
      fmt::format("NearestNeighbors: samples and queries must be float32, float64 or uint8: got {}",
                  to_string(rows.dtype())));
}

/// Squared lengths of rows of `features` elements, in double. `what` is for the message if one is not finite.
std::vector<double> squared_norms_of(const Tensor& rows, std::int64_t features, std::string_view what) {
  return with_elements(rows, [&](auto elements) {
    std::vector<double> norms(static_cast<std::size_t>(rows.size(0)));
    const auto* element = elements.data();
    for (std::size_t row = 0; row < norms.size(); ++row) {
      for (std::int64_t i = 0; i < features; ++i, ++element) {
        const auto x = static_cast<double>(*element);
        if (!std::isfinite(x)) {
          throw ValueError(fmt::format("NearestNeighbors: {} must be finite: element {} of row {} is {}",
                                       what, i, row, x));
        }
        norms[row] += x * x;
      }
    }
    return norms;
  });
}

std::vector<double> roots_of(std::span<const double> squares) {
  std::vector<double> roots(squares.size());
  std::transform(squares.begin(), squares.end(), roots.begin(), [](double x) { return std::sqrt(x); });
  return roots;
}

/// What neighbours are defined by: one term after the other.
template <class T>
double squared_distance(const T* x, const T* q, std::int64_t features) {
  double sum = 0;
  for (std::int64_t i = 0; i < features; ++i) {
    const double difference = static_cast<double>(x[i]) - static_cast<double>(q[i]);
    sum += difference * difference;
  }
  return sum;
}

/// Of the products of rows: bytes are multiplied in float32.
struct Arithmetic {
  double unit;  // roundoff
  double smallest;
  double largest;
};

Arithmetic arithmetic_of_products(const Tensor& rows) {
  return with_elements(rows, [](auto elements) {
    using T = typename decltype(elements)::value_type;
    using Limits = std::numeric_limits<std::conditional_t<std::is_floating_point_v<T>, T, float>>;
    return Arithmetic{static_cast<double>(Limits::epsilon()) / 2, static_cast<double>(Limits::min()),
                      static_cast<double>(Limits::max())};
  });
}

Tensor to_multiply(const Tensor& rows) { return is_floating(rows.dtype()) ? rows : rows.to(float32); }

/// Samples as a search sees them.
struct Samples {
  const Tensor& rows;  // [n, features]
  std::span<const double> squared_norms;
  std::span<const double> norms;
};

/// One block of queries against all samples, in blocks.
class BlockSearch {
 public:
  BlockSearch(const Samples& samples, const Tensor& queries, std::span<const double> squared_norms,
              std::int64_t k)
      : samples_(samples),
        queries_(queries),
        features_(queries.size(1)),
        squared_norms_(squared_norms),
        norms_(roots_of(squared_norms_)),
        arithmetic_(arithmetic_of_products(queries)),
        error_(features_, arithmetic_.unit, arithmetic_.smallest),
        searches_(squared_norms_.size(), detail::NeighborSearch(k)) {}

  void run() {
    const double longest_query = norms_.empty() ? 0 : *std::max_element(norms_.begin(), norms_.end());
    const Tensor queries = to_multiply(queries_);
    const std::int64_t n = samples_.rows.size(0);
    for (std::int64_t begin = 0; begin < n; begin += samples_at_once) {
      const std::int64_t end = std::min(begin + samples_at_once, n);
      const auto norms =
          samples_.norms.subspan(static_cast<std::size_t>(begin), static_cast<std::size_t>(end - begin));
      const double longest = *std::max_element(norms.begin(), norms.end());
      // Where a product or a sum of squares may overflow, they bound nothing.
      const double most = longest + longest_query;
      if (!(most * most < arithmetic_.largest / 4)) {
        for_each_query([&](std::size_t query) { add_unknown(query, begin, end); });
        continue;
      }
      const Tensor block = to_multiply(slice(samples_.rows, {.axis = 0, .start = begin, .stop = end}));
      const Tensor products = matmul(queries, block, {.transpose_b = true});
      with_elements(products, [&](auto elements) {
        for_each_query([&](std::size_t query) {
          add_close(query, elements.subspan(query * static_cast<std::size_t>(end - begin)), begin, end);
        });
      });
    }
    for_each_query([&](std::size_t query) { settle(query); });
  }

  [[nodiscard]] std::span<const detail::Candidate> nearest(std::size_t query) const {
    return searches_[query].nearest();
  }

 private:
  template <class F>
  void for_each_query(F f) {
    constexpr std::int64_t queries_a_tile = 16;
    const auto queries = static_cast<std::int64_t>(searches_.size());
    xtgrad::detail::for_each_tile((queries + queries_a_tile - 1) / queries_a_tile, [&](std::int64_t tile) {
      const std::int64_t begin = tile * queries_a_tile;
      const std::int64_t end = std::min(begin + queries_a_tile, queries);
      for (std::int64_t query = begin; query < end; ++query) f(static_cast<std::size_t>(query));
    });
  }

  /// Looks through one row of products for samples that may be near enough.
  template <class T>
  void add_close(std::size_t query, std::span<const T> products, std::int64_t begin, std::int64_t end) {
    constexpr std::int64_t chunk = 64;  // of which most have none: a loop without branches says so
    detail::NeighborSearch& search = searches_[query];
    const double own = squared_norms_[query];
    const double by_norm = error_.product * norms_[query];
    const double* const squared = samples_.squared_norms.data() + begin;
    const double* const lengths = samples_.norms.data() + begin;
    const auto error = [&](std::int64_t j) {
      return by_norm * lengths[j] + error_.norms * (own + squared[j]) + error_.constant;
    };
    const auto lower = [&](std::int64_t j) {
      return own + squared[j] - 2 * static_cast<double>(products[static_cast<std::size_t>(j)]) - error(j);
    };
    for (std::int64_t first = 0; first < end - begin; first += chunk) {
      const std::int64_t last = std::min(first + chunk, end - begin);
      const double limit = search.limit();
      int close = 0;
      for (std::int64_t j = first; j < last; ++j) close |= lower(j) <= limit ? 1 : 0;
      if (close == 0) continue;
      for (std::int64_t j = first; j < last; ++j) {
        const double least = lower(j);
        if (least <= search.limit() && search.add(begin + j, least, least + 2 * error(j))) settle(query);
      }
    }
  }

  void add_unknown(std::size_t query, std::int64_t begin, std::int64_t end) {
    constexpr double infinity = std::numeric_limits<double>::infinity();
    for (std::int64_t j = begin; j < end; ++j) {
      if (searches_[query].add(j, -infinity, infinity)) settle(query);
    }
  }

  void settle(std::size_t query) {
    with_elements(samples_.rows, [&](auto samples) {
      using T = typename decltype(samples)::value_type;
      const T* const own = queries_.data<T>().data() + static_cast<std::ptrdiff_t>(query) * features_;
      searches_[query].settle([&](std::int64_t index) {
        return squared_distance(samples.data() + index * features_, own, features_);
      });
    });
  }

  const Samples& samples_;
  const Tensor& queries_;
  std::int64_t features_;
  std::span<const double> squared_norms_;
  std::vector<double> norms_;
  Arithmetic arithmetic_;
  detail::ProductError error_;
  std::vector<detail::NeighborSearch> searches_;
};

void check_k(std::string_view function, std::int64_t k, std::int64_t most, std::string_view of_what) {
  if (k < 1 || k > most) {
    throw ValueError(fmt::format("NearestNeighbors: {}: k must lie in [1, {}], the number of {}: got {}",
                                 function, most, of_what, k));
  }
}

/// Of several samples at an infinite distance none is nearer. Those that are not among the nearest may have
/// one: they are farther away than the others.
void check_finite(const detail::Candidate& neighbor, std::int64_t query) {
  if (std::isfinite(neighbor.distance)) return;
  throw ValueError(fmt::format(
      "NearestNeighbors: neighbors: the squared distance of sample {} and query {} must be finite: "
      "got {}; divide samples and queries by a power of two",
      neighbor.index, query, neighbor.distance));
}

}  // namespace

NearestNeighbors::NearestNeighbors(const Tensor& samples, const Tensor& labels) {
  if (samples.rank() == 0 || samples.size(0) == 0) {
    throw ShapeError(fmt::format("NearestNeighbors: samples must be [n, ...] with n at least 1: got {}",
                                 to_string(samples.shape())));
  }
  if (labels.shape() != Shape{samples.size(0)}) {
    throw ShapeError(fmt::format("NearestNeighbors: labels must be [{}], one a sample: got {}",
                                 samples.size(0), to_string(labels.shape())));
  }
  if (labels.dtype() != Dtype::int64 && labels.dtype() != Dtype::int32) {
    throw DtypeError(
        fmt::format("NearestNeighbors: labels must be int64 or int32: got {}", to_string(labels.dtype())));
  }
  labels_ = labels.to(Dtype::int64);
  for (std::int64_t i = 0; const std::int64_t label : labels_.data<std::int64_t>()) {
    if (label < 0)
      throw ValueError(fmt::format("NearestNeighbors: label {} must be at least 0: got {}", i, label));
    ++i;
  }
  const NoGrad no_grad;
  sample_shape_ = shape_of_rows(samples.shape());
  samples_ = reshape(samples.detach(), Shape{samples.size(0), sample_shape_.numel()});
  squared_norms_ = squared_norms_of(samples_, sample_shape_.numel(), "samples");
  norms_ = roots_of(squared_norms_);
}

Neighbors NearestNeighbors::neighbors(const Tensor& queries, std::int64_t k) const {
  check_k("neighbors", k, size(), "samples");
  if (queries.rank() == 0 || shape_of_rows(queries.shape()) != sample_shape_) {
    throw ShapeError(
        fmt::format("NearestNeighbors: neighbors: queries must be [m, ...] of the samples' shape {}: got {}",
                    to_string(sample_shape_), to_string(queries.shape())));
  }
  if (queries.dtype() != samples_.dtype()) {
    throw DtypeError(
        fmt::format("NearestNeighbors: neighbors: queries are {}, samples are {}; convert with to()",
                    to_string(queries.dtype()), to_string(samples_.dtype())));
  }
  const NoGrad no_grad;
  const std::int64_t m = queries.size(0);
  const Tensor rows = reshape(queries.detach(), Shape{m, sample_shape_.numel()});
  const Samples samples{samples_, squared_norms_, norms_};
  std::vector<std::int64_t> indices;
  std::vector<double> distances;
  indices.reserve(static_cast<std::size_t>(m * k));
  distances.reserve(static_cast<std::size_t>(m * k));
  const std::vector<double> squared_norms = squared_norms_of(rows, rows.size(1), "queries");
  const std::int64_t at_once = queries_at_once(k);
  for (std::int64_t begin = 0; begin < m; begin += at_once) {
    const std::int64_t end = std::min(begin + at_once, m);
    const Tensor block = slice(rows, {.axis = 0, .start = begin, .stop = end});
    const auto norms = std::span(squared_norms)
                           .subspan(static_cast<std::size_t>(begin), static_cast<std::size_t>(end - begin));
    BlockSearch search(samples, block, norms, k);
    search.run();
    for (std::int64_t query = 0; query < end - begin; ++query) {
      for (const detail::Candidate& candidate : search.nearest(static_cast<std::size_t>(query))) {
        check_finite(candidate, begin + query);
        indices.push_back(candidate.index);
        distances.push_back(std::sqrt(candidate.distance));
      }
    }
  }
  return {from_span(std::span<const std::int64_t>(indices), {m, k}),
          from_span(std::span<const double>(distances), {m, k})};
}

Tensor NearestNeighbors::predict(const Tensor& queries, std::int64_t k) const {
  return vote(neighbors(queries, k), k);
}

Tensor NearestNeighbors::vote(const Neighbors& nearest, std::int64_t k) const {
  if (nearest.indices.rank() != 2 || nearest.indices.dtype() != Dtype::int64) {
    throw ShapeError(
        fmt::format("NearestNeighbors: vote: indices must be int64 [queries, neighbours]: got {} {}",
                    to_string(nearest.indices.dtype()), to_string(nearest.indices.shape())));
  }
  const std::int64_t m = nearest.indices.size(0);
  const std::int64_t found = nearest.indices.size(1);
  check_k("vote", k, found, "neighbours");
  const auto indices = nearest.indices.data<std::int64_t>();
  const auto labels = labels_.data<std::int64_t>();
  struct Votes {
    std::int64_t label;
    std::int64_t count;
  };
  std::vector<Votes> votes;  // in the order of each label's nearest member
  std::vector<std::int64_t> winners(static_cast<std::size_t>(m));
  for (std::int64_t query = 0; query < m; ++query) {
    votes.clear();
    for (std::int64_t i = 0; i < k; ++i) {
      const std::int64_t index = indices[static_cast<std::size_t>(query * found + i)];
      if (index < 0 || index >= size()) {
        throw ValueError(
            fmt::format("NearestNeighbors: vote: indices must lie in [0, {}): got {}", size(), index));
      }
      const std::int64_t label = labels[static_cast<std::size_t>(index)];
      const auto same =
          std::find_if(votes.begin(), votes.end(), [&](const Votes& v) { return v.label == label; });
      if (same == votes.end()) {
        votes.push_back({label, 1});
      } else {
        ++same->count;
      }
    }
    // The first of those with most votes.
    winners[static_cast<std::size_t>(query)] =
        std::max_element(votes.begin(), votes.end(), [](const Votes& a, const Votes& b) {
          return a.count < b.count;
        })->label;
  }
  return from_span(std::span<const std::int64_t>(winners), {m});
}

}  // namespace xtgrad::v1::nn
