// Images told by the images that are most like them, and an honest choice of how many of these to ask.
#include <fmt/format.h>
#include <xtgrad/plot/plot.h>
#include <xtgrad/xtgrad.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "choice_of_k.h"
#include "learnt_features.h"
#include "page.h"
#include "three_choices.h"

namespace {

using namespace xtgrad;
using gallery::Parts;

/// Chooses k on the validation part, and reports its accuracy on the test part, which is looked at just here.
double choose_k(gallery::Page& page, const Parts& parts) {
  const Tensor& samples = parts.train.inputs();
  const Tensor& labels = parts.train.labels();
  const Tensor some = slice(samples, {.stop = 1000});
  const std::vector<double> training =
      gallery::percent_right(samples, labels, some, slice(labels, {.stop = 1000}));
  const std::vector<double> validation =
      gallery::percent_right(samples, labels, parts.validation.inputs(), parts.validation.labels());
  const std::size_t chosen = gallery::best(validation);
  const double test =
      gallery::percent_right(samples, labels, parts.test.inputs(), parts.test.labels())[chosen];
  const std::vector<double> k(gallery::ks.begin(), gallery::ks.end());
  plot::Chart chart{.title = gallery::title_of(parts.name) + ": accuracy over k",
                    .x = {.label = "neighbours that vote, k", .whole_numbers = true},
                    .y = {.label = "correct (%)", .highest = 100}};
  chart.layers = {
      plot::Series{.label = "training", .x = k, .y = training},
      plot::Series{.label = "validation", .x = k, .y = validation},
      plot::Points{
          .label = fmt::format("chosen: k = {}", k[chosen]), .x = {k[chosen]}, .y = {validation[chosen]}}};
  page.picture(
      fmt::format("{}_k.png", parts.name),
      fmt::format(
          "The training images say that one neighbour is best: it is the image itself. The validation "
          "images, which are not among the neighbours, say k = {} ({:.1f} % of them right, {:.1f} % with k = "
          "1), with which {:.1f} % of the test images are told right, looked at once, when k was chosen.",
          k[chosen], validation[chosen], validation[0], test),
      plot::draw_chart(chart));
  page.number(parts.name + ": training images", static_cast<double>(parts.train.size()));
  page.numbers(parts.name + ": training accuracy over k (%)", training);
  page.numbers(parts.name + ": validation accuracy over k (%)", validation);
  page.number(parts.name + ": chosen k", k[chosen]);
  page.number(parts.name + ": test accuracy by pixels (%)", test);
  return test;
}

/// Ten test images, with the four training images that are nearest to each.
void draw_neighbors(gallery::Page& page, const Parts& parts) {
  const nn::NearestNeighbors classifier(parts.train.inputs(), parts.train.labels());
  const Tensor queries = slice(parts.test.inputs(), {.stop = 10});
  const Tensor indices = classifier.neighbors(queries, 4).indices;
  const auto name_of = [](const datasets::Dataset& data, std::int64_t row) {
    const std::int64_t label = data.labels().at_int64({row});
    const std::vector<std::string>& names = data.class_names();
    return names.empty() ? std::to_string(label) : names[static_cast<std::size_t>(label)];
  };
  std::vector<Tensor> images;
  std::vector<std::string> captions;
  for (std::int64_t query = 0; query < queries.size(0); ++query) {
    images.push_back(slice(queries, {.start = query, .stop = query + 1}));
    captions.push_back(name_of(parts.test, query) + ":");
    for (std::int64_t n = 0; n < 4; ++n) {
      const std::int64_t row = indices.at_int64({query, n});
      images.push_back(parts.train.subset({row}).inputs());
      captions.push_back(name_of(parts.train, row));
    }
  }
  page.picture(
      fmt::format("{}_nearest.png", parts.name),
      "Ten test images, each (with a colon) followed by the four training images whose pixels are nearest to "
      "its own, and their labels. Where these are wrong, pixels are alike and things are not.",
      plot::draw_images(
          concat(images, 0),
          {.title = gallery::title_of(parts.name) + ": the nearest", .captions = captions, .per_row = 5}));
}

/// Two of four neighbours say 1 and two say 0: the nearest of all decides.
void show_ties(gallery::Page& page) {
  const nn::NearestNeighbors on_a_line(reshape(tensor({1.0, 2.0, 3.0, 4.0}), {4, 1}),
                                       tensor({1, 0, 0, 1}, {.dtype = int64}));
  for (const std::int64_t k : {1, 2, 3, 4}) {
    page.number(fmt::format("labels 1, 0, 0, 1 at distances 1, 2, 3, 4: vote of k = {}", k),
                sum(on_a_line.predict(zeros({1, 1}), k)).item());
  }
}

void draw(gallery::Page& page) {
  const datasets::Dataset digits = gallery::scanned_images();
  const auto tenths = datasets::stratified_parts(digits, {.fractions = {0.8, 0.1, 0.1}});
  std::vector<Parts> tasks{{"digits", tenths[0], tenths[1], tenths[2]}};
  std::vector<std::int64_t> epochs{20};
  for (const auto& [name, rounds] : {std::pair{"mnist", 2}, std::pair{"cifar10", 15}}) {
    const auto data = page.data(name);
    if (!data) continue;
    // Eight parts to one, as in 80/10/10; the data set has test images of its own.
    const auto parts = datasets::stratified_split(data->train, {.test = 1.0 / 9});
    tasks.push_back({name, parts.train, parts.test, data->test});
    epochs.push_back(rounds);
  }
  std::vector<gallery::Accuracies> outcomes;
  for (std::size_t i = 0; i < tasks.size(); ++i) {
    const double pixels = choose_k(page, tasks[i]);
    draw_neighbors(page, tasks[i]);
    outcomes.push_back(gallery::by_features(page, tasks[i], epochs[i]));
    outcomes.back().pixels = pixels;
  }
  if (!page.is_incomplete()) gallery::draw_gain(page, outcomes);
  gallery::draw_choices(page, digits);
  show_ties(page);
}

}  // namespace

int main(int argc, char** argv) {
  return gallery::run(argc, argv, "Nearest neighbours, and an honest choice", draw);
}
