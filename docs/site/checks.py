"""What is wrong with a built site: links and anchors that lead nowhere, and what would be loaded from another host.

    checks.py FOLDER
"""

import html.parser
import json
import pathlib
import re
import sys
import tempfile
import urllib.parse

# What a browser loads by itself. A link that somebody follows may lead anywhere.
LOADED = {"script": "src", "img": "src", "iframe": "src", "source": "src", "video": "src", "audio": "src", "object": "data"}
# Links of a page's head that are loaded; the others only tell.
LOADED_LINKS = {"stylesheet", "icon", "preload", "prefetch", "preconnect", "dns-prefetch", "manifest", "modulepreload"}
# In sheets. What a script may ask is held by the policy that each page carries.
OF_SHEETS = re.compile(r"(?:url\(\s*['\"]?|@import\s+['\"])\s*((?:https?:)?//[^'\")]+)")
POLICY = "default-src 'none'"


class Page(html.parser.HTMLParser):
    """The anchors of a page, its links, and what it loads."""

    def __init__(self, text):
        super().__init__()
        self.anchors, self.links, self.loads, self.policy = set(), [], [], ""
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        given = dict(attributes)
        if given.get("id"):
            self.anchors.add(given["id"])
        if tag == "a" and given.get("name"):
            self.anchors.add(given["name"])
        if tag == "a" and given.get("href"):
            self.links.append(given["href"])
        if given.get(LOADED.get(tag, "")):
            self.loads.append(given[LOADED[tag]])
        if tag == "link" and LOADED_LINKS & set(given.get("rel", "").split()):
            self.loads.append(given.get("href", ""))
        if tag == "meta" and given.get("http-equiv") == "Content-Security-Policy":
            self.policy = given.get("content", "")


def is_elsewhere(link):
    parts = urllib.parse.urlsplit(link)
    return bool(parts.netloc) or parts.scheme not in ("", "data")


def file_of(site, page, link):
    """The file that a link of a page leads to; none where it leads out of the site."""
    path = urllib.parse.unquote(urllib.parse.urlsplit(link).path)
    target = site / path.lstrip("/") if path.startswith("/") else page.parent / path if path else page
    return target / "index.html" if target.is_dir() else target


def faults(site):
    site = pathlib.Path(site).resolve()
    pages = {path.resolve(): Page(path.read_text()) for path in site.rglob("*.html")}
    loads, links, policies = [], [], []
    for path, page in pages.items():
        name = path.relative_to(site)
        if POLICY not in page.policy or "http" in page.policy or "*" in page.policy:
            policies.append(f"{name}: it does not tell browsers to load from its own host alone")
        for load in page.loads:
            if is_elsewhere(load):
                loads.append(f"{name}: loads {load}")
            elif not load.startswith("data:") and not file_of(site, path, load).exists():
                loads.append(f"{name}: loads {load}, which is not there")
        # The page for what is not there is shown at any address.
        for link in [] if path.name == "404.html" else page.links:
            if is_elsewhere(link):
                continue
            target = file_of(site, path, link).resolve()
            anchor = urllib.parse.unquote(urllib.parse.urlsplit(link).fragment)
            if not target.exists():
                links.append(f"{name}: {link} leads nowhere")
            elif anchor and target in pages and anchor not in pages[target].anchors:
                links.append(f"{name}: {link} names no heading")
    for sheet in [*site.rglob("*.css"), *site.rglob("*.svg")]:
        loads += [f"{sheet.relative_to(site)}: loads {found}" for found in OF_SHEETS.findall(sheet.read_text())]
    return pages, {"every link and anchor leads somewhere": links, "nothing is loaded from another host": loads,
                   "every page holds browsers to that": policies}


def tell(name, found):
    for fault in found:
        print(f"# {fault}")
    print(f"{'not ok' if found else 'ok'} - {name}")
    return bool(found)


def is_found_what_is_wrong():
    """The checks see what is wrong with a small site."""
    with tempfile.TemporaryDirectory() as folder:
        good = f"<meta http-equiv='Content-Security-Policy' content=\"{POLICY}\"><a id='a' href='b.html#c'>"
        pathlib.Path(folder, "b.html").write_text(good + "<i id='c'>")
        pathlib.Path(folder, "a.html").write_text(
            "<a href='b.html#d'><a href='e.html'><script src='//f/g.js'></script><link rel='stylesheet' href='https://f'>"
        )
        pathlib.Path(folder, "a.css").write_text("@import 'https://f/g.css'; a { background: url(//f/h.png) }")
        found = [len(found) for found in faults(folder)[1].values()]
    return [] if found == [2, 4, 1] else [f"of 2, 4 and 1 faults {found} were found"]


def main():
    site = pathlib.Path(sys.argv[1])
    pages, found = faults(site)
    bad = tell("the checks see what is wrong", is_found_what_is_wrong())
    for name, fault in found.items():
        bad |= tell(f"{name} ({len(pages)} pages)", fault)
    index = json.loads((site / "search/search_index.json").read_text())
    texts = {entry["location"].split("#")[0] for entry in index["docs"]}
    unfound = [str(path) for path in pages if path.name == "index.html"
               and str(path.parent.relative_to(site.resolve())).replace(".", "", 1) + "/" not in {f"{text or '/'}" for text in texts}]
    bad |= tell("the search knows every page", unfound)
    return bad


sys.exit(main())
