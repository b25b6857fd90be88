from __future__ import annotations

import sys

from posewire_cli.entry import main

sys.exit(main())
