// How a discrete Fourier transform of n points is done, and the numbers that this takes.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>

namespace xtgrad::inline v1::detail {

// Plain data: it is read by kernels that are compiled for each set of instructions. Complex numbers are
// pairs.

/// A pass over n = radix * parts * runs points (Stockham's, which leaves them in order): element
/// q + runs (radix p + k) of the result is w^(p k) times element k of the transform of elements
/// q + runs (p + parts i), i below the radix; w = e^(-2 pi i / (radix parts)).
template <class T>
struct FourierStage {
  std::int64_t radix = 1;
  std::int64_t parts = 1;
  std::int64_t runs = 1;
  const T* twiddles = nullptr;  ///< w^(p k), [parts, radix - 1]
  const T* roots = nullptr;     ///< e^(-2 pi i k / radix), [radix]
};

/// A transform of a product of small primes.
template <class T>
struct FourierStages {
  static constexpr std::size_t most = 24;

  std::int64_t n = 1;
  std::size_t count = 0;
  std::array<FourierStage<T>, most> stages{};
};

enum class FourierWay {
  rows,   ///< of several rows at once, one in each lane
  split,  ///< n = n1 n2: transforms of n1 points, then of n2, of a row's columns in lanes
  chirp   ///< as a convolution of m points (Bluestein, 1970)
};

template <class T>
struct FourierPlan {
  std::int64_t n = 1;
  FourierWay way = FourierWay::rows;
  FourierStages<T> first;       ///< of all points, or of n1
  FourierStages<T> second;      ///< of n2
  const T* twiddles = nullptr;  ///< split: w^(k1 j2) as [blocks of j2][k1], a lane each of real and imaginary
  const FourierPlan<T>* m = nullptr;  ///< chirp: of the convolution
  const T* chirp = nullptr;           ///< e^(-pi i j^2 / n), [n]
  const T* spectrum = nullptr;        ///< of the conjugates of the chirp, divided by m, [m]
  const T* halves = nullptr;          ///< e^(-pi i k / n), k up to n / 2, all real parts and then all others:
                                      ///< what a real transform of 2 n points takes besides
};

/// The largest prime that a stage may have: beyond it, a convolution is faster.
inline constexpr std::int64_t largest_radix = 31;

/// What keeps a plan and its numbers.
template <class T>
using SharedFourierPlan = std::shared_ptr<const FourierPlan<T>>;

/// The plan for n >= 1 points and lanes of so many numbers, for use until it is let go. Some are kept.
template <class T>
[[nodiscard]] SharedFourierPlan<T> fourier_plan(std::int64_t n, std::int64_t lanes);

}  // namespace xtgrad::v1::detail
