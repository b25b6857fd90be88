from __future__ import annotations

import sys

from posewire_cli.command import main

sys.exit(main())
