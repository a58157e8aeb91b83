"""The readiness report: is it safe to cut over? Data in, report out; it opens nothing and looks at no clock."""

from proxy.report.build import report
from proxy.report.document import Report
from proxy.report.ground import Ground

__all__ = ["Ground", "Report", "report"]
