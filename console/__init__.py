"""The parts of the HTTP API, put together by console_api.py."""
