//! A source file as the rules see it: its text, and its code without comments and strings.

use std::path::Path;

pub struct Source {
    /// From the root of the repository.
    pub path: String,
    pub text: String,
    /// The text with comments and the insides of strings blanked out, line for line.
    pub code: String,
}

pub fn read(path: &str) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// All Rust files below a directory; none, if it is not there.
pub fn sources(directory: &str) -> Vec<Source> {
    let mut found = Vec::new();
    collect(Path::new(directory), &mut found);
    found.sort_by(|a: &Source, b| a.path.cmp(&b.path));
    found
}

fn collect(directory: &Path, found: &mut Vec<Source>) {
    let Ok(entries) = std::fs::read_dir(directory) else { return };
    for path in entries.map(|entry| entry.unwrap().path()) {
        if path.is_dir() && !path.ends_with("target") {
            collect(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let path = path.to_str().unwrap().to_owned();
            let text = read(&path);
            found.push(Source { code: code_of(&text), path, text });
        }
    }
}

impl Source {
    /// The name of the directory or file in `src/`.
    pub fn room(&self) -> &str {
        let inside = self.path.strip_prefix("src/").unwrap_or(&self.path);
        inside.split('/').next().unwrap_or_default().trim_end_matches(".rs")
    }

    /// The name of the feature that this file, or its directory, is about: `xep0191_blocking`.
    pub fn feature(&self) -> Option<String> {
        let inside = self.path.strip_prefix("src/xep/").or(self.path.strip_prefix("src/stream/"))?;
        let name = inside.split('/').next().unwrap_or_default().trim_end_matches(".rs");
        let number = name.strip_prefix("xep").or(name.strip_prefix("rfc"))?;
        let is_number = number.len() > 4 && number.as_bytes()[..4].iter().all(u8::is_ascii_digit);
        is_number.then(|| name.to_owned())
    }

    /// Fails if the code has this word.
    pub fn forbid(&self, word: &str, why: &str) {
        for (number, line) in self.code.lines().enumerate() {
            assert!(!has_word(line, word), "{}:{}: names {word}: {why}", self.path, number + 1);
        }
    }

    /// The first names of all paths into this crate, with their lines: `jid` for `use crate::jid::Jid`, and both for
    /// `use crate::{jid::Jid, xml}`.
    pub fn crate_paths(&self) -> Vec<(usize, String)> {
        let mut found = Vec::new();
        for (at, prefix) in self.code.match_indices("crate::") {
            let line = 1 + self.code[..at].matches('\n').count();
            let rest = &self.code[at + prefix.len()..];
            match rest.strip_prefix('{') {
                Some(group) => found.extend(first_names(group).into_iter().map(|name| (line, name))),
                None => found.push((line, identifier(rest))),
            }
        }
        found
    }
}

/// The first names of the members of a `{…}` group, whose inside begins here.
fn first_names(group: &str) -> Vec<String> {
    let (mut names, mut depth, mut member) = (Vec::new(), 0, String::new());
    for c in group.chars() {
        match c {
            '{' => depth += 1,
            '}' if depth == 0 => break,
            '}' => depth -= 1,
            ',' if depth == 0 => names.push(identifier(std::mem::take(&mut member).trim())),
            _ => member.push(c),
        }
    }
    names.push(identifier(member.trim()));
    names
}

fn identifier(text: &str) -> String {
    text.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect()
}

fn has_word(line: &str, word: &str) -> bool {
    let is_part = |c: char| c.is_alphanumeric() || c == '_';
    line.match_indices(word)
        .any(|(at, _)| !line[..at].ends_with(is_part) && !line[at + word.len()..].starts_with(is_part))
}

/// Blanks out comments and the insides of strings. It knows line comments, block comments, strings, raw strings and
/// characters; lifetimes are told from characters by the missing second quote.
fn code_of(text: &str) -> String {
    let mut code = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let length = match c {
            '/' if rest.starts_with("//") => rest.find('\n').unwrap_or(rest.len()),
            '/' if rest.starts_with("/*") => rest.find("*/").map_or(rest.len(), |end| end + 2),
            '"' => string_length(rest),
            'r' if !code.ends_with(|c: char| c.is_alphanumeric() || c == '_') => {
                raw_string_length(rest).unwrap_or(0)
            }
            '\'' => character_length(rest).unwrap_or(0),
            _ => 0,
        };
        if length == 0 {
            code.push(c);
            rest = &rest[c.len_utf8()..];
        } else {
            code.extend(rest[..length].chars().map(|c| if c == '\n' { '\n' } else { ' ' }));
            rest = &rest[length..];
        }
    }
    code
}

fn string_length(text: &str) -> usize {
    let mut escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return at + 1,
            _ => {}
        }
    }
    text.len()
}

fn raw_string_length(text: &str) -> Option<usize> {
    let hashes = text[1..].chars().take_while(|&c| c == '#').count();
    let inside = text[1 + hashes..].strip_prefix('"')?;
    let end = format!("\"{}", "#".repeat(hashes));
    inside.find(&end).map(|at| 1 + hashes + 1 + at + end.len())
}

fn character_length(text: &str) -> Option<usize> {
    let inside = &text[1..];
    if inside.starts_with('\\') {
        return inside[2..].find('\'').map(|at| 1 + 2 + at + 1);
    }
    let first = inside.chars().next()?;
    inside[first.len_utf8()..].starts_with('\'').then(|| 1 + first.len_utf8() + 1)
}

#[test]
fn comments_and_strings_are_no_code() {
    let text =
        "a /* redb */ b // redb\nlet c = \"redb \\\" redb\"; r#\"redb \" redb\"# '\"' 'x' '\\'' &'a str";
    let code = code_of(text);
    assert!(!code.contains("redb"), "{code}");
    assert!(code.contains("let c = ") && code.ends_with("&'a str"), "{code}");
    assert_eq!(code.lines().count(), text.lines().count());
}

#[test]
fn a_word_is_a_whole_word() {
    assert!(has_word("x.await?", "await") && has_word("async fn", "async") && has_word("todo!()", "todo!"));
    assert!(!has_word("async_io", "async") && !has_word("awaited", "await"));
}

#[test]
fn paths_into_the_crate_are_found_in_groups_too() {
    let code = "use crate::jid::Jid;\nuse crate::{xml::{ns, Element}, store};".to_owned();
    let source = Source { path: "src/x.rs".into(), text: String::new(), code };
    let names: Vec<String> = source.crate_paths().into_iter().map(|(_, name)| name).collect();
    assert_eq!(names, ["jid", "xml", "store"]);
}
