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


def works():
    return {
        "sinusoid-maml/exact": {"jit-vmap": lambda: sinusoid(True)},
        "sinusoid-maml/first-order": {"jit-vmap": lambda: sinusoid(False)},
        "mlp/784-400-400-10/128": {"jit": lambda: mlp(True, 128, 784, 400, 400, 10)},
        "mlp/784-400-400-10/10": {"jit": lambda: mlp(True, 10, 784, 400, 400, 10)},
        "mlp/6-32-2/1": {"jit": lambda: mlp(False, 1, 6, 32, 2)},
    }
