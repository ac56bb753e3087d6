//! Entity tags, which name a version of a response. RFC 9110, section 8.8.3.

use hyper::header::HeaderName;
use hyper::HeaderMap;
use twox_hash::XxHash3_64;

/// Returns a strong tag of a body: its hash.
pub(super) fn of(body: &[u8]) -> String {
    const DIGITS: u32 = u64::BITS / 4;

    let hash = XxHash3_64::oneshot(body);
    let mut tag = String::with_capacity(DIGITS as usize + 2);
    tag.push('"');
    for digit in (0..DIGITS).rev() {
        let digit = (hash >> (4 * digit)) & 0xf;
        tag.push(char::from(b"0123456789abcdef"[digit as usize]));
    }
    tag.push('"');
    tag
}

/// Returns whether a header lists `tag` or `*`. The comparison is strong: weak tags fit nothing.
pub(super) fn lists(headers: &HeaderMap, name: &HeaderName, tag: &str) -> bool {
    any(headers, name, |listed| listed == tag && !listed.starts_with("W/"))
}

/// Returns whether a header lists `tag` or `*`. The comparison is weak: `W/"1"` fits `"1"`.
pub(super) fn lists_weakly(headers: &HeaderMap, name: &HeaderName, tag: &str) -> bool {
    any(headers, name, |listed| opaque(listed) == opaque(tag))
}

/// Returns a tag without the mark of a weak one.
fn opaque(tag: &str) -> &str {
    tag.strip_prefix("W/").unwrap_or(tag)
}

fn any(headers: &HeaderMap, name: &HeaderName, fits: impl Fn(&str) -> bool) -> bool {
    let lines = headers.get_all(name).iter().filter_map(|line| line.to_str().ok());
    lines.flat_map(tags).any(|listed| listed == "*" || fits(listed))
}

/// Returns the tags in a list, which may contain commas themselves. What is not a tag is skipped.
fn tags(list: &str) -> impl Iterator<Item = &str> {
    let mut rest = list;
    std::iter::from_fn(move || {
        let start = rest.find(['*', '"'])?;
        if rest[start..].starts_with('*') {
            let tag = &rest[start..=start];
            rest = &rest[start + 1..];
            return Some(tag);
        }
        let end = start + 1 + rest[start + 1..].find('"')? + 1;
        let weak = if rest[..start].ends_with("W/") { "W/".len() } else { 0 };
        let tag = &rest[start - weak..end];
        rest = &rest[end..];
        Some(tag)
    })
}
