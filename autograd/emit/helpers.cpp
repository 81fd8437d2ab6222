#include "xtgrad/autograd/emit/helpers.h"

#include <fmt/format.h>

#include <array>

#include "xtgrad/autograd/emit/float_types.h"
#include "xtgrad/autograd/errors.h"

namespace xtgrad::inline v1::detail {
namespace {

struct Helper {
  std::string_view name;
  std::string_view parameters;  // after `T x`
  std::string_view body;        // of T, and of W, which is wider
};

constexpr std::array helpers{
    Helper{"gaussian", ", double f", R"(  const W w = x;
  return static_cast<T>(std::exp(-f * w * w));
)"},
    Helper{"gaussian_slope", ", double f", R"(  const W w = x > 40 ? 40 : x < -40 ? -40 : x;
  return static_cast<T>(-2 * f * w * std::exp(-f * w * w));
)"},
    Helper{"exp_of_product", ", double c", R"(  return static_cast<T>(std::exp(static_cast<W>(c) * x));
)"},
    Helper{"power", ", double y", R"(  return static_cast<T>(std::pow(static_cast<W>(x), static_cast<W>(y)));
)"},
    Helper{"power_of", ", double base",
           R"(  return static_cast<T>(std::pow(static_cast<W>(base), static_cast<W>(x)));
)"},
    Helper{"times_power", ", double factor, double y, double y_low", R"(  if (x != x) return x;
  const T size = std::fabs(x);
  const T grown = std::copysign(static_cast<T>(INFINITY), static_cast<T>(factor));
  const bool integer = y_low == 0 && std::floor(y) == y;
  if (x < 0 && size < static_cast<T>(INFINITY) && !integer) return static_cast<T>(NAN);
  const W power = std::pow(static_cast<W>(size), static_cast<W>(y) + static_cast<W>(y_low));
  T r = static_cast<T>(factor * power);
  if (size == 0) r = y < 0 ? grown : static_cast<T>(0);
  if (size == static_cast<T>(INFINITY)) r = y < 0 ? static_cast<T>(0) : grown;
  return integer && std::fmod(y, 2) != 0 && x < 0 ? -r : r;
)"},
    Helper{"normal_cdf", "", R"(  const W w = x;
  return static_cast<T>(0.5 * std::erfc(-w * static_cast<W>(0.70710678118654752440084436210484903928L)));
)"},
    Helper{"times_normal_cdf", "", R"(  const W w = x < -40 ? -40 : x;
  return static_cast<T>(0.5 * w * std::erfc(-w * static_cast<W>(0.70710678118654752440084436210484903928L)));
)"},
    Helper{"times_normal_density", "", R"(  const W w = x > 40 ? 40 : x < -40 ? -40 : x;
  return static_cast<T>(static_cast<W>(0.39894228040143267793994605993438186848L) * w * std::exp(-0.5 * w * w));
)"},
    Helper{"gelu_bend", "", R"(  const W w = x > 40 ? 40 : x < -40 ? -40 : x;
  const W density = static_cast<W>(0.39894228040143267793994605993438186848L) * std::exp(-0.5 * w * w);
  return static_cast<T>((2 - w * w) * density);
)"},
    Helper{"gelu_tanh_gate", ", double sign", R"(  const W w = x > 40 ? 40 : x < -40 ? -40 : x;
  const W cubic = w + static_cast<W>(0.044715L) * w * w * w;
  const W z = static_cast<W>(1.59576912160573071175978423973752747L) * cubic;
  return static_cast<T>(1 / (1 + std::exp(-sign * z)));
)"},
    Helper{"silu", "", R"(  const W w = x < -800 ? -800 : x;
  return static_cast<T>(w / (1 + std::exp(-w)));
)"},
    Helper{"silu_slope", "", R"(  const W w = x > 800 ? 800 : x < -800 ? -800 : x;
  const W e = std::exp(-std::fabs(w));
  const W larger = 1 / (1 + e), smaller = e / (1 + e);
  return static_cast<T>(w < 0 ? smaller * (1 + w * larger) : larger * (1 + w * smaller));
)"},
    Helper{"silu_bend", "", R"(  const T far = std::fabs(x);
  const W size = far > 800 ? 800 : far;
  const W e = std::exp(-size);
  return static_cast<T>(e / ((1 + e) * (1 + e)) * (2 - size * std::tanh(0.5 * size)));
)"},
    // An eps that floats would take for 0 still keeps divisors from being 0.
    Helper{"away_from_zero", "", R"(  const float narrow = static_cast<float>(x);
  return x == 0 || narrow < 0 || narrow > 0 ? x : std::copysign(1.401298464324817e-45, x);
)"}};

}  // namespace

std::string helper_text(std::string_view name, Dtype dtype) {
  for (const Helper& helper : helpers) {
    if (helper.name != name) continue;
    const std::string_view type = cpp_type(dtype);
    std::string text = fmt::format("inline {} {}({} x{}) {{\n", type, name, type, helper.parameters);
    if (helper.body.find("<T>") != std::string_view::npos || helper.body.find("T ") != std::string_view::npos)
      text += fmt::format("  using T = {};\n", type);
    if (helper.body.find("W ") != std::string_view::npos || helper.body.find("<W>") != std::string_view::npos)
      text += fmt::format("  using W = {};\n", wide_type_of(dtype));
    return text + std::string(helper.body) + "}\n";
  }
  throw InternalError(fmt::format("emit_cpp: no helper is called {}", name));
}

}  // namespace xtgrad::v1::detail
