#include "examples/train/trainer.h"

#include <doctest/doctest.h>

#include <string>

#include "xtgrad/autograd/core/rule_mutation.h"
#include "xtgrad/autograd/core/thread_state.h"
#include "xtgrad/autograd/graph.h"
#include "xtgrad/autograd/ops.h"
#include "xtgrad/autograd/random.h"

using namespace xtgrad;

namespace {

train::Classifier classifier_for(const train::Splits& data, const std::string& network) {
  manual_seed(0);
  return train::Classifier(
      {.network = network, .features = data.train.sample_shape().numel(), .classes = data.train.classes()});
}

/// How many elements differ.
std::int64_t differences(const Tensor& a, const Tensor& b) {
  return sum(not_equal(a, b).to(int64)).item_int64();
}

/// Makes one derivative rule wrong while in scope.
class Spoil {
 public:
  explicit Spoil(detail::OpId op) : mutation_{.op = op, .kind = detail::RuleMutation::Kind::factor} {
    detail::thread_state.mutation = &mutation_;
  }
  ~Spoil() { detail::thread_state.mutation = nullptr; }
  Spoil(const Spoil&) = delete;
  Spoil& operator=(const Spoil&) = delete;

 private:
  detail::RuleMutation mutation_;
};

}  // namespace

TEST_CASE("train's gradient check passes every network, and refuses one whose rule is wrong") {
  const train::Splits data = train::load_data("digits");
  for (const std::string network : {"linear", "perceptron", "mlp"}) {
    CAPTURE(network);
    const train::Classifier classifier = classifier_for(data, network);
    CHECK(train::check_gradients(classifier, data.train).worst_error < 1e-7);
  }
  const train::Classifier classifier = classifier_for(data, "mlp");
  const Spoil spoil(detail::OpId::relu);
  CHECK_THROWS_AS(train::check_gradients(classifier, data.train), GradientError);
}

TEST_CASE("train's parts of the data are stratified, and the same whatever the seed") {
  const train::Splits data = train::load_data("digits");
  CHECK(data.train.size() + data.validation.size() + data.test.size() == 1797);
  CHECK(data.test.size() == 359);
  for (const std::int64_t count : data.test.class_counts()) CHECK((count >= 34 && count <= 37));
  for (const std::int64_t count : data.validation.class_counts()) CHECK((count >= 13 && count <= 16));
  manual_seed(123);
  const train::Splits again = train::load_data("digits");
  CHECK(differences(data.test.inputs(), again.test.inputs()) == 0);
  CHECK(differences(data.validation.inputs(), again.validation.inputs()) == 0);
}

TEST_CASE("looking at the first loss or at a score changes no classifier") {
  const train::Splits data = train::load_data("spirals");
  train::Classifier classifier = classifier_for(data, "mlp");
  const auto stream_position = [&] { return classifier.state_dict().at("network.dropouts.0.stream"); };
  const Tensor before = stream_position();
  const Tensor loss = train::first_loss(classifier, data.train, 32);
  CHECK(loss.name() == "loss");
  CHECK(graph_of(loss).count("matmul") == 2);
  const train::Score score = train::evaluate(classifier, data.test);
  CHECK(score.loss == train::evaluate(classifier, data.test).loss);
  CHECK(classifier.is_training());
  CHECK(differences(before, stream_position()) == 0);
}

TEST_CASE("a score is the mean loss and the fraction of right answers") {
  // Without dropout in evaluation, the score of all is the mean of the scores of the parts.
  const train::Splits data = train::load_data("spirals");
  train::Classifier classifier = classifier_for(data, "mlp");
  const datasets::Dataset all = data.test.subset({0, 1, 2, 3, 4});
  const train::Score score = train::evaluate(classifier, all);
  double loss = 0;
  double accuracy = 0;
  for (std::int64_t i = 0; i < 5; ++i) {
    const train::Score one = train::evaluate(classifier, all.subset({i}));
    CHECK((one.accuracy == 0 || one.accuracy == 1));
    loss += one.loss / 5;
    accuracy += one.accuracy / 5;
  }
  CHECK(score.loss == doctest::Approx(loss).epsilon(1e-6));
  CHECK(score.accuracy == doctest::Approx(accuracy));
}
