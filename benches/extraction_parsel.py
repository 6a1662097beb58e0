#!/usr/bin/env python3
"""Ours beside parsel (PyPI), on the same pages and fields in one run.

    benches/extraction_parsel.py [--binary PATH]

Makes a virtual environment with parsel where there is none, builds the bench `extraction` unless a
built one is named, and compares processor times. Fails if ours is less than five times as fast.
"""
import argparse
import json
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

from own_environment import run_again_with

ROOT = pathlib.Path(__file__).resolve().parents[1]
GOAL = 5
ROUNDS = 41

try:
    import parsel
except ImportError:
    run_again_with("parsel")


def column(text):
    page = parsel.Selector(text=text)
    entries = [(item.css("a[href][title]::attr(href)").get(), item.css("a[href][title]::attr(title)").get(),
                item.css("span::text").get()) for item in page.css("ul.list > li")]
    page.css(".empty, .nodata, .no-data").get(), page.css('.page a.next::attr(href)').get()
    return len([entry for entry in entries if all(entry)])


def plain_timeline(text):
    page = parsel.Selector(text=text)
    page.css('div.u a[href*="/fans"]::text').get(), page.css("div.u .tc::text").get(), page.css("title::text").get()
    fields = [".ctt", ".ct", ".kt", ".cmt", 'a[href*="/video/"]', 'a[href*="/mblog/pic"]', 'a[href*="/attitude/"]',
              "a.cc", 'a[href*="/repost/"]']
    posts = [[post.attrib["id"], *("".join(post.css(field).xpath(".//text()").getall()) for field in fields)]
             for post in page.css('div.c[id^="M_"]')]
    return len(posts)


def cards(text):
    page = parsel.Selector(text=text, type="json")
    fields = ["mid", "id", "text", "created_at", "isTop", "title.text", "mblogtype", "page_info.type", "pics", "pic_num",
              "retweeted_status", "user.id", "reads_count", "attitudes_count", "comments_count", "reposts_count"]
    owner = page.jmespath("data.cards[0].mblog.user")
    for field in ["screen_name", "verified_reason", "followers_count", "statuses_count"]:
        owner.jmespath(field).get()
    posts = [[card.jmespath(field).get() for field in fields] for card in page.jmespath("data.cards[*].mblog")]
    return len(posts)


PAGES = {"portal_list": (column, 40), "weibo_timeline_html": (plain_timeline, 150), "weibo_timeline": (cards, 10)}


def built():
    command = ["cargo", "bench", "--no-run", "--bench", "extraction", "--message-format=json"]
    lines = subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True).stdout.splitlines()
    told = (json.loads(line) for line in lines)
    return next(one["executable"] for one in told if one.get("target", {}).get("name") == "extraction" and one.get("executable"))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--binary", help="the built bench")
    binary = parser.parse_args().binary or built()
    missed = False
    with tempfile.TemporaryDirectory() as folder:
        ours = json.loads(subprocess.run([binary, "--pages", folder], check=True, stdout=subprocess.PIPE).stdout)
        for name, (work, posts) in PAGES.items():
            body = pathlib.Path(folder, name).read_bytes()
            times = []
            for _ in range(ROUNDS):
                began = time.process_time()
                found = work(body.decode())
                times.append((time.process_time() - began) * 1e6)
                assert found == posts, (name, found)
            theirs = statistics.median(times)
            ratio = theirs / ours[name]
            missed |= ratio < GOAL
            print(f"{name}: parsel {theirs:.0f} us, ours {ours[name]:.0f} us: {ratio:.1f} times as fast (goal {GOAL})")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
