#!/usr/bin/env python3
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Holds a transaction of the application's role open, after a statement: hold.py STATEMENT."""

from __future__ import annotations

import re
import sys
import time
from pathlib import Path

import psycopg2

ENVIRONMENT = Path("/home/mission-control/mission-control/current/backend/.env").read_text(encoding="utf-8")
ADDRESS = re.findall(r"^DATABASE_URL='?postgresql\+psycopg(://[^'\n]*)", ENVIRONMENT, re.MULTILINE)[0]
connection = psycopg2.connect(f"postgresql{ADDRESS}")
connection.cursor().execute(sys.argv[1])
time.sleep(600)
