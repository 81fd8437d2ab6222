#pragma once

/// All losses. Each takes floating tensors of one dtype, is made of differentiable operations, and so has
/// derivatives of every order in each of them; a kink has the subgradient that ops.h gives to the function
/// behind it.

#include "xtgrad/nn/binary_cross_entropy.h"
#include "xtgrad/nn/cross_entropy.h"
#include "xtgrad/nn/ctc_loss.h"
#include "xtgrad/nn/margin_losses.h"
#include "xtgrad/nn/multilabel_losses.h"
#include "xtgrad/nn/reduction.h"
#include "xtgrad/nn/regression_losses.h"
#include "xtgrad/nn/similarity.h"
