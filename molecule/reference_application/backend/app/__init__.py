"""Reference application: a stand-in for trials and tests, not OpenClaw Mission Control."""
