#include "stopping.h"

#include <fmt/format.h>
#include <xtgrad/plot/plot.h>
#include <xtgrad/training/training.h>
#include <xtgrad/xtgrad.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace gallery {

namespace {

/// A rule that watches, and the epoch after which it would have stopped.
struct Watcher {
  std::string name;
  std::shared_ptr<training::StoppingRule> rule;
  std::int64_t epoch = 0;  // 0: not yet
};

double loss_of(nn::Module& model, const datasets::Dataset& data) {
  const NoGrad no_grad;
  return nn::cross_entropy(model(data.inputs()), data.labels()).item();
}

}  // namespace

void draw_stopping_rules(Page& page) {
  using namespace training;
  const datasets::Dataset digits = scanned_digits();
  // Few images, so that the net learns them by heart and the validation loss turns.
  const auto parts = datasets::stratified_parts(digits, {.fractions = {0.06, 0.3}});
  manual_seed(0);
  nn::MLP model{{.sizes = {64, 32, 10}}};
  optim::SGD sgd(model.parameters(), {.lr = 0.2, .momentum = 0.9});
  const auto early = std::make_shared<EarlyStopping>(model, EarlyStoppingOptions{.patience = 30});
  std::vector<Watcher> watchers{
      {"early stopping", early},
      {"gradient norm < 0.02", std::make_shared<GradientNorm>(model.parameters(), 0.02)},
      {"loss plateau", std::make_shared<LossPlateau>(LossPlateauOptions{.below = 1e-4, .times = 5})},
      {"parameter change < 0.005", std::make_shared<ParameterChange>(model.parameters(), 0.005)},
      {"epoch limit", std::make_shared<EpochLimit>(400)},
      {"120 epochs or parameter change", std::make_shared<AnyOf>(std::vector<std::shared_ptr<StoppingRule>>{
                                             std::make_shared<EpochLimit>(120),
                                             std::make_shared<ParameterChange>(model.parameters(), 0.005)})}};

  plot::Series learnt{.label = "training", .markers = false};
  plot::Series validated{.label = "validation", .markers = false};
  // Every rule looks on to the end; a training of one's own would end where its rule has stopped.
  for (std::int64_t epoch = 1; epoch <= 400; ++epoch) {
    const Tensor loss = nn::cross_entropy(model(parts[0].inputs()), parts[0].labels());
    sgd.zero_grad();
    loss.backward();
    sgd.step();
    const double validation = loss_of(model, parts[1]);
    learnt.x.push_back(static_cast<double>(epoch));
    learnt.y.push_back(loss.item());
    validated.x.push_back(static_cast<double>(epoch));
    validated.y.push_back(validation);
    const StepRecord step{.step = epoch, .epoch = epoch, .loss = loss.item()};
    const EpochRecord record{
        .epoch = epoch, .step = epoch, .values = {{"loss", loss.item()}, {"validation_loss", validation}}};
    for (Watcher& watcher : watchers) {
      if (watcher.epoch != 0) continue;
      watcher.rule->after_step(step);
      watcher.rule->after_epoch(record);
      if (watcher.rule->stopped()) watcher.epoch = epoch;
    }
  }

  // The rise of the validation loss is a fortieth of its fall: it needs a scale of its own.
  std::vector<plot::Chart> charts{{.title = "Where each rule would stop",
                                   .x = {.label = "epoch"},
                                   .y = {.label = "loss (nats)", .logarithmic = true},
                                   .layers = {learnt, validated}},
                                  {.title = "The validation loss from near by",
                                   .x = {.label = "epoch"},
                                   .y = {.label = "validation loss (nats)", .range = plot::Range{0.48, 0.54}},
                                   .layers = {validated}}};
  for (const Watcher& watcher : watchers) {
    page.number("stops after epoch: " + watcher.name, static_cast<double>(watcher.epoch));
    const auto at = static_cast<std::size_t>(watcher.epoch - 1);
    const auto mark = [&](const plot::Series& curve) {
      return plot::Points{.label = watcher.name, .x = {curve.x.at(at)}, .y = {curve.y.at(at)}};
    };
    charts[0].layers.emplace_back(mark(learnt));
    charts[1].layers.emplace_back(mark(validated));
  }
  early->at_end();
  charts[1].layers.emplace_back(plot::Points{.label = "kept by early stopping",
                                             .x = {static_cast<double>(early->best_epoch())},
                                             .y = {early->best()}});
  page.number("best epoch on validation images", static_cast<double>(early->best_epoch()));
  page.number("validation loss of the best epoch (nats)", early->best());
  page.number("validation loss with its weights back (nats)", loss_of(model, parts[1]));
  page.number("validation loss after 400 epochs (nats)", validated.y.back());
  page.number("training loss at the start (nats)", learnt.y.front());
  page.number("training loss after 400 epochs (nats)", learnt.y.back());
  page.number("digits that are learnt by heart", static_cast<double>(parts[0].size()));
  page.picture(
      "stopping.png",
      fmt::format(
          "{} digits are learnt by heart, while the loss on others turns at epoch {}. Early stopping sees "
          "that 30 epochs later, and gives back the weights of then; the other rules look at the training "
          "alone, and stop where it hardly moves.",
          parts[0].size(), early->best_epoch()),
      plot::draw_charts(charts, {.width = 640, .height = 560, .per_row = 1}));
}

}  // namespace gallery
