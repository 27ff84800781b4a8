"""The management API, as FastAPI routers over the services."""
