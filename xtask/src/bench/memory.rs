//! Permission checks without HTTP, against one look-up in one flat hash table.

use anyhow::Result;
use serde_json::Value;

use super::Bench;
use super::figures::{Section, grouped, number, row};
use super::progress::Progress;

pub(crate) fn measure(bench: &Bench) -> Result<Section> {
    let sizes = bench.effort.memory_grants;
    let progress = Progress::new("memory", sizes.len());
    let mut all = Vec::new();
    for grants in sizes {
        progress.next(&format!("{grants} grants"));
        all.push(bench.programs.measure_memory(*grants)?);
    }
    let mut table = vec![row([
        "grants",
        "hot ns",
        "floor",
        "ratio",
        "cold ns",
        "floor",
        "ratio",
        "document hot",
        "document cold",
        "bytes a grant",
        "floor",
        "loaded a second",
    ])];
    for measured in &all {
        let whole = |path: &[&str]| Ok::<_, anyhow::Error>(grouped(number(measured, path)?));
        let ratio =
            |path: &[&str]| Ok::<_, anyhow::Error>(format!("{:.2}", number(measured, path)?));
        table.push(vec![
            whole(&["grants"])?,
            whole(&["hot", "index"])?,
            whole(&["hot", "floor"])?,
            ratio(&["hot", "ratio"])?,
            whole(&["cold", "index"])?,
            whole(&["cold", "floor"])?,
            ratio(&["cold", "ratio"])?,
            whole(&["documentHot"])?,
            whole(&["documentCold"])?,
            whole(&["bytesAGrant"])?,
            whole(&["floorBytesAGrant"])?,
            whole(&["loadedASecond"])?,
        ]);
    }
    Ok(Section {
        title: "permission checks in memory, against one look-up in a flat hash table".to_owned(),
        table,
        notes: vec![
            "Half of the questions are granted. Hot: 64 of them again and again; cold: up to \
             400 000 in no order. The floor knows nothing of what is below a resource; the two \
             columns about documents ask what only the index can answer."
                .to_owned(),
        ],
        json: Value::Array(all),
    })
}
