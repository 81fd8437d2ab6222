#pragma once

#include <utility>

#include "xtgrad/autograd/export.h"
#include "xtgrad/nn/module.h"
#include "xtgrad/nn/owned_module.h"

namespace xtgrad { inline namespace XTGRAD_PUBLIC v1 { namespace nn {

/// x + body(x), or projection(x) + body(x) where the body changes the shape (He, Zhang, Ren, Sun, "Deep
/// residual learning", 2016). Both are taken by value, and listed as "body" and "projection".
///
///   nn::Residual block{nn::Sequential{nn::Linear{8, 8}, nn::Tanh{}, nn::Linear{8, 8}}};
///   nn::Residual wider{nn::Linear{8, 16}, nn::Linear{{.in_features = 8, .out_features = 16, .bias =
///   false}}}; Tensor y = wider(block(randn({4, 8})));  // [4, 16]
///
/// One Residual alone in braces is a copy, as for every value. Throws ShapeError or DtypeError where the two
/// terms differ: they are not broadcast.
class Residual : public Module {
 public:
  /// Templates, because a copy of the model needs each part's own type, which only the caller knows.
  template <detail::LayerOf<Residual> Body>
  explicit Residual(Body body) : body_(std::move(body)) {}
  template <detail::Layer Body, detail::Layer Projection>
  Residual(Body body, Projection projection) : body_(std::move(body)), projection_(std::move(projection)) {}

  Residual(const Residual& other);
  Residual(Residual&& other) noexcept = default;
  Residual& operator=(const Residual& other);
  Residual& operator=(Residual&& other) noexcept = default;
  ~Residual() override = default;

  [[nodiscard]] Module& body() { return *body_; }
  /// Null without one.
  [[nodiscard]] Module* projection() { return projection_.get(); }

  Tensor forward(const Tensor& x) override;
  void members(Members& m) override;

 private:
  detail::OwnedModule body_;
  detail::OwnedModule projection_;
};

}}}  // namespace xtgrad::v1::nn
