"""The backend is prepared once, before anything imports Keras."""

from __future__ import annotations

import os
import sys
from pathlib import Path

os.environ.setdefault("SELECTOR_CACHE", "off")
sys.path.insert(0, str(Path(__file__).parent))

from selector.training import backend

backend.prepare()
