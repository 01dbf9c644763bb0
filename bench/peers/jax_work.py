# bench/peers/jax_work.py -- the workloads of src/bench in JAX: jit, grad, vmap.
import math
import os

SETS = 4


def start(threads):
    if threads < len(os.sched_getaffinity(0)):  # XLA makes a thread a processor it may use
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:threads])
        os.environ["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false"
    global jax, jnp
    import jax
    import jax.numpy as jnp

    jax.config.update("jax_platforms", "cpu")
    return "JAX %s" % jax.__version__


def training(theta, loss, data, update, state):
    """run(n) of theta, state <- update(theta, grad loss, state), arguments donated."""

    def step(theta, state, batch):
        return update(theta, jax.grad(loss)(theta, *batch), state)

    fn = jax.jit(step, donate_argnums=(0, 1))
    held = [theta, state]

    def run(n):
        for i in range(n):
            held[0], held[1] = fn(held[0], held[1], data[i % SETS])
        jax.block_until_ready(held)

    return run


def adam(theta, g, state, rate=1e-3, b1=0.9, b2=0.999, eps=1e-8):
    t, m, v = state
    t = t + 1
    m = jax.tree.map(lambda a, d: b1 * a + (1 - b1) * d, m, g)
    v = jax.tree.map(lambda a, d: b2 * a + (1 - b2) * d * d, v, g)
    c1, c2 = 1 - b1**t, jnp.sqrt(1 - b2**t)

    def move(p, a, b):
        return p - rate * (a / c1) / (jnp.sqrt(b) / c2 + eps)

    return jax.tree.map(move, theta, m, v), (t, m, v)


def adam_start(theta):
    zeros = lambda: jax.tree.map(jnp.zeros_like, theta)
    return jnp.zeros(()), zeros(), zeros()


def sgd(theta, g, state, rate=0.01):
    return jax.tree.map(lambda p, d: p - rate * d, theta, g), state


def keys():
    key = jax.random.key(1)
    while True:
        key, use = jax.random.split(key)
        yield use


def dense(k, sizes):
    return [
        (jax.random.normal(next(k), (a, b)) * math.sqrt(2 / a), jnp.zeros(b))
        for a, b in zip(sizes, sizes[1:])
    ]


def net(theta, x):
    for w, b in theta[:-1]:
        x = jax.nn.relu(x @ w + b)
    return x @ theta[-1][0] + theta[-1][1]


def cross_entropy(logits, y):
    return -jnp.take_along_axis(jax.nn.log_softmax(logits), y[:, None], 1).mean()


def mlp(is_adam, batch, *sizes):
    k = keys()
    theta = dense(k, sizes)
    data = [
        (
            jax.random.uniform(next(k), (batch, sizes[0])),
            jax.random.randint(next(k), (batch,), 0, sizes[-1]),
        )
        for _ in range(SETS)
    ]
    update, state = (adam, adam_start(theta)) if is_adam else (sgd, ())
    return training(theta, lambda p, x, y: cross_entropy(net(p, x), y), data, update, state)


def sinusoid(exact):
    k, shape, one = keys(), (25, 10, 1), (25, 1, 1)

    def waves():
        a = jax.random.uniform(next(k), one, minval=0.1, maxval=5)
        phase = jax.random.uniform(next(k), one, maxval=math.pi)
        xs, xq = (jax.random.uniform(next(k), shape, minval=-5, maxval=5) for _ in range(2))
        return xs, a * jnp.sin(xs + phase), xq, a * jnp.sin(xq + phase)

    def loss(p, x, y):
        return ((net(p, x) - y) ** 2).mean()

    def task(p, xs, ys, xq, yq):
        g = jax.grad(loss)(p, xs, ys)
        g = g if exact else jax.lax.stop_gradient(g)
        return loss(jax.tree.map(lambda v, d: v - 0.01 * d, p, g), xq, yq)

    def meta(p, *data):
        return jax.vmap(task, (None, 0, 0, 0, 0))(p, *data).mean()

    theta = dense(k, [1, 40, 40, 1])
    return training(theta, meta, [waves() for _ in range(SETS)], adam, adam_start(theta))


def lstm(is_scanned):
    k, batch, length, size, classes = keys(), 32, 20, 128, 10
    bound = 1 / math.sqrt(size)
    theta = {
        "x": jax.random.uniform(next(k), (size, 4 * size), minval=-bound, maxval=bound),
        "h": jax.random.uniform(next(k), (size, 4 * size), minval=-bound, maxval=bound),
        "b": jnp.zeros(4 * size),
        "head": dense(k, [size, classes]),
    }

    def loss(p, x, y):
        def cell(carry, zx):
            h, c = carry
            i, f, u, o = jnp.split(zx + h @ p["h"], 4, axis=1)
            c = jax.nn.sigmoid(f) * c + jax.nn.sigmoid(i) * jnp.tanh(u)
            h = jax.nn.sigmoid(o) * jnp.tanh(c)
            return (h, c), None

        zeros = jnp.zeros((batch, size))
        zx = (x @ p["x"] + p["b"]).swapaxes(0, 1)
        unroll = 1 if is_scanned else length
        (h, _), _ = jax.lax.scan(cell, (zeros, zeros), zx, unroll=unroll)
        return cross_entropy(net(p["head"], h), y)

    return training(theta, loss, sequences(k, batch, length, size), adam, adam_start(theta))


def sequences(k, batch, length, size):
    return [
        (
            jax.random.normal(next(k), (batch, length, size)),
            jax.random.randint(next(k), (batch,), 0, 10),
        )
        for _ in range(SETS)
    ]


def attention():
    k, batch, length, size, heads = keys(), 32, 20, 128, 4

    def block():
        one = {"gain": jnp.ones(size), "bias": jnp.zeros(size)}
        return {
            "norm": [one, jax.tree.map(jnp.copy, one)],
            "all": dense(k, [size, 3 * size]),
            "out": dense(k, [size, size]),
            "up": dense(k, [size, 4 * size]),
            "down": dense(k, [4 * size, size]),
        }

    def norm(p, x):
        d = x - x.mean(-1, keepdims=True)
        return d * jax.lax.rsqrt((d * d).mean(-1, keepdims=True) + 1e-5) * p["gain"] + p["bias"]

    def apply(p, x):
        parts = net(p["all"], norm(p["norm"][0], x)).reshape(batch, length, 3, heads, -1)
        q, key, v = (parts[:, :, i].swapaxes(1, 2) for i in range(3))
        weight = jax.nn.softmax(q @ key.swapaxes(2, 3) / math.sqrt(size // heads))
        x = x + net(p["out"], (weight @ v).swapaxes(1, 2).reshape(batch, length, size))
        hidden = jax.nn.gelu(net(p["up"], norm(p["norm"][1], x)), approximate=False)
        return x + net(p["down"], hidden)

    def loss(p, x, y):
        for b in p["blocks"]:
            x = apply(b, x)
        return cross_entropy(net(p["head"], x.mean(1)), y)

    theta = {"blocks": [block(), block()], "head": dense(k, [size, 10])}
    return training(theta, loss, sequences(k, batch, length, size), adam, adam_start(theta))


def convolution(x, w):
    dims = ("NCHW", "OIHW", "NCHW")
    return jax.lax.conv_general_dilated(x, w, (2, 2), [(1, 1), (1, 1)], dimension_numbers=dims)


def unfolded(x, w):
    """The same as a product: nine shifted copies of the image are one axis of it."""
    half = (x.shape[2] + 1) // 2
    x = jnp.pad(x, ((0, 0), (0, 0), (1, 1), (1, 1)))
    ends = [(i, j, i + 2 * half - 1, j + 2 * half - 1) for i in range(3) for j in range(3)]
    taps = jnp.stack([x[:, :, i:m:2, j:n:2] for i, j, m, n in ends], 2)
    n, c = x.shape[:2]
    y = jnp.einsum("nkp,ok->nop", taps.reshape(n, c * 9, half * half), w.reshape(len(w), c * 9))
    return y.reshape(n, len(w), half, half)


def images(conv, is_mapped):
    """Tasks at once (plain convolutions become grouped ones), or one after the other."""
    k, tasks, ways, channels = keys(), 32, 5, 64
    theta = {"head": dense(k, [channels, ways]), "conv": []}
    for i in range(4):
        n = channels if i else 1
        w = jax.random.normal(next(k), (channels, n, 3, 3)) * math.sqrt(2 / (9 * n))
        theta["conv"].append([w, jnp.ones((channels, 1, 1)), jnp.zeros((channels, 1, 1))])

    def loss(p, x, y):
        for w, gain, bias in p["conv"]:
            x = conv(x, w)
            d = x - x.mean((0, 2, 3), keepdims=True)
            scale = jax.lax.rsqrt((d * d).mean((0, 2, 3), keepdims=True) + 1e-5)
            x = jax.nn.relu(d * scale * gain + bias)
        return cross_entropy(net(p["head"], x.mean((2, 3))), y)

    def task(p, xs, ys, xq, yq):
        g = jax.grad(loss)(p, xs, ys)
        return loss(jax.tree.map(lambda v, d: v - 0.4 * d, p, g), xq, yq)

    def meta(p, *data):
        if is_mapped:
            return jax.lax.map(lambda d: task(p, *d), data).mean()
        return jax.vmap(task, (None, 0, 0, 0, 0))(p, *data).mean()

    label = jnp.tile(jnp.arange(ways), (tasks, 1))
    shape = (tasks, ways, 1, 28, 28)
    data = [
        (jax.random.uniform(next(k), shape), label, jax.random.uniform(next(k), shape), label)
        for _ in range(SETS)
    ]
    return training(theta, meta, data, adam, adam_start(theta))


def works():
    return {
        "sinusoid-maml/exact": {"jit-vmap": lambda: sinusoid(True)},
        "sinusoid-maml/first-order": {"jit-vmap": lambda: sinusoid(False)},
        "mlp/784-400-400-10/128": {"jit": lambda: mlp(True, 128, 784, 400, 400, 10)},
        "mlp/784-400-400-10/10": {"jit": lambda: mlp(True, 10, 784, 400, 400, 10)},
        "mlp/6-32-2/1": {"jit": lambda: mlp(False, 1, 6, 32, 2)},
        "conv4-maml/5w1s": {
            "jit-vmap": lambda: images(convolution, False),
            "jit-map": lambda: images(convolution, True),
            "jit-vmap-unfolded": lambda: images(unfolded, False),
            "jit-map-unfolded": lambda: images(unfolded, True),
        },
        "lstm/128": {"jit-scan": lambda: lstm(True), "jit-unrolled": lambda: lstm(False)},
        "attention/2x128": {"jit": attention},
    }
