"""The report: one HTML file that needs no network, and the result in three sentences."""

from budgetal.report.data import ClassRow, Picture, ReportData, RoundRow
from budgetal.report.html import render_report
from budgetal.report.sentences import result_in_three_lines

__all__ = ["ClassRow", "Picture", "ReportData", "RoundRow", "render_report", "result_in_three_lines"]
