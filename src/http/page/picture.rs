//! A [`Scene`] drawn. Shapes and patterns say what colours repeat, and its text says it again.

use std::fmt::Write;

use chrono::{Datelike, NaiveDate};
use maud::{Markup, html};

use crate::domain::{Reason, shanghai_date, shanghai_midnight};
use crate::observe::Gap;

use super::grid::{Grid, SPAN_HEIGHT, text_width};
use super::scene::{Look, Scene, Stretch};
use super::words::{minute, share};

/// Draws a scene so wide; `id` tells it from other pictures of the page.
pub(super) fn draw(scene: &Scene, width: u32, id: &str) -> Markup {
    let grid = Grid::new(scene, width);
    let (title, text) = (format!("{id}-title"), format!("{id}-text"));
    html! {
        svg xmlns="http://www.w3.org/2000/svg" class=(format!("picture {id}")) role="img"
            viewBox=(format!("0 0 {} {}", grid.width, grid.height))
            aria-labelledby=(format!("{title} {text}")) {
            title id=(title) { "发布、访问与覆盖时间图" }
            desc id=(text) { (description(scene)) }
            (patterns(id))
            (names(&grid))
            (axis(&grid, scene))
            @if let Some(window) = scene.window { (window_mark(&grid, window)) }
            (posts(&grid, scene))
            (looks(&grid, scene))
            (spans(&grid, scene, id))
        }
    }
}

/// What the picture shows, for those who do not see it; the table below has all of it.
fn description(scene: &Scene) -> String {
    let mut text = format!("{} 至 {}：", minute(scene.from), minute(scene.to));
    // Writing to a String cannot fail.
    let _ = match scene.posts.last() {
        Some(last) => {
            write!(text, "发布 {} 次，最近一次在 {}；", scene.posts.len(), minute(*last))
        }
        None => write!(text, "没有看到发布；"),
    };
    let (looks, failures) = (scene.looks.len(), scene.failures());
    let _ = write!(text, "访问 {looks} 次，其中失败 {failures} 次；");
    let (ratio, gaps) = (share(scene.ratio), scene.gaps.len());
    let _ = write!(text, "{ratio} 的时间被观察覆盖，缺口 {gaps} 段。逐段情况见图下的表。");
    text
}

/// Whether somebody looked in a gap and could not see, or nobody looked.
fn pattern(cause: Reason) -> &'static str {
    match cause {
        Reason::NotCovered | Reason::NeverVisited => "dots",
        _ => "hatch",
    }
}

fn patterns(id: &str) -> Markup {
    html! {
        defs {
            pattern id=(format!("{id}-hatch")) width="6" height="6" patternUnits="userSpaceOnUse"
                patternTransform="rotate(45)" {
                rect.paper width="6" height="6" {}
                line.stroke x1="0" y1="0" x2="0" y2="6" {}
            }
            pattern id=(format!("{id}-dots")) width="6" height="6" patternUnits="userSpaceOnUse" {
                rect.paper width="6" height="6" {}
                circle.dot cx="3" cy="3" r="1" {}
            }
        }
    }
}

fn names(grid: &Grid) -> Markup {
    let above = grid.left < 20.0;
    let rows =
        [("发布", grid.posts), ("访问", grid.looks), ("覆盖", grid.spans + SPAN_HEIGHT / 2.0)];
    html! {
        @for (name, y) in rows {
            @let (x, y) = if above { (grid.left, y - 16.0) } else { (8.0, y + 4.0) };
            text.name x=(x) y=(y) { (name) }
        }
        line.base x1=(grid.left) x2=(grid.right) y1=(grid.posts) y2=(grid.posts) {}
        line.base x1=(grid.left) x2=(grid.right) y1=(grid.looks) y2=(grid.looks) {}
    }
}

/// The days that the axis names: each week of a short picture, the 1st and 15th of a long one.
fn days(scene: &Scene) -> Vec<NaiveDate> {
    let (first, last) = (shanghai_date(scene.from), shanghai_date(scene.to));
    let is_short = (last - first).num_days() <= 40;
    let all = first.iter_days().skip(1).take_while(|day| *day <= last);
    all.filter(|day| {
        if is_short { (last - *day).num_days() % 7 == 0 } else { matches!(day.day(), 1 | 15) }
    })
    .collect()
}

fn axis(grid: &Grid, scene: &Scene) -> Markup {
    let days = days(scene).into_iter().map(|day| (grid.x(shanghai_midnight(day)), day));
    html! {
        line.base x1=(grid.left) x2=(grid.right) y1=(grid.axis) y2=(grid.axis) {}
        @for (x, day) in days {
            @let x = format!("{x:.1}");
            line.tick x1=(x) x2=(x) y1=(grid.posts - 12.0) y2=(grid.axis + 4.0) {}
            @if grid.x(shanghai_midnight(day)) > grid.left + 14.0
                && grid.x(shanghai_midnight(day)) < grid.right - 14.0 {
                text.day x=(x) y=(grid.axis + 17.0) text-anchor="middle" {
                    (day.format("%m-%d").to_string())
                }
            }
        }
    }
}

fn window_mark(grid: &Grid, (from, to): Stretch) -> Markup {
    let (a, b, y) = (grid.x(from), grid.x(to), grid.axis);
    let top = y - 4.0;
    let path = format!("M{a:.1} {top:.1}v8M{a:.1} {y:.1}H{b:.1}M{b:.1} {top:.1}v8");
    html! {
        g.window {
            title { "判定时段：" (minute(from)) " 至 " (minute(to)) }
            path d=(path) {}
        }
    }
}

fn posts(grid: &Grid, scene: &Scene) -> Markup {
    html! {
        @for (x, count) in grid.columns(scene.posts.iter().copied()) {
            circle.post cx=(x) cy=(grid.posts) r="3.5" { title { "发布 " (count) " 次" } }
        }
    }
}

fn looks(grid: &Grid, scene: &Scene) -> Markup {
    let of = |wanted: fn(Look) -> bool| {
        let times = scene.looks.iter().filter(move |(_, look)| wanted(*look)).map(|(at, _)| *at);
        grid.columns(times)
    };
    let y = grid.looks;
    html! {
        @for (x, count) in of(|look| look == Look::Read) {
            path.read d=(format!("M{x} {:.1}v12", y - 6.0)) { title { "读取成功 " (count) " 次" } }
        }
        @for (x, count) in of(|look| look == Look::Gone) {
            path.gone d=(format!("M{x} {:.1}l5 6l-5 6l-5 -6z", y - 6.0)) {
                title { "平台称账号不存在 " (count) " 次" }
            }
        }
        @for (x, count) in of(|look| matches!(look, Look::Failed(_))) {
            path.failed d=(format!("M{} {:.1}l7 7m0 -7l-7 7", x - 3, y - 3.5)) {
                title { "访问失败 " (count) " 次" }
            }
        }
        @for (x, _) in grid.columns(scene.confirmations.iter().copied()) {
            path.confirmed d=(format!("M{x} {:.1}l5 8h-10z", y + 7.0)) { title { "确认观察" } }
        }
    }
}

fn spans(grid: &Grid, scene: &Scene, id: &str) -> Markup {
    let y = grid.spans;
    html! {
        @for (from, to) in &scene.covered {
            @let (a, b) = (grid.x(*from), grid.x(*to));
            rect.covered x=(format!("{a:.1}")) y=(y) width=(format!("{:.1}", (b - a).max(0.5)))
                height=(SPAN_HEIGHT) { title { "已覆盖：" (minute(*from)) " 至 " (minute(*to)) } }
        }
        @for (at, one) in scene.gaps.iter().enumerate() { (gap(grid, (at + 1, one), id)) }
    }
}

/// A gap with its cause where there is room for it, or with its number in the table.
fn gap(grid: &Grid, (number, gap): (usize, &Gap), id: &str) -> Markup {
    let (a, b) = (grid.x(gap.from), grid.x(gap.to));
    let cause = gap.cause.title();
    let number = number.to_string();
    let fits = |text: &str| text_width(text) + 8.0 <= b - a;
    let label = [cause, number.as_str()].into_iter().find(|text| fits(text));
    html! {
        g.gap {
            title { "缺口 " (number) "：" (minute(gap.from)) " 至 " (minute(gap.to)) "，" (cause) }
            rect x=(format!("{a:.1}")) y=(grid.spans) width=(format!("{:.1}", (b - a).max(2.0)))
                height=(SPAN_HEIGHT) fill=(format!("url(#{id}-{})", pattern(gap.cause))) {}
            @if let Some(label) = label {
                @let middle = f64::midpoint(a, b);
                @let half = text_width(label) / 2.0 + 3.0;
                rect.label x=(format!("{:.1}", middle - half)) y=(grid.spans + 4.0)
                    width=(format!("{:.1}", half * 2.0)) height=(SPAN_HEIGHT - 8.0) {}
                text x=(format!("{middle:.1}")) y=(grid.spans + SPAN_HEIGHT / 2.0 + 4.0)
                    text-anchor="middle" { (label) }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::scene::tests::{at, scene};
    use chrono::{DateTime, Utc};

    use super::super::grid::beginning;
    use super::*;

    #[test]
    fn a_known_history_is_drawn_mark_by_mark() {
        let drawn = draw(&scene(), 720, "wide").into_string();
        for (mark, times) in [
            ("class=\"post\"", 2),
            ("class=\"read\"", 2),
            ("class=\"failed\"", 1),
            ("class=\"confirmed\"", 1),
            ("class=\"covered\"", 2),
            ("class=\"gap\"", 2),
            ("url(#wide-hatch)", 1),
            ("url(#wide-dots)", 1),
        ] {
            assert_eq!(drawn.matches(mark).count(), times, "{mark}: {drawn}");
        }
        // Two of six days, from the first to the second.
        assert!(
            drawn.contains("<rect class=\"covered\" x=\"56.0\" y=\"88\" width=\"109.0\""),
            "{drawn}"
        );
        // The cause stands in a gap of two days, and is told of both.
        assert!(drawn.contains(">平台拦截访问</text>"), "{drawn}");
        assert!(drawn.contains("缺口 2：2026-11-06 08:00 至 2026-11-07 08:00，有时段未观察到"));
        assert!(
            drawn.contains(
                "发布 2 次，最近一次在 2026-11-05 08:00；访问 3 次，其中失败 1 次；50.0%"
            )
        );
        assert!(drawn.contains("aria-labelledby=\"wide-title wide-text\""));
    }

    #[test]
    fn marks_on_one_another_are_drawn_once_with_their_number() {
        let mut scene = scene();
        scene.posts = vec![at(3, 0); 500];
        let drawn = draw(&scene, 340, "narrow").into_string();
        assert_eq!(drawn.matches("class=\"post\"").count(), 1);
        assert!(drawn.contains("发布 500 次"));
    }

    #[test]
    fn everything_lies_within_the_picture() {
        for width in [340, 720] {
            let drawn = draw(&scene(), width, "x").into_string();
            let ends = drawn.split(" x=\"").skip(1).chain(drawn.split(" cx=\"").skip(1));
            for place in ends.map(|rest| rest.split('"').next().unwrap().parse::<f64>().unwrap()) {
                assert!((0.0..=f64::from(width)).contains(&place), "{place} of {width}");
            }
        }
    }

    #[test]
    fn the_axis_names_weeks_or_halves_of_months() {
        let mut scene = scene();
        assert!(days(&scene).iter().all(|day| *day == shanghai_date(scene.to)));
        scene.from = beginning(scene.to, 90);
        assert_eq!(scene.from, "2026-08-08T16:00:00Z".parse::<DateTime<Utc>>().unwrap());
        let days: Vec<String> =
            days(&scene).iter().map(|day| day.format("%m%d").to_string()).collect();
        assert_eq!(days, ["0815", "0901", "0915", "1001", "1015", "1101"]);
    }
}
