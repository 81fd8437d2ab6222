#include "xtgrad/autograd/ops/attention.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <utility>
#include <vector>

#include "xtgrad/autograd/core/apply.h"
#include "xtgrad/autograd/core/batch.h"
#include "xtgrad/autograd/core/loaded_checks.h"
#include "xtgrad/autograd/core/parts.h"
#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/kernels/attention.h"
#include "xtgrad/autograd/ops.h"
#include "xtgrad/autograd/ops/batching.h"
#include "xtgrad/autograd/ops/checks.h"
#include "xtgrad/autograd/ops/rule.h"
#include "xtgrad/autograd/ops/shape.h"

namespace xtgrad::inline v1 {
namespace detail {
namespace {

constexpr OpId attention_id = OpId::scaled_dot_product_attention;
constexpr double minus_infinite = -std::numeric_limits<double>::infinity();

std::int64_t rows_of(const Shape& x) { return x[x.rank() - 2]; }

Shape leading(const Shape& x) { return Shape(std::span(x.begin(), x.rank() - 2)); }

/// The shape of matrices [m, n] with such leading dimensions.
Shape matrices(Shape lead, std::int64_t m, std::int64_t n) {
  lead.push_back(m);
  lead.push_back(n);
  return lead;
}

[[noreturn]] void throw_misfit(const char* rule, const Shape& q, const Shape& k, const Shape& v) {
  throw ShapeError(fmt::format("{}: {}: q is {}, k is {}, v is {}", to_string(attention_id), rule,
                               to_string(q), to_string(k), to_string(v)));
}

/// Throws unless q, k and v fit each other, heads and batches apart.
void check_operands(const Spec& q, const Spec& k, const Spec& v) {
  check_floating(attention_id, q);
  check_same_dtype(attention_id, q, k, {"q", "k"});
  check_same_dtype(attention_id, q, v, {"q", "v"});
  const auto fail = [&](const char* rule) { throw_misfit(rule, q.shape, k.shape, v.shape); };
  if (q.shape.rank() < 2 || k.shape.rank() < 2 || v.shape.rank() < 2)
    fail("operands need at least 2 dimensions");
  if (q.shape.back() != k.shape.back()) fail("q and k must have one last dimension");
  if (rows_of(k.shape) != rows_of(v.shape)) fail("k and v must have as many rows");
}

[[noreturn]] void throw_mask(const Shape& mask, const Shape& scores) {
  throw ShapeError(fmt::format("{}: mask must broadcast to the scores {}: mask is {}",
                               to_string(attention_id), to_string(scores), to_string(mask)));
}

/// Throws unless the mask has a dtype that fits, and matrices that broadcast to those of scores.
void check_mask(const Spec& q, const Spec& k, const Spec& mask) {
  if (mask.dtype != Dtype::boolean && mask.dtype != q.dtype) {
    throw DtypeError(fmt::format("{}: mask must be bool, or of q's dtype: mask is {}, q is {}",
                                 to_string(attention_id), to_string(mask.dtype), to_string(q.dtype)));
  }
  const std::int64_t queries = rows_of(q.shape), keys = rows_of(k.shape);
  const auto fits = [](std::int64_t size, std::int64_t want) { return size == 1 || size == want; };
  if (mask.shape.rank() < 2 || !fits(rows_of(mask.shape), queries) || !fits(mask.shape.back(), keys))
    throw_mask(mask.shape, Shape{queries, keys});
}

/// What the primitives have for attributes.
struct AttentionPlan {
  AttentionRule rule = {};
  bool grouped = false;  // heads of q share those of k and v

  void describe(Attributes& a) {
    a("scale", rule.scale);
    a("is_causal", rule.is_causal, false);
    a("enable_gqa", grouped, false);
  }
};

/// [..., h, m, n] as [..., heads, h / heads, m, n].
Shape in_groups(const Shape& x, std::int64_t heads) {
  Shape split(std::span(x.begin(), x.rank() - 3));
  split.push_back(heads);
  split.push_back(x[x.rank() - 3] / heads);
  return matrices(split, rows_of(x), x.back());
}

/// The shapes that operands broadcast in: with grouped heads those of q, and of a mask, are in as many groups
/// as k and v have heads, which have groups of one.
struct AttentionShapes {
  Shape q, k, v, mask;
  Shape scores;  // [..., L, S]
  Shape lead;    // of the result, with the groups as one dimension again

  /// Throws unless all fit. `mask` is null if there is none.
  AttentionShapes(const Spec& of_q, const Spec& of_k, const Spec& of_v, const Spec* of_mask, bool grouped)
      : q(of_q.shape), k(of_k.shape), v(of_v.shape) {
    check_operands(of_q, of_k, of_v);
    if (of_mask != nullptr) check_mask(of_q, of_k, *of_mask);
    if (of_mask != nullptr) mask = of_mask->shape;
    if (grouped) split_heads();
    Shape common = common_shape(attention_id, leading(q), leading(k), leading(v));
    if (of_mask != nullptr) common = common_shape(attention_id, common, leading(mask));
    scores = matrices(common, rows_of(q), rows_of(k));
    lead = common;
    if (!grouped) return;
    lead = Shape(std::span(common.begin(), common.rank() - 2));
    lead.push_back(common[common.rank() - 2] * common.back());
  }

  [[nodiscard]] Shape result() const { return matrices(leading(scores), rows_of(q), v.back()); }
  /// Rows of all scores.
  [[nodiscard]] std::int64_t rows() const { return leading(scores).numel() * rows_of(scores); }

 private:
  void split_heads() {
    const auto fail = [&](const char* what) { throw_misfit(what, q, k, v); };
    if (q.rank() < 3 || k.rank() < 3 || v.rank() < 3) fail("grouped heads need at least 3 dimensions");
    const std::int64_t all = q[q.rank() - 3], heads = k[k.rank() - 3];
    if (v[v.rank() - 3] != heads) fail("k and v must have as many heads");
    if (heads == 0 || all % heads != 0) fail("the heads of k must divide those of q");
    if (mask.rank() >= 3) {
      const std::int64_t of_mask = mask[mask.rank() - 3];
      if (of_mask != 1 && of_mask != all) throw_mask(mask, matrices({all}, rows_of(q), rows_of(k)));
      mask = in_groups(mask, of_mask == 1 ? 1 : heads);
    }
    q = in_groups(q, heads);
    k = in_groups(k, heads);
    v = in_groups(v, heads);
  }
};

AttentionShapes shapes_of(InputSpecs in, const AttentionPlan& plan) {
  return {*in[0], *in[1], *in[2], in.size() > 3 ? in[3] : nullptr, plan.grouped};
}

/// Of q, k, v and the mask, if there is one, in this order.
AttentionOperands operands_of(Inputs in, const AttentionShapes& shapes, const Shape& result) {
  return {.q = in[0]->with_shape(shapes.q),
          .k = in[1]->with_shape(shapes.k),
          .v = in[2]->with_shape(shapes.v),
          .mask = in.size() > 3 ? in[3]->with_shape(shapes.mask) : Array(),
          .result = result};
}

/// The gradients of q, k and v, with all leading dimensions of the result, of g, y, the scales of its rows,
/// q, k, v and the mask, if there is one. Null for those not wanted. For v's alone g stands in for y.
class AttentionGradients final : public ConstantPrimitive<AttentionGradients> {
 public:
  explicit AttentionGradients(const AttentionPlan& plan = {}) : plan_(plan) {}

  [[nodiscard]] std::string_view name() const override { return "scaled_dot_product_attention.rule0"; }
  void describe(Attributes& a) override { plan_.describe(a); }
  [[nodiscard]] Counts counts(InputSpecs) const override { return {.outputs = 3}; }
  void infer(InputSpecs in, OutputSpecs out) const override {
    const Shape &g = in[0]->shape, &q = in[3]->shape, &k = in[4]->shape, lead = leading(g);
    *out[0] = {matrices(lead, rows_of(g), q.back()), in[0]->dtype, {}};
    *out[1] = {matrices(lead, rows_of(k), q.back()), in[0]->dtype, {}};
    *out[2] = {matrices(lead, rows_of(k), g.back()), in[0]->dtype, {}};
  }
  void eval(Inputs in, Outputs out) const override {
    std::array<const Spec*, 4> specs{};
    for (std::size_t i = 3; i < in.size(); ++i) specs[i - 3] = in[i];
    const AttentionShapes shapes = shapes_of(std::span(specs).first(in.size() - 3), plan_);
    const Shape result = matrices(leading(shapes.scores), rows_of(shapes.q), in[0]->shape.back());
    attention_grad(operands_of(in.subspan(3), shapes, result), plan_.rule, *in[0], *in[1], *in[2],
                   {.q = out[0], .k = out[1], .v = out[2]});
  }
  void check_loaded(InputSpecs in, InputSpecs out) const override {
    require_call(in, out, in.size() == 6 ? 6 : 7, true);
    const Spec& g = *in[0];
    const AttentionShapes shapes = shapes_of(in.subspan(3), plan_);
    const std::int64_t width =
        out[0] == nullptr && out[1] == nullptr && g.shape.rank() > 0 ? g.shape.back() : shapes.v.back();
    require_spec(name(), "g", g, {matrices(shapes.lead, rows_of(shapes.q), width), in[3]->dtype, {}});
    require_spec(name(), "y", *in[1], g);
    require_spec(name(), "scales", *in[2], {Shape{2, shapes.rows()}, Dtype::float64, {}});
  }
  /// Of each operand as many as there are results, whose leading dimensions these then are.
  [[nodiscard]] bool batch(BatchContext& context) const override {
    const std::size_t rank = example_rank(context.input(0));
    if (rank + 1 >= Shape::max_rank) return false;
    std::vector<Tensor> operands;
    std::vector<const Tensor*> pointers;
    for (std::size_t i = 0; i < context.inputs(); ++i) {
      const Tensor operand = repeated(context.input(i), context.size());
      operands.push_back(i == 2 ? merged_into(operand, 1) : aligned({operand, true}, rank));
    }
    for (const Tensor& operand : operands) pointers.push_back(&operand);
    std::vector<Tensor> gradients = apply_all(*this, pointers);
    for (std::size_t k = 0; k < gradients.size(); ++k) context.set(k, std::move(gradients[k]));
    return true;
  }
  /// Five products, or two for the gradient of v alone.
  [[nodiscard]] std::int64_t flops(InputSpecs in, InputSpecs out) const override {
    const std::int64_t scores = in[2]->shape[1] * rows_of(in[4]->shape);
    const std::int64_t depth = in[3]->shape.back(), width = in[0]->shape.back();
    const bool slopes = out[0] != nullptr || out[1] != nullptr;
    return 2 * scores * (slopes ? 3 * depth + 2 * width : depth + width);
  }

 private:
  AttentionPlan plan_;
};

/// Its auxiliary are the scales of the rows of scores (kernels/attention.h), from which the rule computes
/// them again, a block at a time.
///
/// Two rules: where nothing records, one kernel gives all gradients but the mask's; that one, and the
/// recorded rule, is a composition, which holds the scores.
class Attention final : public PrimitiveOf<Attention, attention_id> {
 public:
  static constexpr std::size_t auxiliaries = 1;
  explicit Attention(const AttentionPlan& plan = {}) : plan_(plan) {}

  void describe(Attributes& a) override { plan_.describe(a); }
  [[nodiscard]] Reads reads(Wanted wanted) const override {
    const Reads all = input_bit(0) | input_bit(1) | input_bit(2) | input_bit(3);
    return is_wanted(wanted, 0) || is_wanted(wanted, 1) ? all | output_bit : all;
  }

  void infer(InputSpecs in, OutputSpecs out) const override {
    const AttentionShapes shapes = shapes_of(in, plan_);
    *out[0] = {matrices(shapes.lead, rows_of(shapes.q), shapes.v.back()), in[0]->dtype, {}};
    *out[1] = {Shape{2, shapes.rows()}, Dtype::float64, {}};
  }
  void eval(Inputs in, Outputs out) const override {
    std::array<const Spec*, 4> specs{};
    std::copy(in.begin(), in.end(), specs.begin());
    const AttentionShapes shapes = shapes_of(std::span(specs).first(in.size()), plan_);
    Array own;
    if (out[1] == nullptr) own = Array::uninitialized({2, shapes.rows()}, Dtype::float64);
    attention(operands_of(in, shapes, shapes.result()), plan_.rule, out[1] != nullptr ? *out[1] : own,
              *out[0]);
  }
  void check_loaded(InputSpecs in, InputSpecs out) const override {
    require_call(in, out, in.size() == 3 ? 3 : 4);
    require_attribute(std::isfinite(plan_.rule.scale), name(), "scale", "finite", plan_.rule.scale);
  }
  /// Two products.
  [[nodiscard]] std::int64_t flops(InputSpecs in, InputSpecs) const override {
    const AttentionShapes shapes = shapes_of(in, plan_);
    return 2 * shapes.scores.numel() * (shapes.q.back() + shapes.v.back());
  }

  /// With grouped heads there is one dimension more on the way.
  [[nodiscard]] bool batch(BatchContext& context) const override {
    for (std::size_t i = 0; i < context.inputs(); ++i)
      if (example_rank(context.input(i)) + 1 >= Shape::max_rank) return false;
    return batch_by_broadcasting(*this, context);
  }

  void vjp(VjpContext& context) const override {
    bool records = wants_gradient(context.g());
    for (std::size_t i = 0; i < context.inputs(); ++i) records = records || wants_gradient(context.input(i));
    if (thread_state.records() && records) {
      compose_vjp(context, context.wanted(0), context.wanted(1), context.wanted(2));
    } else {
      compute_vjp(context);
      if (context.inputs() > 3 && context.wanted(3)) compose_vjp(context, false, false, false);
    }
  }

 private:
  void compute_vjp(VjpContext& context) const {
    const bool slopes = context.wanted(0) || context.wanted(1);
    if (!slopes && !context.wanted(2)) return;
    std::array<Array, 3> gradients;
    std::array<Array*, 3> out{};
    for (std::size_t i = 0; i < 3; ++i) out[i] = context.wanted(i) ? &gradients[i] : nullptr;
    const Array& g = array_of(context.g());
    const std::array<const Array*, 7> in{&g,
                                         slopes ? &context.output().array() : &g,
                                         &context.auxiliary(),
                                         &context.input(0).array(),
                                         &context.input(1).array(),
                                         &context.input(2).array(),
                                         context.inputs() > 3 ? &context.input(3).array() : nullptr};
    compute_any(AttentionGradients(plan_), std::span(in).first(context.inputs() + 3), out);
    for (std::size_t i = 0; i < 3; ++i) {
      if (out[i] != nullptr) set_summed(context, i, make_constant(std::move(gradients[i])));
    }
  }

  /// A gradient with all leading dimensions of the result, as that of an operand which broadcast.
  void set_summed(VjpContext& context, std::size_t i, const Tensor& gradient) const {
    const Shape& shape = context.shape(i);
    if (!plan_.grouped || i == 0 || shape.rank() < 3 || i == 3)
      return context.set(i, summed_to(gradient, shape));
    const Tensor groups = reshaped(gradient, in_groups(gradient.shape(), shape[shape.rank() - 3]));
    context.set(i, summed_to(sum(groups, {.axes = {-3}}), shape));
  }

  void compose_vjp(VjpContext& context, bool wants_q, bool wants_k, bool wants_v) const {
    const bool has_mask = context.inputs() > 3, wants_mask = has_mask && context.wanted(3);
    const Tensor &g = context.g(), q = context.input(0);
    const Tensor k = repeated(context.input(1), q), v = repeated(context.input(2), q);
    AttentionOptions options{.is_causal = plan_.rule.is_causal, .scale = plan_.rule.scale};
    if (has_mask) options.mask = context.input(3);
    const Tensor weights = attention_weights(q, k, options);
    if (wants_v) set_summed(context, 2, matmul(weights, g, {.transpose_a = true}));
    if (!wants_q && !wants_k && !wants_mask) return;
    const Tensor cotangent = matmul(g, v, {.transpose_b = true});
    const Tensor slopes = weights * (cotangent - sum(weights * cotangent, {.axes = {-1}, .keepdim = true}));
    if (wants_mask) set_summed(context, 3, slopes);
    const Tensor scaled = slopes * plan_.rule.scale;
    if (wants_q) set_summed(context, 0, matmul(scaled, k));
    if (wants_k) set_summed(context, 1, matmul(scaled, q, {.transpose_a = true}));
  }

  /// Heads of k or v as often as heads of q share one.
  [[nodiscard]] Tensor repeated(const Tensor& x, const Tensor& q) const {
    if (!plan_.grouped) return x;
    const std::int64_t heads = x.size(-3), all = q.size(-3);
    Shape wide = in_groups(x.shape(), heads), joined = x.shape();
    wide[wide.rank() - 3] = all / heads;
    joined[joined.rank() - 3] = all;
    return reshaped(stretched_to(reshaped(x, in_groups(x.shape(), heads)), wide), joined);
  }

  AttentionPlan plan_;
};

/// True where key j is not after query i, bool [queries, keys].
Tensor causal_mask(std::int64_t queries, std::int64_t keys) {
  return less_equal(arange(keys), reshape(arange(queries), {queries, 1}));
}

double scale_of(const Tensor& q, const std::optional<double>& scale) {
  if (scale.has_value()) {
    if (std::isfinite(*scale)) return *scale;
    throw ValueError(fmt::format("{}: scale must be finite, got {}", to_string(attention_id), *scale));
  }
  const auto depth =
      static_cast<double>(!q.defined() || q.rank() == 0 || q.shape().back() == 0 ? 1 : q.shape().back());
  return 1 / std::sqrt(depth);
}

/// A mask as matrices: [keys] are a row, and a single number is one for all.
Tensor mask_of(const Tensor& mask) {
  if (!mask.defined() || mask.rank() >= 2) return mask;
  return reshaped(mask, Shape{1, mask.numel()});
}

}  // namespace

Tensor attention_weights(const Tensor& q, const Tensor& k, const AttentionOptions& options) {
  Tensor scores = matmul(q, k, {.transpose_b = true}) * scale_of(q, options.scale);
  Tensor visible;
  if (options.is_causal) visible = causal_mask(q.size(-2), k.size(-2));
  if (options.mask.has_value()) {
    const Tensor mask = mask_of(*options.mask);
    const bool is_added = mask.dtype() != Dtype::boolean;
    const Tensor seen = is_added ? mask != minus_infinite : mask;
    if (is_added) scores = scores + mask;
    visible = visible.defined() ? logical_and(visible, seen) : seen;
  }
  if (!visible.defined()) return softmax(scores, -1);
  // A query without a key has no largest score: it gets zeros for scores, and zeros for what comes of them.
  const Tensor some = any(visible, {.axes = {-1}, .keepdim = true});
  const Tensor weights = softmax(where(some, where(visible, scores, minus_infinite), 0), -1);
  return where(some, weights, 0);
}

}  // namespace detail

Tensor scaled_dot_product_attention(const Tensor& q, const Tensor& k, const Tensor& v,
                                    const AttentionOptions& options) {
  const detail::Attention attention(
      {.rule = {.scale = detail::scale_of(q, options.scale), .is_causal = options.is_causal},
       .grouped = options.enable_gqa});
  const Tensor mask = options.mask.has_value() ? detail::mask_of(*options.mask) : Tensor();
  const std::array inputs{&q, &k, &v, &mask};
  return detail::apply_any(attention, std::span(inputs).first(options.mask.has_value() ? 4 : 3));
}

}  // namespace xtgrad::v1
