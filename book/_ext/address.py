"""The public address of the project, from one setting: ``ntk_teach_repository``.

Set to ``https://github.com/OWNER/NAME`` it gives the book its base URL (``https://OWNER.github.io/NAME/``), the link
previews, the sitemap, the repository button and the launch button. Empty, none of these exist: a book that was built
from a clone must not send its readers to an address that somebody else chose.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from sphinx.errors import ConfigError

if TYPE_CHECKING:
    from sphinx.application import Sphinx
    from sphinx.config import Config

ADDRESS = re.compile(r"https://github\.com/(?P<owner>[\w.-]+)/(?P<name>[\w.-]+?)/?")


def apply(app: Sphinx, config: Config) -> None:
    repository = config.ntk_teach_repository
    if not repository:
        return
    match = ADDRESS.fullmatch(repository)
    if match is None:
        raise ConfigError(
            "_config.yml, ntk_teach_repository: expected https://github.com/OWNER/NAME or nothing, "
            f"received {repository!r}"
        )
    base = f"https://{match['owner'].lower()}.github.io/{match['name']}/"
    config.html_baseurl = base
    config.ogp_site_url = base
    config.sitemap_url_scheme = "{link}"
    # The page for a wrong address is shown at any depth, so its links start from the root of the host.
    config.notfound_urls_prefix = f"/{match['name']}/"
    # Binder alone: it opens a text notebook and builds the pinned environment; Colab opens neither.
    config.html_theme_options |= {
        "repository_url": repository.rstrip("/"),
        "repository_branch": "main",
        "use_repository_button": True,
        "launch_buttons": {"binderhub_url": "https://mybinder.org", "notebook_interface": "jupyterlab"},
    }
    for extension in ("sphinxext.opengraph", "sphinx_sitemap"):
        app.setup_extension(extension)


def setup(app: Sphinx) -> dict[str, bool]:
    app.add_config_value("ntk_teach_repository", "", "env", [str])
    # Before every other listener: the theme and the two extensions read what is written here.
    app.connect("config-inited", apply, priority=1)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
