use std::collections::BTreeMap;
use std::{io, mem};

use chrono::{DateTime, NaiveDate, Utc};

use super::capture::Capture;
use super::kept::Placed;
use super::segment::{self, Failed, Segment};
use super::vault::Inner;
use crate::domain::{EvidenceClass, shanghai_date};

/// The open segments of this process, one a class.
pub(super) struct Writer {
    /// This process among all that ever write; part of every segment's name.
    pub(super) name: String,
    segments: u64,
    open: BTreeMap<EvidenceClass, Segment>,
}

impl Writer {
    pub(super) fn new(name: String) -> Self {
        Self { name, segments: 0, open: BTreeMap::new() }
    }

    /// Appends captures and waits until they lie on the disk; all of them or none.
    pub(super) fn append(
        &mut self,
        inner: &Inner,
        captures: &[Capture],
        now: DateTime<Utc>,
    ) -> io::Result<Vec<Placed>> {
        let mut classes: BTreeMap<EvidenceClass, Vec<u8>> = BTreeMap::new();
        let mut places: Vec<u64> = Vec::with_capacity(captures.len());
        for capture in captures {
            let batch = classes.entry(capture.class).or_default();
            places.push(batch.len() as u64);
            batch.extend(&capture.bytes);
        }
        let mut starts: BTreeMap<EvidenceClass, u64> = BTreeMap::new();
        for (class, batch) in &classes {
            let begun = self.segment(inner, *class, now).map(|segment| segment.length);
            let written = begun.and_then(|start| {
                starts.insert(*class, start);
                self.write(*class, batch)
            });
            if let Err(error) = written {
                self.take_back(&starts);
                return Err(error);
            }
        }
        self.sync(&starts)?;
        let place = |(capture, offset): (&Capture, u64)| {
            let segment = &self.open[&capture.class];
            Placed {
                segment: segment.name.clone(),
                day: segment.day,
                offset: starts[&capture.class] + offset,
                length: capture.bytes.len() as u64,
            }
        };
        Ok(captures.iter().zip(places).map(place).collect())
    }

    /// Closes the segments of days before `before`, or all of them.
    pub(super) fn close(&mut self, before: Option<NaiveDate>) -> io::Result<()> {
        let open = mem::take(&mut self.open);
        let (ended, going): (BTreeMap<_, _>, BTreeMap<_, _>) =
            open.into_iter().partition(|(_, segment)| before.is_none_or(|day| segment.day < day));
        self.open = going;
        ended.into_values().try_for_each(Segment::close)
    }

    /// The open segment of a class, a new one where the day has changed or it is full.
    fn segment(
        &mut self,
        inner: &Inner,
        class: EvidenceClass,
        now: DateTime<Utc>,
    ) -> io::Result<&mut Segment> {
        let today = shanghai_date(now);
        let full = |one: &Segment| one.length >= inner.settings.segment_bytes_max;
        if self.open.get(&class).is_some_and(|one| one.day != today || full(one))
            && let Some(ended) = self.open.remove(&class)
        {
            ended.close()?;
        }
        if !self.open.contains_key(&class) {
            self.segments += 1;
            let name = segment::name(today, class, &self.name, self.segments);
            let opening = segment::opening(&name, &inner.software, now, inner.settings.gzip_level);
            let opened = Segment::create(&inner.spool, name, today, &opening)?;
            self.open.insert(class, opened);
        }
        Ok(self.open.get_mut(&class).expect("it was just put there"))
    }

    fn write(&mut self, class: EvidenceClass, batch: &[u8]) -> io::Result<()> {
        let Some(segment) = self.open.get_mut(&class) else { return Ok(()) };
        match segment.append(batch) {
            Ok(()) => Ok(()),
            Err(Failed::Whole(error)) => Err(error),
            Err(Failed::Torn(error)) => {
                // Left as it is: recovery cuts the torn record off.
                self.open.remove(&class);
                Err(error)
            }
        }
    }

    /// Cuts a failed batch off again; a segment that cannot be cut is left to recovery.
    fn take_back(&mut self, starts: &BTreeMap<EvidenceClass, u64>) {
        for (class, start) in starts {
            if self.open.get_mut(class).is_some_and(|one| one.cut(*start).is_err()) {
                self.open.remove(class);
            }
        }
    }

    /// Makes the batch durable. After a failure nobody knows what the disk holds: the segments are
    /// never written again.
    fn sync(&mut self, touched: &BTreeMap<EvidenceClass, u64>) -> io::Result<()> {
        let synced: io::Result<()> =
            touched.keys().filter_map(|class| self.open.get(class)).try_for_each(Segment::sync);
        if synced.is_err() {
            self.open.retain(|class, _| !touched.contains_key(class));
        }
        synced
    }
}
