# bench/peers/torch_work.py -- the workloads of src/bench in PyTorch, in its several forms.
#
# eager: autograd and an optimiser of torch.optim.  func: torch.func, gradient and Adam as
# one function.  compiled: that function, or the eager loss, through torch.compile.
import math

import torch
import torch.nn.functional as F
from torch.func import functional_call, grad, grad_and_value, vmap

SETS = 4  # as many sets of data as perdure goes through


def start(threads):
    torch.set_num_threads(threads)
    torch.manual_seed(1)
    return "PyTorch %s" % torch.__version__


def ring(make):
    return [make() for _ in range(SETS)]


def cycle(step, data):
    """n steps over the ring of data."""

    def run(n):
        for i in range(n):
            step(*data[i % SETS])

    return run


# ---- optimisers as functions ------------------------------------------------------------


def adam(theta, g, state, rate=1e-3, b1=0.9, b2=0.999, eps=1e-8):
    t = state["t"] + 1
    out, m, v = {}, {}, {}
    c1, c2 = 1 - b1**t, torch.sqrt(1 - b2**t)
    for k in theta:
        m[k] = b1 * state["m"][k] + (1 - b1) * g[k]
        v[k] = b2 * state["v"][k] + (1 - b2) * g[k] * g[k]
        out[k] = theta[k] - rate * (m[k] / c1) / (v[k].sqrt() / c2 + eps)
    return out, {"t": t, "m": m, "v": v}


def adam_start(theta):
    zeros = {k: torch.zeros_like(v) for k, v in theta.items()}
    return {"t": torch.zeros(()), "m": zeros, "v": dict(zeros)}


def sgd(theta, g, state, rate=0.01):
    return {k: theta[k] - rate * g[k] for k in theta}, state


# ---- a training step in every form --------------------------------------------------------


def eager(model, loss_of, data, optimizer):
    def step(*batch):
        optimizer.zero_grad()
        loss_of(model, *batch).backward()
        optimizer.step()

    return cycle(step, data)


def functional(model, loss_of, data, update, state, compiled):
    theta = {k: v.detach() for k, v in model.named_parameters()}

    def pure(theta, state, *batch):
        def loss(p):
            return loss_of(lambda *a: functional_call(model, p, a), *batch)

        g, value = grad_and_value(loss)(theta)
        return (*update(theta, g, state), value)

    fn = torch.compile(pure) if compiled else pure
    held = [theta, state(theta)]

    def step(*batch):
        with torch.no_grad():
            held[0], held[1], _ = fn(held[0], held[1], *batch)

    return cycle(step, data)


def forms(make_model, loss_of, make_data, is_adam=True):
    """Each a function that makes model and data and returns run(n)."""

    def optimizer(model, fused):
        kind = torch.optim.Adam if is_adam else torch.optim.SGD
        return kind(model.parameters(), lr=1e-3 if is_adam else 0.01, **fused)

    def plain(**fused):
        model = make_model()
        return eager(model, loss_of, ring(make_data), optimizer(model, fused))

    def half():
        model = make_model()
        fn = torch.compile(lambda *b: loss_of(model, *b))
        fused = optimizer(model, {"fused": True})
        return eager(model, lambda _, *b: fn(*b), ring(make_data), fused)

    def pure(compiled):
        update, state = (adam, adam_start) if is_adam else (sgd, lambda _: {})
        return functional(make_model(), loss_of, ring(make_data), update, state, compiled)

    return {
        "eager": plain,
        "eager-foreach": lambda: plain(foreach=True),
        "eager-fused": lambda: plain(fused=True),
        "compiled": half,
        "func": lambda: pure(False),
        "func-compiled": lambda: pure(True),
    }


# ---- multi-layer perceptrons ----------------------------------------------------------------


def mlp(batch, *sizes):
    def model():
        layers = []
        for a, b in zip(sizes, sizes[1:]):
            layers += [torch.nn.Linear(a, b), torch.nn.ReLU()]
        return torch.nn.Sequential(*layers[:-1])

    def data():
        return torch.rand(batch, sizes[0]), torch.randint(sizes[-1], (batch,))

    return model, lambda m, x, y: F.cross_entropy(m(x), y), data


# ---- MAML on sinusoids ------------------------------------------------------------------------

TASKS, POINTS, WIDTH, ALPHA = 25, 10, 40, 0.01


def waves():
    a = 0.1 + 4.9 * torch.rand(TASKS, 1, 1)
    phase = math.pi * torch.rand(TASKS, 1, 1)
    xs, xq = (10 * torch.rand(TASKS, POINTS, 1) - 5 for _ in range(2))
    return xs, a * torch.sin(xs + phase), xq, a * torch.sin(xq + phase)


def wave_theta():
    sizes = [1, WIDTH, WIDTH, 1]
    theta = {}
    for i, (a, b) in enumerate(zip(sizes, sizes[1:])):
        theta["w%d" % i] = torch.randn(b, a) * math.sqrt(2 / a)
        theta["b%d" % i] = torch.zeros(b)
    return theta


def wave_net(p, x):
    h = F.relu(F.linear(x, p["w0"], p["b0"]))
    h = F.relu(F.linear(h, p["w1"], p["b1"]))
    return F.linear(h, p["w2"], p["b2"])


def wave_loss(p, x, y):
    return F.mse_loss(wave_net(p, x), y)


def sinusoid_loop(exact):
    """One task after the other, as in most published code."""
    theta = {k: v.requires_grad_() for k, v in wave_theta().items()}
    values = list(theta.values())
    optimizer = torch.optim.Adam(values, lr=1e-3)

    def step(xs, ys, xq, yq):
        optimizer.zero_grad()
        total = 0
        for t in range(TASKS):
            g = torch.autograd.grad(wave_loss(theta, xs[t], ys[t]), values, create_graph=exact)
            adapted = {k: v - ALPHA * d for (k, v), d in zip(theta.items(), g)}
            total = total + wave_loss(adapted, xq[t], yq[t])
        (total / TASKS).backward()
        optimizer.step()

    return cycle(step, ring(waves))


def sinusoid_batched(exact):
    """All tasks at once, by hand: weights get a task axis, products are baddbmm."""
    theta = {k: v.requires_grad_() for k, v in wave_theta().items()}
    optimizer = torch.optim.Adam(list(theta.values()), lr=1e-3, fused=True)

    def net(p, x):
        h = F.relu(torch.baddbmm(p["b0"].unsqueeze(1), x, p["w0"].mT))
        h = F.relu(torch.baddbmm(p["b1"].unsqueeze(1), h, p["w1"].mT))
        return torch.baddbmm(p["b2"].unsqueeze(1), h, p["w2"].mT)

    def loss(p, x, y):
        return ((net(p, x) - y) ** 2).sum() / POINTS  # the sum over tasks

    def step(xs, ys, xq, yq):
        optimizer.zero_grad()
        each = {k: v.expand(TASKS, *v.shape) for k, v in theta.items()}
        g = torch.autograd.grad(loss(each, xs, ys), list(each.values()), create_graph=exact)
        adapted = {k: v - ALPHA * d for (k, v), d in zip(each.items(), g)}
        (loss(adapted, xq, yq) / TASKS).backward()
        optimizer.step()

    return cycle(step, ring(waves))


def sinusoid_func(exact, compiled):
    """vmap over tasks of grad within grad."""

    def task(p, xs, ys, xq, yq):
        g = grad(wave_loss)(p, xs, ys)
        if not exact:
            g = {k: v.detach() for k, v in g.items()}
        return wave_loss({k: p[k] - ALPHA * g[k] for k in p}, xq, yq)

    def meta(p, *data):
        return vmap(task, in_dims=(None, 0, 0, 0, 0))(p, *data).mean()

    def pure(p, state, *data):
        return adam(p, grad(meta)(p, *data), state)

    fn = torch.compile(pure) if compiled else pure
    theta = wave_theta()
    held = [theta, adam_start(theta)]

    def step(*data):
        with torch.no_grad():
            held[0], held[1] = fn(held[0], held[1], *data)

    return cycle(step, ring(waves))


def sinusoid(exact):
    return {
        "loop": lambda: sinusoid_loop(exact),
        "batched": lambda: sinusoid_batched(exact),
        "func": lambda: sinusoid_func(exact, False),
        "func-compiled": lambda: sinusoid_func(exact, True),
    }


# ---- MAML on images ---------------------------------------------------------------------------

IMAGE_TASKS, WAYS, CHANNELS, LAYERS, RATE = 32, 5, 64, 4, 0.4


def images():
    shape = (IMAGE_TASKS, WAYS, 1, 28, 28)
    label = torch.arange(WAYS).repeat(IMAGE_TASKS, 1)
    return torch.rand(shape), label, torch.rand(shape), label


def image_theta():
    theta = {}
    for i in range(LAYERS):
        n = CHANNELS if i else 1
        theta["w%d" % i] = torch.randn(CHANNELS, n, 3, 3) * math.sqrt(2 / (9 * n))
        theta["g%d" % i] = torch.ones(CHANNELS)
        theta["b%d" % i] = torch.zeros(CHANNELS)
    theta["w"] = torch.randn(WAYS, CHANNELS) * math.sqrt(2 / CHANNELS)
    theta["b"] = torch.zeros(WAYS)
    return theta


def image_loss(p, x, y):
    for i in range(LAYERS):
        x = F.conv2d(x, p["w%d" % i], stride=2, padding=1)
        x = F.relu(F.batch_norm(x, None, None, p["g%d" % i], p["b%d" % i], training=True))
    return F.cross_entropy(F.linear(x.mean((2, 3)), p["w"], p["b"]), y)


def image_loop():
    theta = {k: v.requires_grad_() for k, v in image_theta().items()}
    values = list(theta.values())
    optimizer = torch.optim.Adam(values, lr=1e-3, fused=True)

    def step(xs, ys, xq, yq):
        optimizer.zero_grad()
        for t in range(IMAGE_TASKS):  # a task's graph is gone before the next one's is made
            g = torch.autograd.grad(image_loss(theta, xs[t], ys[t]), values, create_graph=True)
            adapted = {k: v - RATE * d for (k, v), d in zip(theta.items(), g)}
            (image_loss(adapted, xq[t], yq[t]) / IMAGE_TASKS).backward()
        optimizer.step()

    return cycle(step, ring(images))


def image_batched(conv):
    """All tasks at once, by hand; conv of x [t, n, c, h, w] with weights [t, o, c, 3, 3]."""
    theta = {k: v.requires_grad_() for k, v in image_theta().items()}
    optimizer = torch.optim.Adam(list(theta.values()), lr=1e-3, fused=True)

    def norm(x, gain, bias):
        d = x - x.mean((1, 3, 4), keepdim=True)
        scale = (d.square().mean((1, 3, 4), keepdim=True) + 1e-5).rsqrt()
        return d * (scale * gain[:, None, :, None, None]) + bias[:, None, :, None, None]

    def loss(p, x, y):
        for i in range(LAYERS):
            x = F.relu(norm(conv(x, p["w%d" % i]), p["g%d" % i], p["b%d" % i]))
        logits = torch.baddbmm(p["b"].unsqueeze(1), x.mean((3, 4)), p["w"].mT)
        return F.cross_entropy(logits.flatten(0, 1), y.flatten(), reduction="sum") / WAYS

    def step(xs, ys, xq, yq):
        optimizer.zero_grad()
        each = {k: v.expand(IMAGE_TASKS, *v.shape) for k, v in theta.items()}
        g = torch.autograd.grad(loss(each, xs, ys), list(each.values()), create_graph=True)
        adapted = {k: v - RATE * d for (k, v), d in zip(each.items(), g)}
        (loss(adapted, xq, yq) / IMAGE_TASKS).backward()
        optimizer.step()

    return cycle(step, ring(images))


def conv_grouped(x, w):
    t, n, c, side, _ = x.shape
    x = x.transpose(0, 1).reshape(n, t * c, side, side)
    y = F.conv2d(x, w.flatten(0, 1), stride=2, padding=1, groups=t)
    return y.unflatten(1, (t, CHANNELS)).transpose(0, 1)


def conv_unfolded(x, w):
    t, n, _, side, _ = x.shape
    half = (side + 1) // 2
    taps = F.unfold(x.flatten(0, 1), 3, stride=2, padding=1).unflatten(0, (t, n))
    y = torch.bmm(w.flatten(2), taps.transpose(1, 2).flatten(2))
    return y.view(t, CHANNELS, n, half, half).transpose(1, 2)


def image_func(compiled):
    def task(p, xs, ys, xq, yq):
        g = grad(image_loss)(p, xs, ys)
        return image_loss({k: p[k] - RATE * g[k] for k in p}, xq, yq)

    def meta(p, *data):
        return vmap(task, in_dims=(None, 0, 0, 0, 0))(p, *data).mean()

    def pure(p, state, *data):
        return adam(p, grad(meta)(p, *data), state)

    fn = torch.compile(pure) if compiled else pure
    theta = image_theta()
    held = [theta, adam_start(theta)]

    def step(*data):
        with torch.no_grad():
            held[0], held[1] = fn(held[0], held[1], *data)

    return cycle(step, ring(images))


# ---- sequences ----------------------------------------------------------------------------------

BATCH, LENGTH, SIZE, CLASSES = 32, 20, 128, 10


class Recurrent(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.lstm = torch.nn.LSTM(SIZE, SIZE, batch_first=True)
        self.head = torch.nn.Linear(SIZE, CLASSES)

    def forward(self, x):
        return self.head(self.lstm(x)[0][:, -1])


class Block(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.norms = torch.nn.ModuleList(torch.nn.LayerNorm(SIZE) for _ in range(2))
        self.all = torch.nn.Linear(SIZE, 3 * SIZE)
        self.out = torch.nn.Linear(SIZE, SIZE)
        self.up, self.down = torch.nn.Linear(SIZE, 4 * SIZE), torch.nn.Linear(4 * SIZE, SIZE)

    def forward(self, x):
        parts = self.all(self.norms[0](x)).unflatten(2, (3, 4, SIZE // 4))
        q, k, v = parts.permute(2, 0, 3, 1, 4)
        heads = F.scaled_dot_product_attention(q, k, v)
        x = x + self.out(heads.transpose(1, 2).flatten(2))
        return x + self.down(F.gelu(self.up(self.norms[1](x))))


class Attention(torch.nn.Module):
    def __init__(self, block):
        super().__init__()
        self.blocks = torch.nn.Sequential(block(), block())
        self.head = torch.nn.Linear(SIZE, CLASSES)

    def forward(self, x):
        return self.head(self.blocks(x).mean(1))


def encoder_layer():
    return torch.nn.TransformerEncoderLayer(
        SIZE, 4, 4 * SIZE, 0.0, F.gelu, batch_first=True, norm_first=True
    )


def sequence(make_model, prefix=""):
    def data():
        return torch.randn(BATCH, LENGTH, SIZE), torch.randint(CLASSES, (BATCH,))

    every = forms(make_model, lambda m, x, y: F.cross_entropy(m(x), y), data)
    return {prefix + k: v for k, v in every.items()}


# ---- products -------------------------------------------------------------------------------


def products(text):
    m, n, k, *batch = (int(d) for d in text.split("x"))

    def run_of(is_nn):
        x, z = torch.rand(*batch, m, k), torch.empty(*batch, m, n)
        y = torch.rand(*batch, k, n) if is_nn else torch.rand(*batch, n, k).mT
        return cycle(lambda: torch.matmul(x, y, out=z), [()] * SETS)

    return {"nt": lambda: run_of(False), "nn": lambda: run_of(True)}


PRODUCTS = ["256x256x256", "1024x1024x1024", "128x400x400", "64x256x784", "3136x64x576"]
PRODUCTS += ["10x40x40x25", "25x40x40x25"]


def works():
    return {
        **{"gemm/" + p: products(p) for p in PRODUCTS},
        "sinusoid-maml/exact": sinusoid(True),
        "sinusoid-maml/first-order": sinusoid(False),
        "mlp/784-400-400-10/128": forms(*mlp(128, 784, 400, 400, 10)),
        "mlp/784-400-400-10/10": forms(*mlp(10, 784, 400, 400, 10)),
        "mlp/6-32-2/1": forms(*mlp(1, 6, 32, 2), is_adam=False),
        "conv4-maml/5w1s": {
            "loop": image_loop,
            "grouped": lambda: image_batched(conv_grouped),
            "unfolded": lambda: image_batched(conv_unfolded),
            "func": lambda: image_func(False),
            "func-compiled": lambda: image_func(True),
        },
        "lstm/128": sequence(Recurrent),
        "attention/2x128": {
            **sequence(lambda: Attention(Block)),
            **sequence(lambda: Attention(encoder_layer), "layer-"),
        },
    }
