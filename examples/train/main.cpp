// Trains a classifier from beginning to end: checks its gradients, draws the graph of one training step,
// trains with a progress display, saves weights and a report, and says how many test samples it gets right.
// See --help.

#include <fmt/format.h>

#include <chrono>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <string>
#include <string_view>

#include "data.h"
#include "files.h"
#include "interrupt.h"
#include "model.h"
#include "options.h"
#include "picture.h"
#include "progress.h"
#include "report.h"
#include "trainer.h"
#include "weights.h"
#include "xtgrad/autograd/dtype.h"
#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/random.h"
#include "xtgrad/autograd/threads.h"

namespace {

using train::Options;

void run(const Options& options) {
  const auto start = std::chrono::steady_clock::now();
  const auto say = [&](const std::string& line) {
    if (options.quiet) return;
    fmt::print("{}\n", line);
    std::fflush(stdout);
  };
  const std::filesystem::path out = options.out;
  train::prepare_folder(out);  // before the training, not after it
  xtgrad::set_num_threads(options.threads);
  xtgrad::manual_seed(options.seed);
  const xtgrad::DefaultDtype dtype(xtgrad::parse_dtype(options.dtype));

  const train::Splits data = train::load_data(options.data);
  const std::int64_t features = data.train.sample_shape().numel();
  const std::int64_t classes = data.train.classes();
  train::Classifier classifier({.network = options.model, .features = features, .classes = classes});
  say(fmt::format("{}: {} samples to train on, {} to validate, {} to test; {} features, {} classes",
                  options.data, data.train.size(), data.validation.size(), data.test.size(), features,
                  classes));
  say(fmt::format("{}: {} parameters, {}; {} with learning rate {}, batches of {}", options.model,
                  classifier.parameter_count(), options.dtype, options.optimizer, options.lr,
                  options.batch_size));

  const xtgrad::CheckGradsReport check = train::check_gradients(classifier, data.train);
  say(fmt::format("gradients checked to order {}: worst error {:.1e}", train::checked_order,
                  check.worst_error));
  const std::string title = fmt::format("{} on {}: one training step", options.model, options.data);
  say("graph of one training step: " +
      train::draw_graph(train::first_loss(classifier, data.train, options.batch_size), title, out));

  train::Report report{.options = options,
                       .features = features,
                       .classes = classes,
                       .train_samples = data.train.size(),
                       .validation_samples = data.validation.size(),
                       .test_samples = data.test.size(),
                       .parameters = classifier.parameter_count(),
                       .gradient_check_order = train::checked_order,
                       .gradient_check = check};
  {
    train::Progress progress(
        stdout, {.epochs = options.epochs, .samples = data.train.size(), .quiet = options.quiet});
    report.epochs = train::fit(classifier, data, options, progress);
  }
  const train::Score test = train::evaluate(classifier, data.test);
  report.test_loss = test.loss;
  report.test_accuracy = test.accuracy;
  report.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();

  train::throw_if_interrupted();
  train::save_weights(out / "weights.safetensors", classifier.state_dict());
  train::write_file(out / "report.json", train::to_json(report));
  say(fmt::format("weights: {}, report: {}", (out / "weights.safetensors").string(),
                  (out / "report.json").string()));
  fmt::print("test accuracy: {:.4f}\n", test.accuracy);
  // What did not reach its reader must not pass for success.
  if (std::fflush(stdout) != 0) throw xtgrad::IoError("cannot write to standard output");
}

/// An error's text on one line, as scripts and logs like it.
std::string one_line(std::string_view text) {
  std::string line;
  for (const char c : text) line += c == '\n' ? ' ' : c;
  return line;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    const train::CommandLine command_line = train::parse_command_line(argc, argv);
    if (!command_line.options) return command_line.exit_code;
    train::catch_interrupts();
    run(*command_line.options);
    return 0;
  } catch (const train::Interrupted&) {
    fmt::print(stderr, "train: interrupted, weights and report were not saved\n");
    train::die_of_interrupt();
  } catch (const std::exception& error) {
    fmt::print(stderr, "train: {}\n", one_line(error.what()));
    return 1;
  }
}
