#include "templates.h"

#include <fmt/format.h>
#include <xtgrad/plot/plot.h>

#include <cstddef>
#include <vector>

#include "choice_of_k.h"
#include "xtgrad/autograd/ops.h"

namespace gallery {

namespace {

/// In red what speaks for a class, in blue what speaks against it; templates of colour images in colours.
plot::Canvas picture_of(const Tensor& templates, const std::string& title,
                        const std::vector<std::string>& names) {
  plot::ImagesOptions options{.title = title, .captions = names, .per_row = 5};
  if (templates.size(1) == 3) {
    options.each = true;
  } else {
    const double most = amax(abs(templates)).item();
    options.range = plot::Range{-most, most};
    options.map = plot::diverging_map;
    options.value_label = "weight";
  }
  return plot::draw_images(templates, options);
}

/// The mean square of what changes from a pixel to the next in its row, over the mean square of all.
double roughness(const Tensor& images) {
  const Tensor steps = slice(images, {.axis = -1, .start = 1}) - slice(images, {.axis = -1, .stop = -1});
  return (mean(square(steps)) / mean(square(images))).item();
}

/// The best penalty.
struct Choice {
  double lambda = 0;
  double percent = 0;  // of the validation images told right with it
  double without = 0;  // and without a penalty
};

/// The test images have no part in it. Of equally good ones it is the smallest.
Choice choose_penalty(Page& page, const Task& task) {
  const std::vector<double> lambdas{0.0001, 0.001, 0.01, 0.1, 1, 10};
  const double without = validated(task, 0);
  std::vector<double> percent;
  for (const double lambda : lambdas) percent.push_back(validated(task, lambda));
  const std::size_t chosen = best(percent);
  page.numbers(task.name + ": λ", lambdas);
  page.numbers(task.name + ": validation accuracy over λ (%)", percent);
  page.number(task.name + ": validation accuracy without L2 (%)", without);
  page.number(task.name + ": chosen λ", lambdas[chosen]);
  return {lambdas[chosen], percent[chosen], without};
}

}  // namespace

nn::LinearClassifier draw_templates(Page& page, const Task& task, const std::string& what_to_see) {
  const Choice choice = choose_penalty(page, task);
  nn::LinearClassifier plain = one_matrix(task, 0);
  nn::LinearClassifier held = one_matrix(task, choice.lambda);
  const std::vector<std::string>& names = task.data.train.class_names();
  const std::vector<plot::Canvas> pictures{
      picture_of(plain.templates(), "without L2", names),
      picture_of(held.templates(), fmt::format("with L2, λ = {}", choice.lambda), names)};
  const double right = accuracy(plain, task);
  const double right_held = accuracy(held, task);
  page.picture(
      fmt::format("templates_{}.png", task.name),
      fmt::format(
          "{}; λ = {} is the best of six for validation images ({:.1f} % are told right; "
          "{:.1f} % without L2), and of the test images {:.1f} % are told right with it, {:.1f} % without.",
          what_to_see, choice.lambda, choice.percent, choice.without, right_held, right),
      plot::beside(pictures, {.per_row = 1}));
  page.number(task.name + ": accuracy without L2 (%)", right);
  page.number(task.name + ": accuracy with L2 (%)", right_held);
  page.number(task.name + ": roughness without L2", roughness(plain.templates()));
  page.number(task.name + ": roughness with L2", roughness(held.templates()));
  return held;
}

}  // namespace gallery
