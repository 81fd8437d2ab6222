#include "xtgrad/autograd/explorer/statistics.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstddef>
#include <span>
#include <type_traits>

#include "xtgrad/autograd/explorer/elements_of.h"

namespace xtgrad::inline v1::detail {
namespace {

template <class T>
bool is_finite(T x) {
  if constexpr (std::is_floating_point_v<T>) {
    return std::isfinite(x);
  } else {
    return true;
  }
}

/// The shortest text that reads back as the element.
template <class T>
std::string exact_text(T x) {
  std::array<char, 32> text{};
  char* end = nullptr;
  if constexpr (std::is_same_v<T, bool>) {
    end = std::to_chars(text.data(), text.data() + text.size(), static_cast<int>(x)).ptr;
  } else {
    end = std::to_chars(text.data(), text.data() + text.size(), x).ptr;
  }
  return {text.data(), end};
}

template <class T>
void count_kinds(std::span<const T> elements, ElementStatistics& statistics) {
  for (const T x : elements) {
    if (is_finite(x)) {
      ++statistics.finite;
    } else if (x != x) {
      ++statistics.nan;
    } else {
      ++(x > T(0) ? statistics.inf : statistics.minus_inf);
    }
  }
}

/// Calls f with each finite element, in a type whose sums and squares leave its range for no double.
template <class T, class F>
void for_each_finite(std::span<const T> elements, const F& f) {
  for (const T x : elements) {
    if (is_finite(x)) f(static_cast<long double>(x));
  }
}

template <class T>
ElementHistogram histogram_of(std::span<const T> elements, T low, T high) {
  ElementHistogram histogram{.low = static_cast<double>(low), .high = static_cast<double>(high)};
  const auto bins = static_cast<long double>(histogram.counts.size());
  const long double from = static_cast<long double>(low), width = static_cast<long double>(high) - from;
  for_each_finite(elements, [&](long double x) {
    const auto bin = width > 0 ? static_cast<std::size_t>((x - from) / width * bins) : 0;
    ++histogram.counts[std::min(bin, histogram.counts.size() - 1)];
  });
  return histogram;
}

template <class T>
ElementStatistics statistics_of_span(std::span<const T> elements) {
  ElementStatistics statistics;
  count_kinds(elements, statistics);
  if (statistics.finite == 0) return statistics;
  const T first = *std::find_if(elements.begin(), elements.end(), is_finite<T>);
  T low = first, high = first;
  long double sum = 0;
  for (const T x : elements) {
    if (!is_finite(x)) continue;
    low = std::min(low, x);
    high = std::max(high, x);
    sum += static_cast<long double>(x);
  }
  const auto count = static_cast<long double>(statistics.finite);
  const long double mean = sum / count;
  long double squares = 0;
  for_each_finite(elements, [&](long double x) { squares += (x - mean) * (x - mean); });
  statistics.min = exact_text(low);
  statistics.max = exact_text(high);
  statistics.mean = static_cast<double>(mean);
  statistics.deviation = static_cast<double>(std::sqrt(squares / count));
  if (statistics.finite > 1) statistics.histogram = histogram_of(elements, low, high);
  return statistics;
}

}  // namespace

ElementStatistics statistics_of(const Tensor& tensor) {
  return with_elements(tensor, [](auto elements) { return statistics_of_span(elements); });
}

}  // namespace xtgrad::v1::detail
