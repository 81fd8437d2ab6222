#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace train {

/// The names that `--data` and `--model` take.
[[nodiscard]] const std::vector<std::string>& data_names();
[[nodiscard]] const std::vector<std::string>& model_names();

/// True if the samples are images [channels, height, width].
[[nodiscard]] bool are_images(const std::string& data);
/// True if the samples are read from files, rather than a part of the library.
[[nodiscard]] bool are_files(const std::string& data);

/// How to train a model well on some data: the defaults of the options, and the sizes of the network. All
/// were chosen by accuracy on validation samples.
struct Recipe {
  double lr = 0;  ///< Adam's
  std::string schedule = "constant";
  std::int64_t epochs = 0;
  std::int64_t batch_size = 0;
  bool augment = false;

  std::vector<std::int64_t> channels = {};  ///< of the convolutions
  bool batch_norm = false;
  std::vector<std::int64_t> hidden = {};  ///< features of the dense layers but the last
  double dropout = 0;
};

/// Throws std::invalid_argument, naming the option, for a name that is not there or a convnet for points.
[[nodiscard]] const Recipe& recipe_for(const std::string& data, const std::string& model);

/// A learning rate that suits another optimizer, too.
[[nodiscard]] double default_lr(const Recipe& recipe, const std::string& optimizer);

/// The recipes as a table for `--help`.
[[nodiscard]] std::string recipe_table();

}  // namespace train
