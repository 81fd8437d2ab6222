// Discrete Fourier transforms. There is no complex dtype: complex numbers are pairs (real, imaginary) along a
// last axis of size 2.
#pragma once

#include <cstdint>
#include <optional>

#include "xtgrad/autograd/export.h"
#include "xtgrad/autograd/shape.h"
#include "xtgrad/autograd/tensor.h"
#include "xtgrad/autograd/tensor_options.h"

namespace xtgrad { inline namespace XTGRAD_PUBLIC v1 {

// Axes are counted without that of the pairs: z [3, 8, 2] has axes 0 and 1, and -1 is the one of size 8. All
// are linear in what they transform, but for complex_mul, which is so in each operand.

/// Which of a transform and its inverse divides by n.
enum class FourierNorm {
  backward,  ///< the inverse
  ortho,     ///< both, by sqrt(n)
  forward    ///< the transform
};

struct FourierOptions {
  std::optional<std::int64_t> n = std::nullopt;  ///< points, cut off or filled up with zeros at the end
  std::int64_t axis = -1;
  FourierNorm norm = FourierNorm::backward;
};
/// Of pairs z: element k is the sum over j of z_j e^(-2 pi i j k / n).
[[nodiscard]] Tensor fft(const Tensor& z, const FourierOptions& options = {});
/// Undoes fft: element j is the sum over k of z_k e^(2 pi i j k / n), divided by n.
[[nodiscard]] Tensor ifft(const Tensor& z, const FourierOptions& options = {});
/// The transform of a real x, in pairs: elements 0 to n / 2, of which the others are conjugates.
[[nodiscard]] Tensor rfft(const Tensor& x, const FourierOptions& options = {});
/// Undoes rfft: n real points of the pairs 0 to n / 2, where n is 2 (bins - 1) if absent. The imaginary parts
/// of the first, and for an even n of the last, are not looked at.
[[nodiscard]] Tensor irfft(const Tensor& z, const FourierOptions& options = {});

struct FourierNdOptions {
  Dims sizes = {};  ///< points along each of the axes; -1 for as many as there are
  Axes axes = {};   ///< the last ones if there are sizes alone, and all if there are none
  FourierNorm norm = FourierNorm::backward;
};
/// fft along several axes.
[[nodiscard]] Tensor fftn(const Tensor& z, const FourierNdOptions& options = {});
[[nodiscard]] Tensor ifftn(const Tensor& z, const FourierNdOptions& options = {});  ///< undoes fftn
/// rfft along the last of the axes, and fft along the others.
[[nodiscard]] Tensor rfftn(const Tensor& x, const FourierNdOptions& options = {});
/// Undoes rfftn; the last of the sizes is that of the result.
[[nodiscard]] Tensor irfftn(const Tensor& z, const FourierNdOptions& options = {});

struct Fourier2dOptions {
  Dims sizes = {};  ///< as in FourierNdOptions
  Axes axes = {-2, -1};
  FourierNorm norm = FourierNorm::backward;
};
/// fftn of images.
[[nodiscard]] Tensor fft2(const Tensor& z, const Fourier2dOptions& options = {});
[[nodiscard]] Tensor ifft2(const Tensor& z, const Fourier2dOptions& options = {});   ///< undoes fft2
[[nodiscard]] Tensor rfft2(const Tensor& x, const Fourier2dOptions& options = {});   ///< rfftn of images
[[nodiscard]] Tensor irfft2(const Tensor& z, const Fourier2dOptions& options = {});  ///< undoes rfft2

/// x rolled by half of each of the axes, all unless some are named, so that frequency 0 is in the middle. The
/// axes are those of x itself: of pairs name them, counted from the front.
[[nodiscard]] Tensor fftshift(const Tensor& x, const Axes& axes = {});
/// Undoes fftshift, which of an odd size is another roll.
[[nodiscard]] Tensor ifftshift(const Tensor& x, const Axes& axes = {});
/// The frequencies of fft's elements, in cycles per unit of the spacing: 0, 1, ..., -2, -1 over n spacing.
[[nodiscard]] Tensor fftfreq(std::int64_t n, double spacing = 1, const TensorOptions& options = {});
/// The frequencies of rfft's elements: 0, 1, ..., n / 2 over n spacing.
[[nodiscard]] Tensor rfftfreq(std::int64_t n, double spacing = 1, const TensorOptions& options = {});

/// The products of pairs, (a + bi)(c + di); shapes broadcast.
[[nodiscard]] Tensor complex_mul(const Tensor& a, const Tensor& b);
/// The pairs with the other sign of the imaginary part.
[[nodiscard]] Tensor complex_conj(const Tensor& z);
/// hypot(real, imaginary) of pairs: [..., 2] to [...].
[[nodiscard]] Tensor complex_abs(const Tensor& z);
/// atan2(imaginary, real) of pairs: [..., 2] to [...].
[[nodiscard]] Tensor complex_angle(const Tensor& z);

struct StftOptions {
  std::int64_t n = 0;                              ///< points of a frame; required
  std::optional<std::int64_t> hop = std::nullopt;  ///< from a frame to the next; n / 4 if absent
  Tensor window = {};                              ///< [n]; ones if empty
  bool center = true;       ///< frame t is about point t hop, of a signal reflected at its ends
  bool normalized = false;  ///< ortho
};
/// Short-time Fourier transform: rfft of frames of x [..., length] times the window, [..., n / 2 + 1, frames,
/// 2].
[[nodiscard]] Tensor stft(const Tensor& x, const StftOptions& options);

struct IstftOptions {
  std::int64_t n = 0;                              ///< points of a frame; required
  std::optional<std::int64_t> hop = std::nullopt;  ///< n / 4 if absent
  Tensor window = {};                              ///< [n]; ones if empty
  bool center = true;                              ///< as stft was told
  bool normalized = false;                         ///< as stft was told
  std::optional<std::int64_t> length =
      std::nullopt;  ///< of the signal; as many points as frames have if absent
};
/// Undoes stft by least squares (Griffin and Lim, 1984): frames times the window are added up where they
/// overlap, and divided by the sum of the squares of the window, which must not be 0 there.
[[nodiscard]] Tensor istft(const Tensor& z, const IstftOptions& options);

}}  // namespace xtgrad::v1
