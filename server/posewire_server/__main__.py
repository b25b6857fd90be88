from __future__ import annotations

import sys

from posewire_server.command import main

sys.exit(main())
