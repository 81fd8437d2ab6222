#pragma once

/// All kinds of pictures. Link xtgrad::plot, which is there where Cairo was found.
///
///   plot::Chart chart{.title = "Loss", .x = {.label = "epoch"}, .y = {.label = "loss (nats)"}};
///   chart.layers.push_back(plot::Series{.label = "training", .x = {1, 2, 3}, .y = {0.9, 0.5, 0.4}});
///   plot::save(plot::draw_chart(chart), "loss.png");

#include "xtgrad/plot/animation.h"
#include "xtgrad/plot/beside.h"
#include "xtgrad/plot/canvas.h"
#include "xtgrad/plot/chart.h"
#include "xtgrad/plot/confusion_matrix.h"
#include "xtgrad/plot/files.h"
#include "xtgrad/plot/filters.h"
#include "xtgrad/plot/grid.h"
#include "xtgrad/plot/heat_map.h"
#include "xtgrad/plot/images.h"
#include "xtgrad/plot/learning_curves.h"
#include "xtgrad/plot/mistakes.h"
#include "xtgrad/plot/numbers.h"
#include "xtgrad/plot/style.h"
#include "xtgrad/plot/text.h"
