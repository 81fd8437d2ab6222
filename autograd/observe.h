#pragma once

/// What watches a thread compute: the classes, each in a header of its own.

#include "xtgrad/autograd/observe/graph_modules.h"
#include "xtgrad/autograd/observe/nan_guard.h"
#include "xtgrad/autograd/observe/profile.h"
