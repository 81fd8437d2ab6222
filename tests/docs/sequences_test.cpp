// The code of docs/operations/sequences.md.
#include <doctest/doctest.h>

#include <vector>

#include "tests/support/values.h"
#include "xtgrad/autograd/functions/sequence.h"
#include "xtgrad/nn/ctc_loss.h"
#include "xtgrad/nn/embedding_bag.h"
#include "xtgrad/nn/gru.h"
#include "xtgrad/nn/lstm.h"
#include "xtgrad/nn/pad_sequences.h"
#include "xtgrad/nn/rnn.h"
#include "xtgrad/nn/spectral_norm.h"
#include "xtgrad/nn/weight_norm.h"
#include "xtgrad/xtgrad.h"

using namespace xtgrad;

namespace {

/// Which of three classes a sequence of numbers belongs to.
struct Classifier : nn::Module {
  nn::LSTM lstm{{.input_size = 1, .hidden_size = 8, .batch_first = true}};
  nn::Linear head{8, 3};
  void members(nn::Members& m) override {
    m("lstm", lstm);
    m("head", head);
  }
  Tensor forward(const Tensor& x) override {  // [n, steps, 1]
    const auto [y, state] = lstm(x);
    return head(select(state.h, 0, -1));
  }
};

/// Letters of a recording, whose places in it nobody wrote down.
struct Recogniser : nn::ModuleOf<Tensor(const Tensor& x, const Tensor& lengths)> {
  nn::GRU gru{{.input_size = 4, .hidden_size = 8, .bidirectional = true}};
  nn::Linear head{16, 5};
  void members(nn::Members& m) override {
    m("gru", gru);
    m("head", head);
  }
  Tensor forward(const Tensor& x, const Tensor& lengths) override {  // [steps, n, 4]
    return log_softmax(head(gru(x, {.lengths = lengths}).output), -1);
  }
};

}  // namespace

TEST_CASE("docs/operations/sequences.md: recurrent networks") {
  manual_seed(1);
  Classifier model;
  CHECK(model(randn({2, 7, 1})).shape() == Shape{2, 3});

  nn::GRU gru{{.input_size = 4, .hidden_size = 8, .num_layers = 2, .bidirectional = true}};
  const auto [x, lengths] = nn::pad_sequences({randn({5, 4}), randn({2, 4})});
  const auto [y, h] = gru(x, {.lengths = lengths});
  CHECK(y.shape() == Shape{5, 2, 16});  // 0 behind the second's end
  CHECK(h.shape() == Shape{4, 2, 8});   // layers and directions: after the last step of each sequence
  CHECK(sum(abs(select(select(y, 1, 1), 0, 2))).item() == 0);

  nn::LSTMCell cell{{.input_size = 4, .hidden_size = 8}};
  nn::LSTMState state = cell(randn({2, 4}));  // from zeros
  for (int t = 1; t < 5; ++t) state = cell(randn({2, 4}), state);
  CHECK(state.h.shape() == Shape{2, 8});
}

TEST_CASE("docs/operations/sequences.md: ctc_loss") {
  manual_seed(2);
  Recogniser model;
  const auto [x, lengths] = nn::pad_sequences({randn({6, 4}), randn({4, 4})});
  const Tensor targets = tensor({{1, 3, 3}, {2, 0, 0}}, {.dtype = int64});
  const Tensor target_lengths = tensor({3, 1}, {.dtype = int64});
  const Tensor loss = nn::ctc_loss(model(x, lengths), targets, lengths, target_lengths);
  loss.backward();
  CHECK(loss.item() > 0);

  // Two steps of two classes: the paths "1 1", "1 blank" and "blank 1" stand for the label 1.
  const Tensor log_p = log(full({2, 1, 2}, 0.5));
  const Tensor one = tensor({1}, {.dtype = int64}), two = tensor({2}, {.dtype = int64});
  CHECK(exp(-ctc_loss(log_p, one, two, one)).at({0}) == doctest::Approx(0.75));
}

TEST_CASE("docs/operations/sequences.md: bags and norms of weights") {
  manual_seed(3);
  nn::EmbeddingBag words{{.num_embeddings = 1000, .embedding_dim = 16, .padding_idx = 0}};
  const Tensor rows = words(tensor({{4, 7, 7}, {999, 1, 0}}, {.dtype = int64}));
  const Tensor bags = words(tensor({4, 7, 7, 999, 1}, {.dtype = int64}),
                            {.offsets = tensor({0, 3}, {.dtype = int64})});  // the same
  CHECK(testing::same_bits(rows, bags));

  nn::Sequential critic{nn::SpectralNorm{nn::Linear{4, 16}}, nn::Tanh{}, nn::WeightNorm{nn::Linear{16, 1}}};
  CHECK(critic(randn({8, 4})).shape() == Shape{8, 1});
  CHECK(critic.state_dict().contains("2.weight_g"));
}
