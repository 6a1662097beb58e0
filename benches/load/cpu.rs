//! Processor time and memory as the system counts them, so that a busy machine disturbs little.

use std::fs;

use anyhow::Context;

/// Clock ticks a second in `/proc`; the kernel promises them to programs, whatever its own rate.
const TICKS: f64 = 100.0;

/// Seconds that this thread has computed.
pub(crate) fn thread() -> anyhow::Result<f64> {
    let text = fs::read_to_string("/proc/thread-self/schedstat")?;
    let nanoseconds: f64 = text.split(' ').next().context("no schedstat")?.parse()?;
    Ok(nanoseconds / 1e9)
}

/// Seconds that the living threads of this process have computed.
pub(crate) fn own() -> anyhow::Result<f64> {
    let mut seconds = 0.0;
    for thread in fs::read_dir("/proc/self/task")? {
        // One may end between two looks.
        if let Ok(text) = fs::read_to_string(thread?.path().join("schedstat")) {
            seconds += text.split(' ').next().context("no schedstat")?.parse::<f64>()? / 1e9;
        }
    }
    Ok(seconds)
}

/// Seconds that a process has computed, all its threads together.
pub(crate) fn of(process: u32) -> anyhow::Result<f64> {
    Ok(stat(&process.to_string())?.own)
}

/// Seconds that a process of one thread has computed, finer than ticks.
fn of_one_thread(process: &str) -> anyhow::Result<f64> {
    let text = fs::read_to_string(format!("/proc/{process}/schedstat"))?;
    Ok(text.split(' ').next().context("no schedstat")?.parse::<f64>()? / 1e9)
}

/// Seconds that a server has computed: its first process, its ended and its living children.
pub(crate) fn server(first: u32) -> anyhow::Result<f64> {
    let mut seconds = of_one_thread(&first.to_string())? + stat(&first.to_string())?.children;
    for entry in fs::read_dir("/proc")? {
        let name = entry?.file_name();
        let Some(process) = name.to_str().filter(|name| name.parse::<u32>().is_ok()) else {
            continue;
        };
        // One may end between two looks.
        if let Ok(one) = stat(process)
            && one.parent == first
        {
            seconds += of_one_thread(process).unwrap_or(one.own);
        }
    }
    Ok(seconds)
}

struct Stat {
    parent: u32,
    own: f64,
    children: f64,
}

fn stat(process: &str) -> anyhow::Result<Stat> {
    let text = fs::read_to_string(format!("/proc/{process}/stat"))?;
    // The name, in brackets, may hold anything.
    let after = text.rsplit_once(')').context("no name in stat")?.1;
    let fields: Vec<&str> = after.split_whitespace().collect();
    let ticks = |at: usize| -> anyhow::Result<f64> { Ok(fields[at].parse::<f64>()? / TICKS) };
    Ok(Stat {
        parent: fields[1].parse()?,
        own: ticks(11)? + ticks(12)?,
        children: ticks(13)? + ticks(14)?,
    })
}

/// Megabytes that a process holds now, and the most it held since [`forget_peak`].
pub(crate) fn memory(process: u32) -> anyhow::Result<(f64, f64)> {
    let status = fs::read_to_string(format!("/proc/{process}/status"))?;
    let field = |name: &str| -> anyhow::Result<f64> {
        let line = status.lines().find_map(|line| line.strip_prefix(name)).context("no memory")?;
        Ok(line.trim_start_matches(':').trim().trim_end_matches(" kB").parse::<f64>()? / 1024.0)
    };
    Ok((field("VmRSS")?, field("VmHWM")?))
}

/// Begins to look for the most memory anew.
pub(crate) fn forget_peak(process: u32) -> anyhow::Result<()> {
    fs::write(format!("/proc/{process}/clear_refs"), "5").context("the peak cannot be forgotten")
}

/// The median of some figures.
pub(crate) fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures[figures.len() / 2]
}
