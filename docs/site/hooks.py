"""What the pages need to become a site: links to files beside the documents lead to the repository."""

import posixpath
import re

LINK = re.compile(r"(\]\()((?:\.\./)+)([^)#\s]+)")


def on_page_markdown(markdown, page, config, files):
    """Turns a link that leaves the documents into one to the repository. A link that stays is left alone."""
    folder = posixpath.dirname(page.file.src_uri)

    def to_repository(link):
        target = posixpath.normpath(posixpath.join(folder, link[2] + link[3]))
        if not target.startswith("../"):
            return link[0]
        return f"{link[1]}{config.extra['repository']}/blob/main/{target.removeprefix('../')}"

    return LINK.sub(to_repository, markdown)
