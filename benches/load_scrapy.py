#!/usr/bin/env python3
"""Processor microseconds that Scrapy (PyPI) takes to fetch and extract a column page.

    benches/load_scrapy.py PORT PAGES [fields]

Called by `benches/load.sh whole`; makes a virtual environment with Scrapy where there is none. Only the
crawl is counted, from the opening of the spider to its end; nothing is stored.

It takes what the bare parts take, and parsel in `extraction_parsel.py`: address, title and date of each
entry, the sign of an empty list, the next page. With `fields` all but the sign, which a spider for this one
page would look for only where it finds no entry.
"""
import sys
import time

from own_environment import run_again_with

try:
    import scrapy
    from scrapy.crawler import CrawlerProcess
except ImportError:
    run_again_with("scrapy")

def fields(response):
    """Address, title and date of each entry."""
    response.css(".page a.next::attr(href)").get()
    return [(item.css("a[href][title]::attr(href)").get(), item.css("a[href][title]::attr(title)").get(),
             item.css("span::text").get()) for item in response.css("ul.list > li")]


def extraction(response):
    """The same, and whether the page says that its list is empty."""
    response.css(".empty, .nodata, .no-data").get()
    return fields(response)


class Columns(scrapy.Spider):
    name = "columns"
    read = 0

    async def start(self):
        self.began = time.process_time()
        for number in range(self.pages):
            yield scrapy.Request(f"http://127.0.0.1:{self.port}/{self.folder}{number}/index.html")

    def parse(self, response):
        entries = self.take(response)
        assert len(entries) == 40, len(entries)
        Columns.read += 1

    def closed(self, reason):
        Columns.took = time.process_time() - self.began


port, pages = int(sys.argv[1]), int(sys.argv[2])
# Pages of their own: each page tells something newer whenever it is asked for.
take, folder = (fields, "fields") if sys.argv[3:] == ["fields"] else (extraction, "scrapy")
process = CrawlerProcess({"LOG_ENABLED": False, "ROBOTSTXT_OBEY": True, "CONCURRENT_REQUESTS": 16,
                          "CONCURRENT_REQUESTS_PER_DOMAIN": 16, "DOWNLOAD_DELAY": 0, "TELNETCONSOLE_ENABLED": False})
process.crawl(Columns, port=port, pages=pages, take=take, folder=folder)
process.start()
assert Columns.read == pages, (Columns.read, pages)
print(Columns.took / pages * 1e6)
