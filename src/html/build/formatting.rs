//! The list of active formatting elements: 13.2.4.3 of the HTML standard, and what of 13.2.6.4.7
//! moves nothing.

use super::super::tag::Tag;
use super::super::tree::Part;
use super::{Builder, Irregular, Start};

/// The most formatting elements alike that stay in the list.
const ALIKE_MAX: usize = 3;

impl Builder<'_> {
    /// Begins anew what was formatted before and not ended.
    pub(super) fn reconstruct_formatting(&mut self) {
        let closed = |entry: &&Option<u32>| entry.is_some_and(|node| !self.is_open(node));
        let count = self.formatting.iter().rev().take_while(closed).count();
        for index in self.formatting.len() - count..self.formatting.len() {
            let Some(node) = self.formatting[index] else { continue };
            let record = self.tree.records[node as usize];
            self.formatting[index] = Some(self.tree.records.len() as u32);
            self.insert_record(record.tag.unwrap_or(Tag::Other), record.part, record.attributes);
        }
    }

    fn is_open(&self, node: u32) -> bool {
        self.open.iter().rev().any(|open| open.at == node)
    }

    pub(super) fn insert_formatting(&mut self, start: Start) {
        let alike = self.since_marker().filter(|index| self.is_alike(*index, start));
        let alike = alike.collect::<Vec<_>>();
        if alike.len() >= ALIKE_MAX
            && let Some(earliest) = alike.last()
        {
            self.formatting.remove(*earliest);
        }
        self.formatting.push(Some(self.tree.records.len() as u32));
        self.insert(start);
    }

    /// The entries after the last marker, from the end.
    fn since_marker(&self) -> impl Iterator<Item = usize> + '_ {
        let entries = self.formatting.iter().enumerate().rev();
        entries.take_while(|(_, entry)| entry.is_some()).map(|(index, _)| index)
    }

    fn is_alike(&self, index: usize, start: Start) -> bool {
        let Some(node) = self.formatting[index] else { return false };
        let record = self.tree.records[node as usize];
        let of = |(from, count): (u32, u32)| {
            let attributes = &self.tree.attributes[from as usize..(from + count) as usize];
            let read =
                attributes.iter().map(|one| (self.tree.read(one.name), self.tree.read(one.value)));
            let mut read = read.collect::<Vec<_>>();
            read.sort_unstable();
            read
        };
        // Sums tell most apart, without an order.
        let sum = |(from, count): (u32, u32)| {
            let attributes = &self.tree.attributes[from as usize..(from + count) as usize];
            attributes.iter().fold(0_u32, |sum, one| sum.wrapping_add(one.hash ^ one.value.length))
        };
        record.tag == Some(start.tag)
            && record.attributes.1 == start.attributes.1
            && sum(record.attributes) == sum(start.attributes)
            && of(record.attributes) == of(start.attributes)
    }

    pub(super) fn add_marker(&mut self) {
        self.formatting.push(None);
    }

    pub(super) fn clear_to_marker(&mut self) {
        while self.formatting.pop().is_some_and(|entry| entry.is_some()) {}
    }

    /// The end of a formatting element: the adoption agency where there is nothing to adopt.
    pub(super) fn end_formatting(&mut self, tag: Tag, name: Part) -> Result<(), Irregular> {
        if let Some(open) = self.open.last()
            && open.tag == tag
            && !self.formatting.contains(&Some(open.at))
        {
            self.pop();
            return Ok(());
        }
        let is_it = |index: &usize| {
            let node = self.formatting[*index];
            node.is_some_and(|node| self.tree.records[node as usize].tag == Some(tag))
        };
        let Some(index) = self.since_marker().find(is_it) else {
            self.end_any(tag, name);
            return Ok(());
        };
        let node = self.formatting[index];
        let Some(place) = self.open.iter().rposition(|open| Some(open.at) == node) else {
            self.formatting.remove(index);
            return Ok(());
        };
        let above = &self.open[place + 1..];
        if above.iter().any(|open| open.tag.bounds_scope()) {
            return Ok(());
        }
        if above.iter().any(|open| open.tag.is_special()) {
            return Err(Irregular);
        }
        self.pop_to(place);
        self.formatting.remove(index);
        Ok(())
    }
}
