"""The proofs; this file makes `from tests.servers import serve` work however pytest is started."""
