//! The columns on permissions in docs/API.md, written from the table and held against it.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::PathBuf;

use super::table::Row;
use super::{cells, rows};

const HEADING: &str = "| operation | needs | does |";
const BEGIN: &str = "<!-- The permission matrix, generated from the tests: begin -->\n";
const END: &str = "<!-- The permission matrix: end -->\n";

/// What a row of the documented tables says is needed.
fn needs(row: &Row) -> String {
    match row.holds {
        Some([exact, _]) => {
            let permission = format!("`{}` on `{}`", exact.action, exact.on);
            row.needs.replace("{exact}", &permission)
        }
        None => row.needs.to_owned(),
    }
}

/// The page with each `needs` cell as the table says, and what was found to document.
fn with_needs(page: &str) -> (String, BTreeSet<String>) {
    let (mut fresh, mut documented) = (String::new(), BTreeSet::new());
    let mut is_inside = false;
    for line in page.lines() {
        is_inside = line == HEADING || (is_inside && line.starts_with('|'));
        let request = line
            .strip_prefix("| `")
            .and_then(|rest| rest.split_once('`'))
            .map(|(request, _)| request);
        let row = request.and_then(|request| rows().find(|row| row.request == request));
        match (is_inside, request, row) {
            (true, Some(_), Some(row)) => {
                let does = line.splitn(4, '|').nth(3).unwrap();
                let _ = writeln!(fresh, "| `{}` | {} |{does}", row.request, needs(row));
                documented.insert(row.operation.to_owned());
            }
            (true, Some(request), None) => {
                panic!("docs/API.md has {request}, and the table has not")
            }
            _ => {
                let _ = writeln!(fresh, "{line}");
            }
        }
    }
    (fresh, documented)
}

fn matrix() -> String {
    let mut text = String::from(
        "| operation | nobody | stranger | neighbour | exact | parent | owner |\n\
         |---|---|---|---|---|---|---|\n",
    );
    for row in rows().filter(|row| !row.needs.is_empty()) {
        let cells = cells(row);
        let status = |who: &str| {
            let cell = cells.iter().find(|(caller, _)| *caller == who);
            cell.map_or_else(|| "–".to_owned(), |(_, status)| status.to_string())
        };
        let _ = write!(text, "| `{}` |", row.request);
        for who in [
            "nobody",
            "stranger",
            "neighbour",
            "exact",
            "parent",
            "owner",
        ] {
            let _ = write!(text, " {} |", status(who));
        }
        text.push('\n');
    }
    text
}

#[test]
fn the_permissions_in_the_documents_are_those_of_the_table() {
    let file = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../docs/API.md");
    let page = std::fs::read_to_string(&file).unwrap();
    let (fresh, documented) = with_needs(&page);
    let (before, rest) = fresh
        .split_once(BEGIN)
        .expect("the beginning of the matrix");
    let (_, after) = rest.split_once(END).expect("the end of the matrix");
    let fresh = format!("{before}{BEGIN}{}{END}{after}", matrix());
    let described = rows().filter(|row| !row.needs.is_empty());
    let described: BTreeSet<String> = described.map(|row| row.operation.to_owned()).collect();
    assert_eq!(
        documented, described,
        "every operation has a line in docs/API.md"
    );
    if std::env::var_os("GUESTLIST_BLESS").is_some() {
        std::fs::write(&file, fresh).unwrap();
        return;
    }
    assert!(
        page == fresh,
        "docs/API.md does not say what the table of permissions says; look at the difference after \
         GUESTLIST_BLESS=1 cargo test -p guestlist-server --test api permissions"
    );
}
