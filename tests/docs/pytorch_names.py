# Compares what the expressions of pytorch_names.def give with what PyTorch gives for the names beside them.
# usage: python pytorch_names.py FILE
#
# FILE is written by tests/docs/pytorch_names_test.cpp: a line for each operand, "operand NAME SIZES : ELEMENTS", and
# for each expression that gives one tensor, "result NAMES : ELEMENTS". Prints each difference, and how many were
# compared. Draws, factors of other signs (qr, svd) and what PyTorch cannot say in a line are not compared.
import math
import os
import re
import sys

import torch
import torch.nn.functional as F

torch.set_default_dtype(torch.float64)

operands, results = {}, {}
for line in open(sys.argv[1]):
    head, numbers = line.rsplit(" :", 1)
    elements = torch.tensor([float(number) for number in numbers.split()])
    kind, rest = head.split(" ", 1)
    if kind == "operand":
        name, *sizes = rest.split()
        operands[name] = elements.reshape([int(size) for size in sizes])
    else:
        results[rest] = elements

x, y, u, v, a, b, t, series, image, volume = (operands[n] for n in "x y u v a b t series image volume".split())
m = operands["m"].bool()
i, labels, k = (operands[n].long() for n in ("i", "labels", "k"))
sg = torch.tensor([1, -1, 1])
inf = math.inf
z, pairs = torch.complex(x, y), torch.view_as_real

expected = {
    "angle": lambda: torch.angle(x),
    "deg2rad": lambda: torch.deg2rad(x),
    "frexp": lambda: torch.frexp(x)[0],
    "mvlgamma": lambda: torch.mvlgamma(x + 2, 2),
    "rad2deg": lambda: torch.rad2deg(x),
    "fft.fft": lambda: pairs(torch.fft.fft(z)),
    "fft.ifft": lambda: pairs(torch.fft.ifft(z)),
    "fft.rfft": lambda: pairs(torch.fft.rfft(x)),
    "fft.irfft": lambda: torch.fft.irfft(z, 5),
    "fft.fft2": lambda: pairs(torch.fft.fft2(z)),
    "fft.ifft2": lambda: pairs(torch.fft.ifft2(z)),
    "fft.rfft2": lambda: pairs(torch.fft.rfft2(x)),
    "fft.irfft2": lambda: torch.fft.irfft2(z),
    "fft.fftn": lambda: pairs(torch.fft.fftn(z, norm="ortho")),
    "fft.ifftn": lambda: pairs(torch.fft.ifftn(z)),
    "fft.rfftn": lambda: pairs(torch.fft.rfftn(x)),
    "fft.irfftn": lambda: torch.fft.irfftn(z),
    "fft.fftshift": lambda: torch.fft.fftshift(x),
    "fft.ifftshift": lambda: torch.fft.ifftshift(x),
    "fft.hfft": lambda: torch.fft.hfft(z),
    "fft.ihfft": lambda: pairs(torch.fft.ihfft(x).resolve_conj()),
    "stft": lambda: pairs(torch.stft(series[:, 0], 4, window=torch.ones(4), return_complex=True)),
    "istft": lambda: torch.istft(torch.stft(series[:, 0], 4, window=torch.ones(4), return_complex=True), 4, window=torch.ones(4)),
    "special.entr": lambda: torch.special.entr(x),
    "special.i0e": lambda: torch.special.i0e(x),
    "special.i1e": lambda: torch.special.i1e(x),
    "special.ndtr": lambda: torch.special.ndtr(x),
    "special.ndtri": lambda: torch.special.ndtri(x),
    "special.log_ndtr": lambda: torch.special.log_ndtr(x),
    "special.erfcx": lambda: torch.special.erfcx(x),
    "logit": lambda: torch.logit(x),
    "sinc": lambda: torch.sinc(x),
    "polygamma, special.polygamma": lambda: torch.polygamma(1, x),
    "addcdiv": lambda: torch.addcdiv(x, y, x + 1, value=0.5),
    "addcmul": lambda: torch.addcmul(x, y, x, value=0.5),
    "float_power": lambda: torch.float_power(x, 2),
    "ldexp": lambda: torch.ldexp(x, y),
    "logaddexp2": lambda: torch.logaddexp2(x, y),
    "lerp": lambda: torch.lerp(x, y, 0.3),
    "remainder, __rmod__": lambda: torch.remainder(x, y),
    "fmod": lambda: torch.fmod(x, y),
    "copysign": lambda: torch.copysign(x, y),
    "corrcoef": lambda: torch.corrcoef(x),
    "cov": lambda: torch.cov(x),
    "cumulative_trapezoid": lambda: torch.cumulative_trapezoid(x),
    "dist": lambda: torch.dist(x, y),
    "kthvalue": lambda: torch.kthvalue(x, 1, 1)[0],
    "linalg.norm, linalg.vector_norm, norm": lambda: torch.linalg.vector_norm(x, 3, 1),
    "masked.amax": lambda: x[m].amax(),
    "masked.amin": lambda: x[m].amin(),
    "masked.cumprod": lambda: torch.where(m, x, 1.0).cumprod(1),
    "masked.log_softmax": lambda: torch.where(m, x, -inf).log_softmax(1),
    "masked.mean": lambda: x[m].mean(),
    "masked.median": lambda: x[m].median(),
    "masked.norm, masked.normalize": lambda: x[m].norm(),
    "masked.prod": lambda: x[m].prod(),
    "masked.softmax": lambda: torch.where(m, x, -inf).softmax(1),
    "masked.softmin": lambda: torch.where(m, -x, -inf).softmax(1),
    "masked.std, masked.var": lambda: x[m].var(),
    "masked.sum": lambda: x[m].sum(),
    "max": lambda: x.max(1)[0],
    "median": lambda: x.median(1)[0],
    "mode": lambda: x.mode(1)[0],
    "msort": lambda: torch.msort(x),
    "nanmean": lambda: x.nanmean(),
    "nanmedian": lambda: x.nanmedian(),
    "nanquantile": lambda: torch.nanquantile(x, 0.3),
    "nansum": lambda: x.nansum(),
    "quantile": lambda: x.quantile(0.3, 1),
    "renorm": lambda: torch.renorm(x, 2, 0, 1.0),
    "std": lambda: x.std(1),
    "topk": lambda: x.topk(2)[0],
    "trapezoid, trapz": lambda: torch.trapezoid(x),
    "var": lambda: x.var(1),
    "as_strided_scatter, index_put, put, _unsafe_masked_index_put_accumulate": lambda: x.scatter(1, k, y),
    "block_diag": lambda: torch.block_diag(a, torch.ones(2, 2)),
    "column_stack, dstack, stack": lambda: torch.stack([x, y], 1),
    "combinations": lambda: torch.combinations(v),
    "constant_pad_nd": lambda: F.pad(x, (1, 2)),
    "diagonal_scatter": lambda: a.diagonal_scatter(v),
    "diff": lambda: x.diff(),
    "gradient, of inner points": lambda: torch.gradient(v)[0][1:-1],
    "index_add": lambda: x.index_add(0, i, y),
    "index_copy": lambda: x.index_copy(0, i, y),
    "index_fill": lambda: x.index_fill(0, i, 2.0),
    "index_reduce": lambda: x.index_reduce(0, torch.tensor([0, 0]), y, 'amax'),
    "masked_scatter": lambda: x.masked_scatter(m, y),
    "masked_select": lambda: x[m],
    "nn.functional.one_hot": lambda: F.one_hot(labels, 3),
    "nn.functional.pad": lambda: F.pad(x[None], (1, 2), mode='reflect')[0],
    "rot90": lambda: torch.rot90(x),
    "scatter_reduce": lambda: x.scatter_reduce(1, k, y, 'amax'),
    "select_scatter": lambda: x.select_scatter(i.double(), 1, 0),
    "slice_scatter": lambda: x.slice_scatter(y[:, 1:], 1, 1),
    "take": lambda: x.take(k),
    "unfold": lambda: x.unfold(1, 2, 1),
    "repeat_interleave": lambda: x.repeat_interleave(2, 0),
    "addbmm": lambda: torch.addbmm(a, t, t),
    "baddbmm": lambda: torch.baddbmm(t, t, t),
    "addr": lambda: torch.addr(a, u, v),
    "cdist, nn.functional.pdist": lambda: torch.cdist(x, y),
    "cholesky_inverse": lambda: torch.cholesky_inverse(torch.linalg.cholesky(a)),
    "linalg.cond": lambda: torch.linalg.cond(a),
    "linalg.matrix_sqrth": lambda: torch.linalg.matrix_sqrth(a),
    "linalg.slogdet, logdet": lambda: torch.logdet(a),
    "linalg.vander": lambda: torch.linalg.vander(v),
    "pca_lowrank, svd_lowrank": lambda: torch.linalg.svdvals(x - x.mean(0, keepdim=True)),
    "tensordot": lambda: torch.tensordot(a, b, 1),
    "linalg.matrix_norm": lambda: torch.linalg.matrix_norm(a, 'nuc'),
    "linalg.lstsq": lambda: torch.linalg.lstsq(a, b)[0],
    "matrix_exp": lambda: torch.matrix_exp(a),
    "kron": lambda: torch.kron(x, y),
    "cross, linalg.cross": lambda: torch.linalg.cross(u, v),
    "nn.functional.glu": lambda: F.glu(t[..., :2], -1),
    "nn.functional.softmin": lambda: F.softmin(x, 1),
    "nn.functional.prelu": lambda: torch.where(x >= 0, x, v * x),
    "nn.functional.threshold": lambda: F.threshold(x, 0.5, 0.0),
    "nn.functional.hardshrink": lambda: F.hardshrink(x),
    "nn.functional.mish": lambda: F.mish(x),
    "nn.functional.gelu": lambda: F.gelu(x),
    "nn.functional.batch_norm, native_batch_norm, _native_batch_norm_legit, _batch_norm_with_update": lambda: F.batch_norm(image, None, None, training=True),
    "nn.functional.bilinear": lambda: F.bilinear(x, y, t),
    "nn.functional.channel_shuffle": lambda: F.channel_shuffle(image, 2),
    "nn.functional.ctc_loss": lambda: F.ctc_loss(series.permute(2, 0, 1).log_softmax(2), k + 1, torch.tensor([8, 8]), torch.tensor([3, 2])),
    "nn.functional.embedding_bag": lambda: a[i].sum(0, keepdim=True),
    "nn.functional.group_norm, native_group_norm": lambda: F.group_norm(image, 2),
    "nn.functional.instance_norm": lambda: F.instance_norm(image),
    "nn.functional.layer_norm, native_layer_norm": lambda: F.layer_norm(x, (3,)),
    "nn.functional.linear": lambda: F.linear(x, a, v),
    "nn.functional.local_response_norm": lambda: F.local_response_norm(series, 3, alpha=0.0001, beta=0.75, k=1.0),
    "nn.functional.normalize": lambda: F.normalize(x),
    "nn.functional.rms_norm": lambda: F.rms_norm(x, (3,)),
    "nn.functional.scaled_dot_product_attention, and the names in torch.ops.aten with attention": lambda: F.scaled_dot_product_attention(series, series, series),
    "nn.functional.adaptive_avg_pool1d": lambda: F.adaptive_avg_pool1d(series, 3),
    "nn.functional.adaptive_avg_pool2d": lambda: F.adaptive_avg_pool2d(image, 3),
    "nn.functional.adaptive_avg_pool3d": lambda: F.adaptive_avg_pool3d(volume, 3),
    "nn.functional.adaptive_max_pool1d": lambda: F.adaptive_max_pool1d(series, 3),
    "nn.functional.adaptive_max_pool2d": lambda: F.adaptive_max_pool2d(image, 3),
    "nn.functional.adaptive_max_pool3d": lambda: F.adaptive_max_pool3d(volume, 3),
    "nn.functional.avg_pool1d": lambda: F.avg_pool1d(series, 2),
    "nn.functional.avg_pool3d": lambda: F.avg_pool3d(volume, 2),
    "nn.functional.conv1d": lambda: F.conv1d(series, torch.ones(5, 4, 3)),
    "nn.functional.conv3d": lambda: F.conv3d(volume, torch.ones(5, 4, 3, 3, 3)),
    "nn.functional.conv_transpose1d": lambda: F.conv_transpose1d(series, torch.ones(4, 5, 3)),
    "nn.functional.conv_transpose3d": lambda: F.conv_transpose3d(volume, torch.ones(4, 5, 3, 3, 3)),
    "nn.functional.grid_sample, grid_sampler_2d, grid_sampler_3d": lambda: F.grid_sample(image, F.affine_grid(torch.ones(2, 2, 3), (2, 4, 5, 5), align_corners=False), align_corners=False),
    "nn.functional.interpolate, nn.functional.upsample_bilinear, nn.functional.upsample_nearest": lambda: F.interpolate(image, scale_factor=2, mode='bilinear'),
    "nn.functional.max_pool1d": lambda: F.max_pool1d(series, 2),
    "nn.functional.max_pool3d": lambda: F.max_pool3d(volume, 2),
    "nn.functional.max_unpool2d": lambda: F.max_unpool2d(*F.max_pool2d(image, 2, return_indices=True), 2),
    "nn.functional.pixel_shuffle": lambda: F.pixel_shuffle(image, 2),
    "nn.functional.pixel_unshuffle": lambda: F.pixel_unshuffle(image, 2),
    "nn.functional.unfold": lambda: F.unfold(image, 2),
    "nn.functional.cosine_embedding_loss": lambda: F.cosine_embedding_loss(x, y, torch.tensor([1, -1])),
    "nn.functional.gaussian_nll_loss": lambda: F.gaussian_nll_loss(x, y, x),
    "nn.functional.hinge_embedding_loss": lambda: F.hinge_embedding_loss(v, sg),
    "nn.functional.huber_loss": lambda: F.huber_loss(x, y),
    "nn.functional.kl_div": lambda: F.kl_div(x.log_softmax(1), y.softmax(1)),
    "nn.functional.linear_cross_entropy": lambda: F.cross_entropy(x @ a, labels),
    "nn.functional.margin_ranking_loss": lambda: F.margin_ranking_loss(u, v, sg),
    "nn.functional.multi_margin_loss": lambda: F.multi_margin_loss(x, labels),
    "nn.functional.multilabel_soft_margin_loss": lambda: F.multilabel_soft_margin_loss(x, m.double()),
    "nn.functional.poisson_nll_loss": lambda: F.poisson_nll_loss(x, y),
    "nn.functional.soft_margin_loss": lambda: F.soft_margin_loss(x, torch.where(m, 1.0, -1.0)),
    "nn.functional.triplet_margin_loss": lambda: F.triplet_margin_loss(x, y, x),
    "nn.functional.pairwise_distance": lambda: F.pairwise_distance(x, y),
    "nn.functional.triplet_margin_with_distance_loss": lambda: F.triplet_margin_with_distance_loss(x, y, torch.ones_like(x), distance_function=lambda p, q: (p - q).norm(dim=1)),
    "nn.functional.multilabel_margin_loss": lambda: F.multilabel_margin_loss(x, torch.tensor([[2, -1, 0], [0, 1, -1]])),
    "H, T, mH, mT, t, adjoint of real matrices": lambda: x.T,
    "atleast_1d, atleast_2d, atleast_3d": lambda: torch.atleast_2d(v),
    "flip": lambda: torch.flip(x, (1,)),
    "fliplr": lambda: torch.fliplr(x),
    "flipud": lambda: torch.flipud(x),
    "take_along_dim": lambda: torch.take_along_dim(x, k, 1),
    "bmm, matmul, mm, mv, __rmatmul__": lambda: torch.matmul(a, b),
    "linalg.lu_solve, lu_solve, linalg.solve, linalg.solve_ex, linalg.tensorsolve": lambda: torch.linalg.solve(a, b),
    "nn.functional.embedding": lambda: F.embedding(i, a),
    "nn.functional.embedding_bag": lambda: F.embedding_bag(i, a, torch.tensor([0]), mode="sum"),
    "acosh": lambda: torch.acosh(x + 1),
    "clamp": lambda: torch.clamp(x, 0.2, 0.8),
    "neg": lambda: torch.neg(x),
    "add, __radd__": lambda: torch.add(x, y),
    "div, true_divide, __rdiv__": lambda: torch.div(x, y),
    "mul, __rmul__": lambda: torch.mul(x, y),
    "rsub, __rsub__": lambda: torch.rsub(x, 1),
    "sub": lambda: torch.sub(x, y),
    "amax": lambda: torch.amax(x, 1),
    "amin": lambda: torch.amin(x, 1),
    "cummax": lambda: torch.cummax(x, 1).values,
    "cummin": lambda: torch.cummin(x, 1).values,
    "cumprod": lambda: torch.cumprod(x, 1),
    "cumsum": lambda: torch.cumsum(x, 1),
    "logcumsumexp": lambda: torch.logcumsumexp(x, 1),
    "logsumexp": lambda: torch.logsumexp(x, 1),
    "masked.cumsum": lambda: torch.masked.cumsum(x, 1, mask=m),
    "masked.logsumexp, masked.logaddexp": lambda: torch.masked.logsumexp(x, (0, 1), mask=m),
    "mean": lambda: torch.mean(x, 1),
    "min": lambda: torch.min(x, 1).values,
    "prod": lambda: torch.prod(x, 1),
    "sort": lambda: torch.sort(x, 1).values,
    "sum, sum_to_size": lambda: torch.sum(x, 1),
    "var_mean": lambda: torch.var_mean(x, 1)[0],
    "__getitem__": lambda: x[0],
    "_unsafe_masked_index": lambda: torch.where(m, torch.gather(x, 1, k), 0),
    "broadcast_tensors, broadcast_to, expand, expand_as": lambda: torch.broadcast_to(v, (2, 3)),
    "cat": lambda: torch.cat([x, y], 1),
    "hstack, vstack": lambda: torch.vstack([x, y]),
    "narrow, slice": lambda: torch.narrow(x, 1, 1, 2),
    "permute": lambda: torch.permute(x, (1, 0)),
    "repeat": lambda: x.repeat(2, 1),
    "reshape, reshape_as, view, view_as, unflatten": lambda: torch.reshape(x, (3, 2)),
    "tile": lambda: torch.tile(x, (2, 1)),
    "addmm": lambda: torch.addmm(a, a, a),
    "addmv": lambda: torch.addmv(v, a, v),
    "cholesky_solve": lambda: torch.cholesky_solve(b, torch.linalg.cholesky(a)),
    "einsum": lambda: torch.einsum("ij,kj->ik", x, y),
    "linalg.eigh": lambda: torch.linalg.eigh(a).eigenvalues,
    "linalg.lu, lu, linalg.lu_factor, linalg.lu_factor_ex, lu_unpack": lambda: torch.linalg.lu(a).L,
    "linalg.multi_dot": lambda: torch.linalg.multi_dot([a, a, b]),
    "linalg.qr": lambda: torch.linalg.qr(a).Q * torch.linalg.qr(a).R.diagonal().sign(),
    "linalg.solve_triangular, triangular_solve": lambda: torch.linalg.solve_triangular(torch.linalg.cholesky(a), b, upper=False),
    "linalg.svd, svd": lambda: torch.linalg.svd(a).S,
    "linalg.vecdot": lambda: torch.linalg.vecdot(x, y),
    "nn.functional.avg_pool2d": lambda: F.avg_pool2d(image, 2),
    "nn.functional.conv2d": lambda: F.conv2d(image, torch.ones(5, 4, 3, 3)),
    "nn.functional.conv_transpose2d": lambda: F.conv_transpose2d(image, torch.ones(4, 5, 3, 3)),
    "nn.functional.max_pool2d, max_pool2d_with_indices_backward": lambda: F.max_pool2d(image, 2),
    "nn.functional.binary_cross_entropy": lambda: F.binary_cross_entropy(x, y),
    "nn.functional.binary_cross_entropy_with_logits": lambda: F.binary_cross_entropy_with_logits(x, y),
    "nn.functional.cosine_similarity": lambda: F.cosine_similarity(x, y),
    "nn.functional.cross_entropy": lambda: F.cross_entropy(x, labels),
    "nn.functional.l1_loss": lambda: F.l1_loss(x, y),
    "nn.functional.mse_loss": lambda: F.mse_loss(x, y),
    "nn.functional.nll_loss": lambda: F.nll_loss(x.log_softmax(1), labels),
    "nn.functional.smooth_l1_loss": lambda: F.smooth_l1_loss(x, y),
}


def by_the_name(names, arguments):
    """What PyTorch's function of the first of the names gives, or None where it takes other arguments."""
    function = torch
    for part in names.split(",")[0].split("."):
        function = getattr(function, part, None)
    if not callable(function):
        return None
    values = [{"labels": labels, "i": i, "k": k, "m": m}.get(text, operands.get(text)) for text in arguments]
    values = [float(text) if value is None and "." in text else int(text) if value is None else value
              for text, value in zip(arguments, values)]
    try:
        given = function(*values)
    except (TypeError, RuntimeError):
        return None
    return (lambda: given) if isinstance(given, torch.Tensor) else None


# Where the expression is a call with operands and numbers alone, PyTorch's is the same one.
plain = re.compile(r'PYTORCH_NAME\("([^"]+)", \w+\((\w+(?:, -?[\w.]+)*)\)\)')
with open(os.path.join(os.path.dirname(__file__), "pytorch_names.def")) as table:
    for names, arguments in plain.findall(table.read()):
        if names in expected or names not in results:
            continue
        call = by_the_name(names, arguments.split(", "))
        if call:
            expected[names] = call
        else:
            print(f"{names}: PyTorch's takes other arguments, and is not compared")

compared = different = 0
for names, expression in expected.items():
    found, wanted = results.get(names), expression().double().reshape(-1)
    compared += 1
    if found is None or found.shape != wanted.shape or not torch.allclose(found, wanted, rtol=1e-6, atol=1e-8):
        different += 1
        print(f"{names}: {found} here, {wanted} in PyTorch")
print(f"{compared} compared, {different} differ")
sys.exit(different != 0)
