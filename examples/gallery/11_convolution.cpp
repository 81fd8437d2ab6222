// Convolution by hand, and the filters that a net finds by itself.
#include <fmt/format.h>
#include <xtgrad/plot/plot.h>
#include <xtgrad/xtgrad.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "maps.h"
#include "page.h"
#include "small_conv_net.h"

namespace {

using namespace xtgrad;
using gallery::draw_maps;
using gallery::tile;

/// Two filters [2, 1, 3, 3]: light at the left beside dark at the right, and light above dark.
Tensor edge_kernels() {
  const Tensor numbers = tensor({1, 0, -1, 1, 0, -1, 1, 0, -1,  //
                                 1, 1, 1, 0, 0, 0, -1, -1, -1});
  return reshape(numbers.to(float32), {2, 1, 3, 3});
}

std::string sized(const std::string& name, const Tensor& map) {
  return gallery::with_reach(fmt::format("{}, {}×{}", name, map.size(2), map.size(3)), map);
}

Tensor channel(const Tensor& maps, std::int64_t which) {
  return slice(maps, {.axis = 1, .start = which, .stop = which + 1});
}

void draw_edges(gallery::Page& page, const Tensor& image) {
  const Tensor kernels = edge_kernels();
  const Tensor edges = conv2d(image, kernels, {.padding = 1});
  const std::int64_t side = 3 * image.size(2);  // whole squares for a kernel's numbers, too
  std::vector<Tensor> tiles;
  std::vector<std::string> captions;
  for (const std::int64_t which : {0, 1}) {
    const std::string name = which == 0 ? "vertical" : "horizontal";
    const Tensor kernel = slice(kernels, {.start = which, .stop = which + 1});
    tiles.insert(tiles.end(), {tile(image, side), tile(kernel, side), tile(channel(edges, which), side)});
    captions.insert(captions.end(),
                    {gallery::with_reach("digit", image), gallery::with_reach(name + " kernel", kernel),
                     gallery::with_reach("its edges", channel(edges, which))});
  }
  page.picture("edges.png",
               "A kernel of nine numbers (red 1, white 0, blue −1) slides over the digit. At "
               "each place its numbers are multiplied with the nine pixels below and summed up: "
               "red where there is more ink at the left (above) than at the right (below), blue "
               "where there is less, and the number under each map is its colours' reach.",
               draw_maps("Edges, by two kernels", tiles, captions, 3));
  const std::int64_t middle = image.size(2) / 2;
  const Tensor row = slice(edges, {.axis = 2, .start = middle, .stop = middle + 1});
  page.numbers("vertical edges, middle row", plot::numbers(channel(row, 0)));
  page.numbers("horizontal edges, middle row", plot::numbers(channel(row, 1)));
}

/// What becomes of the image on its way to a dense layer.
void draw_stages(gallery::Page& page, const Tensor& image) {
  const Tensor kernel = slice(edge_kernels(), {.stop = 1});
  const Tensor bare = conv2d(image, kernel);
  const Tensor padded = conv2d(image, kernel, {.padding = 1});
  const Tensor kept = relu(padded);
  const Tensor pooled = max_pool2d(kept, {.kernel = 2});
  const Tensor flat = flatten(pooled);
  const std::int64_t side = image.size(2) * bare.size(2);
  const std::vector<plot::Canvas> pages{
      draw_maps("From an image to a dense layer",
                {tile(bare, side), tile(padded, side), tile(kept, side), tile(pooled, side)},
                {sized("no padding", bare), sized("zeros around", padded), sized("ReLU", kept),
                 sized("2×2 maxima", pooled)},
                2),
      gallery::draw_flat(pooled, fmt::format("flattened, {} numbers: the {} rows one behind another",
                                             flat.numel(), pooled.size(2)))};
  page.picture(
      "stages.png",
      fmt::format("Without padding, a 3×3 kernel loses a pixel at every border; zeros around the image keep "
                  "its size. ReLU drops what is negative, and the largest of each 2×2 block is kept: "
                  "its rows, one behind another, are the {} numbers that a dense layer sees, at the bottom.",
                  flat.numel()),
      plot::beside(pages, {.per_row = 1}));
  page.number("side without padding (pixels)", static_cast<double>(bare.size(2)));
  page.number("side with padding (pixels)", static_cast<double>(padded.size(2)));
  page.number("numbers for the dense layer", static_cast<double>(flat.numel()));
  page.numbers("these numbers", plot::numbers(flat));
}

/// The kernels that a net ends up with when nobody tells it any, and what they make of the digit.
void draw_learnt(gallery::Page& page, const datasets::TrainTest& data, const Tensor& image,
                 std::int64_t epochs) {
  nn::ConvNet net({.image = {image.size(2), image.size(3)}, .channels = {8, 16}, .hidden = {64}});
  gallery::train(net, data.train, epochs);
  const double percent = gallery::accuracy(net, data.test);
  page.number("test accuracy (%)", percent);

  const NoGrad no_grad;
  const Tensor maps = net.feature_maps(image, 0);
  page.picture(
      "filters.png",
      fmt::format(
          "The eight 3×3 kernels of a net that reads {:.1f} % of the test images. Nobody told it any: "
          "some have come to look for edges of a direction, others for ink.",
          percent),
      plot::draw_filters(net.convs[0].weight, {.title = "Kernels that a net found"}));
  page.picture(
      "maps.png",
      "The digit and what these kernels, ReLU and 2×2 maxima make of it: each map shows where in the "
      "image its kernel found what it looks for. Where there is no ink a map shows its kernel's bias, if "
      "that "
      "is above 0.",
      plot::draw_feature_maps({.image = reshape(image, {1, image.size(2), image.size(3)}),
                               .maps = reshape(maps, {maps.size(1), maps.size(2), maps.size(3)})},
                              {.title = "The first layer's maps"}));
}

void draw(gallery::Page& page) {
  const auto data = page.quick() ? std::optional(datasets::stratified_split(gallery::scanned_images()))
                                 : page.data("mnist");
  if (!data) return;
  const Tensor image = data->test.subset({0}).inputs();
  draw_edges(page, image);
  draw_stages(page, image);
  draw_learnt(page, *data, image, page.choose(40, 3));
}

}  // namespace

int main(int argc, char** argv) { return gallery::run(argc, argv, "Convolution", draw); }
