//! A Rust source split into what the compiler reads and what people read.

/// The same text twice, each with everything else blanked out, so that lines and columns stay where they were.
pub(crate) struct Layers {
    /// Code: comments, and what stands inside string and character literals, are blanks.
    pub(crate) code: String,
    /// Comments and doc comments: everything else is blanks.
    pub(crate) comments: String,
}

/// Splits a source; it never fails, for a source that does not compile is caught by the compiler.
pub(crate) fn layers(text: &str) -> Layers {
    let chars: Vec<char> = text.chars().collect();
    let mut layers = Layers {
        code: String::new(),
        comments: String::new(),
    };
    let mut at = 0;
    while at < chars.len() {
        let (end, kind) = token(&chars, at);
        for (offset, &c) in chars.iter().enumerate().take(end).skip(at) {
            let edge = offset == at || offset + 1 == end;
            let (code, comment) = match kind {
                _ if c == '\n' => (c, c),
                Kind::Code => (c, ' '),
                Kind::Comment => (' ', c),
                Kind::Literal => (if edge { c } else { ' ' }, ' '),
            };
            layers.code.push(code);
            layers.comments.push(comment);
        }
        at = end;
    }
    layers
}

#[derive(Clone, Copy)]
enum Kind {
    Code,
    Comment,
    Literal,
}

/// The end and kind of the token that begins at `at`; the end is always beyond `at`.
fn token(chars: &[char], at: usize) -> (usize, Kind) {
    let peek = |ahead: usize| chars.get(at + ahead).copied().unwrap_or('\0');
    let word_before = at > 0 && (chars[at - 1].is_alphanumeric() || chars[at - 1] == '_');
    match peek(0) {
        '/' if peek(1) == '/' => (line_end(chars, at), Kind::Comment),
        '/' if peek(1) == '*' => (block_end(chars, at), Kind::Comment),
        '"' => (string_end(chars, at + 1), Kind::Literal),
        'r' if !word_before || chars[at - 1] == 'b' => match raw_end(chars, at + 1) {
            Some(end) => (end, Kind::Literal),
            None => (at + 1, Kind::Code),
        },
        '\'' if peek(1) == '\\' => (char_end(chars, at + 3), Kind::Literal),
        '\'' if peek(2) == '\'' => (at + 3, Kind::Literal),
        _ => (at + 1, Kind::Code),
    }
}

fn line_end(chars: &[char], at: usize) -> usize {
    chars[at..]
        .iter()
        .position(|&c| c == '\n')
        .map_or(chars.len(), |length| at + length)
}

fn block_end(chars: &[char], at: usize) -> usize {
    let mut depth = 0_usize;
    let mut at = at;
    while at < chars.len() {
        match (chars[at], chars.get(at + 1)) {
            ('/', Some('*')) => (depth, at) = (depth + 1, at + 2),
            ('*', Some('/')) => {
                (depth, at) = (depth.saturating_sub(1), at + 2);
                if depth == 0 {
                    return at;
                }
            }
            _ => at += 1,
        }
    }
    chars.len()
}

fn string_end(chars: &[char], mut at: usize) -> usize {
    while at < chars.len() {
        match chars[at] {
            '\\' => at += 2,
            '"' => return at + 1,
            _ => at += 1,
        }
    }
    chars.len()
}

/// The end of a raw string whose `r` stands before `at`, or `None` where no raw string begins.
fn raw_end(chars: &[char], at: usize) -> Option<usize> {
    let hashes = chars.get(at..)?.iter().take_while(|&&c| c == '#').count();
    if chars.get(at + hashes) != Some(&'"') {
        return None;
    }
    let mut end = at + hashes + 1;
    while end < chars.len() {
        let closed = chars[end] == '"'
            && chars[end + 1..].len() >= hashes
            && chars[end + 1..end + 1 + hashes].iter().all(|&c| c == '#');
        end += 1;
        if closed {
            return Some(end + hashes);
        }
    }
    Some(chars.len())
}

fn char_end(chars: &[char], at: usize) -> usize {
    let from = at.min(chars.len());
    chars[from..]
        .iter()
        .position(|&c| c == '\'')
        .map_or(chars.len(), |length| from + length + 1)
}

/// Blanks what stands behind `#[cfg(test)]`: a module or function with its braces, or a `mod` line.
pub(crate) fn without_tests(code: &str) -> String {
    const MARK: &str = "#[cfg(test)]";
    let mut rest = code;
    let mut kept = String::with_capacity(code.len());
    while let Some(start) = rest.find(MARK) {
        let (before, from) = rest.split_at(start);
        kept.push_str(before);
        let end = item_end(from);
        kept.extend(from[..end].chars().map(|c| if c == '\n' { c } else { ' ' }));
        rest = &from[end..];
    }
    kept.push_str(rest);
    kept
}

fn item_end(text: &str) -> usize {
    let mut depth = 0_usize;
    for (at, c) in text.char_indices() {
        match c {
            ';' if depth == 0 => return at + 1,
            '{' => depth += 1,
            '}' => {
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    return at + 1;
                }
            }
            _ => {}
        }
    }
    text.len()
}

/// Whether `word` stands in `line` and is not the middle of a longer identifier.
pub(crate) fn has_word(line: &str, word: &str) -> bool {
    let part = |c: char| c.is_alphanumeric() || c == '_';
    line.match_indices(word).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        let after = line[at + word.len()..].chars().next();
        let open_start = !word.starts_with(part) || !before.is_some_and(part);
        let open_end = !word.ends_with(part) || !after.is_some_and(part);
        open_start && open_end
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_and_comments_leave_the_code_layer() {
        let source = r##"let a = "unsafe { // no"; // unsafe {
/* unsafe { /* nested */ } */ let b = r#"println!("x")"#; let c = '"'; let d = '\''; let e: &'a str = b"env::x";"##;
        let split = layers(source);
        assert!(!split.code.contains("unsafe"), "{}", split.code);
        assert!(!split.code.contains("println"), "{}", split.code);
        assert!(!split.code.contains("env::"), "{}", split.code);
        assert!(split.code.contains("let e: &'a str"), "{}", split.code);
        assert!(split.comments.contains("// unsafe {"));
        assert!(!split.comments.contains("let"));
        assert_eq!(split.code.lines().count(), source.lines().count());
    }

    #[test]
    fn test_modules_are_blanked_and_lines_stay() {
        let code = "fn a() {}\n#[cfg(test)]\nmod tests {\n fn b() { x() }\n}\nfn c() {}\n#[cfg(test)]\nmod more;\nfn d() {}";
        let kept = without_tests(code);
        assert!(kept.contains("fn a") && kept.contains("fn c") && kept.contains("fn d"));
        assert!(!kept.contains("fn b") && !kept.contains("more"));
        assert_eq!(kept.lines().count(), code.lines().count());
    }

    #[test]
    fn words_end_where_identifiers_end() {
        assert!(has_word("use rustix::fs;", "rustix"));
        assert!(!has_word("use my_rustix2;", "rustix"));
        assert!(has_word("std::env::var()", "env::"));
        assert!(!has_word("my_env::var()", "env::"));
    }
}
