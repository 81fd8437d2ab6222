#pragma once

#include <cmath>
#include <cstdint>

namespace xtgrad::inline v1::detail {

/// A sum of any number of terms, of which a few roundings are all that is lost: float is summed in double,
/// and double with what each addition has rounded off kept beside it (Knuth's two-sum). Begins at -0, to
/// which zeros of either sign are added as to nothing.
template <class T>
class LongSum;

template <>
class LongSum<float> {
 public:
  void add(float term) { total_ += static_cast<double>(term); }
  void add_wide(double term) { total_ += term; }
  void add(const LongSum& other) { total_ += other.total_; }
  [[nodiscard]] float value() const { return static_cast<float>(total_); }
  [[nodiscard]] double wide() const { return total_; }

 private:
  double total_ = -0.0;
};

template <>
class LongSum<double> {
 public:
  void add(double term) {
    const double next = total_ + term;
    const double added = next - total_;
    rest_ += (total_ - (next - added)) + (term - added);
    total_ = next;
  }
  void add(const LongSum& other) { add_parts(other.total_, other.rest_); }
  /// A term and what was rounded off it.
  void add_parts(double term, double rest) {
    add(term);
    rest_ += rest;
  }
  /// What was rounded off an infinity is NaN, and no part of it.
  [[nodiscard]] double value() const { return std::isfinite(total_) ? total_ + rest_ : total_; }
  [[nodiscard]] double wide() const { return value(); }

 private:
  double total_ = -0.0;
  double rest_ = -0.0;
};

/// What few doubles are summed in, as a LongSum is used.
class PlainSum {
 public:
  void add(double term) { total_ += term; }
  [[nodiscard]] double wide() const { return total_; }

 private:
  double total_ = 0;
};

/// Up to so many terms are added one by one: to what is there, in no more than the 4 + log2(n) roundings that
/// a sum of n terms may lose.
inline constexpr std::int64_t few_terms = 7;

}  // namespace xtgrad::v1::detail
