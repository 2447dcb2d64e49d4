"""How Sphinx builds the site from what lib/randformer/site has gathered beside this file.

Sphinx with myst-nb: it shows notebooks as they are stored, executes nothing, and brings navigation and search that work
from files. The theme is furo, which loads nothing from elsewhere; equations are set by a MathJax from a package.
"""

import shutil
from importlib.util import find_spec
from pathlib import Path

MATHJAX = Path("static", "mathjax", "es5", "tex-svg.js")  # one file, with its fonts

project = "Randformer"
html_title = "Randformer"
extensions = ["myst_nb"]
nb_execution_mode = "off"
nb_ipywidgets_js = {}  # would be loaded from elsewhere
myst_enable_extensions = ["dollarmath"]
myst_heading_anchors = 3
suppress_warnings = ["myst.header", "mystnb.unknown_mime_type"]
html_theme = "furo"
html_static_path = ["static"]
html_extra_path = ["extra"]
html_css_files = ["site.css"]
html_favicon = "static/icon.svg"
html_copy_source = False
html_show_copyright = False
mathjax_path = MATHJAX.name

shutil.copy(Path(find_spec("mathjax").origin).parent / MATHJAX, Path(__file__).parent / "static")
