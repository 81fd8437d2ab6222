#include "options.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <stdexcept>
#include <vector>

#include "recipes.h"
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

/// An option whose default the table of recipes tells.
constexpr const char* by_recipe = "(default: see below)";

void declare_training(CLI::App& app, Options& options) {
  app.add_option("--data", options.data,
                 fmt::format("what to learn: {} (default: {})", fmt::join(data_names(), ", "), options.data))
      ->type_name("NAME")
      ->check(one_of(data_names()));
  app.add_option("--data-dir", options.data_dir,
                 "folder with the files of mnist, fashion-mnist or cifar10 "
                 "(default: XTGRAD_DATA, ./data, the system's)")
      ->type_name("DIR")
      ->check(not_empty());
  app.add_option("--model", options.model,
                 fmt::format("{} (default: {})", fmt::join(model_names(), ", "), options.model))
      ->type_name("NAME")
      ->check(one_of(model_names()));
  CLI::Option* augment = app.add_flag("--augment");
  augment->description(fmt::format("train on images shifted or mirrored at random {}", by_recipe));
  CLI::Option* no_augment = app.add_flag("--no-augment");
  no_augment->description(fmt::format("train on the images as they are {}", by_recipe))->excludes(augment);
  app.add_option("--optimizer", options.optimizer,
                 fmt::format("sgd, momentum or adam (default: {})", options.optimizer))
      ->type_name("NAME")
      ->check(one_of({"sgd", "momentum", "adam"}));
  app.add_option("--lr", options.lr, fmt::format("learning rate, at first {}", by_recipe))
      ->type_name("NUMBER")
      ->check(positive());
  app.add_option("--schedule", options.schedule,
                 fmt::format("of the learning rate: constant; step, a tenth after each third of the "
                             "training; or cosine, down to 0 {}",
                             by_recipe))
      ->type_name("NAME")
      ->check(one_of({"constant", "step", "cosine"}));
  app.add_option(
         "--warmup", options.warmup,
         fmt::format("steps in which the learning rate rises before that (default: {})", options.warmup))
      ->type_name("N")
      ->check(integer_in(0, 1'000'000'000));
  app.add_option("--epochs", options.epochs, fmt::format("passes over the training samples {}", by_recipe))
      ->type_name("N")
      ->check(integer_in(1, 1'000'000));
  app.add_option("--batch-size", options.batch_size, fmt::format("samples in a step {}", by_recipe))
      ->type_name("N")
      ->check(integer_in(1, 1'000'000));
  app.add_option("--seed", options.seed,
                 fmt::format("of initial weights, order of samples, augmentation and dropout (default: {})",
                             options.seed))
      ->type_name("N")
      ->check(integer_in(0, UINT64_MAX));
  app.add_option("--dtype", options.dtype, fmt::format("float32 or float64 (default: {})", options.dtype))
      ->type_name("NAME")
      ->check(one_of({"float32", "float64"}));
}

void declare_running(CLI::App& app, Options& options) {
  app.add_option(
         "--workers", options.workers,
         fmt::format("threads that prepare batches ahead; changes no result (default: {})", options.workers))
      ->type_name("N")
      ->check(integer_in(0, 1024));
  app.add_option("--threads", options.threads,
                 "threads in one operation; changes no result (default: one a core)")
      ->type_name("N")
      ->check(integer_in(1, 1024));
  app.add_flag("--replay", options.replay,
               "record the training step once and replay it, to the same bits (default: no)");
  app.add_option(
         "--checkpoint-every", options.checkpoint_every,
         "steps after which a checkpoint is written to --out, and so on, more often where a step takes "
         "over half a second; 0: never (default: 0, or what the resumed run had)")
      ->type_name("N")
      ->check(integer_in(0, 1'000'000'000));
  app.add_flag("--resume", options.resume,
               "go on from the checkpoint in --out, if --checkpoint-every has left one (default: no)");
  app.add_option(
         "--out", options.out,
         fmt::format("folder for weights, report and pictures; made if need be (default: {})", options.out))
      ->type_name("DIR")
      ->check(not_empty());
  app.add_option(
         "--explore", options.explore,
         "write a page that steps through one training step of a few samples, made before the training "
         "(default: none)")
      ->type_name("FILE")
      ->check(not_empty());
  app.add_flag("--quiet", options.quiet, "print the last line only, the test accuracy (default: no)");
}

std::string footer() {
  return fmt::format(
      "Defaults by data and model; linear and perceptron take mlp's. lr is that of adam; sgd begins with {}\n"
      "and momentum with {}, or {} and {} for a convnet.\n{}\n"
      "Writes weights.safetensors, report.json, timing.json, pictures as PNG if built with Cairo, and\n"
      "graph.dot, with graph.svg where graphviz is installed.\n"
      "A run with --checkpoint-every that was stopped or killed goes on with --resume, and ends with the\n"
      "same weights and report as if it had not been, by the same build on the same processor. One without\n"
      "leaves nothing to go on from. One training at a time may write to a folder.\n"
      "Exit code: 0; 2 for a mistake in the command line; 1 for any other failure, such as missing data, a\n"
      "checkpoint made with other options, or a loss that became NaN or exploded.",
      default_lr(recipe_for("digits", "mlp"), "sgd"), default_lr(recipe_for("digits", "mlp"), "momentum"),
      default_lr(recipe_for("digits", "convnet"), "sgd"),
      default_lr(recipe_for("digits", "convnet"), "momentum"), recipe_table());
}

/// Fills in what was not given. Throws std::invalid_argument for options that do not go together.
void complete(const CLI::App& app, Options& options) {
  const Recipe& recipe = recipe_for(options.data, options.model);
  if (app.count("--lr") == 0) options.lr = default_lr(recipe, options.optimizer);
  if (app.count("--schedule") == 0) options.schedule = recipe.schedule;
  if (app.count("--epochs") == 0) options.epochs = recipe.epochs;
  if (app.count("--batch-size") == 0) options.batch_size = recipe.batch_size;
  options.augment = app.count("--augment") > 0 || (recipe.augment && app.count("--no-augment") == 0);
  if (app.count("--threads") == 0) options.threads = xtgrad::num_threads();
  if (app.count("--data-dir") > 0 && !are_files(options.data)) {
    throw std::invalid_argument(
        fmt::format("--data-dir: {} come with the program, from no folder", options.data));
  }
  if (options.augment && !are_images(options.data)) {
    throw std::invalid_argument(fmt::format("--augment: needs images, and {} are points", options.data));
  }
}

}  // namespace

CommandLine parse_command_line(int argc, const char* const* argv) {
  Options options;
  CLI::App app("Trains a classifier and says how many samples of a test set it gets right.", "train");
  // A script puts its own choices first and its user's after them.
  app.option_defaults()->multi_option_policy(CLI::MultiOptionPolicy::TakeLast);
  declare_training(app, options);
  declare_running(app, options);
  app.footer(footer());
  try {
    app.parse(argc, argv);
    complete(app, options);
  } catch (const CLI::CallForHelp&) {
    fmt::print("{}", app.help());
    return {.options = std::nullopt, .exit_code = 0};
  } catch (const CLI::ParseError& error) {
    fmt::print(stderr, "train: {}\n", describe(error, app));
    return {.options = std::nullopt, .exit_code = 2};
  } catch (const std::invalid_argument& error) {
    fmt::print(stderr, "train: {}\n", error.what());
    return {.options = std::nullopt, .exit_code = 2};
  }
  return {.options = options, .exit_code = 0};
}

}  // namespace train
