//! A terminal of the test's own, for what a command does only on one.

use std::fs::File;
use std::io::{Read as _, Write as _};
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt as _;
use std::process::Stdio;
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::Duration;

use rustix::fs::{Mode, OFlags};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};

/// How long to wait for what the command writes.
const PATIENCE: Duration = Duration::from_secs(20);

pub(crate) struct PseudoTerminal {
    ours: File,
    theirs: OwnedFd,
    coming: Receiver<Vec<u8>>,
    seen: Vec<u8>,
}

impl PseudoTerminal {
    pub(crate) fn open() -> Self {
        let ours = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
        grantpt(&ours).unwrap();
        unlockpt(&ours).unwrap();
        let name = ptsname(&ours, Vec::new()).unwrap();
        let path = std::ffi::OsStr::from_bytes(name.as_bytes());
        let theirs = rustix::fs::open(path, OFlags::RDWR | OFlags::NOCTTY, Mode::empty()).unwrap();
        let ours = File::from(ours);
        let mut reader = ours.try_clone().unwrap();
        let (told, coming) = mpsc::channel();
        // Ends with the terminal: reading fails when nobody has the other side any more.
        thread::spawn(move || {
            let mut buffer = [0; 4096];
            while let Ok(length @ 1..) = reader.read(&mut buffer) {
                if told.send(buffer[..length].to_vec()).is_err() {
                    return;
                }
            }
        });
        Self {
            ours,
            theirs,
            coming,
            seen: Vec::new(),
        }
    }

    /// The command's side.
    pub(crate) fn side(&self) -> Stdio {
        Stdio::from(self.theirs.try_clone().unwrap())
    }

    /// As if somebody typed.
    pub(crate) fn type_in(&mut self, text: &str) {
        self.ours.write_all(text.as_bytes()).unwrap();
    }

    /// Waits until this is on the screen; everything so far.
    pub(crate) fn until(&mut self, text: &str) -> String {
        loop {
            let seen = String::from_utf8_lossy(&self.seen).into_owned();
            if seen.contains(text) {
                return seen;
            }
            match self.coming.recv_timeout(PATIENCE) {
                Ok(bytes) => self.seen.extend(bytes),
                Err(error) => panic!("{error}: {text:?} never came after {seen:?}"),
            }
        }
    }

    /// Everything that was written, after the command has ended.
    pub(crate) fn whole(mut self) -> String {
        let mark = "\u{1}the end\u{1}";
        let mut writer = File::from(self.theirs.try_clone().unwrap());
        writer.write_all(mark.as_bytes()).unwrap();
        self.until(mark).replace(mark, "")
    }
}
