#!/usr/bin/env python3
"""First inputs and words for the fuzz targets, made from the project's own fixtures and files.

    fuzz/seeds.py

Writes fuzz/corpus/TARGET/ and fuzz/words/TARGET.dict; what a fuzzer has found there stays.
"""
import hashlib
import json
import pathlib
import re
import tomllib

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent
PAGES = ROOT / "tests/fixtures/pages"

TIMES = """刚刚|5分钟前|3小时前|半小时前|2天前|今天 12:30|昨天 23:59|前天|11-20|02-29|11月20日 08:05
2026年11月22日|2026-11-22 20:15:07|2026/2/9|2026.02.09|20261122|20261122T201500|1763784000|1763784000123
Sun, 22 Nov 2026 20:15:00 +0800|Sun Nov 22 20:15:00 +0800 2026|2026-11-22T20:15:00.123Z|22 Nov 26
２０２６－１１－２２|2026年11月22日（星期日）下午3点05分|&#50;026-11-22|<b>2026</b>-11-22|12-31 23:59|24:00""".replace("\n", "|").split("|")
COUNTS = ["0", "1,234,567", "赞[523801]", "1.2万", "10万+", "100000+", "3.4亿", "１０万＋", "2w", "1 万", "0.00001万",
          "12345678901234567890", "-5", "1/3", "999.999999千万", "1.5万多", "100以上", "<b>42</b>", "&nbsp;7"]
TAGS = "html head body div p ul ol li a table tr td script style meta title time span h1 dl dd template svg math".split()
MARKUP = [f"<{tag}" for tag in TAGS] + [f"</{tag}>" for tag in TAGS] + [
    "<!--", "-->", "<![CDATA[", "]]>", "<!DOCTYPE html>", " href='/a.html'", " title='", " class='", " datetime='",
    " name='PubDate' content='", " property='article:published_time' content='",
    "<script type='application/ld+json'>", "\"datePublished\":\"", "&nbsp;", "&#20;", "\x00", "发布时间：", "来源：",
    "上一页", "下一页", "更新时间：", "charset=gb2312"]
FEED = ["<?xml version='1.0'?>", "<rss version='2.0'>", "<channel>", "<item>", "<pubDate>", "<pubdate>", "<guid>",
        "<entry>", "<feed xmlns='http://www.w3.org/2005/Atom'>", "<updated>", "<content type='html'>", "<!ENTITY a 'b'>",
        "&a;", "\"items\":[", "\"version\":\"https://jsonfeed.org/version/1\"", "\"date_published\":"]


def keep(target, content):
    folder = HERE / "corpus" / target
    folder.mkdir(parents=True, exist_ok=True)
    (folder / hashlib.sha1(content).hexdigest()[:16]).write_bytes(content)


def words(target, texts):
    folder = HERE / "words"
    folder.mkdir(exist_ok=True)
    lines = ('"' + "".join(f"\\x{byte:02x}" for byte in text.encode()[:60]) + '"' for text in dict.fromkeys(texts) if text)
    (folder / f"{target}.dict").write_text("\n".join(lines) + "\n")


def fixtures():
    """Every saved page as (platform, page kind, body)."""
    for file in sorted(PAGES.rglob("*.toml")):
        told = tomllib.loads(file.read_text())
        body = file.parent / told["body"] if "body" in told else None
        if body is None:
            same = [one for one in file.parent.glob(f"{file.stem}.*") if one.suffix != ".toml"]
            body = same[0] if same else None
        if body is not None and body.exists():
            yield file.relative_to(PAGES).parts[0], told["page"], body.read_bytes()
    site = json.loads((PAGES / "portal/site/truth.json").read_text())
    for page in site["pages"]:
        yield "site", page["page"], (PAGES / "portal/site" / page["file"]).read_bytes()


def target_of(body):
    head = body.lstrip(b"\xef\xbb\xbf \r\n\t")[:400].lower()
    if head.startswith((b"{", b"[")):
        return "json"
    return "feed" if b"<rss" in head or b"<feed" in head or b"<rdf" in head else "html"


def sheet(rows):
    cells = ("".join(f"<c r='{column(at)}{number}' t='inlineStr'><is><t>{text}</t></is></c>" for at, text in enumerate(row))
             for number, row in enumerate(rows, 1))
    body = "".join(f"<row r='{number}'>{row}</row>" for number, row in enumerate(cells, 1))
    return f"<worksheet xmlns='http://schemas.openxmlformats.org/spreadsheetml/2006/main'><sheetData>{body}</sheetData></worksheet>"


def column(at):
    return (chr(64 + at // 26) if at >= 26 else "") + chr(65 + at % 26)


def main():
    names, keys = [], []
    for file in sorted((ROOT / "config/platforms").glob("*.toml")):
        text = file.read_text()
        told = tomllib.loads(text)
        names += [f"{told['id']}/{page}\n" for page in told["pages"]]
        keys += [f'"{key}":' for key in re.findall(r"[.$]\.([A-Za-z_]\w*)", text)]
    for platform, page, body in fixtures():
        keep(target_of(body), f"{platform}/{page}\n".encode() + body)
    for text in TIMES:
        keep("datetime", (1_795_349_700).to_bytes(4, "little") + text.encode())
    for text in COUNTS:
        keep("count", text.encode())
    sample = (ROOT / "config/ledger.sample.csv").read_text()
    rows = [line.split(",") for line in sample.splitlines()[:4]]
    keep("ledger", sample.encode())
    keep("ledger", "\n".join(sample.splitlines()[:3]).encode("gb18030"))
    keep("ledger", b"\xff\xfe" + "\n".join(sample.splitlines()[:3]).encode("utf-16-le"))
    keep("ledger", "\n".join(sample.replace(",", "\t").splitlines()[:3]).encode())
    keep("ledger", b"sheet\n" + sheet(rows).encode())
    keep("ledger", b"sheet\n" + sheet([["标题", "阅读", "账号"], ["一", "1,200", "甲"]]).encode())
    words("html", MARKUP + names + TIMES)
    words("json", keys + names + TIMES + ["null", "true", "[[[[", "{\"", "\\u0000", "\\ud800", "1e400"])
    words("feed", FEED + names + TIMES + MARKUP[:8])
    words("datetime", TIMES + list("年月日时点分秒前:-/.TZ") + ["上午", "下午", "凌晨", "星期", "GMT", "+0800"])
    words("count", COUNTS + list("千万亿wWkK+余多,.") + ["百万", "以上"])
    words("ledger", [*rows[0], "sheet\n", "<row r='", "<c r='A1' t='s'>", "<c r='A2' s='1'><v>", "</v></c>", "t='d'",
                     "1E+17", "2025-02-30", "\r\n", "\"\"", "=cmd()"])


if __name__ == "__main__":
    main()
