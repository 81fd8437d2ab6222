"""What the steps' Python expressions use beside PyTorch; see prelude.h for what each is."""
import torch
import torch.nn.attention
import torch.nn.grad


def identity(a):
    return torch.eye(a.shape[-1], dtype=a.dtype)


def regular(a):
    return a * 0.3 + identity(a) * 2


def spd(a):
    places = torch.arange(a.shape[-1], dtype=a.dtype)
    return (a + a.mT) * 0.2 + torch.diag(places * 2.7 + 1.5)


def fit(x, shape, first):
    size = 1
    for each in shape:
        size *= each
    places = torch.remainder(torch.arange(size) * 5 + first, x.numel())
    return x.reshape(-1)[places].reshape(shape)


def weighted(x, first):
    places = torch.arange(x.numel(), dtype=torch.float64)
    return torch.sum(x * torch.cos(places + first).reshape(x.shape))


def numbers(z):
    return torch.view_as_complex(z.contiguous())


def pairs(z):
    return torch.view_as_real(z.resolve_conj())


def segment(x, ids, segments, how):
    rows = ids.reshape([-1] + [1] * (x.dim() - 1)).expand(x.shape)
    into = torch.zeros([segments] + list(x.shape[1:]), dtype=x.dtype)
    if how == "sum":
        return into.scatter_add(0, rows, x)
    if how == "mean":
        counts = torch.bincount(ids, minlength=segments).clamp(min=1)
        return into.scatter_add(0, rows, x) / counts.reshape([-1] + [1] * (x.dim() - 1))
    return into.scatter_reduce(0, rows, x, how, include_self=False)


def lu_of(a):
    return torch.linalg.lu(a)


def qr_of(a):
    """With a diagonal of r that is not negative."""
    q, r = torch.linalg.qr(a)
    signs = torch.sign(torch.diagonal(r))
    return q * signs, r * signs[:, None]


def attention(q, k, v, **options):
    """By the one of PyTorch's ways that has second derivatives."""
    with torch.nn.attention.sdpa_kernel(torch.nn.attention.SDPBackend.MATH):
        return torch.nn.functional.scaled_dot_product_attention(q, k, v, **options)


def environment():
    """The names that an expression may use."""
    names = dict(vars(torch))
    names.update(F=torch.nn.functional, L=torch.linalg, S=torch.special, grad=torch.nn.grad)
    names.update({name: value for name, value in globals().items() if callable(value)})
    names.update(int=int, list=list, len=len, range=range, nan=float("nan"), inf=float("inf"))
    return names
