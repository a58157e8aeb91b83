"""The configuration file: its keys, where each value came from, what is wrong with it."""

from proxy.config.load import Loaded, load
from proxy.config.model import Config

__all__ = ["Config", "Loaded", "load"]
