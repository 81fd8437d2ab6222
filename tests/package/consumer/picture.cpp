// Draws a chart with an installed xtgrad::plot: picture FILE. Exits with 1 if it is not drawn as it should
// be.
#include <xtgrad/autograd/errors.h>
#include <xtgrad/plot/plot.h>

#include <cstdio>
#include <string>

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  using namespace xtgrad;
  plot::Chart chart{.title = "Loss", .x = {.label = "epoch"}, .y = {.label = "loss (nats)"}};
  chart.layers.push_back(plot::Series{.label = "training", .x = {1, 2, 3}, .y = {0.9, 0.5, 0.4}});
  plot::save(plot::draw_chart(chart), argv[1]);
  try {
    plot::save(plot::draw_chart({}), argv[1]);
  } catch (const ValueError& error) {
    if (error.what() == std::string("draw_charts: a chart needs a layer: \"\" has none")) return 0;
    std::fputs(error.what(), stderr);
  }
  return 1;
}
