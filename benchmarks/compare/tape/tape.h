#pragma once

#include <cmath>
#include <cstdint>
#include <vector>

namespace bench {

/// The least that reverse mode takes: a list of operations on single numbers, each of which notes where its
/// operands stand and its derivatives in them. No tensors, no second derivatives, and nothing is ever freed
/// but the whole.
class Tape {
 public:
  struct Var {
    Tape* tape;
    std::uint32_t at;
    float value;
  };

  Var variable(float value) { return push(value, 0, 0, 0, 0); }

  /// The derivatives of y in every entry of the tape.
  const std::vector<float>& backward(Var y) {
    gradients_.assign(entries_.size(), 0);
    gradients_[y.at] = 1;
    for (std::size_t i = y.at + 1; i-- > 0;) {
      const Entry& e = entries_[i];
      const float g = gradients_[i];
      gradients_[e.left] += g * e.by_left;
      gradients_[e.right] += g * e.by_right;
    }
    return gradients_;
  }

  /// Forgets all entries and keeps their memory.
  void clear() { entries_.clear(); }

  friend Var operator+(Var a, Var b) { return a.tape->push(a.value + b.value, a.at, 1, b.at, 1); }
  friend Var operator-(Var a, Var b) { return a.tape->push(a.value - b.value, a.at, 1, b.at, -1); }
  friend Var operator*(Var a, Var b) { return a.tape->push(a.value * b.value, a.at, b.value, b.at, a.value); }
  friend Var operator/(Var a, Var b) {
    const float y = a.value / b.value;
    return a.tape->push(y, a.at, 1 / b.value, b.at, -y / b.value);
  }
  friend Var operator+(Var a, float x) { return a.tape->push(a.value + x, a.at, 1, a.at, 0); }
  friend Var operator*(Var a, float x) { return a.tape->push(a.value * x, a.at, x, a.at, 0); }
  friend Var operator-(Var a, float x) { return a + -x; }
  friend Var exp(Var a) {
    const float y = std::exp(a.value);
    return a.tape->push(y, a.at, y, a.at, 0);
  }
  friend Var log(Var a) { return a.tape->push(std::log(a.value), a.at, 1 / a.value, a.at, 0); }
  friend Var erf(Var a) {
    const float slope = 1.1283792F * std::exp(-a.value * a.value);
    return a.tape->push(std::erf(a.value), a.at, slope, a.at, 0);
  }
  friend Var sin(Var a) { return a.tape->push(std::sin(a.value), a.at, std::cos(a.value), a.at, 0); }
  friend Var cos(Var a) { return a.tape->push(std::cos(a.value), a.at, -std::sin(a.value), a.at, 0); }
  friend Var tanh(Var a) {
    const float y = std::tanh(a.value);
    return a.tape->push(y, a.at, (1 - y) * (1 + y), a.at, 0);
  }

 private:
  struct Entry {
    std::uint32_t left, right;
    float by_left, by_right;
  };

  Var push(float value, std::uint32_t left, float by_left, std::uint32_t right, float by_right) {
    entries_.push_back({left, right, by_left, by_right});
    return {this, static_cast<std::uint32_t>(entries_.size() - 1), value};
  }

  std::vector<Entry> entries_;
  std::vector<float> gradients_;
};

}  // namespace bench
