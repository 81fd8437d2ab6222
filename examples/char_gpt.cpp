// A transformer that writes tales, a character at a time (Radford et al., "Language models are unsupervised
// multitask learners", 2019, in the small). char_gpt [--steps N] [--seed N] [--replay] [--text FILE]
// [--check]
#include <xtgrad/nn/capture.h>
#include <xtgrad/xtgrad.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <string>
#include <string_view>
#include <vector>

#include "text_batches.h"

using namespace xtgrad;

namespace {

// [model]
struct GptOptions {
  std::int64_t kinds = nn::required;  // of characters
  std::int64_t context = 64;          // characters that it looks back on
  std::int64_t width = 64;
  std::int64_t heads = 4;
  std::int64_t layers = 2;
};

/// Characters [n, length] to logits of those that follow them, [n, length, kinds]. The table that turns
/// characters into vectors turns vectors into characters, too.
struct CharGpt : nn::Module {
  nn::Embedding characters;
  nn::Embedding places;
  nn::TransformerEncoder blocks;

  explicit CharGpt(const GptOptions& options)
      : characters({.num_embeddings = options.kinds, .embedding_dim = options.width}),
        places({.num_embeddings = options.context, .embedding_dim = options.width}),
        blocks({.layer = {.d_model = options.width,
                          .nhead = options.heads,
                          .dim_feedforward = 4 * options.width,
                          .dropout = 0,
                          .activation = nn::ActivationKind::gelu,
                          .norm_first = true},
                .num_layers = options.layers,
                .norm = true}) {
    for (nn::Embedding* table : {&characters, &places})
      table->weight.set_value(nn::init::normal(table->weight.shape(), {.std = 0.1}));
  }
  void members(nn::Members& m) override {
    m("characters", characters);
    m("places", places);
    m("blocks", blocks);
  }
  Tensor forward(const Tensor& x) override {
    const Tensor at = places(arange(x.size(1)));  // [length, width]
    const Tensor y = blocks(characters(x) + at, {.is_causal = true});
    return matmul(y, characters.weight, {.transpose_b = true});
  }
  [[nodiscard]] std::int64_t context() const { return places.options().num_embeddings; }
};
// [/model]

Tensor loss_of(CharGpt& model, const text::Batch& batch) {
  const Tensor logits = model(batch.inputs);
  return nn::cross_entropy(reshape(logits, {batch.targets.numel(), logits.size(2)}),
                           reshape(batch.targets, {batch.targets.numel()}));
}

// [validation]
/// Of windows that overlap by half, in which the second half counts: what it is told from is half the context
/// at least.
double validation_loss(CharGpt& model, const Tensor& part) {
  const NoGrad no_grad;
  const std::int64_t length = model.context(), half = length / 2;
  const Tensor starts = arange(part.numel() - length, {.step = half});
  text::Batch batch = text::windows(part, starts, length);
  batch.targets = where(arange(length) < half, -100, batch.targets);  // cross_entropy leaves these out
  return loss_of(model, batch).item();
}
// [/validation]

// [sample]
std::string sample(CharGpt& model, const text::Corpus& corpus, int count, double temperature,
                   Random& random) {
  const NoGrad no_grad;
  std::string written(1, corpus[corpus.valid[-1].item_int64()]);  // goes on behind the text
  for (int i = 0; i < count; ++i) {
    const auto seen = std::min(written.size(), static_cast<std::size_t>(model.context()));
    const Tensor last = corpus.encode(std::string_view(written).substr(written.size() - seen));
    const Tensor logits = model(reshape(last, {1, last.numel()}));
    written += corpus[text::draw(logits[0][-1], temperature, random)];
  }
  return written.substr(1);
}
// [/sample]

void check() {
  const CharGpt small({.kinds = 5, .context = 4, .width = 4, .heads = 2, .layers = 1});
  nn::require_grads(small, tensor({{0, 3, 1, 4}, {2, 2, 0, 1}}, {.dtype = int64}));
  std::printf("gradients are right\n");
}

}  // namespace

int main(int argc, char** argv) try {
  const text::Arguments arguments("Learns to write tales by a transformer", 1000, argc, argv);
  manual_seed(arguments.seed);
  if (arguments.check) {
    check();
    return 0;
  }
  const text::Corpus corpus = arguments.corpus();
  CharGpt model({.kinds = corpus.kinds()});
  corpus.require(10 * (model.context() + 1));  // a window in each part
  text::Report report(corpus, model.parameter_count());

  // [train]
  const int steps = arguments.steps, warm = std::max(steps / 20, 1);
  optim::AdamW adam(model.parameters(), {.lr = 4e-3, .beta2 = 0.99, .weight_decay = 0.1});
  const optim::ScheduledLr rates(
      adam, optim::warmup({.steps = warm}, optim::cosine({.steps = steps, .min_factor = 0.05})));
  const auto train = [&](const Tensor& inputs, const Tensor& targets) {
    const Tensor loss = loss_of(model, {inputs, targets});
    adam.zero_grad();
    loss.backward();
    optim::clip_grad_norm(model.parameters(), 1);
    adam.step();
    return loss;
  };
  const auto next_batch = [&] {
    const Tensor starts = randint(0, corpus.train.numel() - model.context(), {32});
    return text::windows(corpus.train, starts, model.context());
  };
  // [/train]
  // [replay]
  Callable<Tensor(const Tensor&, const Tensor&)> replayed;
  for (int step = 0; step < steps; ++step) {
    rates.apply(adam, step);
    const text::Batch batch = next_batch();
    const bool replays = arguments.replays(step);
    if (replays && !replayed) replayed = capture(train, {batch.inputs, batch.targets}, {&model, &adam});
    const Tensor loss =
        report.timed(replays, [&] { return (replays ? replayed : train)(batch.inputs, batch.targets); });
    if (step % 100 == 0 || step + 1 == steps)
      report.print(step + 1, loss.item(), validation_loss(model, corpus.valid));
  }
  // [/replay]
  report.print_times();
  std::printf("\n%s\n", sample(model, corpus, 400, arguments.temperature, default_random()).c_str());
} catch (const Error& error) {
  std::fprintf(stderr, "%s\n", error.what());
  return 1;
}
