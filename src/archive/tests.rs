use std::fs;
use std::path::Path;
use std::process::Command;

use super::*;

fn head() -> Head {
    Head {
        format: FORMAT.to_owned(),
        software: "xunjian/test".to_owned(),
        made_at: "2026-11-28T00:00:00Z".to_owned(),
        schema: 14,
        schema_digest: "d".to_owned(),
        postgres: "15.18".to_owned(),
        key: "k".to_owned(),
        key_inside: false,
        config: Vec::new(),
        months: None,
        tables: vec![TableShape { name: "units".into(), columns: vec!["id".into()] }],
    }
}

fn written(path: &Path) -> crate::domain::Sha256Digest {
    let mut writer = Writer::create(path, &head()).unwrap();
    let mut pieces = Pieces::of("units");
    for row in ["1\t某局\n", "2\t\\N\n"] {
        assert_eq!(pieces.push(row.as_bytes()).unwrap(), None);
    }
    let (name, packed) = pieces.rest().unwrap().unwrap();
    assert_eq!(table_of(&name), Some("units"));
    writer.put(&name, &packed).unwrap();
    writer.put("evidence/2026-11-27_change_w_000001.warc.gz", &[7; 1000]).unwrap();
    let rows = vec![Rows { table: "units".into(), rows: pieces.rows }];
    writer.finish(&Tail { rows, ..Tail::default() }).unwrap()
}

#[test]
fn what_is_written_comes_back_and_other_programs_open_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("b.tar");
    let digest = written(&path);
    let checked = Checked::open(&path).unwrap();
    assert_eq!((checked.digest, &checked.head), (digest, &head()));
    assert_eq!(checked.tail.rows[0].rows, 2);
    let names: Vec<_> = checked.parts.iter().map(|part| part.name.as_str()).collect();
    let segment = "evidence/2026-11-27_change_w_000001.warc.gz";
    assert_eq!(names, [HEAD, "tables/units/000001.copy.gz", segment, TAIL]);
    let rows = unpack(&checked.read(&checked.parts[1]).unwrap()).unwrap();
    assert_eq!(rows, "1\t某局\n2\t\\N\n".as_bytes());
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "no draft is left");
    let opened = Command::new("sh")
        .args(["-c", "tar -xf b.tar && sha256sum -c --quiet SHA256SUMS"])
        .current_dir(folder.path())
        .status();
    assert!(opened.unwrap().success());
}

#[test]
fn a_file_that_is_there_stays_and_a_backup_given_up_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("b.tar");
    drop(Writer::create(&path, &head()).unwrap());
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    fs::write(&path, "mine").unwrap();
    assert!(Writer::create(&path, &head()).is_err());
    assert_eq!(fs::read_to_string(&path).unwrap(), "mine");
}

#[test]
fn a_cut_at_any_byte_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("b.tar");
    written(&path);
    let whole = fs::read(&path).unwrap();
    let cut = folder.path().join("cut.tar");
    for length in (0..whole.len()).rev().step_by(97).chain([whole.len() - 1]) {
        fs::write(&cut, &whole[..length]).unwrap();
        let error = Checked::open(&cut).err().unwrap_or_else(|| panic!("{length} bytes"));
        assert!(error.to_string().starts_with(cut.to_str().unwrap()), "{error}");
    }
    fs::write(&cut, [&whole[..], b"x"].concat()).unwrap();
    assert!(Checked::open(&cut).unwrap_err().to_string().contains("it should have"));
}

#[test]
fn no_byte_of_a_part_or_of_the_digests_may_differ() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("b.tar");
    written(&path);
    let whole = fs::read(&path).unwrap();
    let checked = Checked::open(&path).unwrap();
    let other = folder.path().join("other.tar");
    let last = checked.parts.last().unwrap();
    let sums_at = last.at + last.bytes.next_multiple_of(512) + 512;
    let contents = checked.parts.iter().flat_map(|part| [part.at, part.at + part.bytes - 1]);
    for at in contents.chain([sums_at, sums_at + 70]) {
        let mut bytes = whole.clone();
        bytes[usize::try_from(at).unwrap()] ^= 1;
        fs::write(&other, bytes).unwrap();
        assert!(Checked::open(&other).is_err(), "byte {at}");
    }
    let text = String::from_utf8_lossy(&whole).replace("000001.copy.gz", "000002.copy.gz");
    fs::write(&other, text.as_bytes()).unwrap();
    assert!(Checked::open(&other).is_err());
}

#[test]
fn rows_are_cut_into_pieces_of_whole_rows() {
    let mut pieces = Pieces::of("posts");
    let row = vec![b'x'; PIECE_BYTES / 3];
    let mut sizes = Vec::new();
    for _ in 0..7 {
        if let Some((name, packed)) = pieces.push(&row).unwrap() {
            sizes.push((name, unpack(&packed).unwrap().len()));
        }
    }
    let (name, packed) = pieces.rest().unwrap().unwrap();
    sizes.push((name, unpack(&packed).unwrap().len()));
    assert!(sizes.iter().all(|(_, bytes)| bytes % row.len() == 0), "{sizes:?}");
    assert_eq!(sizes.iter().map(|(_, bytes)| bytes / row.len()).sum::<usize>(), 7);
    assert_eq!(sizes[0].0, "tables/posts/000001.copy.gz");
    assert!(pieces.rest().unwrap().is_none());
}
