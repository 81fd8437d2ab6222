// Lets every single request for memory of a sweep, or of a training step, fail.
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "tests/autograd/failing_memory.h"
#include "tests/support/values.h"
#include "xtgrad/autograd/hooks.h"
#include "xtgrad/autograd/observe.h"
#include "xtgrad/nn/nn.h"
#include "xtgrad/xtgrad.h"

using namespace xtgrad;
using namespace xtgrad::testing;

namespace {

std::vector<Tensor> leaves_of(int count, const Shape& shape, Dtype dtype) {
  std::vector<Tensor> leaves;
  for (int i = 0; i < count; ++i)
    leaves.push_back(full(shape, 0.1 * (i + 1), {.dtype = dtype, .requires_grad = true}));
  return leaves;
}

/// Reads outputs, values and neither; uses tensors twice; more than one consumer.
Tensor small_graph(const std::vector<Tensor>& x) {
  const Tensor a = tanh(x[0] * x[1]);
  const Tensor b = exp(a) + a * x[2];
  return sum(concat({b * b, a, square(x[2])}));
}

template <class Model>
Case training_step(const Model& model, const Tensor& x, const Tensor& labels) {
  auto copy = std::make_shared<Model>(model);
  std::vector<Tensor> leaves;
  for (const nn::ParameterRef& parameter : copy->parameters()) leaves.push_back(parameter->tensor());
  return adding(leaves, [copy, x, labels] { nn::cross_entropy((*copy)(x), labels).backward(); });
}

}  // namespace

TEST_CASE("every failed allocation of backward and grad leaves nothing behind") {
  set_num_threads(1);
  for (const Dtype dtype : {float32, float64}) {
    for (const Shape& shape : {Shape{1}, Shape{0}, Shape{5}}) {
      CAPTURE(to_string(shape));
      CAPTURE(to_string(dtype));
      const auto backward = [&](bool keep_graph) {
        return [=] {
          const std::vector<Tensor> leaves = leaves_of(3, shape, dtype);
          return adding(leaves,
                        [y = small_graph(leaves), keep_graph] { y.backward({.keep_graph = keep_graph}); });
        };
      };
      const auto by_grad = [&](bool create_graph) {
        return [=] {
          const std::vector<Tensor> leaves = leaves_of(3, shape, dtype);
          return returning([leaves, y = small_graph(leaves), create_graph] {
            return grad(std::span(&y, 1), leaves, {.create_graph = create_graph});
          });
        };
      };
      walk(backward(false), 10);
      walk(backward(true), 10);
      walk(by_grad(false), 10);
      walk(by_grad(true), 30);
    }
  }
}

TEST_CASE("every failed allocation of a planned sweep leaves nothing behind") {
  set_num_threads(1);
  walk(
      [] {
        const Tensor x = full({2}, 0.3, {.dtype = float64, .requires_grad = true});
        const Tensor w = full({2}, 0.7, {.dtype = float64, .requires_grad = true});
        const Tensor inner = tanh(x * w);
        const Tensor y = sum(exp(inner) * inner + w);
        // A tensor within the graph, and not the leaf w.
        return returning([=] { return grad({y}, {inner, x}); });
      },
      10);
}

TEST_CASE("every failed allocation of jacobian, vjp, hessian and hvp leaves nothing behind") {
  set_num_threads(1);
  const Tensor x = tensor({0.3, 0.5}, {.dtype = float64});
  const auto f = [](const Tensor& t) { return tanh(t * 2.0) * t; };
  walk([&] { return returning([&] { return std::vector<Tensor>{jacobian(f, x)}; }); }, 30);
  walk([&] { return returning([&] { return std::vector<Tensor>{vjp(f, x)(x)}; }); }, 20);
  const auto g = [&](const Tensor& t) { return sum(f(t)); };
  walk([&] { return returning([&] { return std::vector<Tensor>{hessian(g, x)}; }); }, 60);
  walk([&] { return returning([&] { return std::vector<Tensor>{hvp(g, x, x)}; }); }, 40);
}

TEST_CASE("every failed allocation of a concat of many leaves leaves nothing behind") {
  set_num_threads(1);
  walk(
      [] {
        const std::vector<Tensor> leaves = leaves_of(40, {1}, float32);
        std::vector<Tensor> branches;
        for (const Tensor& leaf : leaves) branches.push_back(tanh(leaf));
        const Tensor joined = concat(branches);
        return adding(leaves, [joined] { joined.backward({.gradient = full(joined.shape(), 2)}); });
      },
      80);
}

TEST_CASE("every failed allocation of a sweep that adds lookups to gradients leaves nothing behind") {
  set_num_threads(1);
  std::vector<std::int64_t> places;
  for (std::int64_t i = 0; i < 40; ++i) places.push_back(i < 20 ? 3 : i * 100);
  const Tensor index = broadcast_to(reshape(from_vector(places), {40, 1}), {40, 8});
  for (const Dtype dtype : {float32, float64}) {
    const auto lookups = [&](bool shares_gradient) {
      return [=] {
        std::vector<Tensor> leaves = leaves_of(2, {4096, 8}, dtype);
        for (const Tensor& leaf : leaves) leaf.set_grad(full({4096, 8}, 0.7, {.dtype = dtype}));
        // A handle of the user's: the sum needs memory of its own.
        const Tensor handle = shares_gradient ? leaves[1].grad() : Tensor();
        leaves.push_back(full({3}, 0.5, {.dtype = dtype, .requires_grad = true}));
        Tensor loss = sum(square(leaves[2]));
        for (const Tensor& table : {leaves[0], leaves[1], leaves[0]}) {
          loss = loss + sum(square(gather(table, 0, index))) + sum(square(slice(table, {.stop = 9})));
        }
        return adding(leaves, [loss, handle] { loss.backward(); });
      };
    };
    walk(lookups(false), 40);
    walk(lookups(true), 40);
  }
}

TEST_CASE("every failed allocation of a training step's forward and backward leaves nothing behind") {
  set_num_threads(1);
  const Tensor labels = tensor({0, 2, 1}).to(int64);
  const nn::MLP mlp({.sizes = {4, 5, 3}});
  const Tensor rows = reshape(arange(12).to(float32) * 0.1, {3, 4});
  walk([&] { return training_step(mlp, rows, labels); }, 30);
  const nn::ConvNet conv_net(
      {.in_channels = 1, .image = 6, .channels = {2}, .kernel = 3, .hidden = {4}, .classes = 3});
  const Tensor images = reshape(arange(108).to(float32) * 0.01, {3, 1, 6, 6});
  walk([&] { return training_step(conv_net, images, labels); }, 100);
}

TEST_CASE("gradients of a kept graph are stored all or none") {
  set_num_threads(1);
  // Handles on the old gradients are kept, so that sums cannot be made in place: storing has to allocate.
  for (long n = 0;; ++n) {
    const std::vector<Tensor> leaves = leaves_of(3, {2}, float64);
    const Tensor y = small_graph(leaves);
    y.backward({.keep_graph = true});
    const std::vector<Tensor> once = gradients_of(leaves);
    const bool failed_here =
        fails_at(n, PoolRequest::block, false, [&] { y.backward({.keep_graph = true}); });
    if (!failed_here) break;
    check_same(gradients_of(leaves), once);
    y.backward();
    for (std::size_t i = 0; i < leaves.size(); ++i)
      CHECK(testing::same_bits(leaves[i].grad(), once[i] + once[i]));
  }
}

namespace {

/// Leaves of every kind that a gradient can be stored in: without one yet, with one that nobody else sees,
/// with one that is seen, with one that has a history, two that share theirs, and a computed tensor that
/// retains it.
struct Targets {
  Targets(const Shape& shape, Dtype dtype) {
    leaves = leaves_of(5, shape, dtype);
    sum(leaves[1] * 3).backward();
    sum(leaves[2] * 3).backward();
    seen = leaves[2].grad();
    sum(square(leaves[3])).backward({.create_graph = true});
    const nn::Parameter parameter(leaves[4].detach());
    cell = parameter.cell();
    sum(cell->tensor() * 5).backward();
    old = cell->tensor();
    const Tensor before = tanh(old);
    cell->set_value(old.detach() * 2);
    retained = exp(leaves[0] * leaves[1]).retain_grad();
    loss = sum(retained * before * leaves[2] * leaves[3] + cell->tensor() * leaves[1]) + sum(old);
  }

  /// A gradient with a history holds its leaf, which holds the gradient.
  ~Targets() {
    for (Tensor& leaf : leaves) leaf.clear_grad();
    cell->tensor().clear_grad();
    retained.clear_grad();
  }
  Targets(const Targets&) = delete;
  Targets& operator=(const Targets&) = delete;

  [[nodiscard]] std::vector<Tensor> gradients() const {
    std::vector<Tensor> all = gradients_of({leaves[0], leaves[1], leaves[2], leaves[3], retained});
    all.push_back(cell->tensor().grad());
    return all;
  }

  std::vector<Tensor> leaves;
  Tensor seen, old, retained, loss;
  std::shared_ptr<nn::ParameterCell> cell;
};

/// Copies: a gradient may be added to in place.
std::vector<Tensor> copies_of(const std::vector<Tensor>& tensors) {
  const NoGrad no_grad;
  std::vector<Tensor> copies;
  for (const Tensor& each : tensors) copies.push_back(each.defined() ? each.detach() * 1 : Tensor());
  return copies;
}

bool are_same(const std::vector<Tensor>& a, const std::vector<Tensor>& b) {
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (a[i].defined() != b[i].defined()) return false;
    if (a[i].defined() && !testing::same_bits(a[i], b[i])) return false;
  }
  return true;
}

}  // namespace

TEST_CASE("backward stores the gradients of all leaves or of none, whichever allocation fails") {
  set_num_threads(1);
  enum class How { plain, kept, recorded, hooked, watched };
  for (const Dtype dtype : {float32, float64}) {
    for (const Shape& shape : {Shape{3}, Shape{}, Shape{0}}) {
      for (const How how : {How::plain, How::kept, How::recorded, How::hooked, How::watched}) {
        CAPTURE(to_string(dtype));
        CAPTURE(to_string(shape));
        CAPTURE(static_cast<int>(how));
        const auto backward = [how](const Targets& at) {
          Hook hook;
          std::optional<Profile> profile;
          if (how == How::hooked) hook = on_gradient(at.leaves[0], [](const Tensor& g) { return g; });
          if (how == How::watched) profile.emplace();
          at.loss.backward({.keep_graph = how == How::kept, .create_graph = how == How::recorded});
        };
        std::vector<Tensor> none, all;
        {
          const Targets whole(shape, dtype);
          none = copies_of(whole.gradients());
          backward(whole);
          all = copies_of(whole.gradients());
        }
        for (const bool ever_after : {false, true}) {
          long stored = 0, n = 0;
          for (bool more = true; more; ++n) {
            CAPTURE(n);
            const Targets at(shape, dtype);
            const std::vector<Tensor> seen = copies_of({at.seen});
            more = fails_at(n, PoolRequest::block, ever_after, [&] { backward(at); });
            const std::vector<Tensor> found = at.gradients();
            if (!more) REQUIRE(are_same(found, all));
            if (are_same(found, all)) {
              ++stored;
            } else {
              REQUIRE(are_same(found, none));
            }
            CHECK(are_same({at.seen}, seen));
          }
          CHECK(n > 20);
          CHECK(stored >= 1);
          CHECK(stored < n);
        }
      }
    }
  }
}
