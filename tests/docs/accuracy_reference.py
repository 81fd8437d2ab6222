# Values and two derivatives of the functions of docs/accuracy.md to 22 digits and more, computed by mpmath at twice the
# digits again and again until two results agree: no digits that a formula here cancels are missed.
import mpmath as mp
from mpmath import mpf


class Jet:
    """A value and its two derivatives in x."""

    def __init__(self, v, d=mpf(0), b=mpf(0)):
        self.v, self.d, self.b = v, d, b

    def of(self, f, slope, bend):
        return Jet(f, slope * self.d, bend * self.d**2 + slope * self.b)

    def __add__(self, o):
        o = jet(o)
        return Jet(self.v + o.v, self.d + o.d, self.b + o.b)

    def __mul__(self, o):
        o = jet(o)
        return Jet(self.v * o.v, self.d * o.v + self.v * o.d, self.b * o.v + 2 * self.d * o.d + self.v * o.b)

    __radd__, __rmul__ = __add__, __mul__

    def __neg__(self):
        return self * -1

    def __sub__(self, o):
        return self + -jet(o)

    def __rsub__(self, o):
        return jet(o) + -self

    def __truediv__(self, o):
        return self * power(jet(o), -1)

    def __rtruediv__(self, o):
        return jet(o) * power(self, -1)


def jet(x):
    return x if isinstance(x, Jet) else Jet(mpf(x))


def power(x, c):
    v = x.v
    return x.of(v**c, c * v ** (c - 1) if c != 0 else mpf(0), c * (c - 1) * v ** (c - 2) if c not in (0, 1) else mpf(0))


def exp(x):
    e = mp.exp(x.v)
    return x.of(e, e, e)


def log(x):
    return x.of(mp.log(x.v), 1 / x.v, -1 / x.v**2)


def log1p(x):
    return x.of(mp.log1p(x.v), 1 / (1 + x.v), -1 / (1 + x.v) ** 2)


def sqrt(x):
    r = mp.sqrt(x.v)
    return x.of(r, 1 / (2 * r), -1 / (4 * r * x.v))


def tanh(x):
    t, c = mp.tanh(x.v), 1 / mp.cosh(x.v) ** 2
    return x.of(t, c, -2 * t * c)


def erfc(x):
    d = -2 / mp.sqrt(mp.pi) * mp.exp(-(x.v**2))
    return x.of(mp.erfc(x.v), d, -2 * x.v * d)


def inverse(y, slope, bend):
    """Of a function's inverse at y."""
    return y, 1 / slope, -bend / slope**3


def trigonometric(f, slope, bend):
    return lambda x: x.of(f(x.v), slope(x.v), bend(x.v))


def sinc(x):
    v = mp.pi * x.v
    if v == 0:
        return x.of(mpf(1), mpf(0), -mp.pi**2 / 3)
    s, c = mp.sinpi(x.v), mp.cospi(x.v)
    return x.of(s / v, mp.pi * (c / v - s / v**2), mp.pi**2 * (-s / v - 2 * c / v**2 + 2 * s / v**3))


def erfinv(x):
    if x.v == 0:
        return x.of(mpf(0), mp.sqrt(mp.pi) / 2, mpf(0))
    y = mp.erfinv(x.v)
    slope = 2 / mp.sqrt(mp.pi) * mp.exp(-(y**2))
    return x.of(*inverse(y, slope, -2 * y * slope))


def log_gamma(v):
    if v > 0:
        return mp.re(mp.loggamma(v))
    return mp.log(mp.pi / abs(mp.sinpi(v))) - mp.re(mp.loggamma(1 - v))


def polygamma(n, v):
    if v > 0 or n == 0:
        return mp.psi(n, v)
    # (-1)^n psi_n(1 - v) - psi_n(v) = d^n / dv^n of pi cot(pi v), whose Taylor series mpmath has not: by the sum.
    sign = -1 if n % 2 else 1
    return sign * mp.psi(n, 1 - v) - cotangent(n, v)


def cotangent(n, v):
    """The n-th derivative of pi cot(pi v): a polynomial in the cotangent, whose own derivative is -pi (1 + c^2)."""
    p = [mpf(0), mp.pi]
    for _ in range(n):
        d = [k * p[k] for k in range(1, len(p))]
        p = [mpf(0)] * (len(d) + 2)
        for k, a in enumerate(d):
            p[k] -= mp.pi * a
            p[k + 2] -= mp.pi * a
    return mp.polyval(p[::-1], mp.cospi(v) / mp.sinpi(v))


def bessel(n):
    i = lambda k, v: mp.besseli(abs(k), v)
    return lambda x: x.of(i(n, x.v), (i(n - 1, x.v) + i(n + 1, x.v)) / 2,
                          (i(n - 2, x.v) + 2 * i(n, x.v) + i(n + 2, x.v)) / 4)


def sigmoid(x):
    return 1 / (1 + exp(-x))


def softplus(x, beta=1):
    return log1p(exp(x * beta)) / beta


def cdf(x):
    return erfc(x * (-1 / mp.sqrt(2))) / 2


def flat(f):
    return lambda x: Jet(f(x.v))


def where(condition, yes, no):
    return lambda x: jet((yes if condition(x.v) else no)(x))


def kept(condition):
    return where(condition, lambda x: x, lambda x: Jet(mpf(0)))


def nearest(v):
    n = mp.floor(v)
    rest = v - n
    return n + (1 if rest > 0.5 or (rest == 0.5 and n % 2) else 0)


def exponential_below(alpha, scale=1, factor=1):
    return where(lambda v: v > 0, lambda x: x * factor, lambda x: (exp(x / scale) - 1) * (alpha * factor))


SELU = (mp.mpf("1.67326324235437728481704297"), mp.mpf("1.05070098735548049341933499"))


def gelu_tanh(x):
    # The library's and PyTorch's constants are these decimals, not the doubles beside them.
    cubic = x + x * x * x * (mp.mpf(44715) / 1000000)
    return x * sigmoid(cubic * (2 * mp.sqrt(2 / mp.pi)))


ONE = {
    "neg": lambda x: -x,
    "square": lambda x: x * x,
    "abs": lambda x: x if x.v > 0 else -x,
    "sign": flat(mp.sign),
    "relu": kept(lambda v: v > 0),
    "relu6": where(lambda v: v < 6, kept(lambda v: v > 0), lambda x: 6),
    "hardtanh": where(lambda v: abs(v) < 1, lambda x: x, flat(mp.sign)),
    "sqrt": sqrt,
    "rsqrt": lambda x: 1 / sqrt(x),
    "reciprocal": lambda x: 1 / x,
    "floor": flat(mp.floor),
    "ceil": flat(mp.ceil),
    "round": flat(nearest),
    "trunc": flat(lambda v: mp.sign(v) * mp.floor(abs(v))),
    "frac": lambda x: x - mp.sign(x.v) * mp.floor(abs(x.v)),
    "nan_to_num": lambda x: x,
    "clamp -1 to 2": lambda x: x if -1 < x.v < 2 else jet(-1 if x.v < 0 else 2),
    "lerp to 3 by 0.25": lambda x: x + (3 - x) * mpf(0.25),
    "prelu 0.25": lambda x: x if x.v > 0 else x * mpf(0.25),
    "exp": exp,
    "exp2": lambda x: exp(x * mp.log(2)),
    "expm1": lambda x: exp(x) - 1,
    "log": log,
    "log2": lambda x: log(x) / mp.log(2),
    "log10": lambda x: log(x) / mp.log(10),
    "log1p": log1p,
    "logit": lambda x: log(x / (1 - x)),
    "sinh": trigonometric(mp.sinh, mp.cosh, mp.sinh),
    "cosh": trigonometric(mp.cosh, mp.sinh, mp.cosh),
    "tanh": tanh,
    "asinh": lambda x: x.of(mp.asinh(x.v), 1 / mp.sqrt(1 + x.v**2), -x.v / mp.sqrt(1 + x.v**2) ** 3),
    "acosh": lambda x: x.of(mp.acosh(x.v), 1 / mp.sqrt(x.v**2 - 1), -x.v / mp.sqrt(x.v**2 - 1) ** 3),
    "atanh": lambda x: x.of(mp.atanh(x.v), 1 / (1 - x.v**2), 2 * x.v / (1 - x.v**2) ** 2),
    "sin": trigonometric(mp.sin, mp.cos, lambda v: -mp.sin(v)),
    "cos": trigonometric(mp.cos, lambda v: -mp.sin(v), lambda v: -mp.cos(v)),
    "tan": trigonometric(mp.tan, lambda v: mp.sec(v) ** 2, lambda v: 2 * mp.tan(v) * mp.sec(v) ** 2),
    "asin": lambda x: x.of(mp.asin(x.v), 1 / mp.sqrt(1 - x.v**2), x.v / mp.sqrt(1 - x.v**2) ** 3),
    "acos": lambda x: x.of(mp.acos(x.v), -1 / mp.sqrt(1 - x.v**2), -x.v / mp.sqrt(1 - x.v**2) ** 3),
    "atan": lambda x: x.of(mp.atan(x.v), 1 / (1 + x.v**2), -2 * x.v / (1 + x.v**2) ** 2),
    "sinc": sinc,
    "erf": lambda x: 1 - erfc(x),
    "erfc": erfc,
    "erfcx": lambda x: exp(x * x) * erfc(x),
    "erfinv": erfinv,
    "normal_cdf": cdf,
    "log_ndtr": lambda x: log(cdf(x)),
    "lgamma": lambda x: x.of(log_gamma(x.v), polygamma(0, x.v), polygamma(1, x.v)),
    "digamma": lambda x: x.of(*(polygamma(k, x.v) for k in (0, 1, 2))),
    "i0": bessel(0),
    "i1": bessel(1),
    "sigmoid": sigmoid,
    "log_sigmoid": lambda x: -softplus(-x),
    "silu": lambda x: x * sigmoid(x),
    "mish": lambda x: x * tanh(softplus(x)),
    "softplus": softplus,
    "softplus beta 3": lambda x: softplus(x, 3),
    "gelu": lambda x: x * cdf(x),
    "gelu_tanh": gelu_tanh,
    "leaky_relu 0.01": lambda x: x if x.v > 0 else x * mpf(0.01),
    "elu": exponential_below(1),
    "celu 1.5": exponential_below(mpf(1.5), mpf(1.5)),
    "selu": exponential_below(*(SELU[0], 1, SELU[1])),
    "softsign": lambda x: x / (1 + (x if x.v > 0 else -x)),
    "tanhshrink": lambda x: x - tanh(x),
    "hardswish": lambda x: x if x.v >= 3 else x * (x + 3) / 6 if x.v > -3 else jet(0),
    "hardsigmoid": lambda x: jet(1) if x.v >= 3 else (x + 3) / 6 if x.v > -3 else jet(0),
    "hardshrink 0.5": kept(lambda v: abs(v) > 0.5),
    "softshrink 0.5": where(lambda v: abs(v) > 0.5, lambda x: x - mp.sign(x.v) * 0.5, lambda x: 0),
    "threshold 0.5 and 3": where(lambda v: v > 0.5, lambda x: x, lambda x: 3),
    "number_pow 1.75": lambda x: exp(x * mp.log(mpf(1.75))),
}
for order in (1, 2, 4):
    ONE[f"polygamma {order}"] = lambda x, n=order: x.of(*(polygamma(n + k, x.v) for k in range(3)))
for exponent in ("0.5", "1.75", "2", "3", "-1.25"):
    ONE[f"pow_number {exponent}"] = lambda x, c=mpf(float(exponent)): power(x, c)
for name, f in {
        "add": lambda x, c: x + c, "sub": lambda x, c: x - c, "mul": lambda x, c: x * c, "div": lambda x, c: x / c,
        "maximum": lambda x, c: x if x.v > c else jet(c), "minimum": lambda x, c: x if x.v < c else jet(c)}.items():
    ONE[f"{name}_number 0.75"] = lambda x, f=f: f(x, mpf(0.75))
ONE["number_sub 0.75"] = lambda x: mpf(0.75) - x
ONE["number_div 0.75"] = lambda x: mpf(0.75) / x

ZERO = mpf(0)


def pow_of(a, b):
    y = mp.power(a, b)
    l = mp.log(a)
    fa, faa = b * a ** (b - 1), b * (b - 1) * a ** (b - 2)
    return y, (fa, y * l), (faa, a ** (b - 1) * (1 + b * l), y * l * l)


def atan2_of(y, x):
    r = x * x + y * y
    return mp.atan2(y, x), (x / r, -y / r), (-2 * x * y / r**2, (y * y - x * x) / r**2, 2 * x * y / r**2)


def hypot_of(a, b):
    r = mp.sqrt(a * a + b * b)
    return r, (a / r, b / r), (b * b / r**3, -a * b / r**3, a * a / r**3)


def logaddexp_of(a, b):
    m = max(a, b)
    ea, eb = mp.exp(a - m), mp.exp(b - m)
    p, q = ea / (ea + eb), eb / (ea + eb)
    return m + mp.log(ea + eb), (p, q), (p * q, -p * q, p * q)


def quotient(a, b, rounded, value):
    q = rounded(a / b)
    return value(q), (mpf(1), -q), (ZERO,) * 3


def chosen(first, a, b):
    return (a, (1, 0), (0,) * 3) if first else (b, (0, 1), (0,) * 3)


def towards_zero(v):
    return mp.sign(v) * mp.floor(abs(v))


TWO = {
    "add": lambda a, b: (a + b, (1, 1), (0, 0, 0)),
    "sub": lambda a, b: (a - b, (1, -1), (0, 0, 0)),
    "mul": lambda a, b: (a * b, (b, a), (0, 1, 0)),
    "div": lambda a, b: (a / b, (1 / b, -a / b**2), (0, -1 / b**2, 2 * a / b**3)),
    "maximum": lambda a, b: chosen(a > b, a, b),
    "minimum": lambda a, b: chosen(a < b, a, b),
    "fmax": lambda a, b: chosen(a > b, a, b),
    "fmin": lambda a, b: chosen(a < b, a, b),
    "copysign": lambda a, b: (abs(a) * mp.sign(b), (mp.sign(a) * mp.sign(b), 0), (0, 0, 0)),
    "fmod": lambda a, b: quotient(a, b, towards_zero, lambda q: a - q * b),
    "remainder": lambda a, b: quotient(a, b, mp.floor, lambda q: a - q * b),
    "floor_divide": lambda a, b: (mp.floor(a / b), (0, 0), (0, 0, 0)),
    "pow": pow_of,
    "atan2": atan2_of,
    "hypot": hypot_of,
    "logaddexp": logaddexp_of,
    "xlogy": lambda x, y: (x * mp.log(y), (mp.log(y), x / y), (0, 1 / y, -x / y**2)),
    "xlog1py": lambda x, y: (x * mp.log(1 + y), (mp.log(1 + y), x / (1 + y)), (0, 1 / (1 + y), -x / (1 + y) ** 2)),
}


def weights(row):
    m = max(row)
    e = [mp.exp(x - m) for x in row]
    return [x / sum(e) for x in e], m + mp.log(sum(e))


def same(j):
    return 1 if j == 0 else 0


def softmax_of(*row):
    p, _ = weights(row)
    slopes = [p[0] * (same(j) - p[j]) for j in range(len(row))]
    return p[0], slopes, [(1 - 2 * p[0]) * slope for slope in slopes]


def log_softmax_of(*row):
    p, total = weights(row)
    return row[0] - total, [same(j) - p[j] for j in range(len(row))], [-p[0] * (same(j) - p[j]) for j in range(len(row))]


def logsumexp_of(*row):
    p, total = weights(row)
    return total, p, [p[0] * (same(j) - p[j]) for j in range(len(row))]


def norm_of(*row):
    r = mp.sqrt(sum(x * x for x in row))
    others = r * r - row[0] * row[0]
    return r, [x / r for x in row], [(others if j == 0 else -row[0] * row[j]) / r**3 for j in range(len(row))]


ROWS = {"softmax": softmax_of, "log_softmax": log_softmax_of, "logsumexp": logsumexp_of, "norm": norm_of}


def computed(label, point):
    x = [mpf(number) for number in point]
    if label in ONE:
        y = ONE[label](Jet(x[0], mpf(1)))
        return [[y.v], [y.d], [y.b]]
    value, first, second = (TWO if label in TWO else ROWS)[label](*x)
    return [[mpf(value)], [mpf(d) for d in first], [mpf(d) for d in second]]


def agree(one, other, digits):
    """A 0 may be what is left of equal numbers whose difference no digit has: it is believed at 1000 digits."""
    return all(abs(a - b) <= abs(b) * mpf(10) ** -22 and (b != 0 or digits > 1000)
               for u, v in zip(one, other) for a, b in zip(u, v))


def reference(label, point):
    digits = 40
    with mp.workdps(digits):
        last = computed(label, point)
    while digits < 10000:
        digits *= 2
        with mp.workdps(digits):
            next_one = computed(label, point)
            if agree(last, next_one, digits):
                return next_one
        last = next_one
    raise ArithmeticError(f"{label} at {point}: no two results agree")
