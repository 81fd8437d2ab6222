// A gated recurrent network that writes tales, a character at a time, by back-propagation through time that
// is cut off (Williams and Peng, "An efficient gradient-based algorithm for on-line training of recurrent
// network trajectories", 1990). gru_text [--steps N] [--seed N] [--replay] [--text FILE] [--check]
#include <xtgrad/nn/capture.h>
#include <xtgrad/xtgrad.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <string>
#include <utility>
#include <vector>

#include "text_batches.h"

using namespace xtgrad;

namespace {

// [model]
struct GruTextOptions {
  std::int64_t kinds = nn::required;  // of characters
  std::int64_t width = 32;            // of a character's vector
  std::int64_t hidden = 160;
};

/// Characters [n, length] and a state [1, n, hidden], to logits [n, length, kinds] and the state after them.
struct GruText : nn::ModuleOf<std::pair<Tensor, Tensor>(const Tensor&, const Tensor&)> {
  nn::Embedding characters;
  nn::GRU gru;
  nn::Linear head;

  explicit GruText(const GruTextOptions& options)
      : characters({.num_embeddings = options.kinds, .embedding_dim = options.width}),
        gru({.input_size = options.width, .hidden_size = options.hidden, .batch_first = true}),
        head(options.hidden, options.kinds) {}
  void members(nn::Members& m) override {
    m("characters", characters);
    m("gru", gru);
    m("head", head);
  }
  std::pair<Tensor, Tensor> forward(const Tensor& x, const Tensor& state) override {
    const auto [y, after] = gru(characters(x), {.h = state});
    return {head(y), after};
  }
  [[nodiscard]] Tensor no_state(std::int64_t n) const { return zeros({1, n, gru.options().hidden_size}); }
};
// [/model]

/// A loss, and the state that the next characters go on from, without its history.
std::pair<Tensor, Tensor> loss_of(GruText& model, const text::Batch& batch, const Tensor& state) {
  const auto [logits, after] = model(batch.inputs, state);
  const Tensor loss = nn::cross_entropy(reshape(logits, {batch.targets.numel(), logits.size(2)}),
                                        reshape(batch.targets, {batch.targets.numel()}));
  return {loss, after.detach()};
}

/// Of the whole part, read from its beginning.
double validation_loss(GruText& model, const Tensor& part) {
  const NoGrad no_grad;
  const text::Batch all = text::windows(part, tensor({0}, {.dtype = int64}), part.numel() - 1);
  return loss_of(model, all, model.no_state(1)).first.item();
}

// [sample]
std::string sample(GruText& model, const text::Corpus& corpus, int count, double temperature,
                   Random& random) {
  const NoGrad no_grad;
  std::string written(1, corpus[corpus.valid[-1].item_int64()]);  // goes on behind the text
  Tensor state = model.no_state(1);
  for (int i = 0; i < count; ++i) {
    const Tensor last = corpus.encode(written.substr(written.size() - 1));
    const auto [logits, after] = model(reshape(last, {1, 1}), state);
    written += corpus[text::draw(logits[0][0], temperature, random)];
    state = after;
  }
  return written.substr(1);
}
// [/sample]

void check() {
  const GruText small({.kinds = 5, .width = 3, .hidden = 4});
  const Tensor x = tensor({{0, 3, 1, 4}, {2, 2, 0, 1}}, {.dtype = int64});
  Random random(1);
  nn::require_grads(small, {x, randn({1, 2, 4}, random, {.dtype = float64})});
  std::printf("gradients are right\n");
}

}  // namespace

int main(int argc, char** argv) try {
  const text::Arguments arguments("Learns to write tales by a gated recurrent network", 800, argc, argv);
  manual_seed(arguments.seed);
  if (arguments.check) {
    check();
    return 0;
  }
  const text::Corpus corpus = arguments.corpus();
  GruText model({.kinds = corpus.kinds()});
  text::Report report(corpus, model.parameter_count());

  // [train]
  // Rows read the text side by side, each its own stretch from beginning to end, and then all begin anew.
  const std::int64_t rows = 16, length = 64;
  corpus.require(2 * rows * length);
  const std::int64_t stretch = (corpus.train.numel() - 1) / rows;
  const Tensor begins = arange(rows * stretch, {.step = stretch});
  const int steps = arguments.steps, warm = std::max(steps / 20, 1);
  optim::AdamW adam(model.parameters(), {.lr = 1e-2});
  const optim::ScheduledLr rates(
      adam, optim::warmup({.steps = warm}, optim::cosine({.steps = steps, .min_factor = 0.05})));
  const auto train = [&](const Tensor& inputs, const Tensor& targets, const Tensor& state) {
    const auto [loss, after] = loss_of(model, {inputs, targets}, state);
    adam.zero_grad();
    loss.backward();
    optim::clip_grad_norm(model.parameters(), 1);
    adam.step();
    return std::pair<Tensor, Tensor>(loss, after);
  };
  // [/train]
  Callable<std::pair<Tensor, Tensor>(const Tensor&, const Tensor&, const Tensor&)> replayed;
  // [loop]
  Tensor state;
  for (std::int64_t step = 0, at = stretch; step < steps; ++step, at += length) {
    if (at + length > stretch) {
      at = 0;
      state = model.no_state(rows);
    }
    rates.apply(adam, step);
    const text::Batch batch = text::windows(corpus.train, begins + at, length);
    const bool replays = arguments.replays(step);
    if (replays && !replayed)
      replayed = capture(train, {batch.inputs, batch.targets, state}, {&model, &adam});
    const auto [loss, after] = report.timed(
        replays, [&] { return (replays ? replayed : train)(batch.inputs, batch.targets, state); });
    state = after;
    // [/loop]
    if (step % 100 == 0 || step + 1 == steps)
      report.print(static_cast<int>(step) + 1, loss.item(), validation_loss(model, corpus.valid));
  }
  report.print_times();
  std::printf("\n%s\n", sample(model, corpus, 400, arguments.temperature, default_random()).c_str());
} catch (const Error& error) {
  std::fprintf(stderr, "%s\n", error.what());
  return 1;
}
