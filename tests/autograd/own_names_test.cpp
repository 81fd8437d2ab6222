// An error names the function that was called, also where it is made of others. Every function meets tensors
// of every dtype and of shapes that do not fit.
#include <doctest/doctest.h>

#include <limits>
#include <span>
#include <string>
#include <vector>

#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/functions/attention.h"
#include "xtgrad/autograd/functions/normalization.h"
#include "xtgrad/autograd/grad.h"
#include "xtgrad/autograd/graph.h"
#include "xtgrad/autograd/observe.h"
#include "xtgrad/autograd/ops.h"
#include "xtgrad/autograd/where_safe.h"
#include "xtgrad/nn/layer_norm.h"
#include "xtgrad/nn/losses.h"
#include "xtgrad/nn/polynomial_features.h"
#include "xtgrad/nn/pool.h"
#include "xtgrad/nn/similarity.h"

using namespace xtgrad;

namespace {

struct Function {
  std::string name;
  std::size_t operands;
  void (*call)(std::span<const Tensor> x);
};

#define UNARY(name, ...)                                                                                   \
  {                                                                                                        \
#name, 1, [](std::span <const Tensor> x) { static_cast<void>(name(x[0] __VA_OPT__(, ) __VA_ARGS__)); } \
  }
#define BINARY(name, ...)                                                                                  \
  {                                                                                                        \
#name, 2,                                                                                              \
        [](std::span <const Tensor> x) { static_cast<void>(name(x[0], x[1] __VA_OPT__(, ) __VA_ARGS__)); } \
  }
#define CALL(name, operands, expression)                                             \
  {                                                                                  \
    name, operands, [](std::span<const Tensor> x) { static_cast<void>(expression); } \
  }

constexpr double inf = std::numeric_limits<double>::infinity();
constexpr double huge = 1e300;

const std::vector<Function> functions{
    UNARY(neg),
    UNARY(exp),
    UNARY(log),
    UNARY(sqrt),
    UNARY(square),
    UNARY(abs),
    UNARY(sign),
    UNARY(tanh),
    UNARY(sigmoid),
    UNARY(relu),
    UNARY(erf),
    UNARY(sin),
    UNARY(cos),
    UNARY(softplus),
    UNARY(leaky_relu),
    UNARY(elu),
    UNARY(normal_cdf),
    UNARY(gelu),
    UNARY(gelu_tanh),
    UNARY(silu),
    UNARY(clamp, {.min = 0.5, .max = huge}),
    UNARY(clamp, {.min = 2, .max = 1}),
    UNARY(clamp, {.min = huge}),
    UNARY(leaky_relu, huge),
    UNARY(softplus, {.beta = -1}),
    UNARY(elu, inf),
    // A number as the other operand.
    UNARY(add, 0.5),
    UNARY(sub, 0.5),
    UNARY(mul, 0.5),
    UNARY(div, 0.5),
    UNARY(pow, 0.5),
    UNARY(maximum, 0.5),
    UNARY(minimum, 0.5),
    UNARY(add, huge),
    UNARY(sub, huge),
    UNARY(mul, huge),
    UNARY(div, huge),
    UNARY(pow, huge),
    UNARY(maximum, huge),
    UNARY(minimum, huge),
    UNARY(maximum, 0.0 / 0.0),
    UNARY(minimum, 0.0 / 0.0),
    UNARY(equal, huge),
    UNARY(not_equal, huge),
    UNARY(less, huge),
    UNARY(less_equal, huge),
    UNARY(greater, huge),
    UNARY(greater_equal, huge),
    CALL("add", 1, 0.5 + x[0]),
    CALL("sub", 1, 0.5 - x[0]),
    CALL("mul", 1, 0.5 * x[0]),
    CALL("div", 1, 0.5 / x[0]),
    CALL("pow", 1, pow(0.5, x[0])),
    CALL("maximum", 1, maximum(huge, x[0])),
    CALL("minimum", 1, minimum(0.5, x[0])),
    CALL("sub", 1, huge - x[0]),
    CALL("div", 1, huge / x[0]),
    CALL("pow", 1, pow(huge, x[0])),
    CALL("equal", 1, x[0] == huge),
    CALL("greater", 1, huge < x[0]),
    CALL("where", 2, where(x[0], x[1], 0.5)),
    CALL("where", 2, where(x[0], 0.5, x[1])),
    CALL("where", 1, where(x[0], huge, 0.0)),
    CALL("where", 3, where(x[0], x[1], x[2])),
    CALL("where_safe", 2,
         where_safe(
             x[0], x[1], [](const Tensor& v) { return v; }, 0.5, 0.5)),
    // Two tensors.
    BINARY(add),
    BINARY(sub),
    BINARY(mul),
    BINARY(div),
    BINARY(pow),
    BINARY(maximum),
    BINARY(minimum),
    BINARY(equal),
    BINARY(not_equal),
    BINARY(less),
    BINARY(less_equal),
    BINARY(greater),
    BINARY(greater_equal),
    BINARY(matmul),
    BINARY(conv2d),
    BINARY(conv_transpose2d),
    BINARY(conv2d_weight_grad, 3),
    CALL("conv2d", 3, conv2d(x[0], x[1], x[2])),
    BINARY(max_pool2d_take),
    BINARY(max_pool2d_put, 3),
    CALL("batch_norm", 3, batch_norm(x[0], x[1], x[2])),
    CALL("normalize_by", 3, normalize_by(x[0], x[1], x[2], x[2])),
    CALL("layer_norm", 3, layer_norm(x[0], x[1], x[2])),
    CALL("rms_norm", 2, rms_norm(x[0], x[1])),
    CALL("rms_norm", 1, rms_norm(x[0])),
    CALL("group_norm", 3, group_norm(x[0], 1, x[1], x[2])),
    CALL("instance_norm", 3, instance_norm(x[0], x[1], x[2])),
    CALL("instance_norm", 1, instance_norm(x[0])),
    CALL("scaled_dot_product_attention", 3, scaled_dot_product_attention(x[0], x[1], x[2])),
    CALL("scaled_dot_product_attention", 3,
         scaled_dot_product_attention(x[0], x[1], x[1], {.mask = x[2], .enable_gqa = true})),
    CALL("gather", 2, gather(x[0], 1, x[1])),
    CALL("softmax_cross_entropy", 2, softmax_cross_entropy(x[0], x[1], 1)),
    CALL("scatter_add", 3, scatter_add(x[0], 0, x[1], x[2])),
    CALL("index_select", 2, index_select(x[0], 1, x[1])),
    CALL("index_add", 3, index_add(x[0], 0, x[1], x[2])),
    // Axes and shapes.
    UNARY(sum, {.axes = 1}),
    UNARY(mean, {.axes = 1}),
    UNARY(amax),
    UNARY(amax, {.axes = 1}),
    UNARY(logsumexp),
    UNARY(logsumexp, {.axes = {0, 0}}),
    UNARY(argmax, 1),
    UNARY(softmax, 1),
    UNARY(log_softmax, 1),
    UNARY(reshape, {5, -1}),
    UNARY(reshape, {-1, -1}),
    UNARY(permute, {1, 0}),
    UNARY(transpose),
    UNARY(transpose, 0, 5),
    UNARY(flatten, 1),
    UNARY(flatten, 5),
    UNARY(broadcast_to, {4, 4}),
    UNARY(sum_to, {4, 4}),
    UNARY(slice, {.axis = 1}),
    UNARY(slice, {.step = 0}),
    UNARY(pad, {.axis = 1, .low = 1}),
    UNARY(pad, {.low = -1}),
    CALL("slice_add", 2, slice_add(x[0], {.stop = 1}, x[1])),
    CALL("concat", 2, concat({x[0], x[1]}, 0)),
    CALL("stack", 2, stack({x[0], x[1]}, 0)),
    CALL("stack", 1, stack({x[0]}, 7)),
    UNARY(split, 0),
    UNARY(split, 1, 1),
    UNARY(split, {1, 7}),
    UNARY(chunk, 0),
    UNARY(chunk, 2, 1),
    UNARY(unbind, 1),
    CALL("max", 1, (max)(x[0], 1)),
    CALL("min", 1, (min)(x[0], 1)),
    CALL("max", 1, (max)(x[0], 0)),
    UNARY(sort),
    UNARY(topk, 2),
    UNARY(topk, -1),
    UNARY(one_hot, 3),
    UNARY(one_hot, -1),
    UNARY(unfold2d, {.kernel = 3}),
    UNARY(fold2d, 3, {.kernel = 2}),
    UNARY(max_pool2d, {.kernel = 3}),
    UNARY(max_pool2d_places, {.kernel = 3}),
    UNARY(avg_pool2d, {.kernel = 3}),
    UNARY(avg_pool2d_spread, 3, {.kernel = 2}),
    // Made of others altogether.
    CALL("mse_loss", 2, nn::mse_loss(x[0], x[1])),
    CALL("l1_loss", 2, nn::l1_loss(x[0], x[1])),
    CALL("smooth_l1_loss", 2, nn::smooth_l1_loss(x[0], x[1])),
    CALL("huber_loss", 2, nn::huber_loss(x[0], x[1])),
    CALL("poisson_nll_loss", 2, nn::poisson_nll_loss(x[0], x[1])),
    CALL("gaussian_nll_loss", 3, nn::gaussian_nll_loss(x[0], x[1], x[2])),
    CALL("cross_entropy", 2, nn::cross_entropy(x[0], x[1])),
    CALL("nll_loss", 2, nn::nll_loss(x[0], x[1])),
    CALL("kl_div", 2, nn::kl_div(x[0], x[1])),
    CALL("bce", 2, nn::bce(x[0], x[1])),
    CALL("bce_with_logits", 2, nn::bce_with_logits(x[0], x[1])),
    CALL("hinge_loss", 2, nn::hinge_loss(x[0], x[1])),
    CALL("hinge_embedding_loss", 2, nn::hinge_embedding_loss(x[0], x[1])),
    CALL("margin_ranking_loss", 3, nn::margin_ranking_loss(x[0], x[1], x[2])),
    CALL("triplet_margin_loss", 3, nn::triplet_margin_loss(x[0], x[1], x[2])),
    CALL("cosine_embedding_loss", 3, nn::cosine_embedding_loss(x[0], x[1], x[2])),
    CALL("cosine_similarity", 2, nn::cosine_similarity(x[0], x[1])),
    CALL("pairwise_distance", 2, nn::pairwise_distance(x[0], x[1])),
    CALL("layer_norm", 1, nn::layer_norm(x[0], {3})),
    CALL("group_norm", 1, nn::group_norm(x[0], 2)),
    CALL("polynomial_features", 1, nn::polynomial_features(x[0], 2)),
    CALL("adaptive_avg_pool2d", 1, nn::adaptive_avg_pool2d(x[0], {.output = 2})),
};

std::vector<Tensor> awkward() {
  std::vector<Tensor> tensors;
  for (const Dtype dtype : {boolean, uint8, int32, int64, float32, float64}) {
    for (const Shape& shape : {Shape{}, Shape{0}, Shape{3}, Shape{2, 3}, Shape{1, 2, 2, 2}})
      tensors.push_back(full(shape, 1, {.dtype = dtype}));
  }
  tensors.push_back(full({2, 3}, -7));
  tensors.push_back(full({2, 3}, 9, {.dtype = int64}));
  return tensors;
}

/// Messages that do not begin with the function's name, of all choices of operands.
void misnamed(const Function& function, std::vector<Tensor>& operands, const std::vector<Tensor>& choices,
              std::size_t& thrown, std::vector<std::string>& wrong) {
  if (operands.size() < function.operands) {
    for (const Tensor& choice : choices) {
      operands.push_back(choice);
      misnamed(function, operands, choices, thrown, wrong);
      operands.pop_back();
    }
    return;
  }
  try {
    function.call(operands);
  } catch (const Error& error) {
    ++thrown;
    const std::string message = error.what();
    const std::string own = function.name + ": ";
    if (!message.starts_with(own) && !message.starts_with("nn::" + own) && wrong.size() < 3)
      wrong.push_back(message);
  }
}

}  // namespace

TEST_CASE("errors name the function that was called") {
  const std::vector<Tensor> choices = awkward();
  std::size_t all = 0;
  for (const Function& function : functions) {
    CAPTURE(function.name);
    std::vector<Tensor> operands;
    std::vector<std::string> wrong;
    std::size_t thrown = 0;
    misnamed(function, operands, choices, thrown, wrong);
    all += thrown;
    for (const std::string& message : wrong) FAIL_CHECK(function.name << " said: " << message);
  }
  CHECK(all > 100000);
}

namespace {

struct Named {
  std::string node;      // in pictures, profiles and lists
  std::string function;  // in messages
  Tensor (*call)(const Tensor& x);
};

const std::vector<Named> named{
    {"maximum_number", "maximum", [](const Tensor& x) { return maximum(x, 2.0); }},
    {"maximum_number", "maximum", [](const Tensor& x) { return maximum(2.0, x); }},
    {"minimum_number", "minimum", [](const Tensor& x) { return minimum(x, 2.0); }},
    {"clamp", "clamp", [](const Tensor& x) { return clamp(x, {.min = 2}); }},
    {"transpose", "transpose", [](const Tensor& x) { return transpose(x); }},
    {"permute", "permute",
     [](const Tensor& x) {
       return permute(x, {1, 0});
     }},
    {"flatten", "flatten", [](const Tensor& x) { return flatten(x); }},
    {"reshape", "reshape",
     [](const Tensor& x) {
       return reshape(x, {3, 2});
     }},
    {"stack", "stack",
     [](const Tensor& x) {
       return stack({x, x});
     }},
    {"stack", "stack",
     [](const Tensor& x) {
       return stack({x, x}, 2);
     }},
    {"stack", "stack", [](const Tensor& x) { return stack({x}, 2); }},
    {"concat", "concat",
     [](const Tensor& x) {
       return concat({x, x});
     }},
    {"part", "chunk", [](const Tensor& x) { return chunk(x, 2)[0]; }},
    {"part", "split", [](const Tensor& x) { return split(x, 1)[0]; }},
    {"cast", "to", [](const Tensor& x) { return x.to(float64); }},
    {"add_number", "add", [](const Tensor& x) { return x + 1; }},
};

}  // namespace

TEST_CASE("nodes and errors of the graph name the function that was called") {
  for (const Named& each : named) {
    CAPTURE(each.function);
    const Tensor x = full({2, 3}, 1.5, {.requires_grad = true});
    const Tensor y = each.call(x);
    CHECK(graph_of(y).nodes.back().op == each.node);
    try {
      Tensor same = y;
      same.set_requires_grad();
      FAIL_CHECK("no error");
    } catch (const Error& error) {
      CHECK(std::string(error.what()).find("computed by " + each.function + ";") != std::string::npos);
    }
  }
}

TEST_CASE("a profile names the function that was called, also of its rule") {
  const Tensor x = full({2, 3}, 1.5, {.requires_grad = true});
  const Profile profile;
  sum(maximum(x, 1.0) + minimum(x, 1.0)).backward();
  std::string names;
  for (const ProfileRow& row : profile.rows()) names += row.name + " ";
  for (const char* const name :
       {"maximum_number", "minimum_number", "maximum_number.rule0", "minimum_number.rule0"})
    CHECK(names.find(name) != std::string::npos);
  CHECK(names.find("clamp") == std::string::npos);
}
