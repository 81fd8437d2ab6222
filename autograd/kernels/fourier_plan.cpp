#include "xtgrad/autograd/kernels/fourier_plan.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <complex>
#include <deque>
#include <limits>
#include <mutex>
#include <numbers>
#include <optional>
#include <type_traits>
#include <utility>
#include <vector>

#include "xtgrad/autograd/kernels/levels/fourier.h"
#include "xtgrad/autograd/memory/process_locks.h"

namespace xtgrad::inline v1::detail {
namespace {

/// e^(-2 pi i k / n). Sine and cosine are asked for angles up to pi / 4 alone, to which others are led back
/// in whole numbers: so no angle is rounded where it is large, and what is 0, 1/2, sqrt(1/2) or 1 is that.
std::complex<double> root_of_unity(std::int64_t k, std::int64_t n) {
  const std::int64_t quarter = 4 * k / n, rest = 4 * k - quarter * n;
  const bool is_mirrored = 2 * rest > n;
  const std::int64_t least = is_mirrored ? n - rest : rest;
  const double angle = std::numbers::pi / 2 * static_cast<double>(least) / static_cast<double>(n);
  double c = std::cos(angle), s = std::sin(angle);
  if (2 * least == n) c = s = std::numbers::sqrt2 / 2;
  if (3 * least == n) s = 0.5;
  if (is_mirrored) std::swap(c, s);
  switch (quarter) {
    case 0:
      return {c, -s};
    case 1:
      return {-s, -c};
    case 2:
      return {-c, s};
    default:
      return {s, c};
  }
}

/// Radices whose product is n, those of 4 and 8 before primes; in ascending order, since the last pass takes
/// no twiddles. None if a prime is too large.
std::optional<std::vector<std::int64_t>> radices_of(std::int64_t n) {
  std::vector<std::int64_t> radices;
  std::int64_t twos = 0;
  for (; n % 2 == 0; n /= 2) ++twos;
  for (; twos % 3 != 0 && twos >= 2; twos -= 2) radices.push_back(4);
  for (; twos >= 3; twos -= 3) radices.push_back(8);
  if (twos == 1) radices.push_back(2);
  for (std::int64_t p = 3; p <= largest_radix; p += 2) {
    for (; n % p == 0; n /= p) radices.push_back(p);
  }
  if (n > 1) return std::nullopt;
  std::sort(radices.begin(), radices.end());
  return radices;
}

/// Divisors of a product of small numbers, with which n = n1 n2 costs least: lanes that are not full cost as
/// much as full ones. None if transforms of several rows at once are cheaper.
std::optional<std::int64_t> split_of(std::int64_t n, std::int64_t lanes) {
  constexpr std::int64_t few = 512;  // points of several rows, which the fast memory holds
  const auto full = [lanes](std::int64_t count) { return (count + lanes - 1) / lanes * lanes; };
  std::int64_t best = 0, best_cost = std::numeric_limits<std::int64_t>::max();
  for (std::int64_t a = 2; a * a <= n; ++a) {
    if (n % a != 0) continue;
    const std::int64_t b = n / a, cost = a * full(b) + b * full(a);
    // Among equals the most even: both must fit into the fast memory.
    if (cost <= best_cost) best = a, best_cost = cost;
  }
  if (best == 0 || (n <= few && best_cost > 2 * n)) return std::nullopt;
  return best;
}

template <class T>
struct KeptPlan {
  FourierPlan<T> plan;
  std::deque<std::vector<T>> numbers;
  SharedFourierPlan<T> convolution;

  [[nodiscard]] std::size_t bytes() const {
    std::size_t sum = sizeof(*this);
    for (const std::vector<T>& some : numbers) sum += some.size() * sizeof(T);
    return sum;
  }
  T* room(std::int64_t n) { return numbers.emplace_back(static_cast<std::size_t>(n)).data(); }
};

template <class T>
void put(std::complex<double> z, T* pair) {
  pair[0] = static_cast<T>(z.real());
  pair[1] = static_cast<T>(z.imag());
}

template <class T>
FourierStages<T> stages_of(KeptPlan<T>& kept, std::int64_t n) {
  FourierStages<T> stages{.n = n};
  std::int64_t runs = 1;
  const auto radices = radices_of(n);
  for (const std::int64_t radix : *radices) {
    const std::int64_t parts = n / runs / radix;
    T* const twiddles = kept.room(2 * parts * (radix - 1));
    for (std::int64_t p = 0; p < parts; ++p) {
      for (std::int64_t k = 1; k < radix; ++k)
        put(root_of_unity(p * k, radix * parts), twiddles + 2 * (p * (radix - 1) + k - 1));
    }
    T* const roots = kept.room(2 * radix);
    for (std::int64_t k = 0; k < radix; ++k) put(root_of_unity(k, radix), roots + 2 * k);
    stages.stages.at(stages.count++) = {radix, parts, runs, twiddles, roots};
    runs *= radix;
  }
  return stages;
}

template <class T>
void add_split(KeptPlan<T>& kept, std::int64_t n1, std::int64_t lanes) {
  FourierPlan<T>& plan = kept.plan;
  const std::int64_t n2 = plan.n / n1;
  plan.way = FourierWay::split;
  plan.first = stages_of(kept, n1);
  plan.second = stages_of(kept, n2);
  T* to = kept.room((n2 + lanes - 1) / lanes * n1 * 2 * lanes);
  plan.twiddles = to;
  for (std::int64_t first = 0; first < n2; first += lanes) {
    for (std::int64_t k1 = 0; k1 < n1; ++k1, to += 2 * lanes) {
      for (std::int64_t i = 0; i < std::min(lanes, n2 - first); ++i) {
        const std::complex<double> w = root_of_unity(k1 * (first + i), plan.n);
        to[i] = static_cast<T>(w.real());
        to[lanes + i] = static_cast<T>(w.imag());
      }
    }
  }
}

/// At least so many points, without large primes, and with many twos.
std::int64_t easy_size(std::int64_t least) {
  std::int64_t best = std::numeric_limits<std::int64_t>::max();
  for (const std::int64_t odd : {1, 3, 5, 9, 15}) {
    std::int64_t n = 16 * odd;
    while (n < least) n *= 2;
    best = std::min(best, n);
  }
  return best;
}

template <class T>
void add_chirp(KeptPlan<T>& kept, std::int64_t lanes) {
  FourierPlan<T>& plan = kept.plan;
  const std::int64_t n = plan.n, m = easy_size(2 * n - 1);
  plan.way = FourierWay::chirp;
  kept.convolution = fourier_plan<T>(m, lanes);
  plan.m = kept.convolution.get();
  T* const chirp = kept.room(2 * n);
  std::vector<double> filter(static_cast<std::size_t>(2 * m)), spectrum(filter.size());
  for (std::int64_t j = 0; j < n; ++j) {
    const std::complex<double> w = root_of_unity(j * j % (2 * n), 2 * n);
    put(w, chirp + 2 * j);
    put(std::conj(w), filter.data() + 2 * j);
    if (j > 0) put(std::conj(w), filter.data() + 2 * (m - j));
  }
  const FourierJob job{.n = m, .rows = 1, .scale = 1 / static_cast<double>(m)};
  fourier_double(*fourier_plan<double>(m, fourier_lanes(false)), job, filter.data(), spectrum.data());
  T* const rounded = kept.room(2 * m);
  std::transform(spectrum.begin(), spectrum.end(), rounded, [](double x) { return static_cast<T>(x); });
  plan.chirp = chirp;
  plan.spectrum = rounded;
}

template <class T>
std::shared_ptr<const KeptPlan<T>> make_plan(std::int64_t n, std::int64_t lanes) {
  auto kept = std::make_shared<KeptPlan<T>>();
  kept->plan.n = n;
  if (!radices_of(n)) {
    add_chirp(*kept, lanes);
  } else if (const auto n1 = split_of(n, lanes)) {
    add_split(*kept, *n1, lanes);
  } else {
    kept->plan.first = stages_of(*kept, n);
  }
  const std::int64_t half = n / 2 + 1;
  T* const halves = kept->room(2 * half);
  for (std::int64_t k = 0; k < half; ++k) {
    const std::complex<double> w = root_of_unity(k, 2 * n);
    halves[k] = static_cast<T>(w.real());
    halves[half + k] = static_cast<T>(w.imag());
  }
  kept->plan.halves = halves;
  return kept;
}

/// The plans that were asked for last, which are few and not too large. Under the lock of fourier_plans.
template <class T>
class RecentPlans {
 public:
  std::shared_ptr<const KeptPlan<T>> find(std::int64_t n) {
    const auto found = std::find_if(plans_.begin(), plans_.end(),
                                    [n](const auto& kept) { return kept && kept->plan.n == n; });
    if (found == plans_.end()) return nullptr;
    std::rotate(plans_.begin(), found, found + 1);
    return plans_.front();
  }

  /// Returns what was there before, to be let go without the lock.
  std::shared_ptr<const KeptPlan<T>> keep(const std::shared_ptr<const KeptPlan<T>>& made) {
    if (made->bytes() > most_bytes || find(made->plan.n)) return nullptr;
    std::rotate(plans_.begin(), plans_.end() - 1, plans_.end());
    auto before = std::exchange(plans_.front(), made);
    std::size_t bytes = 0;
    for (auto& kept : plans_) {
      if (!kept) continue;
      bytes += kept->bytes();
      if (bytes > most_bytes) kept.reset();
    }
    return before;
  }

 private:
  static constexpr std::size_t most_bytes = std::size_t{32} << 20;

  std::array<std::shared_ptr<const KeptPlan<T>>, 16> plans_{};
};

/// Never destroyed: threads may still compute when the program ends.
template <class V>
union Undestroyed {
  constexpr Undestroyed() : value{} {}
  Undestroyed(const Undestroyed&) = delete;
  Undestroyed& operator=(const Undestroyed&) = delete;
  ~Undestroyed() {}  // NOLINT(modernize-use-equals-default): that would be deleted

  V value;
};

constinit Undestroyed<RecentPlans<float>> recent_float;
constinit Undestroyed<RecentPlans<double>> recent_double;

template <class T>
RecentPlans<T>& recent_plans() {
  if constexpr (std::is_same_v<T, float>) {
    return recent_float.value;
  } else {
    return recent_double.value;
  }
}

}  // namespace

template <class T>
SharedFourierPlan<T> fourier_plan(std::int64_t n, std::int64_t lanes) {
  std::shared_ptr<const KeptPlan<T>> kept;
  {
    const std::lock_guard lock(process_lock(ProcessLock::fourier_plans));
    kept = recent_plans<T>().find(n);
  }
  if (!kept) {
    kept = make_plan<T>(n, lanes);
    std::shared_ptr<const KeptPlan<T>> before;
    const std::lock_guard lock(process_lock(ProcessLock::fourier_plans));
    before = recent_plans<T>().keep(kept);
  }
  return {kept, &kept->plan};
}

template SharedFourierPlan<float> fourier_plan<float>(std::int64_t n, std::int64_t lanes);
template SharedFourierPlan<double> fourier_plan<double>(std::int64_t n, std::int64_t lanes);

}  // namespace xtgrad::v1::detail
