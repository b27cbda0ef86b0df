"""From figures to files: indicator tables, the indicator workbook, the ICCS report."""
