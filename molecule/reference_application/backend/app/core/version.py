"""What this program is called, in logs and in the API document."""

from __future__ import annotations

APP_NAME = "mission-control-reference"
APP_VERSION = "1.0.0"
STAND_IN = "Reference application: a stand-in for trials and tests, not OpenClaw Mission Control"
