#pragma once

/// Data sets, splits, transforms and the loader.

#include "xtgrad/datasets/augment.h"
#include "xtgrad/datasets/cifar.h"
#include "xtgrad/datasets/csv.h"
#include "xtgrad/datasets/dataset.h"
#include "xtgrad/datasets/digits.h"
#include "xtgrad/datasets/idx.h"
#include "xtgrad/datasets/iris.h"
#include "xtgrad/datasets/loader.h"
#include "xtgrad/datasets/mnist.h"
#include "xtgrad/datasets/sample_transform.h"
#include "xtgrad/datasets/split.h"
#include "xtgrad/datasets/synthetic.h"
#include "xtgrad/datasets/transforms.h"
