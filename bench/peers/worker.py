#!/usr/bin/env python3
# bench/peers/worker.py -- one framework in a process of its own, timed as run asks.
#
#     worker.py torch|jax THREADS
#
# Its first line says which version it is, or "missing: ..." when it is not installed.
# Then it answers each line with a line: "variants NAME" with names, "time NAME VARIANT
# SECONDS" with nanoseconds a step or "failed: ...".
import importlib
import os
import sys
import time


def block(run, seconds, start):
    """Nanoseconds a step over at least that many seconds; start steps are tried first."""
    n = start
    while True:
        began = time.perf_counter()
        run(n)
        took = time.perf_counter() - began
        if took >= seconds or n * 1.0 * seconds / max(took, 1e-9) < n + 1:
            return 1e9 * took / n, n
        n = max(n + 1, int(n * seconds / took * 1.1)) if took > seconds / 50 else n * 8


def answer(line, works, made):
    words = line.split()
    if words[0] == "variants":
        return " ".join(works.get(words[1], {}))
    key, seconds = (words[1], words[2]), float(words[3])
    if key not in made:
        run = works[words[1]][words[2]]()
        run(2)  # compiles, allocates, fills caches
        made[key] = [run, 1]
    ns, made[key][1] = block(made[key][0], seconds, made[key][1])
    return "%.6g" % ns


def main():
    peer, threads = sys.argv[1], int(sys.argv[2])
    pipe = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what a framework prints is not an answer
    try:
        work = importlib.import_module(peer + "_work")
        print(work.start(threads), file=pipe, flush=True)
    except ImportError as e:
        print("missing: %s" % e, file=pipe, flush=True)
        return
    works, made = work.works(), {}
    for line in sys.stdin:
        try:
            text = answer(line, works, made)
        except Exception as e:  # a variant that a framework cannot do is reported, not fatal
            text = "failed: %s: %s" % (type(e).__name__, str(e).strip().split("\n")[0][:200])
        print(text, file=pipe, flush=True)


main()
