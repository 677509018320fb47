//! Comma-separated values (RFC 4180): a header, and a record for each line or quoted lines after it.

/// A file that is no table, and in which line that shows.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {reason}")]
pub struct NotATable {
    /// From 1, with the header.
    pub line: usize,
    pub reason: String,
}

impl NotATable {
    pub(crate) fn new(line: usize, reason: impl Into<String>) -> Self {
        let reason = reason.into();
        Self { line, reason }
    }
}

/// Some fields, and in which line they begin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// From 1, with the header.
    pub line: usize,
    pub fields: Vec<String>,
}

/// All records of a text, the header being the first. Lines end in LF or CRLF; empty ones are passed
/// over, and so is a byte order mark, which spreadsheets write. Fields have the blanks around them that
/// they are written with.
///
/// # Errors
///
/// A quote that is not closed or stands within a field that does not begin with one, a control
/// character outside of quotes, more than `most` records, or a record with more or fewer fields than
/// the header.
pub fn records(text: &str, most: usize) -> Result<Vec<Record>, NotATable> {
    let mut reader = Reader {
        rest: text.strip_prefix('\u{feff}').unwrap_or(text),
        line: 1,
    };
    let mut records: Vec<Record> = Vec::new();
    while let Some(record) = reader.record()? {
        let is_blank = matches!(record.fields.as_slice(), [only] if only.is_empty());
        if is_blank {
            continue;
        }
        if records.len() >= most {
            let reason = format!("there are more than {} rows", most.saturating_sub(1));
            return Err(NotATable::new(record.line, reason));
        }
        if let Some(header) = records.first()
            && header.fields.len() != record.fields.len()
        {
            let reason = format!(
                "has {} fields, and the header has {}",
                record.fields.len(),
                header.fields.len()
            );
            return Err(NotATable::new(record.line, reason));
        }
        records.push(record);
    }
    Ok(records)
}

/// What follows a field.
enum End {
    Field,
    Record,
}

struct Reader<'a> {
    rest: &'a str,
    line: usize,
}

impl Reader<'_> {
    fn record(&mut self) -> Result<Option<Record>, NotATable> {
        if self.rest.is_empty() {
            return Ok(None);
        }
        let line = self.line;
        let mut fields = Vec::new();
        loop {
            let field = if self.took("\"") {
                self.quoted()?
            } else {
                self.plain()?
            };
            fields.push(field);
            match self.end()? {
                End::Field => {}
                End::Record => return Ok(Some(Record { line, fields })),
            }
        }
    }

    fn took(&mut self, text: &str) -> bool {
        match self.rest.strip_prefix(text) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    fn plain(&mut self) -> Result<String, NotATable> {
        let end = self.rest.find([',', '\r', '\n']);
        let (field, rest) = self.rest.split_at(end.unwrap_or(self.rest.len()));
        if field.contains('"') {
            let reason = "a field with a quote in it must be quoted, and the quote doubled";
            return Err(NotATable::new(self.line, reason));
        }
        self.rest = rest;
        Ok(field.to_owned())
    }

    fn quoted(&mut self) -> Result<String, NotATable> {
        let begin = self.line;
        let mut field = String::new();
        loop {
            let Some((part, rest)) = self.rest.split_once('"') else {
                return Err(NotATable::new(begin, "a quote is not closed"));
            };
            self.line += part.matches('\n').count();
            field.push_str(part);
            self.rest = rest;
            if !self.took("\"") {
                return Ok(field);
            }
            field.push('"');
        }
    }

    fn end(&mut self) -> Result<End, NotATable> {
        if self.took(",") {
            return Ok(End::Field);
        }
        if self.took("\r\n") || self.took("\n") {
            self.line += 1;
            return Ok(End::Record);
        }
        if self.rest.is_empty() {
            return Ok(End::Record);
        }
        let reason = "after a field there must be a comma or the end of the line";
        Err(NotATable::new(self.line, reason))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Vec<(usize, Vec<String>)>, String> {
        let records = records(text, 4).map_err(|error| error.to_string())?;
        Ok(records
            .into_iter()
            .map(|record| (record.line, record.fields))
            .collect())
    }

    #[test]
    fn fields_are_read_as_they_were_written() {
        let text = "\u{feff}a,b\r\n1,\"x, \"\"y\"\"\nz\"\n\n,\n é ,";
        let fields = |line, a: &str, b: &str| (line, vec![a.to_owned(), b.to_owned()]);
        assert_eq!(
            read(text).unwrap(),
            [
                fields(1, "a", "b"),
                fields(2, "1", "x, \"y\"\nz"),
                fields(5, "", ""),
                fields(6, " é ", ""),
            ]
        );
        assert_eq!(read("").unwrap(), []);
    }

    #[test]
    fn what_is_no_table_is_told_with_its_line() {
        for (text, line) in [
            ("a,b\n1,2\n1,2,3", "line 3: has 3 fields"),
            ("a\n\"x\ny\"\n\"1\n\n", "line 4: a quote is not closed"),
            ("a\n1\"2\n", "line 2: a field with a quote"),
            ("a\n\"1\"2\n", "line 2: after a field"),
            ("a\n1\r2\n", "line 2: after a field"),
            ("a\n1\n2\n3\n4", "line 5: there are more than 3 rows"),
        ] {
            let told = read(text).unwrap_err();
            assert!(told.starts_with(line), "{told}");
        }
    }
}
