#include "xtgrad/training/histogram.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string_view>
#include <vector>

#include "xtgrad/training/event_file.h"

namespace xtgrad::inline v1::training::detail {
namespace {

namespace field {
constexpr int min = 1, max = 2, num = 3, sum = 4, sum_squares = 5, bucket_limit = 6, bucket = 7;
}  // namespace field

/// Ascending; the last one is the largest number.
const std::vector<double>& limits() {
  static const std::vector<double> all = [] {
    constexpr double smallest = 1e-12;
    constexpr double largest = 1e20;
    constexpr double growth = 1.1;
    std::vector<double> positive;
    for (double limit = smallest; limit < largest; limit *= growth) positive.push_back(limit);
    positive.push_back(std::numeric_limits<double>::max());
    std::vector<double> both;
    for (const double limit : positive) both.push_back(-limit);
    std::ranges::reverse(both);
    both.push_back(0);
    both.insert(both.end(), positive.begin(), positive.end());
    return both;
  }();
  return all;
}

std::string packed(std::span<const double> numbers) {
  std::string bytes;
  for (const double number : numbers) {
    const auto bits = std::bit_cast<std::uint64_t>(number);
    for (int shift = 0; shift < 64; shift += 8) bytes += static_cast<char>((bits >> shift) & 0xff);
  }
  return bytes;
}

}  // namespace

std::string histogram_message(std::span<const double> values) {
  const std::vector<double>& all = limits();
  std::vector<double> counts(all.size(), 0);
  double least = 0;
  double most = 0;
  double count = 0;
  double sum = 0;
  double squares = 0;
  for (const double value : values) {
    if (!std::isfinite(value)) continue;
    least = count == 0 ? value : std::min(least, value);
    most = count == 0 ? value : std::max(most, value);
    ++count;
    sum += value;
    squares += value * value;
    ++counts[static_cast<std::size_t>(std::ranges::lower_bound(all, value) - all.begin())];
  }
  // From the last limit below all numbers to the first that none is above.
  std::size_t begin = 0;
  while (begin + 2 < counts.size() && counts[begin] == 0 && counts[begin + 1] == 0) ++begin;
  std::size_t end = counts.size();
  while (end > begin + 1 && counts[end - 1] == 0) --end;
  const std::span<const double> kept_limits = std::span(all).subspan(begin, end - begin);
  const std::span<const double> kept_counts = std::span(counts).subspan(begin, end - begin);

  Message message;
  message.add_double(field::min, least);
  message.add_double(field::max, most);
  message.add_double(field::num, count);
  message.add_double(field::sum, sum);
  message.add_double(field::sum_squares, squares);
  message.add_bytes(field::bucket_limit, packed(kept_limits));
  message.add_bytes(field::bucket, packed(kept_counts));
  return message.bytes();
}

}  // namespace xtgrad::v1::training::detail
