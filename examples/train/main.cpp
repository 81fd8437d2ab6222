// Trains a classifier from beginning to end: checks its gradients, draws the graph of one training step,
// trains with a progress display and checkpoints, saves weights, a report and pictures, and says how many
// test samples it gets right. See --help.

#include <fmt/format.h>

#include <chrono>
#include <cmath>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>

#include "augmentation.h"
#include "console.h"
#include "data.h"
#include "files.h"
#include "fit.h"
#include "graph_picture.h"
#include "inspect.h"
#include "model.h"
#include "options.h"
#include "pictures.h"
#include "recipes.h"
#include "report.h"
#include "resume.h"
#include "step_page.h"
#include "xtgrad/autograd/dtype.h"
#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/graph.h"
#include "xtgrad/autograd/io/file.h"
#include "xtgrad/autograd/observe.h"
#include "xtgrad/autograd/ops.h"
#include "xtgrad/autograd/random.h"
#include "xtgrad/autograd/threads.h"
#include "xtgrad/nn/files.h"
#include "xtgrad/training/accuracy.h"
#include "xtgrad/training/checkpoints.h"
#include "xtgrad/training/evaluate.h"
#include "xtgrad/training/folder_lock.h"
#include "xtgrad/training/interrupt.h"
#include "xtgrad/training/leftovers.h"

namespace {

using train::farewell;
using train::of_checkpoint;
using train::Options;
using train::Output;
using train::Phase;
using train::say;
namespace fs = std::filesystem;
namespace training = xtgrad::training;

/// What is known before the training.
train::Report report_on(const train::Classifier& classifier, const train::Splits& data,
                        const Options& options) {
  const xtgrad::Shape sample = data.train.sample_shape();
  return {.options = options,
          .augmentation = options.augment ? train::augmentation_for(options.data, sample).description
                                          : std::string("none"),
          .features = sample.numel(),
          .classes = data.train.classes(),
          .train_samples = data.train.size(),
          .validation_samples = data.validation.size(),
          .test_samples = data.test.size(),
          .parameters = classifier.parameter_count()};
}

void say_what_is_done(const Options& options, const train::Report& report) {
  say(options, fmt::format("{}: {} samples to train on, {} to validate, {} to test; {} features, {} classes",
                           options.data, report.train_samples, report.validation_samples, report.test_samples,
                           report.features, report.classes));
  say(options,
      fmt::format("{}: {} parameters, {}; {} with learning rate {} ({}), batches of {}; augmentation: {}",
                  options.model, report.parameters, options.dtype, options.optimizer, options.lr,
                  options.schedule, options.batch_size, report.augmentation));
}

/// What the run goes on from, if it is to be resumed and there is something.
std::optional<train::Resumable> look_for_checkpoint(const fs::path& file, const training::Notes& choices,
                                                    const Options& options) {
  if (!options.resume) return std::nullopt;
  auto found = train::look_into(file, choices);
  if (!found) say(options, fmt::format("no checkpoint {}: beginning anew", file.string()));
  return found;
}

/// `resumable` outlives them.
std::shared_ptr<training::Checkpoints> checkpoints_in(const fs::path& file, const training::Notes& choices,
                                                      const train::Resumable& resumable) {
  return std::make_shared<training::Checkpoints>(
      file.parent_path().string(),
      training::CheckpointsOptions{.every_steps = resumable.checkpoint_every,
                                   .file = file.filename().string(),
                                   .overwrite = true,
                                   .more_of_long_steps = true,
                                   .made_with = choices,
                                   .remarks = [&resumable] { return train::notes_of(resumable); }});
}

/// Brings the training to where the checkpoint is.
void resume(training::Trainer& trainer, training::Checkpoints& checkpoints,
            const xtgrad::CheckGradsReport& checked, const Options& options) {
  const std::string file = checkpoints.newest();
  try {
    checkpoints.resume(trainer);
  } catch (const xtgrad::ValueError& error) {
    throw xtgrad::IoError(error.what());
  }
  if (!checkpoints.warning().empty()) {
    fmt::print(stderr, "train: warning: {} {}\n", file, checkpoints.warning());
  }
  say(options, fmt::format("going on from {}: {} of {} steps done", file, trainer.step(), trainer.steps()));
  say(options, fmt::format("gradients were checked to order {} before the first step: worst error {:.1e}",
                           train::checked_order, checked.worst_error));
}

xtgrad::CheckGradsReport check_gradients(const train::Classifier& classifier, const train::Splits& data,
                                         const Options& options) {
  xtgrad::CheckGradsReport check;
  {
    const Phase phase(options, "checking the gradients");
    check = train::check_gradients(classifier, data.train);
  }
  say(options, fmt::format("gradients checked to order {}: worst error {:.1e}", train::checked_order,
                           check.worst_error));
  return check;
}

struct Tested {
  train::Score score;
  xtgrad::Tensor predicted;  // int64 [n]
};

/// How good the classifier is on the test samples. Throws std::runtime_error for a loss that is no number.
Tested test(train::Classifier& classifier, const xtgrad::datasets::Dataset& samples, const Options& options) {
  const Phase phase(options, fmt::format("looking at the {} test samples", samples.size()));
  const xtgrad::Tensor scores = training::predict(classifier, samples.inputs());
  training::Accuracy accuracy;
  accuracy.update(scores, samples.labels());
  const double loss = classifier.loss(scores, samples.labels()).item();
  if (!std::isfinite(loss)) throw std::runtime_error(fmt::format("the loss of the test samples is {}", loss));
  return {.score = {.loss = loss, .accuracy = accuracy.value()}, .predicted = argmax(scores, 1)};
}

train::Splits load(const Options& options) {
  const Phase phase(options, fmt::format("reading {}", options.data));
  return train::load_data({.name = options.data, .dir = options.data_dir});
}

void save(const train::Classifier& classifier, const train::Report& report) {
  const fs::path out = report.options.out;
  const fs::path weights = path_of(Output::weights, out);
  const fs::path text = path_of(Output::report, out);
  xtgrad::nn::save(weights, classifier.state_dict());
  xtgrad::write_file_atomically(text, train::to_json(report));
  xtgrad::write_file_atomically(path_of(Output::timing, out), train::timing_json(report));
  say(report.options, fmt::format("weights: {}, report: {}", weights.string(), text.string()));
}

/// What a training step records, with the modules.
xtgrad::Graph first_graph(const train::Classifier& classifier, const xtgrad::datasets::Dataset& data,
                          std::int64_t batch_size) {
  const xtgrad::GraphModules modules;
  return graph_of(train::first_loss(classifier, data, batch_size), modules);
}

std::string draw_graph(const xtgrad::Graph& graph, const Options& options) {
  const Phase phase(options, "drawing the graph of one training step");
  return train::draw_graph(graph, fmt::format("{} on {}: one training step", options.model, options.data),
                           options.out);
}

void explore_step(const train::Classifier& classifier, const xtgrad::datasets::Dataset& data,
                  const Options& options) {
  {
    const Phase phase(options, "running one training step");
    train::write_step_page(classifier, data, options);
  }
  say(options, "one training step, step by step: " + options.explore);
}

void draw_pictures(const train::Outcome& outcome, const Options& options) {
  std::string drawn;
  try {
    const Phase phase(options, "drawing the pictures");
    drawn = train::draw_pictures(outcome, options.out);
  } catch (const training::Interrupted&) {
    fmt::print(stderr, "{}\n",
               farewell(options, ": weights and report are saved, not all pictures are drawn"));
    training::die_of_interrupt();
  }
  say(options, "pictures: " + drawn);
}

void run(const Options& options) {
  const auto start = std::chrono::steady_clock::now();
  const fs::path out = options.out;
  train::prepare_folder(out);  // before the training, not after it
  const xtgrad::training::FolderLock lock("--out", out.string());
  training::remove_leftovers(out.string(), train::output_names);
  xtgrad::set_num_threads(options.threads);
  xtgrad::manual_seed(options.seed);
  const xtgrad::DefaultDtype dtype(xtgrad::parse_dtype(options.dtype));

  // Up to the first file that is written nothing would be left half done.
  std::optional<training::InterruptAtOnce> at_once(std::in_place, farewell(options, train::before_training));
  const train::Splits data = load(options);
  train::Classifier classifier = train::make_classifier(options.data, options.model, data.train);
  train::Report report = report_on(classifier, data, options);
  say_what_is_done(options, report);

  // What makes no training, or cannot be resumed, is refused before the checks, which take a while.
  const fs::path file = path_of(Output::checkpoint, out);
  const training::Notes choices = train::choices_of(options, data);
  const auto found = look_for_checkpoint(file, choices, options);
  train::Resumable resumable = found.value_or(train::Resumable{});
  if (options.checkpoint_every) resumable.checkpoint_every = *options.checkpoint_every;
  report.options.checkpoint_every = resumable.checkpoint_every;
  const bool writes_checkpoints = resumable.checkpoint_every > 0;
  const auto checkpoints = checkpoints_in(file, choices, resumable);
  const train::Fitting fitting =
      train::make_fitting(classifier, data, options, writes_checkpoints ? checkpoints : nullptr);
  training::Trainer& trainer = *fitting.trainer;

  if (found) {
    resume(trainer, *checkpoints, resumable.gradient_check, options);
  } else {
    resumable.gradient_check = check_gradients(classifier, data, options);
  }
  report.gradient_check = resumable.gradient_check;
  const xtgrad::Graph graph = first_graph(classifier, data.train, options.batch_size);
  at_once.reset();
  say(options, "graph of one training step: " + draw_graph(graph, options));
  if (!options.explore.empty()) explore_step(classifier, data.train, options);

  const std::string saved = writes_checkpoints ? file.string() : "";
  train::fit(trainer, writes_checkpoints ? checkpoints.get() : nullptr, found.has_value(),
             {.nothing_saved = farewell(
                  options, writes_checkpoints ? train::before_checkpoint : train::without_checkpoint),
              .checkpoint_saved = farewell(options, of_checkpoint(saved))});
  report.epochs = trainer.records();
  at_once.emplace(farewell(options, of_checkpoint(saved)));
  const Tested tested = test(classifier, data.test, options);
  at_once.reset();
  report.test = tested.score;
  report.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();

  training::throw_if_interrupted(saved);
  save(classifier, report);
  draw_pictures(
      {.classifier = classifier, .test = data.test, .predicted = tested.predicted, .epochs = report.epochs},
      options);
  fmt::print("test accuracy: {:.4f}\n", report.test.accuracy);
  // What did not reach its reader must not pass for success.
  if (std::fflush(stdout) != 0) throw xtgrad::IoError("cannot write to standard output");
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  try {
    const train::CommandLine command_line = train::parse_command_line(argc, argv);
    if (!command_line.options) return command_line.exit_code;
    options = *command_line.options;
    training::catch_interrupts();
    run(options);
    return 0;
  } catch (const training::Interrupted& interrupted) {
    fmt::print(stderr, "{}\n", farewell(options, of_checkpoint(interrupted.checkpoint)));
    training::die_of_interrupt();
  } catch (const std::invalid_argument& error) {
    // Options that do not suit the data; a mistake in the command line that shows only here.
    fmt::print(stderr, "train: {}\n", error.what());
    return 2;
  } catch (const std::exception& error) {
    fmt::print(stderr, "train: {}\n", error.what());
    return 1;
  }
}
