"""Tables and plots of the dashboards, as pure functions: from scores and reviews to rows, CSV and SVG."""
