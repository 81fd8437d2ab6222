#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "xtgrad/nn/dropout.h"
#include "xtgrad/nn/members.h"
#include "xtgrad/nn/recurrent.h"

namespace xtgrad::inline v1::nn::detail {

/// What a recurrent network consists of: its options, whatever it is of.
struct RecurrentLayout {
  std::string_view name;
  std::int64_t gates = 1, input = 0, hidden = 0, projection = 0;
  std::int64_t layers = 1;
  bool bias = true, batch_first = false;
  double dropout = 0;
  bool bidirectional = false;

  [[nodiscard]] std::int64_t directions() const { return bidirectional ? 2 : 1; }
  /// Of a step's output.
  [[nodiscard]] std::int64_t output() const { return projection > 0 ? projection : hidden; }
};

/// Throws ValueError for an option that is missing or out of range.
void check_layout(const RecurrentLayout& layout);
/// Of a layer whose input has that size.
[[nodiscard]] RecurrentWeights make_weights(const RecurrentLayout& layout, std::int64_t input);
/// Of all layers, and of both directions of each.
[[nodiscard]] std::vector<RecurrentWeights> make_layers(const RecurrentLayout& layout);
/// Lists weights by PyTorch's names with a suffix such as "_l0_reverse".
void list_weights(Members& m, RecurrentWeights& weights, const std::string& suffix);
void list_layers(Members& m, const RecurrentLayout& layout, std::vector<RecurrentWeights>& layers);

/// c is of an LSTM alone.
struct RecurrentState {
  Tensor h, c;
};

/// A layer's weights as a step reads them, once for all steps.
struct StepWeights {
  Tensor weight_hh, weight_hr;
  Tensor bias_hh;  // where it is not among the products of the input

  /// [n, gates * hidden]
  [[nodiscard]] Tensor products(const Tensor& h) const;
};

/// From a state to the next, for the input's products [n, gates * hidden].
using RecurrentStep = RecurrentState (*)(const StepWeights& weights, const Tensor& products,
                                         const RecurrentState& before);

/// How a network's steps are made.
struct RecurrentKind {
  RecurrentStep step;
  bool has_c = false;
  /// The gates add up products of both kinds, so bias_hh is added once, for all steps.
  bool joins_biases = true;
};

/// A step of one layer, of x [n, input]. Handles of `before` may be empty.
[[nodiscard]] RecurrentState run_cell(const std::string& label, const RecurrentLayout& layout,
                                      const RecurrentKind& kind, const RecurrentWeights& weights,
                                      const Tensor& x, const RecurrentState& before);

struct RecurrentResult {
  Tensor output;
  RecurrentState state;
};
/// Runs all layers. Handles of `before` and of the lengths may be empty.
[[nodiscard]] RecurrentResult run_layers(const std::string& label, const RecurrentLayout& layout,
                                         const RecurrentKind& kind,
                                         const std::vector<RecurrentWeights>& layers, Dropout& dropout,
                                         const Tensor& x, const RecurrentState& before,
                                         const Tensor& lengths);

}  // namespace xtgrad::v1::nn::detail
