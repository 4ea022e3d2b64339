"""Sphinx configuration: pages are the processed notebooks, with the outputs stored in them."""

import mlwork

project = "mlwork"
author = "The mlwork developers"
version = release = mlwork.__version__
extensions = ["myst_nb"]
nb_execution_mode = "off"
myst_enable_extensions = ["dollarmath", "colon_fence"]
myst_heading_anchors = 3
root_doc = "index"
html_theme = "pydata_sphinx_theme"
html_title = "mlwork"
html_theme_options = {"show_prev_next": True, "navigation_with_keys": False}
html_static_path = ["static"]
html_css_files = ["site.css"]
html_sidebars = {"**": []}  # pages have no sections of their own; the room is for tables
html_show_sourcelink = False
exclude_patterns = ["_build"]
