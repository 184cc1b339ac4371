# SPDX-License-Identifier: Apache-2.0
"""The site that ``make docs`` builds.

Its source is the repository: the pages link to each other, to README.md and to the elements'
READMEs as they lie there, so that a link is good on the site and wherever the repository is read.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from docutils.parsers.rst import Directive

import heat_config

if TYPE_CHECKING:
    from docutils import nodes
    from sphinx.application import Sphinx

project = "heat-config"
version = release = heat_config.__version__
project_copyright = "the heat-config project, Apache-2.0"

extensions = ["myst_parser"]
root_doc = "docs/index"
CONTENTS = (root_doc, "docs/elements")
include_patterns = [
    *("*.md", "docs/*.md", "elements/*/README.rst", "boot-config/README.rst", "lab/README.md")
]
exclude_patterns = [".*", "**/__pycache__"]
nitpicky = True

# Blocks without a language are commands with their comments.
highlight_language = "none"

# Anchors as GitHub makes them of headings.
myst_heading_anchors = 3
myst_fence_as_directive = ["mermaid"]

html_theme = "furo"
html_title = f"heat-config {version}"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_copy_source = html_show_sourcelink = False


class Mermaid(Directive):
    """A picture that needs a script from elsewhere: the site has the table below it alone."""

    has_content = True

    def run(self) -> list[nodes.Node]:
        """Leave it out."""
        return []


def with_contents(_: Sphinx, name: str, source: list[str]) -> None:
    """Have the lists of links on these pages be the site's table of contents."""
    if name in CONTENTS:
        source[0] += "".join(map(contents, source[0].split("\n## ")))


def contents(section: str) -> str:
    """The directive for the list of links that a section has."""
    links = re.findall(r"^- \[(.*?)\]\((.*?)\.(?:md|rst)\)", section, re.MULTILINE)
    title = section.partition("\n")[0].removeprefix("# ")
    pages = [f"{words} <{page}>" for words, page in links]
    lines = ["```{toctree}", ":hidden:", f":caption: {title}", "", *pages, "```"]
    return "\n".join(["", *lines, ""]) if pages else ""


def setup(app: Sphinx) -> None:
    """As Sphinx calls it."""
    app.add_directive("mermaid", Mermaid)
    app.connect("source-read", with_contents)
