#pragma once

/// All optimizers, learning-rate schedules, and clipping of gradients. Include one concept instead where
/// compile time matters, such as <xtgrad/optim/adam.h>.

#include "xtgrad/optim/adam.h"
#include "xtgrad/optim/clip.h"
#include "xtgrad/optim/hyper.h"
#include "xtgrad/optim/optimizer.h"
#include "xtgrad/optim/optimizer_with.h"
#include "xtgrad/optim/schedules.h"
#include "xtgrad/optim/sgd.h"
#include "xtgrad/optim/state.h"
