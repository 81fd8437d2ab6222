// Objectives that fit a model: clusters, a mixture, a recurrent network.

#include <numbers>

#include "benchmarks/compare/xtgrad/objectives.h"

namespace bench {
namespace {

using xtgrad::Tensor;

/// Squared distances of points to the nearest center, differentiated in the centers.
std::unique_ptr<Workload> kmeans(const Name& name, float /*rate*/) {
  const std::vector<std::int64_t> sizes = name.numbers();
  const Tensor x = input(1, {sizes.at(0), sizes.at(1)}), centers = leaf(2, {sizes.at(2), sizes.at(1)});
  return std::make_unique<Differentiated>(std::vector{centers}, [=] {
    const Tensor squares = sum(square(x), {.axes = 1, .keepdim = true}) + sum(square(centers), {.axes = 1});
    const Tensor distances = squares - matmul(x, centers, {.transpose_b = true}) * 2;
    return sum((xtgrad::min)(distances, 1).values);
  });
}

/// Where the elements of a lower triangle [d * d] stand in a row of its diagonal, what is below it, column by
/// column, and a zero.
Tensor places_of_triangle(std::int64_t d, std::int64_t components) {
  std::vector<std::int64_t> places(static_cast<std::size_t>(d * d), d + d * (d - 1) / 2);
  std::int64_t next = d;
  for (std::int64_t column = 0; column < d; ++column) {
    places[static_cast<std::size_t>(column * d + column)] = column;
    for (std::int64_t row = column + 1; row < d; ++row)
      places[static_cast<std::size_t>(row * d + column)] = next++;
  }
  return broadcast_to(xtgrad::from_span(places, {1, d * d}), {components, d * d});
}

/// The part of the log-likelihood and of the Wishart prior, gamma = 1 and m = 0, that nothing moves.
double mixture_constant(std::int64_t points, std::int64_t dimension, std::int64_t components) {
  const auto d = static_cast<double>(dimension);
  double one = -(d + 1) * d * 0.5 * std::numbers::ln2 - 0.25 * d * (d - 1) * std::log(std::numbers::pi);
  for (std::int64_t j = 0; j < dimension; ++j) one -= std::lgamma((d + 1 - static_cast<double>(j)) / 2);
  return static_cast<double>(components) * one -
         static_cast<double>(points) * d * 0.5 * std::log(2 * std::numbers::pi);
}

/// The log-likelihood of a mixture of Gaussians with a prior. Component k has a weight alpha, a center mu and
/// a triangle Q with e^q on its diagonal and l below.
std::unique_ptr<Workload> mixture(const Name& name, float /*rate*/) {
  const std::vector<std::int64_t> sizes = name.numbers();
  const std::int64_t n = sizes.at(0), d = sizes.at(1), k = sizes.at(2);
  const Tensor alpha = leaf(1, {k}), mu = leaf(2, {k, d}), q = leaf(3, {k, d}),
               l = leaf(4, {k, d * (d - 1) / 2});
  const Tensor x = input(5, {n, d}), places = places_of_triangle(d, k);
  const double constant = mixture_constant(n, d, k);
  return std::make_unique<Differentiated>(std::vector{alpha, mu, q, l}, [=] {
    const Tensor diagonal = exp(q);
    const Tensor triangle =
        reshape(gather(xtgrad::concat({diagonal, l, xtgrad::zeros({k, 1})}, 1), 1, places), {k, d, d});
    const Tensor shift = matmul(triangle, reshape(mu, {k, d, 1}));
    const Tensor turned = matmul(reshape(triangle, {k * d, d}), x, {.transpose_b = true});
    const Tensor squares = sum(square(reshape(turned, {k, d, n}) - shift), {.axes = 1});
    const Tensor main = reshape(alpha + sum(q, {.axes = 1}), {k, 1}) - squares * 0.5;
    const Tensor prior = (sum(square(diagonal)) + sum(square(l))) * 0.5;
    return sum(logsumexp(main, {.axes = 0})) - logsumexp(alpha) * static_cast<double>(n) - prior + constant;
  });
}

/// An LSTM with diagonal weights predicts the next of 14-bit characters. What reads a layer's input alone is
/// computed for all characters at once.
std::unique_ptr<Workload> lstm(const Name& name, float /*rate*/) {
  constexpr std::int64_t cells = 14;
  const std::int64_t layers = name.numbers().at(0), characters = name.numbers().at(1);
  const std::vector<std::int64_t> bits = integers(1, characters * cells, 2);
  const Tensor sequence = xtgrad::from_span(Values(bits.begin(), bits.end()), {characters, cells});
  const Tensor state = input(2, {layers, 2, cells});
  const Tensor weights = leaf(3, {layers, 2, 4, cells}), extra = leaf(4, {3, cells});
  const Tensor given = slice(sequence, {.stop = -1}), wanted = slice(sequence, {.start = 1});
  return std::make_unique<Differentiated>(std::vector{weights, extra}, [=] {
    const std::vector<Tensor> ends = unbind(extra);
    Tensor x = given * ends[0];
    for (std::int64_t layer = 0; layer < layers; ++layer) {
      const std::vector<Tensor> p =
          unbind(reshape(slice(weights, {.start = layer, .stop = layer + 1}), {8, cells}));
      const std::vector<Tensor> start =
          unbind(reshape(slice(state, {.start = layer, .stop = layer + 1}), {2, cells}));
      const std::vector<Tensor> forget = unbind(sigmoid(x * p[0] + p[4])),
                                outgate = unbind(sigmoid(x * p[2] + p[6]));
      Tensor hidden = start[0], cell = start[1];
      std::vector<Tensor> outputs;
      for (std::size_t t = 0; t < forget.size(); ++t) {
        cell = cell * forget[t] + sigmoid(hidden * p[1] + p[5]) * tanh(hidden * p[3] + p[7]);
        hidden = outgate[t] * tanh(cell);
        outputs.push_back(hidden);
      }
      x = stack(outputs);
    }
    const Tensor scores = x * ends[1] + ends[2];
    const Tensor norms = log(sum(exp(scores), {.axes = 1, .keepdim = true}) + 2);
    return -mean(wanted * (scores - norms));
  });
}

}  // namespace

void add_model_objectives(Families& kinds) {
  kinds["kmeans"] = kmeans;
  kinds["gmm"] = mixture;
  kinds["lstm"] = lstm;
}

}  // namespace bench
