//! Runs cases, prints a line for each, and writes the results as JSON.

use std::collections::BTreeSet;
use std::fmt::Debug;
use std::time::Instant;

use authress::apis::Error;
use serde_json::{Value, json};

/// Every operation that this SDK has a method for (`login` and `requestToken` stand in its source as
/// comments). Methods cannot be listed by a program; the version is pinned, so this stays true.
pub const OPERATIONS: &[&str] = &[
    "createClaim",
    "createRecord",
    "getRecords",
    "getRecord",
    "updateRecord",
    "deleteRecord",
    "createRequest",
    "getRequests",
    "getRequest",
    "respondToAccessRequest",
    "deleteRequest",
    "createInvite",
    "respondToInvite",
    "deleteInvite",
    "getAccounts",
    "getAccount",
    "getAccountIdentities",
    "delegateAuthentication",
    "delegateUserLogin",
    "createConnection",
    "getConnections",
    "getConnection",
    "updateConnection",
    "deleteConnection",
    "getConnectionCredentials",
    "createExtension",
    "getExtensions",
    "getExtension",
    "updateExtension",
    "deleteExtension",
    "createGroup",
    "getGroups",
    "getGroup",
    "updateGroup",
    "deleteGroup",
    "getPermissionedResources",
    "getPermissionedResource",
    "updatePermissionedResource",
    "getResourceUsers",
    "createRole",
    "getRoles",
    "getRole",
    "updateRole",
    "deleteRole",
    "createClient",
    "getClients",
    "getClient",
    "updateClient",
    "deleteClient",
    "requestAccessKey",
    "deleteAccessKey",
    "createTenant",
    "getTenants",
    "getTenant",
    "updateTenant",
    "deleteTenant",
    "authorizeUser",
    "getUserPermissionsForResource",
    "getUserRolesForResource",
    "getUserResources",
    "getUsers",
    "getUser",
    "deleteUser",
];

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

pub struct Report {
    /// The operations that the server says it has.
    built: BTreeSet<String>,
    results: Vec<Value>,
    failed: usize,
}

impl Report {
    pub fn new(built: BTreeSet<String>) -> Self {
        Self {
            built,
            results: Vec::new(),
            failed: 0,
        }
    }

    fn lacks(&self, operation: &str) -> bool {
        OPERATIONS.contains(&operation) && !self.built.contains(operation)
    }

    /// Runs a case, unless it is of an operation that the server does not have yet.
    pub async fn case(&mut self, operation: &str, title: &str, run: impl Future<Output = Found>) {
        if !self.lacks(operation) {
            self.attempt(operation, title, "passed", run).await;
        }
    }

    /// Calls an operation that the server does not have: it says so, and the SDK reports that cleanly.
    pub async fn not_built<A: Debug, T: Debug>(
        &mut self,
        operation: &str,
        call: impl Future<Output = Result<A, Error<T>>>,
    ) {
        if self.lacks(operation) {
            let title = "501 that says that it is not built";
            let run = async {
                let body = refused(501, call.await)?;
                equal(
                    body["errorCode"].as_str(),
                    Some("NotImplemented"),
                    "errorCode",
                )
            };
            self.attempt(operation, title, "not built", run).await;
        }
    }

    /// Says of the case that ran last, for the table of compatibility, what a user of this SDK meets
    /// that users of others do not.
    pub fn differs(&mut self, text: &str) {
        if let Some(last) = self.results.last_mut() {
            last["differs"] = json!(text);
        }
    }

    /// Holds the cases against the SDK: each of its operations has one.
    pub async fn complete(&mut self) {
        let tried: BTreeSet<&str> = self
            .results
            .iter()
            .filter_map(|result| result["operation"].as_str())
            .collect();
        let untried: Vec<&str> = OPERATIONS
            .iter()
            .copied()
            .filter(|operation| !tried.contains(operation))
            .collect();
        let found = equal(untried, Vec::<&str>::new(), "what has no case");
        let title = "every operation was called";
        self.attempt("the SDK", title, "passed", async { found })
            .await;
    }

    async fn attempt(
        &mut self,
        operation: &str,
        title: &str,
        good: &str,
        run: impl Future<Output = Found>,
    ) {
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
            "outcome": if detail.is_none() { good } else { "failed" },
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
            "sdk": "rust", "version": version, "phase": phase, "operations": OPERATIONS, "results": self.results,
        });
        std::fs::write(file, format!("{all:#}"))?;
        Ok(self.failed == 0 && passed > 0)
    }
}
