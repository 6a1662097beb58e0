use super::*;
#[test]
fn debug() {
    let body = std::fs::read_to_string("/work/shared/corpus/portal/article_xinhua_2020.html").unwrap();
    let html = scraper::Html::parse_document(&body);
    let at = chrono::DateTime::parse_from_rfc3339("2020-02-26T12:00:00+08:00").unwrap().to_utc();
    let outline = Outline::of(html.root_element());
    let h = heading::heading(html.root_element(), &outline, None);
    println!("{:?}", h.map(|h| (h.title, h.places)));
    for date in written::full_dates(&outline, at) {
        let holder = outline.at(date.range.start);
        println!("{:?} {:?} margin {} {:?} {:?}", date, &outline.text[date.range.clone()], outline.parts[holder].margin, label::label(&outline, &date), outline.line(date.range.start));
    }
    println!("{}", &outline.text[..600.min(outline.text.len()/2)]);
}
