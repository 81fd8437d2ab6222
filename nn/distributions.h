#pragma once

/// All distributions. Include one instead where compile time matters, such as
/// <xtgrad/nn/distributions/normal.h>.

#include "xtgrad/nn/distributions/bernoulli.h"
#include "xtgrad/nn/distributions/beta.h"
#include "xtgrad/nn/distributions/categorical.h"
#include "xtgrad/nn/distributions/chi2.h"
#include "xtgrad/nn/distributions/dirichlet.h"
#include "xtgrad/nn/distributions/distribution.h"
#include "xtgrad/nn/distributions/exponential.h"
#include "xtgrad/nn/distributions/gamma.h"
#include "xtgrad/nn/distributions/independent.h"
#include "xtgrad/nn/distributions/kl_divergence.h"
#include "xtgrad/nn/distributions/laplace.h"
#include "xtgrad/nn/distributions/log_normal.h"
#include "xtgrad/nn/distributions/mixture_same_family.h"
#include "xtgrad/nn/distributions/multivariate_normal.h"
#include "xtgrad/nn/distributions/normal.h"
#include "xtgrad/nn/distributions/one_hot_categorical.h"
#include "xtgrad/nn/distributions/poisson.h"
#include "xtgrad/nn/distributions/student_t.h"
#include "xtgrad/nn/distributions/uniform.h"
