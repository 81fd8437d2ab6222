#include "examples/train/data.h"

#include <doctest/doctest.h>

#include <string>

#include "examples/train/inspect.h"
#include "examples/train/pictures.h"
#include "examples/train/recipes.h"
#include "tests/support/program.h"
#include "tests/support/rule_mutation.h"
#include "xtgrad/autograd/core/thread_state.h"
#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/graph.h"
#include "xtgrad/autograd/ops.h"
#include "xtgrad/autograd/random.h"
#include "xtgrad/plot/plot.h"
#include "xtgrad/training/evaluate.h"
#include "xtgrad/training/records.h"

using namespace xtgrad;

namespace {

train::Classifier classifier_for(const train::Splits& data, const std::string& network,
                                 const std::string& name = "digits") {
  manual_seed(0);
  return train::make_classifier(name, network, data.train);
}

/// How many elements differ.
std::int64_t differences(const Tensor& a, const Tensor& b) {
  return sum(not_equal(a, b).to(int64)).item_int64();
}

/// Makes one derivative rule wrong while in scope.
testing::RuleMutation spoiled(detail::OpId op) {
  return testing::RuleMutation({.op = detail::to_string(op), .kind = testing::RuleMutation::Kind::factor});
}

}  // namespace

TEST_CASE("train's gradient check passes every network, and refuses one whose rule is wrong") {
  const train::Splits data = train::load_data({.name = "digits"});
  for (const std::string network : {"linear", "perceptron", "mlp", "convnet"}) {
    CAPTURE(network);
    const train::Classifier classifier = classifier_for(data, network);
    CHECK(train::check_gradients(classifier, data.train).worst_error < 1e-7);
  }
  const train::Classifier classifier = classifier_for(data, "mlp");
  {
    const testing::RuleMutation spoil = spoiled(detail::OpId::relu);
    CHECK_THROWS_AS(train::check_gradients(classifier, data.train), GradientError);
  }
  const train::Classifier convnet = classifier_for(data, "convnet");
  for (const detail::OpId op : {detail::OpId::conv2d, detail::OpId::max_pool2d, detail::OpId::relu}) {
    const testing::RuleMutation spoil = spoiled(op);
    CHECK_THROWS_AS(train::check_gradients(convnet, data.train), GradientError);
  }
}

TEST_CASE("learning curves say which loss they are of") {
  if (!plot::available()) return;
  const train::Splits data = train::load_data({.name = "spirals"});
  const testing::TemporaryFolder folder;
  const auto record = [](std::int64_t epoch, double loss) {
    return training::EpochRecord{
        .epoch = epoch,
        .values = {{"loss", loss}, {"accuracy", 0}, {"validation_loss", 0}, {"validation_accuracy", 0}}};
  };
  const std::vector<training::EpochRecord> records{record(1, 0.5), record(2, 0.25)};
  for (const std::string network : {"linear", "perceptron", "mlp"}) {
    CAPTURE(network);
    train::Classifier classifier = classifier_for(data, network, "spirals");
    const std::string name = network == "perceptron" ? "half squared distance" : "cross-entropy (nats)";
    CHECK(classifier.loss_name() == name);
    const Tensor predicted = argmax(training::predict(classifier, data.test.inputs()), 1);
    train::draw_pictures(
        {.classifier = classifier, .test = data.test, .predicted = predicted, .epochs = records},
        folder.path());
    const std::vector<plot::EpochScores> epochs{{1, 0.5, 0, 0, 0}, {2, 0.25, 0, 0, 0}};
    plot::save(plot::draw_learning_curves(epochs, {.loss = name}), folder.path() / "expected.png");
    CHECK(testing::file_text(folder.path() / "learning_curves.png") ==
          testing::file_text(folder.path() / "expected.png"));
  }
}

TEST_CASE("train's parts of the data are stratified, and the same whatever the seed") {
  const train::Splits data = train::load_data({.name = "digits"});
  CHECK(data.train.size() + data.validation.size() + data.test.size() == 1797);
  CHECK(data.test.size() == 359);
  for (const std::int64_t count : data.test.class_counts()) CHECK((count >= 34 && count <= 37));
  for (const std::int64_t count : data.validation.class_counts()) CHECK((count >= 13 && count <= 16));
  manual_seed(123);
  const train::Splits again = train::load_data({.name = "digits"});
  CHECK(differences(data.test.inputs(), again.test.inputs()) == 0);
  CHECK(differences(data.validation.inputs(), again.validation.inputs()) == 0);
}

TEST_CASE("looking at the first loss changes no classifier") {
  const train::Splits data = train::load_data({.name = "spirals"});
  train::Classifier classifier = classifier_for(data, "mlp");
  const auto stream_position = [&] { return classifier.state_dict().at("network.dropouts.0.stream"); };
  const Tensor before = stream_position();
  const Tensor loss = train::first_loss(classifier, data.train, 32);
  CHECK(loss.name() == "loss");
  CHECK(graph_of(loss).count("matmul") == 2);
  CHECK(classifier.is_training());
  CHECK(differences(before, stream_position()) == 0);
}

TEST_CASE("train's networks refuse samples that do not suit them, and unknown names") {
  CHECK_THROWS_WITH_AS(train::Classifier({.network = "convnet", .sample = {64}, .classes = 10}),
                       "--model: convnet needs images [channels, height, width], the samples are [64]",
                       std::invalid_argument);
  CHECK_THROWS_WITH_AS(train::Classifier({.network = "tree", .sample = {64}, .classes = 10}),
                       "--model: there is no tree", std::invalid_argument);
  CHECK_THROWS_WITH_AS(static_cast<void>(train::recipe_for("cats", "mlp")), "--data: there is no cats",
                       std::invalid_argument);
  CHECK_THROWS_WITH_AS(static_cast<void>(train::recipe_for("digits", "tree")), "--model: there is no tree",
                       std::invalid_argument);
}
