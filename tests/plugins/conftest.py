"""The backend is prepared before anything imports Keras; profiles of every form of data."""

from __future__ import annotations

import os
import sys
from pathlib import Path

os.environ.setdefault("SELECTOR_CACHE", "off")
sys.path.insert(0, str(Path(__file__).parent))

from selector.training import backend

backend.prepare()
