#include "three_choices.h"

#include <fmt/format.h>
#include <xtgrad/plot/plot.h>

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "choice_of_k.h"

namespace gallery {

namespace {

/// What is reported for a k that was chosen on some data, and what that k comes to on fresh data: means, in
/// percent.
struct Choice {
  double reported = 0;
  double fresh = 0;
};

/// Choices on the training data, on validation data, and on the test data that the report is about, over
/// `times` random small splits of a data set whose rest is the fresh data.
struct Choices {
  Choice on_training;
  Choice on_validation;
  Choice on_test;
};

Choices compare_choices(const datasets::Dataset& data, int times) {
  Choices mean;
  for (int time = 0; time < times; ++time) {
    const std::vector<datasets::Dataset> parts = datasets::random_parts(
        data, {.fractions = {0.2, 0.05, 0.05, 0.7}, .seed = static_cast<std::uint64_t>(time)});
    const auto of = [&](const datasets::Dataset& part) {
      return percent_right(parts[0].inputs(), parts[0].labels(), part.inputs(), part.labels());
    };
    const std::vector<double> training = of(parts[0]);
    const std::vector<double> validation = of(parts[1]);
    const std::vector<double> test = of(parts[2]);
    const std::vector<double> fresh = of(parts[3]);
    const auto add = [&](Choice& choice, std::size_t k, const std::vector<double>& report) {
      choice.reported += report[k] / times;
      choice.fresh += fresh[k] / times;
    };
    add(mean.on_training, best(training), training);
    add(mean.on_validation, best(validation), test);
    add(mean.on_test, best(test), test);
  }
  return mean;
}

}  // namespace

void draw_choices(Page& page, const datasets::Dataset& digits) {
  const Choices choices = compare_choices(digits, 100);
  plot::Chart chart{.title = "What is reported, and what is true",
                    .x = {.label = "k was chosen on", .categories = {"training", "validation", "test"}},
                    .y = {.label = "told wrong (%)"}};
  plot::Bars reported{.label = "reported", .values = true};
  plot::Bars fresh{.label = "on fresh images", .values = true};
  for (const auto& [name, choice] :
       {std::pair{"training", choices.on_training}, std::pair{"validation", choices.on_validation},
        std::pair{"test", choices.on_test}}) {
    reported.heights.push_back(100 - choice.reported);
    fresh.heights.push_back(100 - choice.fresh);
    page.number(fmt::format("k chosen on {}: reported (%)", name), choice.reported);
    page.number(fmt::format("k chosen on {}: on fresh images (%)", name), choice.fresh);
  }
  chart.layers = {reported, fresh};
  page.picture(
      "choices.png",
      "Means over a hundred random small splits of the digits. Only the validation images give a report that "
      "holds on fresh images: the training images call their own labels right, and test images that were "
      "chosen by look better than they are (one neighbour, which training images always ask for, happens to "
      "do well here; on CIFAR-10 it does not).",
      plot::draw_chart(chart, {.width = 560, .height = 320}));
}

}  // namespace gallery
