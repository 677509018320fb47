//! Text from elsewhere, made harmless for a terminal.

use std::borrow::Cow;

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

fn is_deceptive(character: char) -> bool {
    character.is_control() && character != '\n'
        || matches!(
            character,
            '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}'
                | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}'
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
    }
}
