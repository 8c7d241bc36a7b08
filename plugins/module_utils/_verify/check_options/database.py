# Copyright: OpenClaw Mission Control collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The options of the check database."""

from __future__ import annotations

from ..option_model import Options, option, pair

TITLE = "the application can log in, its schema is the deployed one, and PostgreSQL is well"
OPTIONS: Options = {
    "database_url": option(
        "str", "Address of the database. Without it C(DATABASE_URL) of O(env_file).", "", no_log=True
    ),
    "statement_timeout": option("float", "Seconds that one statement may take.", 5.0),
    **pair("transaction", "the age of the oldest transaction, in seconds,", "300", "3600"),
    **pair("locks", "the number of sessions that wait for a lock", "5", "50"),
    **pair("connections", "the share of connections in use, in percent,", "80", "95"),
    **pair("size", "the size of the database, in bytes,"),
    "data_directory": option("str", "Where a local PostgreSQL keeps its data.", "/var/lib/postgresql"),
    **pair("disk", "the free space there, in percent,", "10:", "3:"),
    "backup_directory": option("str", "Directory with backups. Empty: not looked at.", ""),
    **pair("backup_age", "the age of the last backup, in seconds,", "129600", "259200"),
}
