#include "recipes.h"

#include <fmt/format.h>

#include <algorithm>
#include <stdexcept>
#include <utility>

namespace train {
namespace {

struct Entry {
  std::string data;
  std::string model;
  Recipe recipe;
};

const std::vector<Entry>& entries() {
  static const std::vector<Entry> all{
      {"digits", "mlp", {.lr = 0.004, .epochs = 40, .batch_size = 32, .hidden = {128}, .dropout = 0.4}},
      {"digits",
       "convnet",
       {.lr = 0.004,
        .schedule = "cosine",
        .epochs = 20,
        .batch_size = 32,
        .channels = {16, 32},
        .batch_norm = true,
        .hidden = {64},
        .dropout = 0.3}},
      {"spirals", "mlp", {.lr = 0.004, .epochs = 40, .batch_size = 32, .hidden = {128}, .dropout = 0.4}},
      {"mnist",
       "mlp",
       {.lr = 0.002, .schedule = "cosine", .epochs = 5, .batch_size = 64, .hidden = {512}, .dropout = 0.2}},
      {"mnist",
       "convnet",
       {.lr = 0.003,
        .schedule = "cosine",
        .epochs = 3,
        .batch_size = 64,
        .augment = true,
        .channels = {16, 32},
        .batch_norm = true,
        .hidden = {128}}},
      {"fashion-mnist",
       "mlp",
       {.lr = 0.002, .schedule = "cosine", .epochs = 8, .batch_size = 64, .hidden = {512}, .dropout = 0.2}},
      {"fashion-mnist",
       "convnet",
       {.lr = 0.003,
        .schedule = "cosine",
        .epochs = 8,
        .batch_size = 64,
        .augment = true,
        .channels = {16, 32},
        .batch_norm = true,
        .hidden = {128}}},
      {"cifar10",
       "mlp",
       {.lr = 0.001,
        .schedule = "cosine",
        .epochs = 20,
        .batch_size = 64,
        .augment = true,
        .hidden = {512},
        .dropout = 0.2}},
      {"cifar10",
       "convnet",
       {.lr = 0.002,
        .schedule = "cosine",
        .epochs = 30,
        .batch_size = 64,
        .augment = true,
        .channels = {32, 64, 128},
        .batch_norm = true,
        .hidden = {128},
        .dropout = 0.1}},
  };
  return all;
}

}  // namespace

const std::vector<std::string>& data_names() {
  static const std::vector<std::string> names{"digits", "spirals", "mnist", "fashion-mnist", "cifar10"};
  return names;
}

const std::vector<std::string>& model_names() {
  static const std::vector<std::string> names{"linear", "perceptron", "mlp", "convnet"};
  return names;
}

bool are_images(const std::string& data) { return data != "spirals"; }

bool are_files(const std::string& data) { return data != "spirals" && data != "digits"; }

const Recipe& recipe_for(const std::string& data, const std::string& model) {
  // The two without a hidden layer learn as the mlp does.
  const std::string like = model == "linear" || model == "perceptron" ? "mlp" : model;
  const auto found = std::ranges::find_if(
      entries(), [&](const Entry& entry) { return entry.data == data && entry.model == like; });
  if (found != entries().end()) return found->recipe;
  if (data == "spirals" && model == "convnet") {
    throw std::invalid_argument("--model: convnet needs images, and spirals are points");
  }
  const bool known = std::ranges::find(data_names(), data) != data_names().end();
  throw std::invalid_argument(known ? fmt::format("--model: there is no {}", model)
                                    : fmt::format("--data: there is no {}", data));
}

double default_lr(const Recipe& recipe, const std::string& optimizer) {
  // With batch normalisation or without: these were good for every recipe that they were tried on.
  if (optimizer == "sgd") return recipe.channels.empty() ? 0.5 : 0.1;
  if (optimizer == "momentum") return recipe.channels.empty() ? 0.05 : 0.02;
  if (optimizer == "adam") return recipe.lr;
  throw std::invalid_argument(fmt::format("--optimizer: there is no {}", optimizer));
}

std::string recipe_table() {
  std::string table = fmt::format("  {:<14} {:<8} {:>6} {:>6} {:>6}  {:<9} {}\n", "data", "model", "epochs",
                                  "batch", "lr", "schedule", "augment");
  for (const auto& [data, model, recipe] : entries()) {
    table += fmt::format("  {:<14} {:<8} {:>6} {:>6} {:>6}  {:<9} {}\n", data, model, recipe.epochs,
                         recipe.batch_size, recipe.lr, recipe.schedule, recipe.augment ? "yes" : "no");
  }
  return table;
}

}  // namespace train
