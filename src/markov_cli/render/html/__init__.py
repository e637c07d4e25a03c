"""Results as HTML pages, with pictures in SVG."""
