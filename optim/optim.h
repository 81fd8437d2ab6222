#pragma once

/// All optimizers, learning-rate schedules, and clipping of gradients. Include one concept instead where
/// compile time matters, such as <xtgrad/optim/adam.h>.

#include "xtgrad/optim/adadelta.h"
#include "xtgrad/optim/adagrad.h"
#include "xtgrad/optim/adam.h"
#include "xtgrad/optim/adamax.h"
#include "xtgrad/optim/asgd.h"
#include "xtgrad/optim/clip.h"
#include "xtgrad/optim/cyclic_schedules.h"
#include "xtgrad/optim/hyper.h"
#include "xtgrad/optim/lion.h"
#include "xtgrad/optim/nadam.h"
#include "xtgrad/optim/optimizer.h"
#include "xtgrad/optim/optimizer_of.h"
#include "xtgrad/optim/optimizer_with.h"
#include "xtgrad/optim/plateau.h"
#include "xtgrad/optim/radam.h"
#include "xtgrad/optim/rmsprop.h"
#include "xtgrad/optim/rprop.h"
#include "xtgrad/optim/schedule.h"
#include "xtgrad/optim/scheduled_lr.h"
#include "xtgrad/optim/schedules.h"
#include "xtgrad/optim/sgd.h"
#include "xtgrad/optim/state.h"
#include "xtgrad/optim/weight_average.h"
