#!/usr/bin/env python3
"""Processor microseconds that Scrapy (PyPI) takes to fetch and extract a column page.

    benches/load_scrapy.py PORT PAGES

Called by `benches/load.sh whole`; makes a virtual environment with Scrapy where there is none. Only the
crawl is counted, from the opening of the spider to its end; nothing is stored.
"""
import sys
import time

from own_environment import run_again_with

try:
    import scrapy
    from scrapy.crawler import CrawlerProcess
except ImportError:
    run_again_with("scrapy")


class Columns(scrapy.Spider):
    name = "columns"
    read = 0

    async def start(self):
        self.began = time.process_time()
        for number in range(self.pages):
            yield scrapy.Request(f"http://127.0.0.1:{self.port}/scrapy{number}/index.html")

    def parse(self, response):
        entries = [(item.css("a[href][title]::attr(href)").get(), item.css("a[href][title]::attr(title)").get(),
                    item.css("span::text").get()) for item in response.css("ul.list > li")]
        response.css(".page a.next::attr(href)").get()
        assert len(entries) == 40, len(entries)
        Columns.read += 1

    def closed(self, reason):
        Columns.took = time.process_time() - self.began


port, pages = int(sys.argv[1]), int(sys.argv[2])
process = CrawlerProcess({"LOG_ENABLED": False, "ROBOTSTXT_OBEY": True, "CONCURRENT_REQUESTS": 16,
                          "CONCURRENT_REQUESTS_PER_DOMAIN": 16, "DOWNLOAD_DELAY": 0, "TELNETCONSOLE_ENABLED": False})
process.crawl(Columns, port=port, pages=pages)
process.start()
assert Columns.read == pages, (Columns.read, pages)
print(Columns.took / pages * 1e6)
