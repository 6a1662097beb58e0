//! `/metrics/accounts` with its cap lifted beside the barest writer and beside the Prometheus
//! crate; and what both pages cost the daemon.

use std::hint::black_box;
use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, Stdio};

use anyhow::{Context, bail};
use flate2::read::GzDecoder;
use futures::TryStreamExt;
use prometheus::{Encoder, GaugeVec, Opts, Registry, TextEncoder};
use sqlx::PgPool;
use xunjian::domain::{Count, Standing};
use xunjian::metrics::AccountsPage;
use xunjian::store::{Secrets, Store};

use crate::verdict::Verdicts;
use crate::{Place, columnar, cpu, fleet};

const ROUNDS: usize = 7;
const SCRAPES: usize = 3;

pub(crate) async fn measure(
    place: &Place,
    accounts: u32,
    verdicts: &mut Verdicts,
) -> anyhow::Result<()> {
    let store = Store::connect(&place.url, 4, Secrets::unavailable("a bench".into())).await?;
    store.migrate().await?;
    let pool = PgPool::connect(&place.url).await?;
    fleet::fill(&pool, accounts).await?;
    let before = cpu::thread()?;
    let standings: Vec<Standing> = store.each_standing(u32::MAX, None, None).try_collect().await?;
    println!("{} accounts read by {:.2} s of ours", standings.len(), cpu::thread()? - before);
    // One thread for all that is compared.
    tokio::task::block_in_place(|| compare(&standings, verdicts))?;
    drop(standings);
    pool.close().await;
    store.close().await;
    scrape(place, accounts, verdicts).await
}

fn compare(standings: &[Standing], verdicts: &mut Verdicts) -> anyhow::Result<()> {
    let columns = columnar::prepare(standings);
    let kept = AccountsPage::of(standings, u32::MAX);
    let (mut bare, mut whole, mut render, mut pieces) = (vec![], vec![], vec![], vec![]);
    let mut text = String::new();
    for _ in 0..ROUNDS {
        let begun = cpu::thread()?;
        let expected = columnar::render(&columns);
        bare.push(cpu::thread()? - begun);

        let begun = cpu::thread()?;
        text = AccountsPage::of(standings, u32::MAX).render();
        whole.push(cpu::thread()? - begun);
        if text.as_bytes() != expected {
            bail!("the barest writer writes another page");
        }
        let begun = cpu::thread()?;
        black_box(kept.render());
        render.push(cpu::thread()? - begun);

        let page = AccountsPage::of(standings, u32::MAX);
        let begun = cpu::thread()?;
        black_box(page.into_pieces().map(|piece| piece.len()).sum::<usize>());
        pieces.push(cpu::thread()? - begun);
    }
    let series = text.lines().filter(|line| !line.starts_with('#')).count();
    let [bare, whole, render, pieces] = [bare, whole, render, pieces].map(cpu::median);
    println!(
        "{series} series, {:.1} MB: barest writer {bare:.3} s, ours {render:.3} s, in pieces \
         {pieces:.3} s, with all that is prepared {whole:.3} s",
        megabytes(text.len())
    );
    verdicts.at_most("our page : the barest columnar writer", render / bare, 2.0, "x");
    verdicts.at_most("the same in pieces, as it is sent", pieces / bare, 2.0, "x");
    verdicts.at_most("the same from accounts as they are read", whole / bare, 4.0, "x");
    drop(columns);
    let crate_seconds = by_the_crate(standings, series)?;
    println!("the Prometheus crate {crate_seconds:.2} s");
    verdicts.at_least("the Prometheus crate : our page", crate_seconds / pieces, 20.0, "x");
    Ok(())
}

/// The same series in the Prometheus crate's registry, gathered and written; medians of three.
fn by_the_crate(standings: &[Standing], series: usize) -> anyhow::Result<f64> {
    let registry = Registry::new();
    let gauge = |name: &str, rest: &[&str]| -> anyhow::Result<GaugeVec> {
        let labels = [&["key", "platform"], rest].concat();
        let gauge = GaugeVec::new(Opts::new(format!("xunjian_{name}"), name), &labels)?;
        registry.register(Box::new(gauge.clone()))?;
        Ok(gauge)
    };
    let info = gauge("account_info", &["name", "sponsor", "area_code", "category"])?;
    let activity = gauge("account_activity", &["activity"])?;
    let post = gauge("account_last_post_timestamp_seconds", &[])?;
    let observation = gauge("account_last_observation_timestamp_seconds", &[])?;
    let deadline = gauge("account_silence_deadline_timestamp_seconds", &[])?;
    let points = gauge("account_score_points", &["dimension"])?;
    let followers = gauge("account_followers", &[])?;
    for one in standings {
        let (key, platform) = (one.key.as_str(), one.platform.as_str());
        let category = one.category.as_deref().unwrap_or_default();
        let labels = [key, platform, &one.name, &one.sponsor, one.region.as_str(), category];
        info.with_label_values(&labels).set(1.0);
        activity.with_label_values(&[key, platform, one.activity.as_str()]).set(1.0);
        for (gauge, at) in [
            (&post, one.last_post_at),
            (&observation, one.last_observation_at),
            (&deadline, one.silence_deadline_at),
        ] {
            #[expect(clippy::cast_precision_loss, reason = "milliseconds of this age")]
            let seconds = at.map(|at| at.timestamp_millis() as f64 / 1000.0);
            if let Some(seconds) = seconds {
                gauge.with_label_values(&[key, platform]).set(seconds);
            }
        }
        for (dimension, value) in &one.scores {
            points.with_label_values(&[key, platform, dimension]).set(*value);
        }
        #[expect(clippy::cast_precision_loss, reason = "below 2^53")]
        if let Some(count) = one.followers.as_ref().and_then(Count::value) {
            followers.with_label_values(&[key, platform]).set(count as f64);
        }
    }
    let mut seconds = Vec::new();
    for _ in 0..3 {
        let begun = cpu::thread()?;
        let mut text = Vec::new();
        TextEncoder::new().encode(&registry.gather(), &mut text)?;
        seconds.push(cpu::thread()? - begun);
        let lines = String::from_utf8(text)?.lines().filter(|line| !line.starts_with('#')).count();
        // All but the gauge of dropped accounts.
        if lines + 1 != series {
            bail!("the crate writes {lines} series, ours are {series}");
        }
    }
    Ok(cpu::median(seconds))
}

/// Asks a process that only answers, as Prometheus does.
async fn scrape(place: &Place, accounts: u32, verdicts: &mut Verdicts) -> anyhow::Result<()> {
    let (mut child, address) = answering(place)?;
    let process = child.id();
    let asked = ask(place, process, &address, accounts, verdicts).await;
    drop(child.stdin.take());
    child.wait()?;
    asked
}

async fn ask(
    place: &Place,
    process: u32,
    address: &str,
    accounts: u32,
    verdicts: &mut Verdicts,
) -> anyhow::Result<()> {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let client = reqwest::Client::builder().no_proxy().build()?;
    let get = async |path: &str, gzip: bool| -> anyhow::Result<Vec<u8>> {
        let mut request = client.get(format!("http://{address}{path}"));
        if gzip {
            request = request.header("accept-encoding", "gzip");
        }
        Ok(request.send().await?.error_for_status()?.bytes().await?.to_vec())
    };
    let mut fleet = 0;
    for _ in 0..SCRAPES {
        fleet = get("/metrics", false).await?.len();
    }
    let (resting, _) = cpu::memory(process)?;
    let server = place.postmaster()?;
    for gzip in [true, false] {
        cpu::forget_peak(process)?;
        let mut body = Vec::new();
        let (ours, theirs) = (cpu::of(process)?, cpu::server(server)?);
        for _ in 0..SCRAPES {
            body = get("/metrics/accounts", gzip).await?;
        }
        #[expect(clippy::cast_precision_loss, reason = "three")]
        let each = |seconds: f64| seconds / SCRAPES as f64;
        let (ours, theirs) = (each(cpu::of(process)? - ours), each(cpu::server(server)? - theirs));
        let sent = megabytes(body.len());
        let mut text = String::new();
        if gzip {
            GzDecoder::new(&body[..]).read_to_string(&mut text)?;
        } else {
            text = String::from_utf8(body)?;
        }
        let found = text.lines().filter(|line| line.starts_with("xunjian_account_info{")).count();
        if found != accounts as usize {
            bail!("{found} accounts on the page, not {accounts}");
        }
        let (_, peak) = cpu::memory(process)?;
        let how = if gzip { "gzip" } else { "plain" };
        println!("a scrape, {how}: {sent:.1} MB, the daemon {ours:.2} s, Postgres {theirs:.2} s");
        let what = format!("memory of the daemon, growth, {how}");
        verdicts.at_most(&what, peak - resting, 150.0, "MB");
    }
    verdicts.at_most("/metrics alone", megabytes(fleet), 1.0, "MB");
    Ok(())
}

fn answering(place: &Place) -> anyhow::Result<(Child, String)> {
    let mut child = Command::new(std::env::current_exe()?)
        .arg("serve")
        .arg(&place.url)
        .arg(&place.folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()?;
    let mut address = String::new();
    BufReader::new(child.stdout.take().context("no output")?).read_line(&mut address)?;
    if address.is_empty() {
        bail!("the answering process did not start");
    }
    Ok((child, address.trim().to_owned()))
}

#[expect(clippy::cast_precision_loss, reason = "sizes of pages")]
fn megabytes(bytes: usize) -> f64 {
    bytes as f64 / 1e6
}
