"""From a national return to the landing: read, lay out, check, land. Knows nothing of dbt."""
