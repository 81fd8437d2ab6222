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

}  // namespace xtgrad::v1::detail
