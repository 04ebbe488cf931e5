"""What the pages need to become a site: links to files beside the documents lead to the repository, and blocks lose the words that
are for the tests."""

import posixpath
import re

# What stands after the language, as `needs=root`: the generator would take the whole block for a line of text.
FENCE = re.compile(r"^(```[a-z0-9]+)(?: [a-z]+=\S+)+$", re.MULTILINE)
LINK = re.compile(r"(\]\()((?:\.\./)+)([^)#\s]+)")


def on_page_markdown(markdown, page, config, files):
    """Turns a link that leaves the documents into one to the repository, where a link that stays is left alone; and makes blocks
    plain."""
    folder = posixpath.dirname(page.file.src_uri)

    def to_repository(link):
        target = posixpath.normpath(posixpath.join(folder, link[2] + link[3]))
        if not target.startswith("../"):
            return link[0]
        return f"{link[1]}{config.extra['repository']}/blob/main/{target.removeprefix('../')}"

    return LINK.sub(to_repository, FENCE.sub(r"\1", markdown))
