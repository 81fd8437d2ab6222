#include "xtgrad/autograd/formulas/unary.h"

#include "xtgrad/autograd/formulas/loops.h"
#include "xtgrad/autograd/formulas/softplus.h"
#include "xtgrad/autograd/kernels/levels/lanes_activation.h"

namespace xtgrad::inline v1::detail::inline XTGRAD_LEVEL {

template struct UnaryLoops<formulas::Neg, false>;
template struct UnaryLoops<formulas::Exp>;
template struct UnaryLoops<formulas::Log>;
template struct UnaryLoops<formulas::Expm1>;
template struct UnaryLoops<formulas::Log1p>;
template struct UnaryLoops<formulas::Sqrt>;
template struct UnaryLoops<formulas::Rsqrt>;
template struct UnaryLoops<formulas::Reciprocal>;
template struct UnaryLoops<formulas::Square>;
template struct UnaryLoops<formulas::Abs>;
template struct LoopsOf<formulas::Sign, Value, 1>;
template struct UnaryLoops<formulas::Tanh>;
template struct LoopsOf<formulas::TanhSlope, Value, 1>;
template struct UnaryLoops<formulas::Sigmoid>;
template struct LoopsOf<formulas::SigmoidSlope, Value, 1>;
template struct UnaryLoops<formulas::LogSigmoid>;
template struct UnaryLoops<formulas::Relu>;
template struct UnaryLoops<formulas::Erf>;
template struct LoopsOf<formulas::Gaussian, Value, 1>;
template struct LoopsOf<formulas::GaussianSlope, Value, 1>;
template struct UnaryLoops<formulas::Sin>;
template struct UnaryLoops<formulas::Cos>;
template struct UnaryLoops<formulas::Softplus>;
template struct LoopsOf<formulas::SoftplusSlope, Value, 1>;
template struct LoopsOf<formulas::SoftplusBend, Value, 1>;

}  // namespace xtgrad::v1::detail
