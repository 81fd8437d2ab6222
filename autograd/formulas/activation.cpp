#include "xtgrad/autograd/formulas/activation.h"

#include "xtgrad/autograd/formulas/loops.h"
#include "xtgrad/autograd/kernels/levels/lanes_activation.h"

namespace xtgrad::inline v1::detail::inline XTGRAD_LEVEL {

template struct UnaryLoops<formulas::LeakyRelu>;
template struct UnaryLoops<formulas::Elu>;
template struct UnaryLoops<formulas::NormalCdf>;
template struct UnaryLoops<formulas::Gelu>;
template struct LoopsOf<formulas::GeluSlope, Value, 1>;
template struct LoopsOf<formulas::GeluBend, Value, 1>;
template struct UnaryLoops<formulas::GeluTanh>;
template struct LoopsOf<formulas::GeluTanhGate, Value, 1>;
template struct UnaryLoops<formulas::Silu>;
template struct LoopsOf<formulas::SiluSlope, Value, 1>;
template struct LoopsOf<formulas::SiluBend, Value, 1>;
template struct UnaryLoops<formulas::Celu>;
template struct UnaryLoops<formulas::Selu>;
template struct UnaryLoops<formulas::Mish>;
template struct LoopsOf<formulas::MishGate, Value, 1>;
template struct UnaryLoops<formulas::Softsign>;
template struct UnaryLoops<formulas::Tanhshrink>;
template struct UnaryLoops<formulas::Hardswish>;
template struct UnaryLoops<formulas::Hardsigmoid>;
template struct UnaryLoops<formulas::Hardshrink>;
template struct UnaryLoops<formulas::Softshrink>;
template struct UnaryLoops<formulas::Threshold>;

}  // namespace xtgrad::v1::detail
