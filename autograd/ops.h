// All operations on tensors, by families.
#pragma once

// Operations on tensors. All are differentiable to any order unless their line says otherwise, take empty and
// 0-d tensors where NumPy does, and throw ShapeError or DtypeError that name the operation and the operands'
// shapes or dtypes. Operands of two-tensor operations broadcast by NumPy's rules and must share a dtype; a
// C++ number takes the tensor's, which must hold it (scalar.h). Sums, differences and products of int64 wrap
// around, as NumPy's do.
//
//   Tensor x = tensor({1, 2, 3}, {.requires_grad = true});
//   Tensor y = sum(tanh(x * 0.5) + square(x));  // 0-d

#include "xtgrad/autograd/assignment.h"
#include "xtgrad/autograd/functions/activation.h"
#include "xtgrad/autograd/functions/arrange.h"
#include "xtgrad/autograd/functions/attention.h"
#include "xtgrad/autograd/functions/comparison.h"
#include "xtgrad/autograd/functions/contraction.h"
#include "xtgrad/autograd/functions/convolution.h"
#include "xtgrad/autograd/functions/diagonal.h"
#include "xtgrad/autograd/functions/distance.h"
#include "xtgrad/autograd/functions/elementwise.h"
#include "xtgrad/autograd/functions/fourier.h"
#include "xtgrad/autograd/functions/image_sampling.h"
#include "xtgrad/autograd/functions/indexing.h"
#include "xtgrad/autograd/functions/linalg.h"
#include "xtgrad/autograd/functions/logic.h"
#include "xtgrad/autograd/functions/mask.h"
#include "xtgrad/autograd/functions/normalization.h"
#include "xtgrad/autograd/functions/order.h"
#include "xtgrad/autograd/functions/padding.h"
#include "xtgrad/autograd/functions/pooling.h"
#include "xtgrad/autograd/functions/products.h"
#include "xtgrad/autograd/functions/reduction.h"
#include "xtgrad/autograd/functions/scan.h"
#include "xtgrad/autograd/functions/scatter.h"
#include "xtgrad/autograd/functions/segment.h"
#include "xtgrad/autograd/functions/sequence.h"
#include "xtgrad/autograd/functions/shape.h"
#include "xtgrad/autograd/functions/slicing.h"
#include "xtgrad/autograd/functions/softmax.h"
#include "xtgrad/autograd/functions/special.h"
#include "xtgrad/autograd/functions/statistics.h"
