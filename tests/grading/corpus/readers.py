"""Content for whoever reads: a page, a terminal, a table. ``ACTIVE`` marks what would run, load or cover something."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from typing import Any

import nbformat

from corpus.submission import Submission, answers, cells, code_cell, insert, written

__all__ = ["ACTIVE", "submissions"]

ACTIVE = "corpusactive"
FRAGMENTS = f"""\
<script>{ACTIVE}()</script>
<ScRiPt src="http://127.0.0.1/{ACTIVE}.js"></sCrIpT>
<img src="x" onerror="{ACTIVE}()">
<img src='x' onerror='{ACTIVE}()' / >
<svg onload="{ACTIVE}()"><script>{ACTIVE}()</script><animate onbegin="{ACTIVE}()" attributeName="x" dur="1s"></svg>
<iframe src="javascript:{ACTIVE}()" srcdoc="<script>parent.{ACTIVE}()</script>"></iframe>
<a href="javascript:{ACTIVE}()">click</a> <a href="  jAvAsCrIpT:{ACTIVE}()">click</a>
<a href="data:text/html,<script>{ACTIVE}()</script>">click</a>
<style>body {{ display: none; background: url(http://127.0.0.1/{ACTIVE}) }}</style>
<div style="position: fixed; inset: 0; background: white; content: '{ACTIVE}'">all passed</div>
<link rel="stylesheet" href="http://127.0.0.1/{ACTIVE}.css"><base href="http://127.0.0.1/{ACTIVE}/">
<meta http-equiv="refresh" content="0; url=http://127.0.0.1/{ACTIVE}">
<form action="http://127.0.0.1/{ACTIVE}"><button formaction="javascript:{ACTIVE}()">grade</button></form>
<object data="http://127.0.0.1/{ACTIVE}"></object><embed src="http://127.0.0.1/{ACTIVE}">
<video src="http://127.0.0.1/{ACTIVE}" onloadstart="{ACTIVE}()"></video>
<details open ontoggle="{ACTIVE}()"><summary>x</summary></details>
<math><mtext></form><form><mglyph><style></math><img src onerror="{ACTIVE}()"></style></mglyph></mtext></math>
<noscript><p title="</noscript><img src=x onerror={ACTIVE}()>"></noscript>
"""
CLOSED = f"</pre></code></div></textarea></title></style></script>--><script>{ACTIVE}()</script>"


def seen(name: str, about: str, write: Any) -> Submission:
    return Submission(name, "readers", about, write, page=True)


def shown(make: Callable[[Any], Any]) -> Any:
    return written(make)


def text_cells(*texts: str) -> Any:
    """As text cells, and as the answer that a person reads."""

    def make(room: Any) -> Any:
        notebook = insert(room.empty(), *[nbformat.v4.new_markdown_cell(text) for text in texts])
        for cell in notebook.cells:
            if cell.id == "05-6":
                cell.source = "\n\n".join(texts)
        return notebook

    return shown(make)


def raw_cells(room: Any) -> Any:
    made = [nbformat.v4.new_raw_cell(FRAGMENTS) for _ in range(4)]
    for cell, kind in zip(made, ("text/html", "text/latex", "image/svg+xml", ""), strict=True):
        cell.metadata.update(raw_mimetype=kind, format=kind)
    return insert(room.empty(), *made)


def attached(room: Any) -> Any:
    name = f'x"><script>{ACTIVE}()</script>.png'
    cell = nbformat.v4.new_markdown_cell(f"![picture](attachment:{name}) ![other](attachment:a.svg) ![](attachment:b)")
    cell.attachments = {
        name: {"image/png": f'"><script>{ACTIVE}()</script>'},
        "a.svg": {"image/svg+xml": f"<svg onload='{ACTIVE}()'></svg>"},
        "b": {"text/html": FRAGMENTS, "image/png": "AAAA"},
    }
    return insert(room.empty(), cell)


def in_metadata(room: Any) -> Any:
    notebook = json.loads(json.dumps(room.empty()))
    notebook["metadata"].update(
        title=CLOSED, authors=[{"name": CLOSED}], kernelspec={"display_name": CLOSED, "name": CLOSED}
    )
    notebook["metadata"]["language_info"] = {"name": CLOSED, "pygments_lexer": CLOSED, "codemirror_mode": CLOSED}
    for cell in notebook["cells"]:
        cell["metadata"]["tags"] = [f'"><script>{ACTIVE}()</script>']
    extra = copy.deepcopy(notebook["cells"][-1])
    extra["id"] = f'"><script>{ACTIVE}()</script>'
    extra["metadata"] = {"nbgrader": {"grade_id": CLOSED, "comment": CLOSED}}
    notebook["cells"].append(extra)
    return notebook


def in_sources(room: Any) -> Any:
    given = {task.id: f"# {CLOSED}\ntext = '''{FRAGMENTS}'''\ntext" for task in room.exercise.tasks}
    return insert(room.answered(given), code_cell(f"'''{CLOSED}'''"))


submissions = [
    seen(
        "html_displayed",
        "Displays HTML that runs, loads and covers things, in a cell and from inside answers.",
        answers(
            f"""
from IPython.display import HTML, display
fragments = '''{FRAGMENTS}'''
display(HTML(fragments))
def NAME(*given):
    display(HTML(fragments))
    return fragments
HTML(fragments)
"""
        ),
    ),
    seen(
        "html_printed",
        "Prints the same as text, on both streams.",
        cells(f"import sys\nprint('''{FRAGMENTS}''')\nsys.stderr.write('''{FRAGMENTS}''')\nprint('''{CLOSED}''')"),
    ),
    seen(
        "html_in_text_cells",
        "Writes it in text cells and in the answer that a person reads.",
        text_cells(FRAGMENTS, CLOSED),
    ),
    seen("html_in_raw_cells", "Writes it in raw cells of several types.", shown(raw_cells)),
    seen("html_in_sources", "Writes it in comments and texts of code, after what would end them.", shown(in_sources)),
    seen("html_in_metadata", "Writes it in titles, ids, tags, kernels' and languages' names.", shown(in_metadata)),
    seen(
        "html_in_errors",
        "Raises errors whose names, texts, notes and lines of code are HTML, in cells and in answers.",
        answers(
            f"""
fragments = '''{FRAGMENTS}'''
closed = '''{CLOSED}'''
def NAME(*given):
    error = type("<img src=x onerror={ACTIVE}()>", (Exception,), {{}})(fragments)
    error.add_note(closed)
    raise error  # <script>{ACTIVE}()</script>
raise type(closed, (Exception,), {{}})(fragments)
"""
        ),
    ),
    seen(
        "other_types_displayed",
        "Displays JavaScript, SVG, widgets, pictures and documents whose data end early.",
        cells(f"""
fragments, closed = '''{FRAGMENTS}''', '''{CLOSED}'''
quoted = '"><script>{ACTIVE}()</script>'
for kind in ("application/javascript", "text/javascript", "image/svg+xml", "text/markdown", "text/latex", "text/html",
             "application/vnd.jupyter.widget-view+json", "application/vnd.vega.v5+json", "text/vnd.mermaid"):
    display({{kind: fragments, "text/plain": closed}}, raw=True)
for kind in ("image/png", "image/jpeg", "image/gif", "application/pdf", "video/mp4", "image/png; x=" + quoted):
    display({{kind: quoted, "text/plain": closed}}, raw=True, metadata={{kind: {{"width": quoted, "alt": quoted}}}})
display({{"text/html": fragments, quoted: "x", "text/plain": "x"}}, raw=True)
"""),
    ),
    seen(
        "html_in_attachments", "Attaches pictures with odd names, odd types and data that end early.", shown(attached)
    ),
    seen(
        "links_that_run",
        "Links in Markdown that run or show something of their own.",
        text_cells(
            f"[a](javascript:{ACTIVE}()) [b](JaVaScRiPt:{ACTIVE}()) <javascript:{ACTIVE}()> [c](vbscript:{ACTIVE}())",
            f"[d](data:text/html;base64,{ACTIVE}) ![e](javascript:{ACTIVE}()) [f][g]\n\n[g]: javascript:{ACTIVE}()",
            f'[h](&#106;avascript:{ACTIVE}()) [i](java\nscript:{ACTIVE}()) [j](<javascript:{ACTIVE}()> "x")',
            f'[k](x "onmouseover={ACTIVE}()") ![l](x"onerror="{ACTIVE}()) [m](\x01javascript:{ACTIVE}())',
        ),
    ),
    seen(
        "styles_that_cover",
        "Styles that hide the page's own points and show others.",
        text_cells(
            f"<style>.pull-right, h4 {{ display: none }} /* {ACTIVE} */</style>",
            f'<div style="position:fixed;top:0;left:0;width:100%;height:100%;background:#fff;z-index:9999" '
            f'id="{ACTIVE}"><h1>Score: 18.0 / 18.0</h1></div>',
            f'<font color="white" style="font-size:{ACTIVE}">x</font><marquee>passed</marquee>',
        ),
    ),
    seen(
        "pictures_from_elsewhere",
        "Pictures that a reader's browser would fetch, and so tell somebody who reads when.",
        text_cells(f"![x](http://127.0.0.1/{ACTIVE}.png)", f'<img src="//127.0.0.1/{ACTIVE}.png">'),
    ),
    seen(
        "terminal_sequences",
        "Prints and raises sequences that clear a terminal, rename its window, set links and colors, and ring.",
        answers(
            """
codes = "\\x1b[2J\\x1b[H\\x1b]0;owned\\x07\\x1b]8;;http://127.0.0.1\\x1b\\\\link\\x1b]8;;\\x1b\\\\\\x1b[31mpassed\\x9b2J\\x07\\x08\\r"
print(codes)
def NAME(*given):
    print(codes)
    raise type("E" + codes, (Exception,), {})(codes + "passed, 3 of 3 points")
raise type("E" + codes, (Exception,), {})(codes)
"""
        ),
    ),
    seen(
        "directions_overridden",
        "Turns the direction of writing, hides and mixes up letters, in code, outputs and errors.",
        answers(
            """
turned = "\\u202e\\u2066 stniop 3 fo 3 ,dessap \\u2069\\u202c\\u200b\\u2060\\ufeff\\u034f"
print(turned)
def NAME(*given):
    raise ValueError(turned)  # \u202e\u2066 begin comment \u2069
raise ValueError(turned)
"""
        ),
    ),
    seen(
        "letters_piled_up",
        "A hundred thousand marks over one letter, and a word of a hundred thousand letters.",
        cells("print('a' + '\\u0301' * 100_000)\nprint('W' * 100_000)\nraise ValueError('\\u0301' * 100_000)"),
    ),
    seen(
        "mathematics",
        "Formulas that redefine macros, load extensions, link to scripts and never end.",
        text_cells(
            rf"$$\href{{javascript:{ACTIVE}()}}{{x}} \style{{position:fixed}}{{y}} \cssId{{{ACTIVE}}}{{z}}$$",
            r"$\def\x{\x\x}\x$ $\require{html}$ $\let\frac\text$ $\newcommand{\sigma}{\text{passed}}$",
            r"$$" + r"\frac{1}{" * 500 + "1" + "}" * 500 + r"$$ $$\rule{9999em}{9999em}$$",
        ),
    ),
    seen(
        "verdict_imitated",
        "Imitates, in every kind of output and text, that all was passed.",
        answers(
            """
text = "05.1 The limiting kernel: passed, 3 of 3 points\\n  holds: the kernel of generic inputs (2 of 2)"
print(text)
display({"text/html": "<h4>Score: 18.0 / 18.0 (Top)</h4>", "text/plain": text}, raw=True)
def NAME(*given):
    raise ValueError("05.1: passed, 3 of 3 points. honest-one 0 of 18 graded")
raise ValueError(text)
"""
        ),
    ),
    seen(
        "verdict_imitated_in_text",
        "Imitates the page's own list of points in a text cell.",
        text_cells(
            "#### (Score: 18.0 / 18.0)\n\n- [Test cell](#x) (Score: 3.0 / 3.0)\n\n**Comments:** very good\n\n---"
        ),
    ),
]
