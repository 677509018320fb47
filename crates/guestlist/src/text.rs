//! Text from elsewhere, made harmless for a terminal.

use std::borrow::Cow;
use std::fmt::Write as _;

/// Without characters that move the cursor, change colours or turn the direction of writing: names
/// come from people who may want to deceive whoever reads a list.
pub(crate) fn plain(text: &str) -> Cow<'_, str> {
    if text.chars().any(is_deceptive) {
        Cow::Owned(
            text.chars()
                .map(|character| {
                    if is_deceptive(character) {
                        '\u{fffd}'
                    } else {
                        character
                    }
                })
                .collect(),
        )
    } else {
        Cow::Borrowed(text)
    }
}

/// JSON that says the same with only harmless characters: those of [`plain`] as `\u` escapes. They are
/// in no other place than within its strings.
pub(crate) fn escaped(json: &str) -> String {
    let mut text = String::with_capacity(json.len());
    for character in json.chars() {
        if is_deceptive(character) {
            let mut units = [0; 2];
            for unit in character.encode_utf16(&mut units) {
                let _ = write!(text, "\\u{unit:04x}");
            }
        } else {
            text.push(character);
        }
    }
    text
}

fn is_deceptive(character: char) -> bool {
    character.is_control() && character != '\n'
        || matches!(
            character,
            '\u{61c}'
                | '\u{180e}'
                | '\u{200b}'..='\u{200f}'
                | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}'
                | '\u{feff}'
                | '\u{fff9}'..='\u{fffb}'
                | '\u{e0000}'..='\u{e007f}'
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_and_direction_marks_do_not_reach_the_terminal() {
        assert_eq!(plain("Zoë's 工程 role"), "Zoë's 工程 role");
        assert_eq!(plain("a\u{1b}[31mb"), "a\u{fffd}[31mb");
        assert_eq!(
            plain("a\u{202e}b\rc\u{9b}1m"),
            "a\u{fffd}b\u{fffd}c\u{fffd}1m"
        );
        assert_eq!(plain("a\u{61c}b"), "a\u{fffd}b");
    }

    #[test]
    fn json_says_the_same_with_harmless_characters() {
        let name = "Zoë \u{202e}\u{9b}1m\u{61c}\u{1b}[31m\u{e0041}";
        let json = serde_json::to_string_pretty(&[name]).unwrap();
        let harmless = escaped(&json);
        assert_eq!(harmless, plain(&harmless));
        assert!(harmless.contains("Zoë \\u202e\\u009b1m"), "{harmless}");
        assert_eq!(
            serde_json::from_str::<[String; 1]>(&harmless).unwrap(),
            [name]
        );
    }
}
