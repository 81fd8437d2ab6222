#pragma once

/// What watches a thread compute: the two classes, each in a header of its own.

#include "xtgrad/autograd/observe/nan_guard.h"
#include "xtgrad/autograd/observe/profile.h"
