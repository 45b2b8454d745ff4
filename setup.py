"""The compiled scorer. Where it cannot be built the install goes on without: the reference makes the same decisions."""

import os
import sys
from pathlib import Path

from setuptools import Extension, setup

_WINDOWS = sys.platform == "win32"
_OPTIONS = (
    ["/O2", "/std:c++17"] if _WINDOWS else ["-O3", "-g0", "-std=c++17", "-ffp-contract=off", "-fvisibility=hidden"]
)
_SANITIZE = os.environ.get("NOISEFILTER_SANITIZE", "")
if _SANITIZE:
    _OPTIONS += ["-O1", "-g", f"-fsanitize={_SANITIZE}", "-fno-sanitize-recover=all"]
    _OPTIONS += ["-fno-omit-frame-pointer", "-D_GLIBCXX_ASSERTIONS"]

HEADERS = sorted(str(path) for path in Path("noisefilter/kernel").glob("*.hpp"))

setup(
    ext_modules=[
        Extension(
            "noisefilter.kernel.native",
            ["noisefilter/kernel/native.pyx"],
            language="c++",
            depends=HEADERS,
            include_dirs=["noisefilter/kernel"],
            extra_compile_args=_OPTIONS,
            extra_link_args=[f"-fsanitize={_SANITIZE}"] if _SANITIZE else [],
            optional=not _SANITIZE,
        )
    ]
)
