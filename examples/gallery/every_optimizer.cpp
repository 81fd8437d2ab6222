#include "every_optimizer.h"

#include <fmt/format.h>
#include <xtgrad/plot/plot.h>
#include <xtgrad/xtgrad.h>

#include <cstdint>
#include <string>
#include <type_traits>
#include <vector>

namespace gallery {

namespace {

const std::vector<int> looks{0, 1, 2, 5, 10, 20, 50, 100};  // steps after which the loss is noted

struct Course {
  std::string name;
  std::vector<double> losses;  // after `looks`
};

/// Of a linear classifier on all digits at once, always from the same weights.
template <class Optimizer, class Options>
Course course(const std::string& name, const Options& options) {
  const datasets::Dataset data = scanned_digits();
  manual_seed(0);
  nn::Linear model{64, 10};
  Optimizer optimizer(model.parameters(), options);
  const auto loss = [&] { return nn::cross_entropy(model(data.inputs()), data.labels()); };
  Course course{.name = name, .losses = {}};
  for (int step = 0; step <= looks.back(); ++step) {
    if (step == looks.at(course.losses.size())) course.losses.push_back(loss().item());
    if constexpr (std::is_same_v<Optimizer, optim::LBFGS>) {
      optimizer.step(loss);  // looks at the loss several times
    } else {
      optimizer.zero_grad();
      loss().backward();
      optimizer.step();
    }
  }
  return course;
}

/// Each at a rate that was found by trial for this training.
std::vector<Course> courses() {
  return {course<optim::SGD>("gradient descent", optim::SGDOptions{.lr = 2}),
          course<optim::SGD>("momentum", optim::SGDOptions{.lr = 0.5, .momentum = 0.9}),
          course<optim::SGD>("Nesterov", optim::SGDOptions{.lr = 0.5, .momentum = 0.9, .nesterov = true}),
          course<optim::ASGD>("ASGD", optim::ASGDOptions{.lr = 2}),
          course<optim::Adagrad>("AdaGrad", optim::AdagradOptions{.lr = 0.1}),
          course<optim::Adadelta>("Adadelta", optim::AdadeltaOptions{.lr = 10}),
          course<optim::RMSProp>("RMSProp", optim::RMSPropOptions{.lr = 0.01}),
          course<optim::Adam>("Adam", optim::AdamOptions{.lr = 0.05}),
          course<optim::AdamW>("AdamW", optim::AdamWOptions{.lr = 0.05}),
          course<optim::Adamax>("Adamax", optim::AdamaxOptions{.lr = 0.05}),
          course<optim::NAdam>("NAdam", optim::NAdamOptions{.lr = 0.05}),
          course<optim::RAdam>("RAdam", optim::RAdamOptions{.lr = 0.05}),
          course<optim::Rprop>("Rprop", optim::RpropOptions{.lr = 0.02}),
          course<optim::Lion>("Lion", optim::LionOptions{.lr = 0.01}),
          course<optim::LBFGS>(
              "L-BFGS", optim::LBFGSOptions{.max_iter = 1, .line_search = optim::LineSearch::strong_wolfe})};
}

}  // namespace

void draw_every_optimizer(Page& page) {
  const std::vector<Course> all = courses();
  plot::HeatMap table{.title = "Loss on the digits",
                      .row_label = {},
                      .column_label = "steps",
                      .value_label = "cross-entropy (nats)",
                      .row_names = {},
                      .column_names = {}};
  std::vector<double> values;
  for (const int look : looks) table.column_names.push_back(std::to_string(look));
  for (const Course& course : all) {
    table.row_names.push_back(course.name);
    values.insert(values.end(), course.losses.begin(), course.losses.end());
    page.numbers("loss on the digits, " + course.name, course.losses);
  }
  table.values = reshape(from_vector(values), {static_cast<std::int64_t>(all.size()), -1});
  page.picture("optimizers.png",
               "One linear classifier, trained on all digits at once by every optimizer of the library, each "
               "at a rate "
               "that suits it. L-BFGS may look at the loss several times a step; the others look once.",
               plot::draw_heat_map(table));
}

}  // namespace gallery
