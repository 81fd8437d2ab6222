#include "options.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <stdexcept>
#include <vector>

#include "xtgrad/autograd/threads.h"

namespace train {
namespace {

// Checks that run on the text, before CLI11 converts it, so that every mistake is answered in the same form:
// "--lr: must be positive, got -1".

CLI::Validator one_of(const std::vector<std::string>& choices) {
  return {[choices](const std::string& text) -> std::string {
            for (const std::string& choice : choices) {
              if (text == choice) return {};
            }
            return fmt::format("must be one of {}, got {}", fmt::join(choices, ", "), text);
          },
          "", "one_of"};
}

CLI::Validator positive() {
  return {[](const std::string& text) -> std::string {
            double value = 0;
            const char* end = text.data() + text.size();
            const auto [stop, error] = std::from_chars(text.data(), end, value);
            if (error != std::errc() || stop != end || !std::isfinite(value)) {
              return fmt::format("must be a number, got {}", text);
            }
            return value > 0 ? std::string() : fmt::format("must be positive, got {}", text);
          },
          "", "positive"};
}

CLI::Validator not_empty() {
  return {[](const std::string& text) { return std::string(text.empty() ? "must not be empty" : ""); }, "",
          "not_empty"};
}

CLI::Validator integer_in(std::uint64_t least, std::uint64_t most) {
  return {[least, most](const std::string& text) -> std::string {
            std::uint64_t value = 0;
            const char* end = text.data() + text.size();
            const auto [stop, error] = std::from_chars(text.data(), end, value);
            const bool fits = error == std::errc() && stop == end && value >= least && value <= most;
            return fits ? std::string()
                        : fmt::format("must be a whole number from {} to {}, got {}", least, most, text);
          },
          "", "integer_in"};
}

/// One line for what CLI11 found wrong.
std::string describe(const CLI::ParseError& error, const CLI::App& app) {
  if (dynamic_cast<const CLI::ExtrasError*>(&error) != nullptr) {
    return fmt::format("unknown argument: {}", fmt::join(app.remaining(), " "));
  }
  std::string text = error.what();
  if (dynamic_cast<const CLI::ArgumentMismatch*>(&error) != nullptr) {
    return text.substr(0, text.find(':')) + ": needs a value";
  }
  for (char& c : text) {
    if (c == '\n') c = ' ';
  }
  return text;
}

void declare(CLI::App& app, Options& options) {
  // A script puts its own choices first and its user's after them.
  app.option_defaults()->multi_option_policy(CLI::MultiOptionPolicy::TakeLast);

  app.add_option(
         "--data", options.data,
         fmt::format("what to learn: digits (handwritten, 8x8 pixels) or spirals (points in the plane) "
                     "(default: {})",
                     options.data))
      ->type_name("NAME")
      ->check(one_of({"digits", "spirals"}));
  app.add_option("--model", options.model,
                 fmt::format("linear, perceptron or mlp (default: {})", options.model))
      ->type_name("NAME")
      ->check(one_of({"linear", "perceptron", "mlp"}));
  app.add_option("--optimizer", options.optimizer,
                 fmt::format("sgd, momentum or adam (default: {})", options.optimizer))
      ->type_name("NAME")
      ->check(one_of({"sgd", "momentum", "adam"}));
  app.add_option("--lr", options.lr,
                 fmt::format("learning rate (default: {} for sgd, {} for momentum, {} for adam)",
                             default_lr("sgd"), default_lr("momentum"), default_lr("adam")))
      ->type_name("NUMBER")
      ->check(positive());
  app.add_option("--epochs", options.epochs,
                 fmt::format("passes over the training samples (default: {})", options.epochs))
      ->type_name("N")
      ->check(integer_in(1, 1'000'000));
  app.add_option("--batch-size", options.batch_size,
                 fmt::format("samples in a step (default: {})", options.batch_size))
      ->type_name("N")
      ->check(integer_in(1, 1'000'000));
  app.add_option("--seed", options.seed,
                 fmt::format("of initial weights, order of samples and dropout (default: {})", options.seed))
      ->type_name("N")
      ->check(integer_in(0, UINT64_MAX));
  app.add_option("--dtype", options.dtype, fmt::format("float32 or float64 (default: {})", options.dtype))
      ->type_name("NAME")
      ->check(one_of({"float32", "float64"}));
  app.add_option("--threads", options.threads,
                 "threads in one operation; changes no result (default: one a core)")
      ->type_name("N")
      ->check(integer_in(1, 1024));
  app.add_option(
         "--out", options.out,
         fmt::format("folder for weights, report and graph; made if need be (default: {})", options.out))
      ->type_name("DIR")
      ->check(not_empty());
  app.add_flag("--quiet", options.quiet, "print the last line only, the test accuracy (default: no)");
}

}  // namespace

double default_lr(const std::string& optimizer) {
  if (optimizer == "sgd") return 0.5;
  if (optimizer == "momentum") return 0.05;
  if (optimizer == "adam") return 0.004;
  throw std::invalid_argument(fmt::format("--optimizer: there is no {}", optimizer));
}

CommandLine parse_command_line(int argc, const char* const* argv) {
  Options options;
  CLI::App app("Trains a classifier and says how many samples of a test set it gets right.", "train");
  declare(app, options);
  app.footer(
      "Writes weights.safetensors, report.json, graph.dot and, where graphviz is installed, graph.svg.\n"
      "Exit code: 0, 2 for a mistake in the command line, 1 for any other failure.");
  try {
    app.parse(argc, argv);
  } catch (const CLI::CallForHelp&) {
    fmt::print("{}", app.help());
    return {.options = std::nullopt, .exit_code = 0};
  } catch (const CLI::ParseError& error) {
    fmt::print(stderr, "train: {}\n", describe(error, app));
    return {.options = std::nullopt, .exit_code = 2};
  }
  if (app.count("--lr") == 0) options.lr = default_lr(options.optimizer);
  if (app.count("--threads") == 0) options.threads = xtgrad::num_threads();
  return {.options = options, .exit_code = 0};
}

}  // namespace train
