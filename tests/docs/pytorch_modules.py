# Compares what the expressions of pytorch_modules.def give with what PyTorch gives for the names beside them.
# usage: python pytorch_modules.py FILE
#
# FILE is written by tests/docs/pytorch_modules_test.cpp, in float32, and PyTorch computes in float64 from the same
# operands. Draws and modules with random weights are not compared.
import math
import sys
import warnings

import pytorch_compare
import torch
import torch.distributions as D
import torch.nn as nn
import torch.nn.functional as F
from torch.optim import lr_scheduler

torch.set_default_dtype(torch.float64)
warnings.simplefilter("ignore")
operands, results = pytorch_compare.read(sys.argv[1])

x, y, v, a, series, image, volume = (operands[name] for name in "x y v a series image volume".split())
m = operands["m"].bool()
n, p, labels = (operands[name].long() for name in ("n", "p", "labels"))
sg, inf = torch.tensor([1, -1, 1]), math.inf
f = lambda z: (z**3).sum()


def number(value):
    return torch.tensor(float(value))


def lr_of(optimizer, **options):
    return number(optimizer([nn.Parameter(torch.ones(1))], **options).param_groups[0]["lr"])


def factors(make):
    """Of the rate 1, over seven steps."""
    sgd = torch.optim.SGD([nn.Parameter(torch.ones(1))], lr=1.0)
    schedule, seen = make(sgd), []
    for _ in range(7):
        seen.append(sgd.param_groups[0]["lr"])
        if len(seen) < 7:
            schedule.step()
    return torch.tensor(seen)


expected = {
    "all": lambda: m.all(1),
    "allclose": lambda: number(torch.allclose(x, y)),
    "any": lambda: m.any(1),
    "arange": lambda: torch.arange(1, 5, 2),
    "argmax": lambda: x.argmax(1),
    "argmin": lambda: x.argmin(1),
    "argsort": lambda: x.argsort(1),
    "argwhere, nonzero": lambda: torch.argwhere(m),
    "bincount": lambda: torch.bincount(n),
    "bitwise_and, __rand__": lambda: n & p,
    "bitwise_left_shift": lambda: torch.bitwise_left_shift(n, p),
    "bitwise_not": lambda: torch.bitwise_not(n),
    "bitwise_or, __ror__": lambda: n | p,
    "bitwise_right_shift": lambda: torch.bitwise_right_shift(n, p),
    "bitwise_xor, __rxor__": lambda: n ^ p,
    "bool, byte, int, long": lambda: x.long(),
    "broadcast_shapes": lambda: torch.tensor(torch.broadcast_shapes(x.shape, v.shape)),
    "bucketize": lambda: torch.bucketize(x, torch.linspace(0, 1, 5)),
    "count_nonzero": lambda: torch.count_nonzero(x, 1),
    "eq": lambda: x == y,
    "equal": lambda: number(torch.equal(x, y)),
    "eye": lambda: torch.eye(3),
    "floor_divide": lambda: torch.floor_divide(x, y),
    "full, new_full": lambda: torch.full((2, 3), 7),
    "full_like": lambda: torch.full_like(x, 7),
    "ge": lambda: x >= y,
    "gt": lambda: x > y,
    "heaviside": lambda: torch.heaviside(x, y),
    "histc": lambda: torch.histc(x, 4, 0, 1),
    "histogram": lambda: torch.histogram(x, 4, range=(0, 1)),
    "isclose": lambda: torch.isclose(x, y),
    "isfinite": lambda: torch.isfinite(x),
    "isin": lambda: torch.isin(n, p),
    "isinf": lambda: torch.isinf(x),
    "isnan": lambda: torch.isnan(x),
    "isneginf": lambda: torch.isneginf(x),
    "isposinf": lambda: torch.isposinf(x),
    "item": lambda: x[0, 1],
    "le": lambda: x <= y,
    "linalg.matrix_rank": lambda: torch.linalg.matrix_rank(a),
    "linspace": lambda: torch.linspace(0, 1, 5),
    "logical_and": lambda: torch.logical_and(m, m),
    "logical_not": lambda: torch.logical_not(m),
    "logical_or": lambda: torch.logical_or(m, m),
    "logical_xor": lambda: torch.logical_xor(m, m),
    "logspace": lambda: torch.logspace(0, 1, 5),
    "lt": lambda: x < y,
    "masked.argmax": lambda: torch.masked.argmax(x, 1, mask=m),
    "masked.argmin": lambda: torch.masked.argmin(x, 1, mask=m),
    "ne": lambda: x != y,
    "ones, new_ones": lambda: torch.ones(2, 3),
    "ones_like": lambda: torch.ones_like(x),
    "scalar_tensor": lambda: torch.scalar_tensor(3),
    "searchsorted": lambda: torch.searchsorted(torch.linspace(0, 1, 5), x, right=True),
    "signal.windows.hamming": lambda: torch.signal.windows.hamming(8),
    "signal.windows.hann": lambda: torch.signal.windows.hann(8),
    "signbit": lambda: torch.signbit(x),
    "tril_indices": lambda: torch.tril_indices(3, 3),
    "triu_indices": lambda: torch.triu_indices(3, 3),
    "unique": lambda: torch.unique(n),
    "unravel_index": lambda: torch.unravel_index(n, (3, 4)),
    "zeros, new_zeros": lambda: torch.zeros(2, 3),
    "zeros_like": lambda: torch.zeros_like(x),
    "nn.Bilinear": lambda: F.bilinear(series[:, :, 0], series[:, :, 1], torch.ones(5, 4, 4)),
    "nn.BatchNorm1d": lambda: nn.BatchNorm1d(4)(series),
    "nn.BatchNorm2d": lambda: nn.BatchNorm2d(4)(image),
    "nn.BatchNorm3d": lambda: nn.BatchNorm3d(4)(volume),
    "nn.InstanceNorm1d": lambda: nn.InstanceNorm1d(4)(series),
    "nn.InstanceNorm2d": lambda: nn.InstanceNorm2d(4)(image),
    "nn.InstanceNorm3d": lambda: nn.InstanceNorm3d(4)(volume),
    "nn.LayerNorm": lambda: nn.LayerNorm(3)(x),
    "nn.GroupNorm": lambda: nn.GroupNorm(2, 4)(image),
    "nn.RMSNorm": lambda: nn.RMSNorm(3, eps=torch.finfo(torch.float32).eps)(x),
    "nn.Flatten": lambda: nn.Flatten()(image),
    "nn.Identity": lambda: x,
    "nn.MaxPool1d": lambda: nn.MaxPool1d(2)(series),
    "nn.MaxPool2d": lambda: nn.MaxPool2d(2)(image),
    "nn.MaxPool3d": lambda: nn.MaxPool3d(2)(volume),
    "nn.AvgPool1d": lambda: nn.AvgPool1d(2)(series),
    "nn.AvgPool2d": lambda: nn.AvgPool2d(2)(image),
    "nn.AvgPool3d": lambda: nn.AvgPool3d(2)(volume),
    "nn.LPPool1d": lambda: nn.LPPool1d(3, 2)(series.abs()),
    "nn.LPPool2d": lambda: nn.LPPool2d(3, 2)(image.abs()),
    "nn.LPPool3d": lambda: nn.LPPool3d(3, 2)(volume.abs()),
    "nn.AdaptiveAvgPool1d": lambda: nn.AdaptiveAvgPool1d(3)(series),
    "nn.AdaptiveAvgPool2d": lambda: nn.AdaptiveAvgPool2d(3)(image),
    "nn.AdaptiveAvgPool3d": lambda: nn.AdaptiveAvgPool3d(3)(volume),
    "nn.AdaptiveMaxPool1d": lambda: nn.AdaptiveMaxPool1d(3)(series),
    "nn.AdaptiveMaxPool2d": lambda: nn.AdaptiveMaxPool2d(3)(image),
    "nn.AdaptiveMaxPool3d": lambda: nn.AdaptiveMaxPool3d(3)(volume),
    "nn.Upsample, nn.UpsamplingNearest2d": lambda: nn.Upsample(scale_factor=2)(image),
    "nn.UpsamplingBilinear2d": lambda: nn.UpsamplingBilinear2d(scale_factor=2)(image),
    "nn.PixelShuffle": lambda: nn.PixelShuffle(2)(image),
    "nn.PixelUnshuffle": lambda: nn.PixelUnshuffle(2)(image),
    "nn.Unfold": lambda: nn.Unfold(2)(image),
    "nn.Fold": lambda: nn.Fold(6, 2)(nn.Unfold(2)(image)),
    "nn.Unflatten": lambda: nn.Unflatten(1, (2, 2))(image),
    "nn.ZeroPad1d, nn.ConstantPad1d": lambda: nn.ZeroPad1d((1, 2))(series),
    "nn.ZeroPad2d, nn.ConstantPad2d": lambda: nn.ZeroPad2d(1)(image),
    "nn.ReflectionPad1d": lambda: nn.ReflectionPad1d((1, 2))(series),
    "nn.ReplicationPad1d": lambda: nn.ReplicationPad1d((1, 2))(series),
    "nn.CircularPad1d": lambda: nn.CircularPad1d((1, 2))(series),
    "nn.ReLU": lambda: nn.ReLU()(x - 0.5),
    "nn.Tanh": lambda: nn.Tanh()(x),
    "nn.Sigmoid": lambda: nn.Sigmoid()(x),
    "nn.Softplus": lambda: nn.Softplus()(x),
    "nn.GELU": lambda: nn.GELU()(x),
    "nn.SiLU": lambda: nn.SiLU()(x),
    "nn.LogSigmoid": lambda: nn.LogSigmoid()(x),
    "nn.LeakyReLU": lambda: nn.LeakyReLU(0.1)(x - 0.5),
    "nn.ELU": lambda: nn.ELU()(x - 0.5),
    "nn.PReLU": lambda: nn.PReLU()(x - 0.5),
    "nn.BCELoss": lambda: nn.BCELoss()(x, y),
    "nn.BCEWithLogitsLoss": lambda: nn.BCEWithLogitsLoss()(x, y),
    "nn.CTCLoss": lambda: nn.CTCLoss()(series.permute(2, 0, 1).log_softmax(2), torch.tensor([[1, 3, 2], [2, 1, 3]]), torch.tensor([8, 8]), torch.tensor([3, 2])),
    "nn.CosineEmbeddingLoss": lambda: nn.CosineEmbeddingLoss()(x, y, torch.tensor([1, -1])),
    "nn.CosineSimilarity": lambda: nn.CosineSimilarity()(x, y),
    "nn.CrossEntropyLoss": lambda: nn.CrossEntropyLoss()(x, labels),
    "nn.GaussianNLLLoss": lambda: nn.GaussianNLLLoss()(x, y, x),
    "nn.HingeEmbeddingLoss": lambda: nn.HingeEmbeddingLoss()(v, sg),
    "nn.HuberLoss": lambda: nn.HuberLoss()(x, y),
    "nn.KLDivLoss": lambda: nn.KLDivLoss()(x.log_softmax(1), y.softmax(1)),
    "nn.L1Loss": lambda: nn.L1Loss()(x, y),
    "nn.MSELoss": lambda: nn.MSELoss()(x, y),
    "nn.MarginRankingLoss": lambda: nn.MarginRankingLoss()(v, 2 * v, sg),
    "nn.MultiLabelMarginLoss": lambda: nn.MultiLabelMarginLoss()(x, torch.tensor([[2, -1, 0], [0, 1, -1]])),
    "nn.MultiLabelSoftMarginLoss": lambda: nn.MultiLabelSoftMarginLoss()(x, m.double()),
    "nn.MultiMarginLoss": lambda: nn.MultiMarginLoss()(x, labels),
    "nn.NLLLoss, nn.NLLLoss2d": lambda: nn.NLLLoss()(x.log_softmax(1), labels),
    "nn.PairwiseDistance": lambda: nn.PairwiseDistance()(x, y),
    "nn.PoissonNLLLoss": lambda: nn.PoissonNLLLoss()(x, y),
    "nn.SmoothL1Loss": lambda: nn.SmoothL1Loss()(x, y),
    "nn.SoftMarginLoss": lambda: nn.SoftMarginLoss()(x, torch.where(m, 1.0, -1.0)),
    "nn.TripletMarginLoss": lambda: nn.TripletMarginLoss()(x, y, x),
    "nn.utils.rnn.pad_sequence, nn.utils.rnn.pack_sequence": lambda: nn.utils.rnn.pad_sequence([x, torch.ones(4, 3)]),
    "nn.init.constant_": lambda: nn.init.constant_(torch.empty(2, 3), 0.5),
    "nn.init.dirac_": lambda: nn.init.dirac_(torch.empty(3, 3, 3)),
    "nn.init.eye_": lambda: nn.init.eye_(torch.empty(2, 3)),
    "nn.init.ones_": lambda: nn.init.ones_(torch.empty(2, 3)),
    "nn.init.zeros_": lambda: nn.init.zeros_(torch.empty(2, 3)),
    "nn.init.calculate_gain": lambda: number(nn.init.calculate_gain("tanh")),
    "distributions.Bernoulli": lambda: D.Bernoulli(x).log_prob(m.double()),
    "distributions.Beta": lambda: D.Beta(x, y).log_prob(x),
    "distributions.Categorical": lambda: D.Categorical(x).log_prob(labels),
    "distributions.Chi2": lambda: D.Chi2(x).log_prob(y),
    "distributions.Dirichlet": lambda: D.Dirichlet(x).log_prob(y.softmax(1)),
    "distributions.Exponential": lambda: D.Exponential(x).log_prob(y),
    "distributions.Gamma": lambda: D.Gamma(x, y).log_prob(x),
    "distributions.Independent": lambda: D.Independent(D.Normal(x, y), 1).log_prob(x),
    "distributions.Laplace": lambda: D.Laplace(x, y).log_prob(y),
    "distributions.LogNormal": lambda: D.LogNormal(x, y).log_prob(y),
    "distributions.MixtureSameFamily": lambda: D.MixtureSameFamily(D.Categorical(v), D.Normal(v, v)).log_prob(torch.tensor([0.5, 1])),
    "distributions.MultivariateNormal": lambda: D.MultivariateNormal(v, a).log_prob(x),
    "distributions.Normal": lambda: D.Normal(x, y).log_prob(y),
    "distributions.OneHotCategorical": lambda: D.OneHotCategorical(x).log_prob(F.one_hot(labels, 3).double()),
    "distributions.Poisson": lambda: D.Poisson(x).log_prob(m.double()),
    "distributions.StudentT": lambda: D.StudentT(x, x, y).log_prob(y),
    "distributions.Uniform": lambda: D.Uniform(torch.zeros(2, 3), torch.ones(2, 3)).log_prob(x),
    "distributions.kl_divergence": lambda: D.kl_divergence(D.Gamma(x, y), D.Gamma(y, x)),
    "optim.ASGD": lambda: lr_of(torch.optim.ASGD),
    "optim.Adadelta": lambda: lr_of(torch.optim.Adadelta),
    "optim.Adagrad": lambda: lr_of(torch.optim.Adagrad),
    "optim.Adam": lambda: lr_of(torch.optim.Adam),
    "optim.AdamW": lambda: lr_of(torch.optim.AdamW),
    "optim.Adamax": lambda: lr_of(torch.optim.Adamax),
    "optim.LBFGS": lambda: lr_of(torch.optim.LBFGS),
    "optim.NAdam": lambda: lr_of(torch.optim.NAdam),
    "optim.RAdam": lambda: lr_of(torch.optim.RAdam),
    "optim.RMSprop": lambda: lr_of(torch.optim.RMSprop),
    "optim.Rprop": lambda: lr_of(torch.optim.Rprop),
    "optim.SGD": lambda: lr_of(torch.optim.SGD, lr=0.1),
    "optim.lr_scheduler.ConstantLR": lambda: factors(lr_scheduler.ConstantLR),
    "optim.lr_scheduler.CosineAnnealingLR": lambda: factors(lambda o: lr_scheduler.CosineAnnealingLR(o, 6)),
    "optim.lr_scheduler.CosineAnnealingWarmRestarts": lambda: factors(lambda o: lr_scheduler.CosineAnnealingWarmRestarts(o, 3)),
    "optim.lr_scheduler.CyclicLR": lambda: factors(lambda o: lr_scheduler.CyclicLR(o, 1, 10, 2, cycle_momentum=False)),
    "optim.lr_scheduler.ExponentialLR": lambda: factors(lambda o: lr_scheduler.ExponentialLR(o, 0.9)),
    "optim.lr_scheduler.LambdaLR": lambda: factors(lambda o: lr_scheduler.LambdaLR(o, lambda step: 0.95**step)),
    "optim.lr_scheduler.LinearLR": lambda: factors(lr_scheduler.LinearLR),
    "optim.lr_scheduler.MultiStepLR": lambda: factors(lambda o: lr_scheduler.MultiStepLR(o, [2, 4])),
    "optim.lr_scheduler.MultiplicativeLR": lambda: factors(lambda o: lr_scheduler.MultiplicativeLR(o, lambda _: 0.95)),
    "optim.lr_scheduler.PolynomialLR": lambda: factors(lambda o: lr_scheduler.PolynomialLR(o, 5, 2)),
    "optim.lr_scheduler.SequentialLR": lambda: factors(lambda o: lr_scheduler.SequentialLR(o, [lr_scheduler.LinearLR(o, 0.5, total_iters=2), lr_scheduler.ExponentialLR(o, 0.9)], [2])),
    "optim.lr_scheduler.ChainedScheduler": lambda: factors(lambda o: lr_scheduler.ChainedScheduler([lr_scheduler.LinearLR(o), lr_scheduler.ExponentialLR(o, 0.9)])),
    "optim.lr_scheduler.StepLR": lambda: factors(lambda o: lr_scheduler.StepLR(o, 2)),
    "optim.lr_scheduler.OneCycleLR": lambda: factors(lambda o: lr_scheduler.OneCycleLR(o, 1.0, 7, cycle_momentum=False)),
    "autograd.grad": lambda: 3 * x**2,
    "autograd.functional.hvp, autograd.functional.vhp": lambda: torch.autograd.functional.hvp(f, v, v)[1],
    "autograd.functional.jacobian, func.jacrev": lambda: torch.func.jacrev(f)(v),
    "func.jacfwd": lambda: torch.func.jacfwd(f)(v),
    "autograd.functional.hessian, func.hessian": lambda: torch.func.hessian(f)(v),
    "autograd.functional.jvp, func.jvp": lambda: torch.func.jvp(f, (v,), (v,))[1],
    "autograd.functional.vjp, func.vjp": lambda: torch.func.vjp(f, v)[1](torch.ones(())),
    "func.linearize": lambda: torch.func.linearize(f, v)[1](v),
    "func.grad": lambda: torch.func.grad(f)(v),
    "func.grad_and_value": lambda: torch.func.grad_and_value(f)(v)[1],
    "func.vmap": lambda: torch.func.vmap(f)(x),
    "func.functional_call": lambda: torch.func.functional_call(nn.Linear(3, 2), {"weight": torch.ones(2, 3), "bias": torch.zeros(2)}, (x,)),
    "utils.checkpoint.checkpoint": lambda: f(v),
    "autograd.Function": lambda: v**3,
    "autograd.gradcheck, autograd.gradgradcheck": lambda: number(1),
    "autograd.backward": lambda: 3 * x**2,
    "jit.trace, compile": lambda: v.exp() * v,
    "utils.data.DataLoader": lambda: x,
    "utils.data.ConcatDataset": lambda: torch.cat([x, x]),
    "utils.data.TensorDataset": lambda: x,
    "utils.data.Subset": lambda: x[1],
    "utils.data.SequentialSampler": lambda: torch.arange(2),
}

# Some roundings of float32, of sums of a few hundred terms.
sys.exit(pytorch_compare.compare(results, expected, rtol=1e-5, atol=1e-6))
