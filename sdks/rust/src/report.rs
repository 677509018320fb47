//! Runs cases, prints a line for each, and writes the results as JSON.

use std::fmt::Debug;
use std::time::Instant;

use authress::apis::Error;
use serde_json::{Value, json};

/// What a case found instead of what it expected, for people.
#[derive(Debug)]
pub struct Failure(pub String);

impl<T: Debug> From<Error<T>> for Failure {
    fn from(error: Error<T>) -> Self {
        match error {
            Error::ResponseError(answer) => Self(format!(
                "refused with {}: {}",
                answer.status, answer.content
            )),
            other => Self(format!("{other}")),
        }
    }
}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        Self(error.to_string())
    }
}

impl From<serde_json::Error> for Failure {
    fn from(error: serde_json::Error) -> Self {
        Self(error.to_string())
    }
}

pub type Found = Result<(), Failure>;

pub fn check(condition: bool, text: &str) -> Found {
    if condition {
        Ok(())
    } else {
        Err(Failure(text.to_owned()))
    }
}

pub fn equal<T: PartialEq<U> + Debug, U: Debug>(found: T, expected: U, what: &str) -> Found {
    if found == expected {
        return Ok(());
    }
    Err(Failure(format!("{what}: {found:?}, expected {expected:?}")))
}

/// The body of a refusal, which has to be this SDK's response error with the status, and the
/// documented error: title, errorCode and errorId.
pub fn refused<A: Debug, T: Debug>(
    status: u16,
    answer: Result<A, Error<T>>,
) -> Result<Value, Failure> {
    let error = match answer {
        Ok(found) => {
            return Err(Failure(format!(
                "was not refused with {status} but answered {found:?}"
            )));
        }
        Err(Error::ResponseError(error)) => error,
        Err(other) => return Err(Failure(format!("failed otherwise: {other}"))),
    };
    equal(
        error.status.as_u16(),
        status,
        &format!("the status of {}", error.content),
    )?;
    let body: Value = serde_json::from_str(&error.content)?;
    for member in ["title", "errorCode", "errorId"] {
        let text = body.get(member).and_then(Value::as_str).unwrap_or_default();
        check(!text.is_empty(), &format!("{member} is missing in {body}"))?;
    }
    Ok(body)
}

#[derive(Default)]
pub struct Report {
    results: Vec<Value>,
    failed: usize,
}

impl Report {
    pub async fn case(&mut self, operation: &str, title: &str, run: impl Future<Output = Found>) {
        let started = Instant::now();
        let found = run.await;
        let detail = found.err().map(|failure| failure.0);
        match &detail {
            None => println!("{operation}: {title} … passed"),
            Some(detail) => {
                self.failed += 1;
                println!("{operation}: {title} … FAILED\n    {detail}");
            }
        }
        self.results.push(json!({
            "operation": operation,
            "case": title,
            "outcome": if detail.is_none() { "passed" } else { "failed" },
            "detail": detail,
            "seconds": started.elapsed().as_secs_f64(),
        }));
    }

    /// Writes the results; answers whether all cases passed.
    pub fn finish(self, phase: &str, version: &str, file: &str) -> std::io::Result<bool> {
        let passed = self.results.len() - self.failed;
        println!(
            "rust {version}, {phase}: {passed} passed, {} failed",
            self.failed
        );
        let all = json!({
            "sdk": "rust", "version": version, "phase": phase, "results": self.results,
        });
        std::fs::write(file, format!("{all:#}"))?;
        Ok(self.failed == 0 && passed > 0)
    }
}
