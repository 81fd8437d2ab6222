#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "xtgrad/autograd/core/primitive.h"

namespace xtgrad::inline v1::nn::detail {

/// Which integers are classes: those from 0 on below `count`, and `ignored`, if it may be there.
struct ClassRange {
  std::int64_t count;
  std::int64_t ignored;
  bool may_ignore;
};

/// Number of elements of an int64 array that are ignored; throws ValueError for one that may not be there.
std::int64_t check_classes(std::string_view loss, const xtgrad::detail::Array& target,
                           const ClassRange& range);

/// A check of a loss's elements, or of a distribution's, as a primitive: what it is given, if nothing is
/// wrong with that.
class ElementCheck final : public xtgrad::detail::DifferentiablePrimitive<ElementCheck> {
 public:
  /// In [low, high], or NaN.
  static ElementCheck range(std::string_view loss, std::string_view operand, double low, double high);
  /// In [low, high]; no NaN.
  static ElementCheck interval(std::string_view owner, std::string_view operand, double low, double high);
  /// Above low; no NaN.
  static ElementCheck above(std::string_view owner, std::string_view operand, double low);
  /// 1 or -1.
  static ElementCheck signs(std::string_view loss, std::string_view operand);
  static ElementCheck classes(std::string_view loss, const ClassRange& range);

  /// The tensor itself, checked at once; or a step that checks it, where somebody lists steps for other
  /// elements.
  [[nodiscard]] Tensor on(const Tensor& x) const;

  /// One of signs, to be described over.
  ElementCheck() : ElementCheck(Kind::signs, {}, {}) {}

  [[nodiscard]] std::string_view name() const override { return "check_elements"; }
  void describe(Attributes& a) override;
  void infer(xtgrad::detail::InputSpecs in, xtgrad::detail::OutputSpecs out) const override {
    *out[0] = *in[0];
  }
  void eval(xtgrad::detail::Inputs in, xtgrad::detail::Outputs out) const override;
  [[nodiscard]] xtgrad::detail::InputSet may_overwrite(int) const override { return 1; }
  void check_loaded(xtgrad::detail::InputSpecs in, xtgrad::detail::InputSpecs out) const override;
  void vjp(VjpContext& context) const override;

 private:
  enum class Kind : std::int64_t { range, signs, classes, interval, above };

  ElementCheck(Kind kind, std::string_view loss, std::string_view operand);
  void check(const xtgrad::detail::Array& array) const;

  std::string loss_, operand_;
  std::int64_t kind_;
  double low_ = 0, high_ = 0;
  std::int64_t classes_ = 0, ignored_ = 0;
  bool may_ignore_ = false;
};

}  // namespace xtgrad::v1::nn::detail
