"""The window and the HTTP API in one process: `streamlit run console_app.py`. Composition only."""

import sys

import streamlit as st
from starlette.middleware import Middleware

from console_api import routes
from console_guard import Guard
from storage.settings import ROOT, BadSetting, load

try:
    settings = load()
except BadSetting as problem:
    sys.stderr.write(f"console_app.py: {problem}\n")
    sys.exit(2)

app = st.App(
    ROOT / "pages" / "_frame.py",
    routes=routes(settings),
    middleware=[Middleware(Guard, hosts=settings.allowed_hosts)],
)
