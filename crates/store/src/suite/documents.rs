//! Clauses 7 and 8: what is kept, byte for byte, and what is refused before anything is compared.

use guestlist_rules::changes::{Changes, Document, Facet, Kind, Revision, sortable};

use super::{Outcome, Place, body, cases, check, document, done, same, with_facets, writing};
use crate::{Selection, StoreError};

cases!(
    what_was_never_written_is_absent,
    a_body_is_kept_byte_for_byte,
    an_empty_body_is_kept,
    a_big_body_is_kept,
    a_body_may_shrink_and_grow,
    a_thousand_documents_are_one_change,
    ids_differ_by_case,
    ids_are_not_normalised,
    ids_are_not_trimmed,
    awkward_ids_are_kept,
    an_id_of_512_bytes_is_kept,
    facets_are_given_back_as_written,
    facet_values_are_kept_byte_for_byte,
    every_kind_and_facet_is_kept,
    sortable_times_are_in_the_order_of_time,
    a_document_named_twice_is_refused,
    a_bad_id_is_refused,
    a_facet_with_two_values_is_refused,
    a_change_that_is_too_large_is_refused,
);

const INVITE: Kind = Kind::Invite;

async fn what_was_never_written_is_absent(place: Place) -> Outcome {
    let store = place.open();
    same!(store.get(INVITE, "a").await?, None);
    same!(store.get(INVITE, "").await?, None);
    same!(store.list(INVITE, &Selection::All, None, 10).await?, vec![]);
    Ok(())
}

async fn keeps(place: &Place, body: Vec<u8>) -> Outcome {
    let store = place.open();
    let written = Document {
        kind: INVITE,
        id: "a".to_owned(),
        facets: Vec::new(),
        body,
    };
    done(&store, writing([written.clone()])).await?;
    same!(
        store.get(INVITE, "a").await?.map(|seen| seen.value),
        Some(written)
    );
    Ok(())
}

async fn a_body_is_kept_byte_for_byte(place: Place) -> Outcome {
    keeps(&place, (0..=255).collect()).await
}

async fn an_empty_body_is_kept(place: Place) -> Outcome {
    keeps(&place, Vec::new()).await
}

async fn a_big_body_is_kept(place: Place) -> Outcome {
    keeps(
        &place,
        (0..3_000_000_u32)
            .map(|number| number.to_le_bytes()[0] ^ 0x5a)
            .collect(),
    )
    .await
}

async fn a_body_may_shrink_and_grow(place: Place) -> Outcome {
    let store = place.open();
    for length in [10, 100_000, 0, 5_000, 1] {
        let text = "x".repeat(length);
        done(&store, writing([document(INVITE, "a", &text)])).await?;
        same!(body(&store, INVITE, "a").await?, Some(text));
    }
    Ok(())
}

async fn a_thousand_documents_are_one_change(place: Place) -> Outcome {
    let store = place.open();
    let documents = (0..1000).map(|number| document(INVITE, &format!("{number:04}"), "1"));
    same!(done(&store, writing(documents)).await?, Revision(1));
    same!(
        store.list(INVITE, &Selection::All, None, 2000).await?.len(),
        1000
    );
    same!(
        store
            .events_after(Revision(0), 1)
            .await?
            .first()
            .map(|line| line.touched.len()),
        Some(1000)
    );
    Ok(())
}

/// Writes a document under each id and reads every one back.
async fn keeps_apart(place: &Place, ids: &[&str]) -> Outcome {
    let store = place.open();
    for id in ids {
        done(&store, writing([document(INVITE, id, id)])).await?;
    }
    for id in ids {
        same!(body(&store, INVITE, id).await?.as_deref(), Some(*id));
    }
    let listed = store.list(INVITE, &Selection::All, None, 1000).await?;
    let listed: Vec<&str> = listed.iter().map(|seen| seen.value.id.as_str()).collect();
    let mut sorted = ids.to_vec();
    sorted.sort_unstable();
    same!(listed, sorted);
    Ok(())
}

async fn ids_differ_by_case(place: Place) -> Outcome {
    keeps_apart(
        &place,
        &[
            "Invite", "invite", "INVITE", "straße", "STRASSE", "ß", "ẞ", "ı", "I",
        ],
    )
    .await
}

async fn ids_are_not_normalised(place: Place) -> Outcome {
    keeps_apart(
        &place,
        &[
            "caf\u{e9}",
            "cafe\u{301}",
            "\u{fb01}",
            "fi",
            "\u{212b}",
            "\u{c5}",
        ],
    )
    .await
}

async fn ids_are_not_trimmed(place: Place) -> Outcome {
    keeps_apart(&place, &["a", " a", "a ", "a\n", "\ta", "a\u{a0}", "a  "]).await
}

async fn awkward_ids_are_kept(place: Place) -> Outcome {
    let ids = [
        "'",
        "\"",
        "\\",
        "%",
        "_",
        "a%b",
        "*",
        "?",
        ";--",
        "google-oauth2|1095/36@x+y",
        "🎟️",
        "\u{1}",
        "\u{7f}",
        "\u{ffff}",
        "\u{10ffff}",
        "0",
        "00",
        "1e3",
        "null",
        "NULL",
        "a/b",
        "x'00'",
    ];
    keeps_apart(&place, &ids).await
}

async fn an_id_of_512_bytes_is_kept(place: Place) -> Outcome {
    keeps_apart(
        &place,
        &["x".repeat(512).as_str(), "é".repeat(256).as_str()],
    )
    .await
}

async fn facets_are_given_back_as_written(place: Place) -> Outcome {
    let store = place.open();
    let facets = [
        (Facet::Principal, "p"),
        (Facet::Expires, "e"),
        (Facet::Inviter, "i"),
    ];
    let written = with_facets(document(INVITE, "a", "1"), &facets);
    done(&store, writing([written.clone()])).await?;
    same!(
        store.get(INVITE, "a").await?.map(|seen| seen.value),
        Some(written.clone())
    );
    let listed = store.list(INVITE, &Selection::All, None, 1).await?;
    same!(
        listed.into_iter().next().map(|seen| seen.value),
        Some(written)
    );
    Ok(())
}

async fn facet_values_are_kept_byte_for_byte(place: Place) -> Outcome {
    let store = place.open();
    let values = [
        "",
        " ",
        "a",
        "A",
        "a ",
        "'",
        "%",
        "é",
        "e\u{301}",
        "\u{10ffff}",
        "\n",
        "1",
        "01",
    ];
    for value in values {
        let id = format!("id of {value}");
        let written = with_facets(document(INVITE, &id, "1"), &[(Facet::Inviter, value)]);
        done(&store, writing([written])).await?;
    }
    for value in values {
        let selection = Selection::Equal(Facet::Inviter, value.to_owned());
        let found = store.list(INVITE, &selection, None, 10).await?;
        let found: Vec<_> = found.iter().map(|seen| seen.value.id.clone()).collect();
        same!(found, vec![format!("id of {value}")]);
    }
    Ok(())
}

async fn every_kind_and_facet_is_kept(place: Place) -> Outcome {
    let store = place.open();
    let facets: Vec<_> = Facet::ALL.map(|facet| (facet, facet.name())).to_vec();
    let documents = Kind::ALL.map(|kind| with_facets(document(kind, "a", kind.name()), &facets));
    done(&store, writing(documents)).await?;
    for kind in Kind::ALL {
        same!(body(&store, kind, "a").await?.as_deref(), Some(kind.name()));
        for facet in Facet::ALL {
            let selection = Selection::Equal(facet, facet.name().to_owned());
            same!(store.list(kind, &selection, None, 10).await?.len(), 1);
        }
    }
    Ok(())
}

async fn sortable_times_are_in_the_order_of_time(place: Place) -> Outcome {
    let store = place.open();
    let times = [
        i64::MIN,
        -1_000_000,
        -1,
        0,
        1,
        999,
        1000,
        1_700_000_000_000,
        i64::MAX,
    ];
    for time in times.iter().rev() {
        let value = sortable(*time);
        let id = time.to_string();
        done(
            &store,
            writing([with_facets(
                document(INVITE, &id, "1"),
                &[(Facet::Expires, &value)],
            )]),
        )
        .await?;
    }
    let selection = Selection::Between(Facet::Expires, sortable(-1), sortable(i64::MAX));
    let found = store.list(INVITE, &selection, None, 100).await?;
    let found: Vec<_> = found.iter().map(|seen| seen.value.id.clone()).collect();
    same!(found, vec!["-1", "0", "1", "999", "1000", "1700000000000"]);
    Ok(())
}

/// The change is refused as a whole, and the store goes on.
async fn refused(place: &Place, changes: Changes) -> Outcome {
    let store = place.open();
    let answer = store.apply(changes).await;
    check!(
        matches!(answer, Err(StoreError::Unavailable(_))),
        "{answer:?}"
    );
    same!(store.revision().await?, Revision(0));
    same!(store.list(INVITE, &Selection::All, None, 10).await?, vec![]);
    same!(
        done(&store, writing([document(INVITE, "after", "1")])).await?,
        Revision(1)
    );
    Ok(())
}

async fn a_document_named_twice_is_refused(place: Place) -> Outcome {
    refused(
        &place,
        writing([document(INVITE, "a", "1"), document(INVITE, "a", "2")]),
    )
    .await?;
    Ok(())
}

async fn a_bad_id_is_refused(place: Place) -> Outcome {
    let store = place.open();
    for id in ["", "a\0b", "x".repeat(513).as_str()] {
        let answer = store.apply(writing([document(INVITE, id, "1")])).await;
        check!(answer.is_err(), "{id:?} was taken: {answer:?}");
    }
    same!(store.revision().await?, Revision(0));
    Ok(())
}

async fn a_facet_with_two_values_is_refused(place: Place) -> Outcome {
    let facets = [(Facet::Inviter, "a"), (Facet::Inviter, "b")];
    refused(
        &place,
        writing([with_facets(document(INVITE, "a", "1"), &facets)]),
    )
    .await
}

async fn a_change_that_is_too_large_is_refused(place: Place) -> Outcome {
    let half = "x".repeat(5 << 20);
    refused(
        &place,
        writing([document(INVITE, "a", &half), document(INVITE, "b", &half)]),
    )
    .await
}
