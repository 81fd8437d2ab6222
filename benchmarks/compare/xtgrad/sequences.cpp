// Attention, recurrent networks, and a training step of a small transformer.

#include "benchmarks/compare/xtgrad/helpers.h"

namespace bench {
namespace {

using xtgrad::Tensor;
namespace nn = xtgrad::nn;

std::unique_ptr<Workload> attention(const Name& name, float /*rate*/) {
  const std::vector<std::int64_t> sizes = name.numbers();
  const xtgrad::Shape shape{std::span<const std::int64_t>(sizes)};
  const Tensor q = leaf(1, shape), k = leaf(2, shape), v = leaf(3, shape);
  const double scale = 1 / std::sqrt(static_cast<double>(sizes.back()));
  return std::make_unique<Differentiated>(
      std::vector{q, k, v},
      [=] { return matmul(softmax(matmul(q, k, {.transpose_b = true}) * scale, -1), v); }, input(9, shape));
}

std::vector<Tensor> inputs_of_steps(std::int64_t steps, std::int64_t batch, std::int64_t features) {
  return unbind(input(1, {steps, batch, features}));
}

/// h = tanh(W x + U h + b), 64 numbers, over batch x steps.
std::unique_ptr<Workload> rnn(const Name& name, float /*rate*/) {
  constexpr std::int64_t n = 64;
  const std::int64_t batch = name.numbers().at(0);
  const std::vector<Tensor> xs = inputs_of_steps(name.numbers().at(1), batch, n);
  const Tensor w = leaf(10, {n, n}, -0.125, 0.125), u = leaf(11, {n, n}, -0.125, 0.125),
               b = leaf(12, {n}, -0.125, 0.125);
  return std::make_unique<Differentiated>(std::vector{w, u, b}, [=] {
    Tensor h = xtgrad::zeros({batch, n});
    for (const Tensor& x : xs)
      h = tanh(matmul(x, w, {.transpose_b = true}) + matmul(h, u, {.transpose_b = true}) + b);
    return mean(square(h));
  });
}

/// Gates r and z, candidate n: h = (1 - z) n + z h, 32 numbers, over batch x steps.
std::unique_ptr<Workload> gru(const Name& name, float /*rate*/) {
  constexpr std::int64_t n = 32;
  constexpr double bound = 0.176776695;
  const std::int64_t batch = name.numbers().at(0);
  const std::vector<Tensor> xs = inputs_of_steps(name.numbers().at(1), batch, n);
  const Tensor w = leaf(10, {3 * n, n}, -bound, bound), u = leaf(11, {3 * n, n}, -bound, bound),
               b = leaf(12, {3 * n}, -bound, bound), c = leaf(13, {3 * n}, -bound, bound);
  return std::make_unique<Differentiated>(std::vector{w, u, b, c}, [=] {
    Tensor h = xtgrad::zeros({batch, n});
    for (const Tensor& x : xs) {
      const std::vector<Tensor> from_x = split(matmul(x, w, {.transpose_b = true}) + b, n, 1);
      const std::vector<Tensor> from_h = split(matmul(h, u, {.transpose_b = true}) + c, n, 1);
      const Tensor r = sigmoid(from_x[0] + from_h[0]);
      const Tensor z = sigmoid(from_x[1] + from_h[1]);
      const Tensor candidate = tanh(from_x[2] + r * from_h[2]);
      h = (1 - z) * candidate + z * h;
    }
    return mean(square(h));
  });
}

/// A transformer of two layers, 64 numbers and four heads, on characters: loss, gradients, Adam.
class Gpt {
 public:
  Gpt(std::int64_t batch, std::int64_t length)
      : batch_(batch),
        length_(length),
        tokens_(xtgrad::from_span(integers(1, batch * length, letters), {batch, length})),
        targets_(xtgrad::from_vector(integers(2, batch * length, letters))) {
    const auto add = [&](const xtgrad::Shape& shape) {
      parameters_.push_back(std::make_shared<nn::ParameterCell>(xtgrad::zeros(shape)));
    };
    add({letters, width});
    add({length, width});
    for (int layer = 0; layer < layers; ++layer) {
      for (const xtgrad::Shape& shape : {xtgrad::Shape{width},
                                         xtgrad::Shape{width},
                                         {3 * width, width},
                                         {3 * width},
                                         {width, width},
                                         {width},
                                         {width},
                                         {width},
                                         {4 * width, width},
                                         {4 * width},
                                         {width, 4 * width},
                                         {width}})
        add(shape);
    }
    add({width});
    add({width});
    add({letters, width});
    set_parameters(parameters_);
    Values allowed(static_cast<std::size_t>(length * length));
    for (std::int64_t i = 0; i < length; ++i) std::fill_n(allowed.begin() + i * length, i + 1, 1.0F);
    mask_ = xtgrad::from_span(allowed, {length, length}) > 0;
  }

  [[nodiscard]] const std::vector<nn::ParameterRef>& parameters() const { return parameters_; }

  [[nodiscard]] Tensor loss() const {
    const Tensor positions = xtgrad::arange(length_);
    Tensor x = rows(0, tokens_) + rows(1, positions);
    for (std::size_t layer = 0; layer < layers; ++layer) {
      const std::size_t p = 2 + 12 * layer;
      x = x + attend(norm(x, p), p + 2);
      x = x + dense(gelu(dense(norm(x, p + 6), p + 8)), p + 10);
    }
    const std::size_t last = parameters_.size() - 3;
    const Tensor scores = matmul(norm(x, last), at(last + 2), {.transpose_b = true});
    return nn::cross_entropy(reshape(scores, {batch_ * length_, letters}), targets_);
  }

 private:
  static constexpr std::int64_t letters = 65, width = 64, heads = 4;
  static constexpr int layers = 2;

  [[nodiscard]] Tensor at(std::size_t k) const { return parameters_[k]->tensor(); }
  /// Rows of a table.
  [[nodiscard]] Tensor rows(std::size_t table, const Tensor& indices) const {
    xtgrad::Shape shape = indices.shape();
    shape.push_back(width);
    const Tensor flat = reshape(indices, {-1, 1});
    return reshape(gather(at(table), 0, broadcast_to(flat, {flat.size(0), width})), shape);
  }
  [[nodiscard]] Tensor norm(const Tensor& x, std::size_t k) const {
    return nn::layer_norm(x, {width}, {.weight = at(k), .bias = at(k + 1)});
  }
  [[nodiscard]] Tensor dense(const Tensor& x, std::size_t k) const {
    return matmul(x, at(k), {.transpose_b = true}) + at(k + 1);
  }
  [[nodiscard]] Tensor attend(const Tensor& x, std::size_t k) const {
    const std::vector<Tensor> parts = split(dense(x, k), width, -1);
    const auto by_head = [&](const Tensor& t) {
      return permute(reshape(t, {batch_, length_, heads, width / heads}), {0, 2, 1, 3});
    };
    const Tensor scores = matmul(by_head(parts[0]), by_head(parts[1]), {.transpose_b = true}) * 0.25;
    const Tensor mixed = matmul(softmax(where(mask_, scores, -1e9), -1), by_head(parts[2]));
    return dense(reshape(permute(mixed, {0, 2, 1, 3}), {batch_, length_, width}), k + 2);
  }

  std::int64_t batch_, length_;
  Tensor tokens_, targets_, mask_;
  std::vector<nn::ParameterRef> parameters_;
};

}  // namespace

void add_sequences(Families& families) {
  families["attention"] = attention;
  families["rnn64"] = rnn;
  families["gru32"] = gru;
  families["gpt_step"] = [](const Name& name, float rate) {
    auto model = std::make_shared<Gpt>(name.numbers().at(0), name.numbers().at(1));
    return std::make_unique<Training>(
        [model] { return model->loss(); },
        std::make_unique<xtgrad::optim::Adam>(model->parameters(), xtgrad::optim::AdamOptions{.lr = rate}));
  };
}

}  // namespace bench
