#pragma once

/// All modules, losses and initialisers. Include one concept instead where compile time matters, such as
/// <xtgrad/nn/linear.h>.

#include "xtgrad/nn/activations.h"
#include "xtgrad/nn/batch_norm.h"
#include "xtgrad/nn/batch_norm_update.h"
#include "xtgrad/nn/check_grads.h"
#include "xtgrad/nn/conv.h"
#include "xtgrad/nn/conv_net.h"
#include "xtgrad/nn/dropout.h"
#include "xtgrad/nn/files.h"
#include "xtgrad/nn/flatten.h"
#include "xtgrad/nn/init.h"
#include "xtgrad/nn/linear.h"
#include "xtgrad/nn/losses.h"
#include "xtgrad/nn/members.h"
#include "xtgrad/nn/mlp.h"
#include "xtgrad/nn/module.h"
#include "xtgrad/nn/module_base.h"
#include "xtgrad/nn/on_forward.h"
#include "xtgrad/nn/parameter.h"
#include "xtgrad/nn/perceptron.h"
#include "xtgrad/nn/pool.h"
#include "xtgrad/nn/sequential.h"
#include "xtgrad/nn/signature.h"
#include "xtgrad/nn/state_dict.h"
