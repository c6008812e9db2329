"""Imports packages in this process; prints how long it took and what came along, as JSON.

Started by `benchmarks.imports`, with the interpreter of whichever environment the packages live in. It imports as
little as possible itself, so that nothing is in memory before.
"""

import sys
import time

__all__ = ["main"]


def main() -> None:
    """Import what the command line names: modules, or attributes of modules as ``module:attribute``."""
    before = set(sys.modules)
    began = time.process_time()
    for wanted in sys.argv[1:]:
        module, _, attribute = wanted.partition(":")
        __import__(module)
        if attribute:
            getattr(sys.modules[module], attribute)
    spent_s = time.process_time() - began
    loaded = sorted(set(sys.modules) - before)
    import json

    packages = sorted({name.split(".")[0] for name in loaded})
    print(json.dumps({"ms": spent_s * 1000, "modules": len(loaded), "packages": packages}))


if __name__ == "__main__":
    main()
