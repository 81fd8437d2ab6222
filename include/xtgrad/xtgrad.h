#pragma once

/// Everything a model needs. Include one concept instead where compile time matters, such as
/// <xtgrad/autograd/ops.h> or <xtgrad/nn/linear.h>. What fewer programs need has headers of its own:
/// <xtgrad/autograd/memory.h>, observe.h, hooks.h, checkpoint.h, implicit.h, linear_solvers.h,
/// conjugate_gradients.h, explore.h, primitive.h, testing.h; <xtgrad/nn/capture.h>,
/// <xtgrad/training/training.h>, <xtgrad/plot/plot.h>; and those that docs/data.md names.

#include "xtgrad/autograd/check_grads.h"
#include "xtgrad/autograd/cpu_capability.h"
#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/custom_vjp.h"
#include "xtgrad/autograd/dtype.h"
#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/grad.h"
#include "xtgrad/autograd/graph.h"
#include "xtgrad/autograd/io/file.h"
#include "xtgrad/autograd/io/npy.h"
#include "xtgrad/autograd/io/npz.h"
#include "xtgrad/autograd/io/safetensors.h"
#include "xtgrad/autograd/linearize.h"
#include "xtgrad/autograd/number.h"
#include "xtgrad/autograd/ops.h"
#include "xtgrad/autograd/parameter_draws.h"
#include "xtgrad/autograd/random.h"
#include "xtgrad/autograd/scalar.h"
#include "xtgrad/autograd/shape.h"
#include "xtgrad/autograd/tensor.h"
#include "xtgrad/autograd/threads.h"
#include "xtgrad/autograd/transforms.h"
#include "xtgrad/autograd/where_safe.h"
#include "xtgrad/datasets/datasets.h"
#include "xtgrad/nn/distributions.h"
#include "xtgrad/nn/nn.h"
#include "xtgrad/optim/optim.h"
