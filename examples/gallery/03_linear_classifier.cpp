// A matrix whose rows are templates of what it tells apart, and what a second matrix adds to it: nothing.
#include <fmt/format.h>
#include <xtgrad/plot/plot.h>
#include <xtgrad/xtgrad.h>

#include <cstdint>
#include <string>
#include <vector>

#include "linear_models.h"
#include "page.h"
#include "templates.h"

namespace {

using namespace xtgrad;
using gallery::Task;

/// Each row of [W b], the bias as its last number.
void note_rows(gallery::Page& page, const std::string& name, const nn::LinearClassifier& model) {
  for (std::int64_t row = 0; row < model.options().classes; ++row) {
    page.numbers(fmt::format("{}: row {} of [W b] with L2", name, row),
                 plot::numbers(slice(model.weight.tensor(), {.start = row, .stop = row + 1})));
  }
}

/// The bias trick: a matrix with the biases as its last column, times an image with a 1 at its end.
void show_bias_trick(gallery::Page& page, const Task& task, double lambda) {
  nn::LinearClassifier model = gallery::one_matrix(task, lambda);
  const Tensor images = task.data.test.inputs();
  const Tensor trick = model(images);                 // [W b] [x; 1]
  const Tensor rows = flatten(model.templates(), 1);  // W, [classes, pixels]
  const Tensor plain = matmul(flatten(images, 1), rows, {.transpose_b = true}) + model.biases();
  page.numbers("scores of the first test image by [W b] [x; 1]", plot::numbers(slice(trick, {.stop = 1})));
  page.numbers("scores of the first test image by W x + b", plot::numbers(slice(plain, {.stop = 1})));
  page.number("largest difference between the two", amax(abs(trick - plain)).item());
  const datasets::Dataset& learnt = task.data.train;
  const Tensor loss = nn::cross_entropy(model(learnt.inputs()), learnt.labels());
  page.number("training loss with its penalty (nats)", (loss + lambda * sum(square(rows))).item());
}

/// How many rows of a matrix are left when those are taken away that can be mixed from others.
double rank(const Tensor& matrix) {
  return static_cast<double>(nn::least_squares(matrix, zeros({matrix.size(0)}), {.bias = false}).rank);
}

/// W2 (W1 x + b1) + b2 = (W2 W1) x + (W2 b1 + b2): two matrices without an activation are one.
void show_product(gallery::Page& page, const Task& task, std::int64_t hidden) {
  gallery::TwoMatrices two = gallery::two_matrices(task, hidden, nn::ActivationKind::identity);
  const Tensor product = matmul(two.second.weight, two.first.weight);  // [classes, pixels]
  const Tensor bias = two.second(two.first.bias);
  const Tensor images = task.data.test.inputs();
  const Tensor by_one = matmul(flatten(images, 1), product, {.transpose_b = true}) + bias;
  const std::string name = fmt::format("two matrices, {} numbers between", hidden);
  page.number(name + ": difference from one", amax(abs(two(images) - by_one)).item());
  page.number(name + ": rank of the product", rank(product));
  page.number(name + ": accuracy (%)", gallery::accuracy(two, task));
}

void draw_accuracy(gallery::Page& page, const std::vector<Task>& tasks) {
  plot::Bars one{.label = "one matrix", .values = true};
  plot::Bars two{.label = "two matrices", .values = true};
  plot::Bars bent{.label = "two, ReLU between", .values = true};
  std::vector<std::string> names;
  for (const Task& task : tasks) {
    nn::LinearClassifier single = gallery::one_matrix(task, 0);
    gallery::TwoMatrices straight = gallery::two_matrices(task, 100, nn::ActivationKind::identity);
    gallery::TwoMatrices with_relu = gallery::two_matrices(task, 100, nn::ActivationKind::relu);
    names.push_back(task.name);
    one.heights.push_back(gallery::accuracy(single, task));
    two.heights.push_back(gallery::accuracy(straight, task));
    bent.heights.push_back(gallery::accuracy(with_relu, task));
  }
  page.picture("accuracy.png",
               fmt::format("A second matrix adds next to nothing; a ReLU between the two does. Three arms of "
                           "a spiral lie around "
                           "each other so that no matrix can part them: {:.1f} % with one, {:.1f} % with "
                           "two, {:.1f} % with a ReLU.",
                           one.heights[0], two.heights[0], bent.heights[0]),
               plot::draw_chart({.title = "Test samples told right",
                                 .x = {.categories = names},
                                 .y = {.label = "correct (%)", .range = plot::Range{0, 110}},
                                 .layers = {one, two, bent}},
                                {.width = 600, .height = 310}));
  page.numbers("accuracy of one matrix (%)", one.heights);
  page.numbers("accuracy of two matrices (%)", two.heights);
  page.numbers("accuracy of two with a ReLU (%)", bent.heights);
}

void draw(gallery::Page& page) {
  const DefaultDtype in_double(float64);
  const datasets::Dataset images = gallery::scanned_images();
  const Task spirals{"spirals", datasets::stratified_split(datasets::spirals({.per_class = 200})), 100, 0.01};
  const Task digits{"digits", datasets::stratified_split(images, {.test = 0.25}), 100, 0.01};
  std::vector<Task> tasks{spirals, digits};
  const nn::LinearClassifier model = gallery::draw_templates(
      page, digits,
      "Each digit's weights as an image: red pixels speak for it, blue ones against it, such as ink in the "
      "middle of a 0. A penalty keeps weights small, and pale where there is never any ink");
  note_rows(page, digits.name, model);
  show_bias_trick(page, digits, 0.003);
  if (const auto mnist = page.data("mnist")) {
    tasks.push_back({"MNIST", *mnist, 5, 0.001});
    gallery::draw_templates(
        page, tasks.back(),
        "The same for MNIST. Without L2, weights at the border, where no digit has ink, stay as "
        "random as they began; with it they are gone");
  }
  if (const auto cifar = page.data("cifar10")) {
    const auto normalize = datasets::Normalizer::fit(cifar->train, {.per_channel = true});
    tasks.push_back({"CIFAR-10", {normalize(cifar->train), normalize(cifar->test)}, 10, 0.001});
    gallery::draw_templates(
        page, tasks.back(),
        "Templates of photographs: without L2 mostly the noise of 4,000 images. With it they are "
        "smooth enough to see a ship on blue water, and a horse with a head at either end, for horses "
        "look left as often as right");
  }
  if (!page.is_incomplete()) draw_accuracy(page, tasks);
  for (const std::int64_t hidden : {100, 3}) show_product(page, digits, hidden);
}

}  // namespace

int main(int argc, char** argv) { return gallery::run(argc, argv, "A linear classifier", draw); }
