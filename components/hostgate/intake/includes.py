"""Markup by which a page takes in text from elsewhere: that text is not here to be read, and may name hosts.

Every site generator has a form of its own. Whatever looks like one is told; a reviewer says which of them bring no host.
"""

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from hostgate.catalog.problems import spelled


@dataclass(frozen=True, slots=True)
class Include:
    """One place where text is taken in: its line, the markup, and the name of what is taken in (the file, the tag)."""

    line: int
    markup: str
    name: str


def includes_in(lines: Sequence[str], code: Collection[int]) -> Iterator[Include]:
    """Every include on `lines` (numbered from 1). Within `code` lines only markup counts that generators read there too."""
    for number, line in enumerate(lines, 1):
        if not _MARKS.search(line):
            continue
        in_code = number in code
        bare = line if in_code else _CODE_SPAN.sub("", line)
        told: set[str] = set()
        for form, everywhere in _FORMS:
            for found in form.finditer(line if everywhere else "" if in_code else bare):
                name = next((group for group in found.groups() if group), found[0]).strip().strip("\"'`")
                if found[0] in told:
                    continue
                told.add(found[0])
                if name.casefold().removeprefix("end") not in _PLAIN:
                    yield Include(number, spelled(found[0].strip()), name)


def pointer_in(text: str) -> str | None:
    """The words by which a cell sends the reader to another list of hosts, or None."""
    found = _POINTER.search(text)
    return found[0] if found else None


_MARKS = re.compile(r"[<{\[:@!%]|--8<--|\.\. |include|import|export|require|transclude", re.IGNORECASE)
"""What each form below has. Most lines of a page have none of it."""

_CODE_SPAN = re.compile(r"`[^`]{0,400}`")

_HTML_TAGS = (
    "a|abbr|acronym|address|area|article|aside|audio|b|bdi|bdo|big|blockquote|body|br|button|canvas|caption|center|cite|code|col|"
    "colgroup|data|dd|del|details|dfn|dialog|div|dl|dt|em|fieldset|figcaption|figure|font|footer|form|h[1-6]|head|header|hr|html|i|"
    "img|input|ins|kbd|label|legend|li|link|main|map|mark|menu|meta|nav|noscript|ol|optgroup|option|output|p|path|picture|pre|progress|"
    "q|rp|rt|ruby|s|samp|search|section|select|small|source|span|strike|strong|style|sub|summary|sup|svg|table|tbody|td|textarea|tfoot|"
    "th|thead|time|title|tr|track|tt|u|ul|var|video|wbr"
)
_OTHER_TAG = (
    rf"(?<![\w.-])<(?!(?i:{_HTML_TAGS})[\s/>])([A-Za-z]\w{{0,40}})"
    r"(?:\s{1,8}[\w:-]{1,40}\s{0,8}=[^<>]{0,400}/?>|\s{0,8}/>|\s{0,8}>\s{0,8}</)"
)
"""A tag that HTML does not have, where it has attributes or nothing within: a component, or an element of the site's own."""

_FORMS: tuple[tuple[re.Pattern[str], bool], ...] = tuple(
    (re.compile(pattern, re.IGNORECASE if everywhere else re.NOFLAG), everywhere)
    for pattern, everywhere in (
        (r"\{\{[<%]-?\s{0,8}/?\s{0,8}([^\s<>%{}]{1,120})[^{}]{0,400}?[>%]\}\}", True),  # Hugo
        (r"\{%-?\s{0,8}(?:include(?:_relative|_cached)?|data|render|snippet|import|from|partial|embed|section|content-ref|extends|"
         r"openapi|file|tab|reusable|component)\b\s{0,8}([^\s%{}]{0,200})[^{}]{0,400}?-?%\}", True),  # Liquid, Jinja, GitBook
        (r"\{%-?\s{0,8}(\w{1,60})[^{}]{0,400}?-?%\}", True),
        (r"--8<--\s{0,8}[\"']?([^\s\"']{0,200})", True),  # PyMdown snippets
        (r"-{1,}8<-{1,}\s{0,8}[\"']?([^\s\"']{0,200})", True),
        (r"\{!\s{0,8}([^\s!{}]{1,200})[^{}]{0,100}!\}", True),  # markdown-include
        (r"\{\{\s{0,8}#\s{0,8}([^{}]{1,200})\}\}", True),  # mdBook
        (r"\{\{>\s{0,8}([^{}]{1,200})\}\}", True),  # Mustache
        (r"\[!\s{0,8}(?:include|code(?:-\w{1,20})?)\b[+-]?\s{0,8}(?:\[[^\]]{0,200}\]\s{0,8})?"
         r"\(?([^)\]\s]{0,300})", True),  # DocFX, Microsoft Learn
        (r"!\[\[([^\]]{1,200})\]\]", True),  # Obsidian
        (r"\.\.\s{1,8}(?:include|literalinclude|csv-table|mdinclude|raw|toctree)::\s{0,8}(\S{0,200})", True),  # reStructuredText
        (r"(?:^|[`:~]{3,})\s{0,8}\{(?:include|literalinclude|csv-table|mdinclude|raw|embed)\}\s{0,8}(\S{0,200})", True),  # MyST
        (r"^[\s>*+-]{0,40}:{2,4}\s{0,8}(?:include|code|moniker|zone|row|image|snippet|source)\b[:\s{]*([^\s}]{0,200})", True),
        (r"\binclude::?([^\s\[\]]{1,200})\[[^\]]{0,200}\]", True),  # AsciiDoc
        (r"<!--\s{0,8}[#@]?\s{0,8}(?:include|exec|embed\w*|transclude|import|md-?include|snippet|auto-generated-content|"
         r"markdown-auto-docs:\w{1,20}|exec-start)\b"
         r"[:\s]*(?:virtual=|file=|src=)?[\"']?([^\s\"'>]{0,200})", True),  # server side includes
        (r"(?i)<(?:iframe|object|embed|script|frame|portal|include|xi:include|slot|template|mdinclude)\b"
         r"(?:[^<>]{0,300}?\b(?:src|data|href|file)\s{0,8}=\s{0,8}[\"']?([^\s\"'<>]{0,300}))?", False),
        (r"^[\s>*+-]{0,40}import\s{1,8}[^;]{0,200}?\bfrom\s{1,8}[\"']([^\"']{1,200})[\"']", False),  # MDX
        (r"^[\s>*+-]{0,40}import\s{1,8}[\"']([^\"']{1,200})[\"']", False),
        (r"^[\s>*+-]{0,40}export\s{1,8}(?:\{[^}]{0,200}\}|\*)\s{1,8}from\s{1,8}[\"']([^\"']{1,200})[\"']", False),
        (r"(?<![\w.-])<([A-Z]\w{0,20}[a-z][\w.]{0,80})(?=[\s/>]|$)(?![^<>]{0,80}>[.-]\w)", False),  # JSX
        (r"(?<![\w.-])<([a-z][a-z0-9]{0,30}-[a-z0-9-]{1,60})(?=[\s/>]|$)(?![^<>]{0,80}>[.-]\w)", False),  # custom elements
        (r"\(([^\s()]{1,200})\s{1,8}[\"']:include[^)]{0,100}\)", False),  # Docsify
        (r"@\[\w{1,20}[^\]]{0,40}\]\(([^)]{1,200})\)", False),  # VuePress
        (r"^[\s>*+-]{0,40}<<<\s{0,8}(\S{1,200})", False),
        (r"!!!\s{0,8}include\b[\s(]{0,8}([^\s)]{0,200})", False),
        (r"\{[:#@!]?\s{0,8}include[:\s]{1,8}([^{}]{1,200})\}", False),
        (r"(?i)%include\{([^{}]{0,200})\}", False),  # TWiki
        (r"<%[=#-]?\s{0,8}(?:include\b)?\s{0,8}([^<>%]{1,200})%>", False),  # ERB, EJS
        (r"<\?(?:php|=)\s{0,8}([^<>?]{0,200})", False),
        (r"^[\s>*+-]{0,40}(?:const|let|var)\s[^=]{1,100}=\s{0,8}require\(\s{0,8}[\"']?([^\"')]{0,200})", False),
        (r"^[\s>*+-]{0,40}[@$]{0,2}include[\s(]{1,8}[\"']?([\w./-]{1,150}\.\w{1,8})[\"')]{0,3};?\s*$", False),
        (r"<(?i:link)\b[^<>]{0,200}?\brel=[\"']?import\b[^<>]{0,200}?\bhref=[\"']?([^\s\"'<>]{0,200})", False),
        (_OTHER_TAG, False),
        (r"(?:^|\s)@(?:import|include|snippet|embed|transclude)\b\s{0,8}\(?[\"']?([^\s\"')]{0,200})", False),
        (r"(?:^|\s)!(?:include|import|embed)\b\s{0,8}[\"']?([^\s\"')]{0,200})", False),
        (r"^[\s>*+-]{0,40}(?:\$include|\\(?:input|include|subfile))\b\s{0,8}[{\"']?([^\s}\"']{0,200})", False),
        (r"\[\[\s{0,8}(?:include|transclude|_TOC_PART_|embed)\b[:\s]*([^\]]{0,200})\]\]", False),
        (r"^[\s>*+-]{0,40}\[\s{0,8}(?:embedmd|include|snippet)[^\]]{0,40}\]:?\s{0,8}#?\s{0,8}\(?([^\s)]{0,200})", False),
        (r"(?<![$\\])\{\{\s{0,8}([^{}]{1,200}?)\s{0,8}\}\}", False),  # a value that a template puts in
        (r"(?<![\w$\\{])\{((?:props|data|content|site|frontmatter|vars?|hosts?|domains?|endpoints?)\b[\w.\[\]'\"]{0,120})\}(?!\})",
         False),  # MDX expressions
        (r"^[\s>*+-]{0,40}:{3,}\s{0,8}([a-z][\w-]{0,60})", False),  # directives
    )
)  # fmt: skip
"""Pattern and whether it counts within code too. The first group, if it matched, is the name."""

_PLAIN = frozenset((
    "note", "tip", "info", "warning", "caution", "danger", "important", "attention", "hint", "success", "callout",
    "admonition", "aside", "details", "br", "tabs", "tab", "tabitem", "tabpanel", "steps", "step", "card", "cards",
    "accordion", "collapser", "collapsergroup", "code-block", "codeblock", "raw", "comment", "",
))  # fmt: skip
"""Boxes whose text stands on the page."""

_POINTER = re.compile(
    r"\b(?:see|refer to|listed (?:in|on|at)|as (?:listed|described|documented) (?:in|on|at)|full list|complete list|"
    r"other (?:hosts|domains|endpoints)|more (?:hosts|domains|endpoints))\b[^.|]{0,120}"
    r"\b(?:hosts?|hostnames?|domains?|fqdns?|endpoints?|urls?|addresses|allow-?list)\b",
    re.IGNORECASE,
)
